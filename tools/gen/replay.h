/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which frame of a capture is next, and when: at the times at which they came, or so much
 * faster, over and over.
 *
 *   pass 0                          pass 1
 *   |frame 0 ... frame n-1|  gap    |frame 0 ...
 *   0          last time            period = last time + gap
 *
 * The gap between passes is the mean of those within one, so that even traffic stays
 * even. Pure: no clock; the capture is not changed.
 */
#ifndef WM_GEN_REPLAY_H
#define WM_GEN_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "capture.h"

/* 1: as recorded. */
#define WM_REPLAY_SPEED_ONE_PPM 1000000u

struct wm_replay {
	const struct wm_capture *capture;
	uint32_t speed_ppm;
	uint64_t passes; /* 0: no end */
	uint64_t period_ns;
	uint64_t pass, frame; /* the next */
};

/* speed_ppm: of the recorded speed, not 0. */
void wm_replay_init(struct wm_replay *replay, const struct wm_capture *capture, uint32_t speed_ppm,
		    uint64_t passes);
bool wm_replay_is_over(const struct wm_replay *replay);
/* Not once it is over: the next frame, and when it is due, after the first one. */
const struct wm_capture_frame *wm_replay_frame(const struct wm_replay *replay);
uint64_t wm_replay_due_ns(const struct wm_replay *replay);
/* The longest time between two frames of a pass, and the number of the later one, from 1. */
uint64_t wm_replay_pause_ns(const struct wm_replay *replay, uint64_t *before_frame);
/* On to the one after it. */
void wm_replay_advance(struct wm_replay *replay);

#endif
