/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far long work is, on stderr: one line that is drawn over on a terminal,
 * a plain line a second elsewhere.
 */
#ifndef WM_CLI_PROGRESS_BAR_H
#define WM_CLI_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WM_PROGRESS_LINE_BYTES 512

struct wm_progress_bar {
	FILE *stream;
	bool terminal;
	bool drawn;	  /* the terminal's line holds something of ours */
	uint64_t line_ns; /* when the last plain line was printed, or the work began */
	char note[WM_PROGRESS_LINE_BYTES];
};

/*
 * The line for a terminal that wide, or for width = 0 the plain one without a
 * bar. Pure. done and total in bytes, rate in bytes a second (0: not known); more
 * done than total counts as all. Returns text.
 *
 *   [########............]  42 %  420 MB of 1.00 GB  210 MB/s  3 s left
 */
char *wm_progress_bar_format(char *text, size_t text_bytes, uint64_t done, uint64_t total,
			     double rate, unsigned width);

/* stream: stderr. The environment TERM=dumb counts as no terminal. */
void wm_progress_bar_init(struct wm_progress_bar *progress, FILE *stream);
/* now_ns: the caller's clock, for "a line a second", not 0. */
void wm_progress_bar_show(struct wm_progress_bar *progress, uint64_t done, uint64_t total,
			  double rate, uint64_t now_ns);
/* Words in place of the bar, while there is nothing to measure. Elsewhere than on
 * a terminal they are printed when they change. */
void wm_progress_bar_note(struct wm_progress_bar *progress, const char *note);
/* Leaves the terminal's line empty for what comes. */
void wm_progress_bar_clear(struct wm_progress_bar *progress);

#endif
