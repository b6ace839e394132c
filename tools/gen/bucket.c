/* SPDX-License-Identifier: BSD-3-Clause */
#include "bucket.h"

#include <assert.h>

#include "clock.h"

/* Bits of the longest frame, in billionths of a second's worth, and a remainder. */
static_assert(8ull * (UINT16_MAX + WM_ETHER_GAP_BYTES) * WM_NS_PER_S <
		      UINT64_MAX - WM_RATE_PER_S_MAX,
	      "a step fits 64 bits");

void wm_bucket_init(struct wm_bucket *bucket, struct wm_rate rate, uint32_t burst_frames,
		    uint64_t depth_ns, uint64_t start_ns)
{
	assert(burst_frames >= 1 && burst_frames <= WM_BUCKET_BURST_MAX);
	assert(rate.unit == WM_RATE_MAX || (rate.per_s > 0 && rate.per_s <= WM_RATE_PER_S_MAX));
	*bucket = (struct wm_bucket){ .rate = rate,
				      .burst_frames = burst_frames,
				      .burst_left = burst_frames,
				      .depth_ns = depth_ns,
				      .due_ns = start_ns,
				      .next_ns = start_ns };
}

static void measure_step(struct wm_bucket *bucket, uint32_t frame_bytes)
{
	uint64_t cost = wm_rate_cost(bucket->rate.unit, frame_bytes) * WM_NS_PER_S;

	assert(frame_bytes > 0 && frame_bytes <= UINT16_MAX);
	bucket->step_bytes = frame_bytes;
	bucket->step_ns = cost / bucket->rate.per_s;
	bucket->step_rest = cost % bucket->rate.per_s;
}

/* Only between bursts: within one, all frames have the time that it was due. */
static void slip(struct wm_bucket *bucket, uint64_t now_ns)
{
	uint64_t behind_ns = now_ns > bucket->due_ns ? now_ns - bucket->due_ns : 0;

	if (bucket->burst_left < bucket->burst_frames || behind_ns <= bucket->depth_ns)
		return;
	bucket->slipped_ns += behind_ns - bucket->depth_ns;
	bucket->due_ns = bucket->next_ns = now_ns - bucket->depth_ns;
}

uint64_t wm_bucket_take(struct wm_bucket *bucket, uint32_t frame_bytes, uint64_t now_ns)
{
	uint64_t intended_ns;

	assert(wm_bucket_is_due(bucket, now_ns));
	if (bucket->rate.unit == WM_RATE_MAX)
		return now_ns;
	slip(bucket, now_ns);
	intended_ns = bucket->due_ns;
	if (frame_bytes != bucket->step_bytes)
		measure_step(bucket, frame_bytes);
	bucket->next_ns += bucket->step_ns;
	bucket->rest += bucket->step_rest;
	if (bucket->rest >= bucket->rate.per_s) {
		bucket->rest -= bucket->rate.per_s;
		bucket->next_ns++;
	}
	if (--bucket->burst_left == 0) {
		bucket->burst_left = bucket->burst_frames;
		bucket->due_ns = bucket->next_ns;
	}
	return intended_ns;
}
