/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When each frame is to be sent: a token bucket, kept as the time at which there
 * are tokens for the next frame (the virtual scheduling of ITU-T I.371 annex A).
 *
 *   due  += cost(frame) * 10^9 / rate      with the remainder kept, so that after any
 *                                          number of frames due is exact to 1 ns
 *
 * The time of a frame follows from those before it alone, not from when they really
 * left: that is the intended time, from which its latency counts, or a stalled
 * sender would hide what it did not measure (coordinated omission).
 *
 * burst: so many frames are due at the same time, the next burst after the time that
 * all of them take. depth: how far behind its schedule a sender may be and still catch
 * up as fast as it can; what is older is given up, and the schedule slips. So at most
 * burst + depth * rate frames leave back to back.
 *
 * One thread; no allocation; no division while sizes repeat.
 *
 *   while (room && wm_bucket_is_due(&bucket, now_ns))
 *           intended_ns = wm_bucket_take(&bucket, frame_bytes, now_ns);
 */
#ifndef WM_GEN_BUCKET_H
#define WM_GEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "rate.h"

#define WM_BUCKET_BURST_MAX 65536u

struct wm_bucket {
	struct wm_rate rate;
	uint32_t burst_frames;
	uint64_t depth_ns;

	uint64_t due_ns;     /* of the next frame */
	uint64_t next_ns;    /* when the tokens of all frames so far are there again, */
	uint64_t rest;	     /* and as much of a nanosecond: rest / rate */
	uint32_t burst_left; /* frames of this burst */
	uint64_t slipped_ns; /* how much of the schedule was given up */

	/* of the last size */
	uint32_t step_bytes;
	uint64_t step_ns, step_rest;
};

/* burst_frames 1 .. WM_BUCKET_BURST_MAX; 1: evenly. The first frame is due at
 * start_ns. */
void wm_bucket_init(struct wm_bucket *bucket, struct wm_rate rate, uint32_t burst_frames,
		    uint64_t depth_ns, uint64_t start_ns);

static inline bool wm_bucket_is_due(const struct wm_bucket *bucket, uint64_t now_ns)
{
	return bucket->due_ns <= now_ns;
}

/* Takes the tokens of one frame, which is due. Returns its intended time; at
 * WM_RATE_MAX, now. */
uint64_t wm_bucket_take(struct wm_bucket *bucket, uint32_t frame_bytes, uint64_t now_ns);

#endif
