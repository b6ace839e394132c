/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as steps of wiremill-gen. What is accepted keeps its bounds, and written once
 * more, each word in quotes, is the same steps.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_step(const struct wm_step *step)
{
	check(step->line > 0 && step->argc > 0 && step->argc <= (int)WM_STEP_WORDS_MAX);
	check(!step->argv[step->argc]);
	for (int i = 0; i < step->argc; i++) {
		check(step->argv[i] >= step->words);
		check(step->argv[i] + strlen(step->argv[i]) < step->words + sizeof(step->words));
	}
}

/* A word that has both kinds of quotes is made of pieces. */
static void write_word(const char *word, FILE *stream)
{
	fputc('\'', stream);
	for (; *word; word++)
		fprintf(stream, *word == '\'' ? "'\"%c\"'" : "%c", *word);
	fputs("' ", stream);
}

static void check_comes_back(const struct wm_step *step)
{
	struct wm_step again;
	struct wm_steps steps;
	size_t text_bytes;
	char *text;
	FILE *stream = open_memstream(&text, &text_bytes);

	for (int i = 0; i < step->argc; i++)
		write_word(step->argv[i], stream);
	fclose(stream);
	wm_steps_init(&steps, "again", text, text_bytes);
	/* Quotes make it longer. */
	if (text_bytes < WM_STEP_BYTES_MAX) {
		check(wm_steps_next(&steps, &again, NULL) == 1 && again.argc == step->argc);
		for (int i = 0; i < step->argc; i++)
			check(strcmp(step->argv[i], again.argv[i]) == 0);
		check(wm_steps_next(&steps, &again, NULL) == 0);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wm_error error = { "" };
	struct wm_steps steps;
	struct wm_step step;
	int ret;

	wm_steps_init(&steps, "fuzz", (const char *)data, size);
	while ((ret = wm_steps_next(&steps, &step, &error)) > 0) {
		check_step(&step);
		check_comes_back(&step);
	}
	check(ret == 0 || strncmp(error.text, "fuzz:", 5) == 0);
	return 0;
}
