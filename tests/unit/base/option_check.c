/* SPDX-License-Identifier: BSD-3-Clause */
#include "option_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define WIDTH 80u
#define PROGRAM_NAME "wiremill"

/* What any of their structs fits in, twice. */
static _Alignas(16) char values[WM_OPTION_SETS][16384];

static int failures; /* of the option that is looked at */

static void expect(bool holds, const struct wm_option_schema *schema,
		   const struct wm_option *option, const char *what)
{
	if (!holds)
		printf("# %s: --%s: %s\n", schema->name, option ? option->name : "", what);
	failures += !holds;
}

#define OPTION_HOLDS(condition) expect(condition, schema, option, #condition)

static bool is_number(const struct wm_option *option)
{
	return option->type >= WM_OPTION_COUNT && option->type <= WM_OPTION_RATE;
}

static void check_number(const struct wm_option_schema *schema, const struct wm_option *option)
{
	bool is_duration = option->type == WM_OPTION_DURATION;

	OPTION_HOLDS(option->bytes == 2 || option->bytes == 4 || option->bytes == 8);
	OPTION_HOLDS(option->min < option->max);
	OPTION_HOLDS(option->bytes == 8 || option->max >> 8 * option->bytes == 0);
	OPTION_HOLDS((option->unit_ns > 0) == is_duration);
	OPTION_HOLDS(!is_duration || option->max <= UINT64_MAX / option->unit_ns);
}

static void check_word(const struct wm_option_schema *schema, const struct wm_option *option)
{
	bool is_text = option->type == WM_OPTION_TEXT || option->type == WM_OPTION_PATH;

	OPTION_HOLDS((option->type == WM_OPTION_FLAG) == !option->value_name);
	OPTION_HOLDS((option->type == WM_OPTION_CUSTOM) == !!option->take);
	OPTION_HOLDS(option->type != WM_OPTION_CHOICE || option->choices);
	OPTION_HOLDS(!option->choices || option->type == WM_OPTION_CHOICE || is_text);
	OPTION_HOLDS(option->type != WM_OPTION_CHOICE || option->bytes == sizeof(int));
	OPTION_HOLDS(option->type != WM_OPTION_FLAG || option->bytes == sizeof(bool));
	OPTION_HOLDS(!is_text || option->bytes == sizeof(char *));
	OPTION_HOLDS(!option->max || is_number(option));
}

static void check_option(const struct wm_option_schema *schema, const struct wm_option *option,
			 void *into)
{
	size_t help_bytes = strlen(option->help);

	OPTION_HOLDS(option->name[strspn(option->name, "abcdefghijklmnopqrstuvwxyz-")] == '\0');
	OPTION_HOLDS(strcmp(option->name, "help") != 0 && strcmp(option->name, "version") != 0);
	OPTION_HOLDS(help_bytes > 0 && option->help[help_bytes - 1] != '.');
	OPTION_HOLDS(!(option->flags & WM_OPTION_MANY) || option->type == WM_OPTION_CUSTOM);
	OPTION_HOLDS(!(option->flags & WM_OPTION_REQUIRED) || !option->preset);
	OPTION_HOLDS(option->offset + option->bytes <= sizeof(values[0]));
	if (is_number(option))
		check_number(schema, option);
	check_word(schema, option);
	OPTION_HOLDS(!option->preset ||
		     wm_option_set_value(option, into, option->preset, NULL) == 0);
}

static unsigned count_named(const struct wm_option_schema *schema, const char *name)
{
	unsigned count = 0;

	for (unsigned set = 0; set < WM_OPTION_SETS; set++) {
		for (unsigned i = 0; i < schema->sets[set].count; i++)
			count += strcmp(schema->sets[set].options[i].name, name) == 0;
	}
	return count;
}

static void check_schema(const struct wm_option_schema *schema)
{
	unsigned total = 0;

	failures = 0;
	for (unsigned set = 0; set < WM_OPTION_SETS; set++) {
		for (unsigned i = 0; i < schema->sets[set].count; i++, total++) {
			const struct wm_option *option = &schema->sets[set].options[i];

			check_option(schema, option, values[set]);
			OPTION_HOLDS(count_named(schema, option->name) == 1);
		}
	}
	expect(total <= WM_OPTIONS_MAX, schema, NULL, "more options than a line can hold");
	CU_ASSERT_EQUAL(failures, 0);
}

static void check_help(const struct wm_option_schema *schema)
{
	size_t text_bytes;
	char *text;
	FILE *stream = open_memstream(&text, &text_bytes);

	wm_option_print_help(schema, stream, WIDTH);
	fclose(stream);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "usage: "));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t bytes = strcspn(line, "\n");

		if (bytes > WIDTH || (bytes > 0 && line[bytes - 1] == ' '))
			printf("# %s: %.*s\n", schema->name, (int)bytes, line);
		CU_ASSERT(bytes <= WIDTH && (bytes == 0 || line[bytes - 1] != ' '));
	}
	free(text);
}

static int parse(const struct wm_option_schema *schema, const char *word,
		 struct wm_option_line *line, struct wm_error *error)
{
	char *argv[] = { (char *)(uintptr_t)word };
	void *const into[WM_OPTION_SETS] = { values[0], values[1] };

	memset(values, 0, sizeof(values));
	return wm_option_parse(schema, into, 1, argv, line, error);
}

static void check_requests(const struct wm_option_schema *schema)
{
	struct wm_option_line line;
	struct wm_error error = { "" };

	CU_ASSERT(parse(schema, "--help", &line, &error) == 0 && line.request == WM_OPTION_HELP);
	CU_ASSERT(parse(schema, "-h", &line, &error) == 0 && line.request == WM_OPTION_HELP);
	CU_ASSERT(parse(schema, "-V", &line, &error) == 0 && line.request == WM_OPTION_VERSION);
	CU_ASSERT(parse(schema, "--version", &line, &error) == 0);
	CU_ASSERT_EQUAL(strncmp(schema->version, PROGRAM_NAME, strlen(PROGRAM_NAME)), 0);
	CU_ASSERT_EQUAL(parse(schema, "--no-such-option", &line, &error), -EINVAL);
	CU_ASSERT_STRING_EQUAL(error.text, "there is no option '--no-such-option'");
}

/* Each number with one above its bound, as digits alone: no type takes that. */
static void check_bounds(const struct wm_option_schema *schema)
{
	struct wm_option_line line;
	struct wm_error error;
	char word[128];

	for (unsigned set = 0; set < WM_OPTION_SETS; set++) {
		for (unsigned i = 0; i < schema->sets[set].count; i++) {
			const struct wm_option *option = &schema->sets[set].options[i];

			if (!is_number(option))
				continue;
			snprintf(word, sizeof(word), "--%s=99999999999999999999", option->name);
			error.text[0] = '\0';
			CU_ASSERT_EQUAL(parse(schema, word, &line, &error), -EINVAL);
			CU_ASSERT_PTR_NOT_NULL(strstr(error.text, option->name));
			CU_ASSERT(strstr(error.text, " from ") || strstr(error.text, "knows no"));
		}
	}
}

void option_check(const struct wm_option_schema *schema)
{
	check_schema(schema);
	check_help(schema);
	check_requests(schema);
	check_bounds(schema);
}
