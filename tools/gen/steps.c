/* SPDX-License-Identifier: BSD-3-Clause */
#include "steps.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the text ------------------------------------------------------------------ */

void wm_steps_init(struct wm_steps *steps, const char *name, const char *text, size_t bytes)
{
	*steps = (struct wm_steps){ .name = name, .text = text, .at = text, .end = text + bytes };
}

void wm_steps_rewind(struct wm_steps *steps)
{
	steps->at = steps->text;
	steps->line = 0;
}

void wm_steps_close(struct wm_steps *steps)
{
	free(steps->owned);
	*steps = (struct wm_steps){ 0 };
}

/* One byte more than is allowed, where there are so many. */
static int read_all(FILE *stream, char **text, size_t *bytes)
{
	*text = malloc(WM_STEPS_BYTES_MAX + 1);
	if (!*text)
		return -ENOMEM;
	*bytes = fread(*text, 1, WM_STEPS_BYTES_MAX + 1, stream);
	return ferror(stream) ? -errno : 0;
}

int wm_steps_open(struct wm_steps *steps, const char *path, struct wm_error *error)
{
	bool from_stdin = strcmp(path, "-") == 0;
	FILE *stream = from_stdin ? stdin : fopen(path, "re");
	const char *name = from_stdin ? "standard input" : path;
	size_t bytes = 0;
	char *text = NULL;
	int ret = stream ? read_all(stream, &text, &bytes) : -errno;

	if (stream && !from_stdin)
		fclose(stream);
	wm_steps_init(steps, name, text, bytes);
	steps->owned = text;
	if (ret == 0 && bytes > WM_STEPS_BYTES_MAX)
		ret = -EFBIG;
	if (ret == 0)
		return 0;
	wm_steps_close(steps);
	if (ret == -EFBIG)
		return wm_error_set(error, EFBIG, "%s: steps have at most %u bytes", name,
				    WM_STEPS_BYTES_MAX);
	return wm_error_set(error, -ret, "%s: the steps cannot be read: %s", name,
			    wm_errno_text(-ret));
}

/* ---- one line ------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word, in place, without its quotes; ends with a 0. Sets *line behind it. NULL:
 * a quote in it is not closed. */
static char *word_take(char **line)
{
	char *word = *line, *from = *line, *to = *line, quote = '\0';

	for (; *from && (quote || !is_blank(*from)); from++) {
		if (quote ? *from == quote : *from == '"' || *from == '\'')
			quote = quote ? '\0' : *from;
		else
			*to++ = *from;
	}
	*line = *from ? from + 1 : from;
	*to = '\0';
	return quote ? NULL : word;
}

/* 0, or what is wrong with the line in step->words. */
static const char *words_split(struct wm_step *step)
{
	char *line = step->words, *word;

	step->argc = 0;
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line || *line == '#')
			break;
		if (step->argc == WM_STEP_WORDS_MAX)
			return "more words than a step has (128 at most)";
		word = word_take(&line);
		if (!word)
			return "a quote is not closed";
		step->argv[step->argc++] = word;
	}
	_Static_assert(WM_STEP_WORDS_MAX == 128, "the message above names it");
	step->argv[step->argc] = NULL;
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *line_take(struct wm_steps *steps, struct wm_step *step)
{
	const char *line = steps->at;
	const char *newline = memchr(line, '\n', (size_t)(steps->end - line));
	size_t bytes = (size_t)((newline ? newline : steps->end) - line);

	steps->at = newline ? newline + 1 : steps->end;
	step->line = ++steps->line;
	if (memchr(line, '\0', bytes))
		return "a byte of 0: this is no text";
	if (bytes >= sizeof(step->words))
		return "the line is longer than 4095 bytes";
	_Static_assert(WM_STEP_BYTES_MAX == 4096, "the message above names it");
	memcpy(step->words, line, bytes);
	step->words[bytes] = '\0';
	return words_split(step);
}

int wm_steps_next(struct wm_steps *steps, struct wm_step *step, struct wm_error *error)
{
	const char *fault;

	while (steps->at < steps->end) {
		fault = line_take(steps, step);
		if (fault)
			return wm_error_set(error, EINVAL, "%s:%u: %s", steps->name, step->line,
					    fault);
		if (step->argc > 0)
			return 1;
	}
	return 0;
}
