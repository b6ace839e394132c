/* SPDX-License-Identifier: BSD-3-Clause */
#include "wrap.h"

#include <string.h>
#include <sys/ioctl.h>

#define ROW_INDENT 25u

void wm_wrap_word(struct wm_wrap *wrap, const char *word, unsigned bytes)
{
	if (wrap->at > wrap->indent && wrap->at + 1 + bytes > wrap->width) {
		fprintf(wrap->stream, "\n%*s", (int)wrap->indent, "");
		wrap->at = wrap->indent;
	} else if (wrap->at > wrap->indent) {
		fputc(' ', wrap->stream);
		wrap->at++;
	}
	fprintf(wrap->stream, "%.*s", (int)bytes, word);
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
void wm_wrap_row(FILE *stream, unsigned width, const char *form, const char *text)
{
	struct wm_wrap wrap = { stream, width, ROW_INDENT, ROW_INDENT };

	if (strlen(form) + 3 > ROW_INDENT)
		fprintf(stream, "  %s\n%*s", form, (int)ROW_INDENT, "");
	else
		fprintf(stream, "  %-*s", (int)ROW_INDENT - 2, form);
	wm_wrap_words(&wrap, text);
	fputc('\n', stream);
}

unsigned wm_wrap_screen(FILE *stream)
{
	struct winsize size;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WM_WRAP_WIDTH_DEFAULT;
	return size.ws_col;
}

unsigned wm_wrap_page(FILE *stream)
{
	unsigned width = wm_wrap_screen(stream);

	return width < WM_WRAP_WIDTH_DEFAULT ? width : WM_WRAP_WIDTH_DEFAULT;
}
