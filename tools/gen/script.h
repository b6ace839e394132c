/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file of steps, run one after the other, each as if typed behind the program's
 * name.
 *
 *   # a comment, here or behind a step
 *   set TIME 10s
 *   echo --size 64,1518 --rate 50% --duration $TIME
 *   repeat 3
 *       throughput --size "rfc2544" --duration ${TIME}
 *   end
 *
 * Words are separated by spaces or tabs. "..." keeps spaces and #; within it and
 * outside \ takes the next character as it is. $NAME and ${NAME} (letters, digits,
 * _) give the value that was last set above, also within quotes; a value is part of
 * its word, not split again. A name that was not set is an error. `repeat` may be
 * nested; what it contains is written out when the file is read, in the order of
 * execution, and `set` within it is done each time.
 *
 * Ours: create by load or parse, destroy.
 */
#ifndef WM_GEN_SCRIPT_H
#define WM_GEN_SCRIPT_H

#include <stddef.h>

#include "wiremill/error.h"

#define WM_SCRIPT_BYTES_MAX (1024u * 1024u)
#define WM_SCRIPT_WORDS_MAX 256u     /* in a line */
#define WM_SCRIPT_VARIABLES_MAX 256u /* names */
#define WM_SCRIPT_WORD_BYTES_MAX 4096u
#define WM_SCRIPT_REPEAT_DEPTH_MAX 8u
/* Steps after writing out: hours of one-second steps. */
#define WM_SCRIPT_STEPS_MAX 10000u
#define WM_SCRIPT_WRITTEN_BYTES_MAX (4u * 1024u * 1024u)

struct wm_script_step {
	unsigned line; /* where it stands, from 1 */
	int argc;
	char **argv; /* argv[0]: the mode; NULL behind the last */
};

struct wm_script {
	unsigned step_count;
	struct wm_script_step *steps;
};

/* NULL with errno and error: "FILE:12: what is wrong: what to do". A file without
 * a step is an error. */
struct wm_script *wm_script_load(const char *path, struct wm_error *error);
/* The same from memory; name stands for the path in errors. */
struct wm_script *wm_script_parse(const char *name, const char *text, size_t text_bytes,
				  struct wm_error *error);
void wm_script_destroy(struct wm_script **script);

#endif
