/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far a lane reads ahead. While one extent is read, so many are used up as pass in
 * that time (Little 1961: what is under way is rate times latency). Twice as many are
 * asked for, and two more: what was measured while a lane waited for its disk is the
 * rate of the wait, and has to grow out of it.
 *
 * Less than all that there is room for, so that input is sent while it is still in a
 * cache, and slots are left for extents that wait for a slow node or for the output.
 *
 * Pure: no clock, no I/O, no allocation; one thread, the lane's.
 */
#ifndef WM_READAHEAD_H
#define WM_READAHEAD_H

#include <stdint.h>

struct wm_readahead {
	uint64_t latency_ns;  /* of a read; 0: none has ended */
	uint64_t interval_ns; /* from the use of one extent to that of the next; 0: not known */
	uint64_t used_ns;     /* when the last one was used up; 0: none was */
	uint32_t depth_max;
};

void wm_readahead_init(struct wm_readahead *readahead, uint32_t depth_max);
/* An extent was read, in so much time. */
void wm_readahead_arrived(struct wm_readahead *readahead, uint64_t latency_ns);
/* The last batch of an extent was sent. */
void wm_readahead_used(struct wm_readahead *readahead, uint64_t now_ns);
/* Extents that may be read, or wait to be sent, at once; all there is room for until
 * both figures are known. */
uint32_t wm_readahead_depth(const struct wm_readahead *readahead);

#endif
