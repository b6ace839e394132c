/* SPDX-License-Identifier: BSD-3-Clause */
#include "wrap.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"

#define HELP_INDENT 25u

void wm_wrap_word(struct wm_wrap *wrap, const char *word, unsigned bytes)
{
	if (wrap->at > wrap->indent && wrap->at + 1 + bytes > wrap->width) {
		printf("\n%*s", (int)wrap->indent, "");
		wrap->at = wrap->indent;
	} else if (wrap->at > wrap->indent) {
		putchar(' ');
		wrap->at++;
	}
	printf("%.*s", (int)bytes, word);
	wrap->at += bytes;
}

void wm_wrap_words(struct wm_wrap *wrap, const char *text)
{
	while (*text) {
		unsigned bytes = (unsigned)strcspn(text, " \n");

		wm_wrap_word(wrap, text, bytes);
		text += bytes + strspn(text + bytes, " \n");
	}
}

/* The form on a line of its own where it would reach into the text. */
void wm_wrap_option(const char *form, const char *help)
{
	struct wm_wrap wrap = { wm_cli_width(stdout), HELP_INDENT, HELP_INDENT };

	if (strlen(form) + 3 > HELP_INDENT)
		printf("  %s\n%*s", form, (int)HELP_INDENT, "");
	else
		printf("  %-*s", (int)HELP_INDENT - 2, form);
	wm_wrap_words(&wrap, help);
	putchar('\n');
}
