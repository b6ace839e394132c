/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include <assert.h>

/* Hundreds of years: a capture may say any time. Added to a clock it does not overflow. */
#define DUE_NS_MAX ((uint64_t)INT64_MAX)

static uint64_t period_of(const struct wm_capture *capture)
{
	uint64_t last_ns = capture->frames[capture->frame_count - 1].time_ns;

	return capture->frame_count > 1 ? last_ns + last_ns / (capture->frame_count - 1) : 0;
}

void wm_replay_init(struct wm_replay *replay, const struct wm_capture *capture, uint32_t speed_ppm,
		    uint64_t passes)
{
	assert(capture->frame_count > 0 && speed_ppm > 0);
	*replay = (struct wm_replay){
		.capture = capture,
		.speed_ppm = speed_ppm,
		.passes = passes,
		.period_ns = period_of(capture),
	};
}

bool wm_replay_is_over(const struct wm_replay *replay)
{
	return replay->passes > 0 && replay->pass == replay->passes;
}

const struct wm_capture_frame *wm_replay_frame(const struct wm_replay *replay)
{
	assert(!wm_replay_is_over(replay));
	return &replay->capture->frames[replay->frame];
}

/* At the speed of this replay. */
static uint64_t at_speed(const struct wm_replay *replay, unsigned __int128 recorded_ns)
{
	unsigned __int128 due_ns = recorded_ns * WM_REPLAY_SPEED_ONE_PPM / replay->speed_ppm;

	return due_ns < DUE_NS_MAX ? (uint64_t)due_ns : DUE_NS_MAX;
}

uint64_t wm_replay_due_ns(const struct wm_replay *replay)
{
	return at_speed(replay, (unsigned __int128)replay->period_ns * replay->pass +
					wm_replay_frame(replay)->time_ns);
}

uint64_t wm_replay_pause_ns(const struct wm_replay *replay, uint64_t *before_frame)
{
	const struct wm_capture *capture = replay->capture;
	uint64_t longest_ns = 0;

	*before_frame = 1;
	for (uint64_t i = 1; i < capture->frame_count; i++) {
		uint64_t pause_ns = capture->frames[i].time_ns - capture->frames[i - 1].time_ns;

		if (pause_ns > longest_ns) {
			longest_ns = pause_ns;
			*before_frame = i + 1;
		}
	}
	return at_speed(replay, longest_ns);
}

void wm_replay_advance(struct wm_replay *replay)
{
	assert(!wm_replay_is_over(replay));
	if (++replay->frame < replay->capture->frame_count)
		return;
	replay->frame = 0;
	replay->pass++;
}
