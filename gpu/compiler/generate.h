/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shader that is made of a kernel's source: the prelude, in() and out() for its element,
 * the author's text under its own line numbers, and a main() that computes a row of elements.
 *
 * Reads stay in the element's halo and writes in the element, whatever the author asks for.
 * With a check the first time that one did not is noted in wm_row.zero: WM_ROW_NOTE_*.
 *
 * Pure; any thread.
 */
#ifndef WM_GENERATE_H
#define WM_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_source.h"

/* What a note says: its kind, the element (of the row), and how far beside it (i + distance). */
enum wm_row_note_kind {
	WM_ROW_NOTE_NONE,
	WM_ROW_NOTE_READ,    /* in(i + distance) is outside the halo */
	WM_ROW_NOTE_WRITE,   /* out(i + distance) is another element */
	WM_ROW_NOTE_NOTHING, /* no out() at all */
	WM_ROW_NOTE_SCALAR,  /* in_at or out_at of a scalar (distance) that the element lacks */
};

struct wm_row_note {
	enum wm_row_note_kind kind;
	uint32_t element;
	int32_t distance; /* -2048 to 2047: what is farther is as far */
};

struct wm_row_note wm_row_note_decode(uint32_t zero);

/* name: of the author's file, as messages have it. Returns GLSL, to be freed, or NULL: no
 * memory. */
char *wm_generate(const struct wm_kernel_source *source, const char *name, bool check);

#endif
