/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture of a few lines on a terminal, drawn over again and again. What the terminal
 * understands is looked up by terminfo (ncurses).
 *
 *   |                     <- the cursor rests here, on an empty line
 *   |roundtrip, 64 bytes     the picture
 *   |...
 *
 * No mode of the terminal is changed, so nothing has to be put back, whatever ends the
 * program: the next prompt is written over the picture. A line of the log that comes in
 * between takes the empty line, and the picture moves down.
 *
 * One at a time; on one thread.
 */
#ifndef WM_GEN_TERMINAL_H
#define WM_GEN_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct wm_terminal {
	FILE *stream;
	const char *up, *erase_line, *erase_below;
	bool is_drawn;
};

/* False: it is none, or one whose lines cannot be drawn over (TERM is not set, or dumb). */
bool wm_terminal_open(struct wm_terminal *terminal, FILE *stream);
/* Lines that a picture may have now. */
unsigned wm_terminal_lines(const struct wm_terminal *terminal);
/* Lines that end with a newline; what is too wide is cut. */
void wm_terminal_draw(struct wm_terminal *terminal, const char *text);
/* Leaves no picture. */
void wm_terminal_clear(struct wm_terminal *terminal);

#endif
