/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steps: command lines, one a line, each as if typed behind the program's name.
 *
 *   # a comment, here or behind a step
 *   roundtrip --size 64,1518 --rate 50% --duration 10s
 *   replay "a name with spaces.pcap" --speed 2
 *
 * Words are separated by spaces or tabs; '...' and "..." keep those, and #, within a word.
 * There is nothing else to it: what repeats and what varies is written by whoever writes the
 * steps, such as a shell into a pipe.
 *
 *	while ((ret = wm_steps_next(&steps, &step, error)) > 0)
 *		...
 *	wm_steps_rewind(&steps);		(to read them once more)
 *
 * All are in memory before the first is read. Pure but for open.
 */
#ifndef WM_GEN_STEPS_H
#define WM_GEN_STEPS_H

#include <stddef.h>

#include "wiremill/error.h"

#define WM_STEPS_BYTES_MAX (1024u * 1024u)
#define WM_STEP_WORDS_MAX 128u
#define WM_STEP_BYTES_MAX 4096u /* of a line */

struct wm_steps {
	const char *name; /* for errors */
	const char *text, *at, *end;
	unsigned line;
	char *owned; /* NULL: the caller's text */
};

struct wm_step {
	unsigned line;			   /* where it stands, from 1 */
	int argc;			   /* 1 or more */
	char *argv[WM_STEP_WORDS_MAX + 1]; /* in words; NULL behind the last */
	char words[WM_STEP_BYTES_MAX];
};

/* From the file, or from standard input where path is "-", until its end. Negative: it
 * cannot be read, or is too long. */
int wm_steps_open(struct wm_steps *steps, const char *path, struct wm_error *error);
/* Of a text that stays the caller's; name stands for the path in errors. */
void wm_steps_init(struct wm_steps *steps, const char *name, const char *text, size_t bytes);
void wm_steps_close(struct wm_steps *steps);

/* 1: the next step; 0: there is none; -EINVAL: "NAME:12: what is wrong: what to do". */
int wm_steps_next(struct wm_steps *steps, struct wm_step *step, struct wm_error *error);
void wm_steps_rewind(struct wm_steps *steps);

#endif
