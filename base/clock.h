/* SPDX-License-Identifier: BSD-3-Clause */
/* Monotonic time. The pure core never reads it; its callers pass `now_ns` in. */
#ifndef WM_CLOCK_H
#define WM_CLOCK_H

#include <stdint.h>
#include <time.h>

#define WM_NS_PER_US 1000ull
#define WM_NS_PER_MS 1000000ull
#define WM_NS_PER_S 1000000000ull

static inline uint64_t wm_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * WM_NS_PER_S + (uint64_t)ts.tv_nsec;
}

#endif
