/* SPDX-License-Identifier: BSD-3-Clause */
/* Words that go on at the next line's indent where the width ends. */
#ifndef WM_WRAP_H
#define WM_WRAP_H

#include <stdio.h>

#define WM_WRAP_WIDTH_DEFAULT 80u

struct wm_wrap {
	FILE *stream;
	unsigned width, indent, at; /* in columns */
};

void wm_wrap_word(struct wm_wrap *wrap, const char *word, unsigned bytes);
/* Words end with a space, or a line. */
void wm_wrap_words(struct wm_wrap *wrap, const char *text);
/* "  --name VALUE           what it is for", its second part as a column of its own. */
void wm_wrap_row(FILE *stream, unsigned width, const char *form, const char *text);

/* Columns of the terminal behind stream; the default where there is none. */
unsigned wm_wrap_screen(FILE *stream);
/* The same, at most the default: text is read in lines that the eye finds back in. */
unsigned wm_wrap_page(FILE *stream);

#endif
