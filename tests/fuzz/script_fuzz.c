/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a script of wiremill-gen. What is accepted must keep its bounds, and
 * its steps, written as a script without repeats and variables, are the same steps.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Repeats make much of little, and more than this teaches nothing: longer numbers in
 * the text are left to the unit test, and longer scripts are not read again. */
#define DIGITS_MAX 1u
#define STEPS_AGAIN_MAX 1000u

static bool has_long_number(const uint8_t *data, size_t size)
{
	unsigned digits = 0;

	for (size_t i = 0; i < size && digits <= DIGITS_MAX; i++)
		digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
	return digits > DIGITS_MAX;
}

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_step(const struct wm_script_step *step)
{
	check(step->line > 0 && step->argc > 0 && step->argc <= (int)WM_SCRIPT_WORDS_MAX);
	check(!step->argv[step->argc]);
	for (int i = 0; i < step->argc; i++)
		check(strlen(step->argv[i]) < WM_SCRIPT_WORD_BYTES_MAX);
}

static void write_step(const struct wm_script_step *step, FILE *stream)
{
	for (int i = 0; i < step->argc; i++) {
		fputc('"', stream);
		for (const char *c = step->argv[i]; *c; c++) {
			if (strchr("\"\\$", *c))
				fputc('\\', stream);
			fputc(*c, stream);
		}
		fputs("\" ", stream);
	}
	fputc('\n', stream);
}

/* These never are steps, quoted or not. */
static bool is_statement(const struct wm_script_step *step)
{
	return strcmp(step->argv[0], "set") == 0 || strcmp(step->argv[0], "repeat") == 0 ||
	       strcmp(step->argv[0], "end") == 0;
}

static void check_same(const struct wm_script_step *step, const struct wm_script_step *again)
{
	check(step->argc == again->argc);
	for (int i = 0; i < step->argc; i++)
		check(strcmp(step->argv[i], again->argv[i]) == 0);
}

static void check_comes_back(const struct wm_script *script)
{
	struct wm_script *again;
	size_t text_bytes;
	char *text;
	FILE *stream = open_memstream(&text, &text_bytes);

	for (unsigned i = 0; i < script->step_count; i++) {
		check(!is_statement(&script->steps[i]));
		write_step(&script->steps[i], stream);
	}
	fclose(stream);
	again = wm_script_parse("again", text, text_bytes, NULL);
	check(again && again->step_count == script->step_count);
	for (unsigned i = 0; i < script->step_count; i++)
		check_same(&script->steps[i], &again->steps[i]);
	wm_script_destroy(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wm_error error = { "" };
	struct wm_script *script;

	if (has_long_number(data, size))
		return 0;
	script = wm_script_parse("fuzz", (const char *)data, size, &error);
	if (!script) {
		check(strncmp(error.text, "fuzz:", 5) == 0);
		return 0;
	}
	for (unsigned i = 0; i < script->step_count; i++)
		check_step(&script->steps[i]);
	if (script->step_count <= STEPS_AGAIN_MAX)
		check_comes_back(script);
	wm_script_destroy(&script);
	return 0;
}
