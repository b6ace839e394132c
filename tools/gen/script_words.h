/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line of a script as words: quotes, backslashes, comments and variables, as
 * script.h has them.
 */
#ifndef WM_GEN_SCRIPT_WORDS_H
#define WM_GEN_SCRIPT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "script.h"

#define WM_SCRIPT_NAME_BYTES 64u

struct wm_script_variable {
	char name[WM_SCRIPT_NAME_BYTES];
	char *value;
};

struct wm_script_variables {
	unsigned count;
	struct wm_script_variable variable[WM_SCRIPT_VARIABLES_MAX];
};

/* The words one behind the other, each with its 0. */
struct wm_script_words {
	char *text;
	size_t bytes, room;
	unsigned count;
};

/* Is it what a variable may be called? */
bool wm_script_is_name(const char *text);
/* -ENOSPC: too many; -ENOMEM. */
int wm_script_variable_set(struct wm_script_variables *variables, const char *name,
			   const char *value);
void wm_script_variables_fini(struct wm_script_variables *variables);

/* Replaces the words by those of the line from text to end. -EINVAL with what is wrong
 * with them, without where; -ENOMEM. */
int wm_script_words_read(struct wm_script_words *words, const char *text, const char *end,
			 const struct wm_script_variables *variables, struct wm_error *error);
/* index < count */
const char *wm_script_word(const struct wm_script_words *words, unsigned index);

#endif
