/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of base/option share. */
#ifndef WM_OPTION_PRIVATE_H
#define WM_OPTION_PRIVATE_H

#include "option.h"

/* The index-th of all sets, and which set that is; NULL: there are no more. */
const struct wm_option *wm_option_at(const struct wm_option_schema *schema, unsigned index,
				     unsigned *set);
/* Does the schema's command know it? */
bool wm_option_is_known(const struct wm_option_schema *schema, const struct wm_option *option);
/* "a", "a or b", "a, b or c". Returns text. */
char *wm_option_list(char *text, size_t text_bytes, const char *const *choices);

#endif
