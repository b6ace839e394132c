/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The estimate of RFC 6298, in integers: the mean of round trips, how much they vary, and how
 * long to wait for an answer by that. The bounds of the wait are the caller's.
 *
 * Pure; any thread.
 */
#ifndef WM_ROUND_TRIP_H
#define WM_ROUND_TRIP_H

#include <stdint.h>

/* Takes one more; both 0 at first. Returns the wait: what takes seconds varies by more than
 * was seen of it yet, so it is a quarter above the mean at least. */
static inline uint64_t wm_round_trip_add(uint64_t *srtt_ns, uint64_t *rttvar_ns, uint64_t rtt_ns)
{
	uint64_t difference, margin_ns;

	if (*srtt_ns == 0) {
		*srtt_ns = rtt_ns;
		*rttvar_ns = rtt_ns / 2;
	} else {
		difference = *srtt_ns > rtt_ns ? *srtt_ns - rtt_ns : rtt_ns - *srtt_ns;
		*rttvar_ns = (3 * *rttvar_ns + difference) / 4;
		*srtt_ns = (7 * *srtt_ns + rtt_ns) / 8;
	}
	margin_ns = 4 * *rttvar_ns;
	return *srtt_ns + (margin_ns > *srtt_ns / 4 ? margin_ns : *srtt_ns / 4);
}

#endif
