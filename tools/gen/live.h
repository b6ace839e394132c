/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is shown on stderr while traffic runs: a picture that is drawn over on a terminal,
 * a line now and then, or nothing. On the control thread, which reads what the engine
 * counts (live_view.h).
 */
#ifndef WM_GEN_LIVE_H
#define WM_GEN_LIVE_H

#include <stdint.h>

#include "live_view.h"
#include "terminal.h"
#include "traffic.h"
#include "wiremill/error.h"

enum wm_live_how {
	WM_LIVE_AUTO, /* a screen, or lines where a terminal cannot do it; else nothing */
	WM_LIVE_SCREEN,
	WM_LIVE_LINES,
	WM_LIVE_OFF,
};

struct wm_live {
	enum wm_live_how how; /* what was obtained */
	struct wm_terminal terminal;
	uint64_t next_ns;
	const struct wm_traffic *traffic;
	struct wm_live_head head;
	struct wm_live_sample samples[2];
	unsigned current;
	struct wm_histogram *scratch; /* two of them */
};

/* -ENOTTY: no terminal to draw on, where a screen is asked for; -ENOMEM. */
int wm_live_open(struct wm_live *live, enum wm_live_how how, struct wm_error *error);
/* Leaves the terminal as it was. Harmless twice. */
void wm_live_close(struct wm_live *live);

/* Traffic that begins now. */
void wm_live_begin(struct wm_live *live, const struct wm_traffic *traffic, uint64_t line_bits_per_s,
		   uint64_t now_ns);
/* As often as one likes: shows how it stands if it is time to. */
void wm_live_show(struct wm_live *live, uint64_t now_ns);

#endif
