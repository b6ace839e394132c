/* SPDX-License-Identifier: BSD-3-Clause */
/* Words on stdout that go on at the next line's indent where the screen's width ends. */
#ifndef WM_CLI_WRAP_H
#define WM_CLI_WRAP_H

struct wm_wrap {
	unsigned width, indent, at; /* in columns */
};

void wm_wrap_word(struct wm_wrap *wrap, const char *word, unsigned bytes);
/* Words end with a space, or a line. */
void wm_wrap_words(struct wm_wrap *wrap, const char *text);
/* "  --name VALUE           what it is for", its second part as a column of its own. */
void wm_wrap_option(const char *form, const char *help);

#endif
