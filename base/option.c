/* SPDX-License-Identifier: BSD-3-Clause */
#include "option.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "option_private.h"
#include "printable.h"
#include "wiremill/control.h"
#include "wrap.h"

#define LINE_BYTES 2048

struct parser {
	const struct wm_option_schema *schema;
	void *const *values;
	int argc;
	char *const *argv;
	struct wm_option_line *line;
	struct wm_error *error;
};

/* ---- the tables ---------------------------------------------------------------- */

const struct wm_option *wm_option_at(const struct wm_option_schema *schema, unsigned index,
				     unsigned *set)
{
	for (*set = 0; *set < WM_OPTION_SETS; ++*set) {
		if (index < schema->sets[*set].count)
			return &schema->sets[*set].options[index];
		index -= schema->sets[*set].count;
	}
	return NULL;
}

bool wm_option_is_known(const struct wm_option_schema *schema, const struct wm_option *option)
{
	return !option->only || !schema->command || (option->only & schema->command);
}

/* The index of the option of that name, or -1. */
static int find(const struct wm_option_schema *schema, const char *name, size_t name_bytes)
{
	const struct wm_option *option;
	unsigned set;

	for (unsigned i = 0; (option = wm_option_at(schema, i, &set)); i++) {
		if (strlen(option->name) == name_bytes &&
		    memcmp(option->name, name, name_bytes) == 0)
			return (int)i;
	}
	return -1;
}

bool wm_option_is_given(const struct wm_option_schema *schema, const struct wm_option_line *line,
			const char *name)
{
	int index = find(schema, name, strlen(name));

	assert(index >= 0);
	return line->given[index];
}

/* ---- the line ------------------------------------------------------------------ */

static int set_presets(const struct wm_option_schema *schema, void *const *values,
		       struct wm_error *error)
{
	const struct wm_option *option;
	unsigned set;
	int ret = 0;

	for (unsigned i = 0; ret == 0 && (option = wm_option_at(schema, i, &set)); i++) {
		assert(i < WM_OPTIONS_MAX);
		if (option->preset)
			ret = wm_option_set_value(option, values[set], option->preset, error);
	}
	return ret;
}

static int take_value(struct parser *parser, const struct wm_option *option, void *values,
		      const char *value)
{
	const char *form = option->value_name;

	if (!form && value)
		return wm_error_set(parser->error, EINVAL, "--%s takes no value", option->name);
	if (form && (value ? !*value : !(option->flags & WM_OPTION_VALUE_OPTIONAL)))
		return wm_error_set(parser->error, EINVAL, "--%s needs a value, %s", option->name,
				    form);
	return value || !form ? wm_option_set_value(option, values, value, parser->error) : 0;
}

static int take_known(struct parser *parser, const struct wm_option *option, bool *given)
{
	if (!wm_option_is_known(parser->schema, option))
		return wm_error_set(parser->error, EINVAL, "%s knows no --%s",
				    strrchr(parser->schema->name, ' ') + 1, option->name);
	if (*given && !(option->flags & WM_OPTION_MANY))
		return wm_error_set(parser->error, EINVAL, "--%s is given twice", option->name);
	*given = true;
	return 0;
}

/* Word number *place, and its value with it. */
static int take_long(struct parser *parser, int *place)
{
	const char *name = parser->argv[*place] + 2, *value = strchr(name, '=');
	int index = find(parser->schema, name, value ? (size_t)(value - name) : strlen(name));
	const struct wm_option *option;
	unsigned set;
	int ret;

	if (index < 0)
		return wm_error_set(parser->error, EINVAL, "there is no option '%s'",
				    parser->argv[*place]);
	option = wm_option_at(parser->schema, (unsigned)index, &set);
	ret = take_known(parser, option, &parser->line->given[index]);
	if (ret < 0)
		return ret;
	if (value)
		value++;
	/* "--input --output F" forgot a value; a file of such a name takes '='. */
	else if (option->value_name && !(option->flags & WM_OPTION_VALUE_OPTIONAL) &&
		 *place + 1 < parser->argc && strncmp(parser->argv[*place + 1], "--", 2) != 0)
		value = parser->argv[++*place];
	return take_value(parser, option, parser->values[set], value);
}

/* -h and -V are all that have a letter; the first of a cluster is what is asked for. */
static int take_letters(struct parser *parser, const char *word)
{
	const bool is_cluster = word[2];

	for (const char *letter = word + 1; *letter; letter++) {
		if (*letter != 'h' && (*letter != 'V' || !parser->schema->version))
			return wm_error_set(parser->error, EINVAL, "there is no option '-%c'%s%s%s",
					    *letter, is_cluster ? " in '" : "",
					    is_cluster ? word : "", is_cluster ? "'" : "");
	}
	parser->line->request = word[1] == 'V' ? WM_OPTION_VERSION : WM_OPTION_HELP;
	return 0;
}

static int take_operand(struct parser *parser, const char *word)
{
	const char *name = parser->schema->operand, **operand = &parser->line->operand;

	if (!name)
		return wm_error_set(parser->error, EINVAL, "'%s' is one word too many", word);
	if (*operand)
		return wm_error_set(parser->error, EINVAL,
				    "one %s at a time: '%s' and '%s' are two", name, *operand,
				    word);
	*operand = word;
	return 0;
}

static int take_option(struct parser *parser, int *place)
{
	const char *word = parser->argv[*place];

	if (strncmp(word, "--", 2) != 0)
		return take_letters(parser, word);
	if (strcmp(word, "--help") == 0)
		parser->line->request = WM_OPTION_HELP;
	else if (strcmp(word, "--version") == 0 && parser->schema->version)
		parser->line->request = WM_OPTION_VERSION;
	else
		return take_long(parser, place);
	return 0;
}

static int take_words(struct parser *parser)
{
	bool only_operands = false;
	int ret = 0;

	for (int i = 0; i < parser->argc && ret == 0; i++) {
		const char *word = parser->argv[i];

		if (!only_operands && strcmp(word, "--") == 0)
			only_operands = true;
		else if (!only_operands && word[0] == '-' && word[1])
			ret = take_option(parser, &i);
		else
			ret = take_operand(parser, word);
		if (parser->line->request != WM_OPTION_RUN)
			break;
	}
	return ret;
}

static int check_whole(const struct parser *parser)
{
	const struct wm_option *option;
	unsigned set;

	for (unsigned i = 0; (option = wm_option_at(parser->schema, i, &set)); i++) {
		if ((option->flags & WM_OPTION_REQUIRED) && !parser->line->given[i])
			return wm_error_set(parser->error, EINVAL, "--%s %s is missing",
					    option->name, option->value_name);
	}
	if (parser->schema->operand && !parser->line->operand)
		return wm_error_set(parser->error, EINVAL, "%s is missing",
				    parser->schema->operand);
	return 0;
}

int wm_option_parse(const struct wm_option_schema *schema, void *const values[WM_OPTION_SETS],
		    int argc, char *const *argv, struct wm_option_line *line,
		    struct wm_error *error)
{
	struct parser parser = { schema, values, argc, argv, line, error };
	int ret;

	*line = (struct wm_option_line){ .request = WM_OPTION_RUN };
	ret = set_presets(schema, values, error);
	if (ret == 0)
		ret = take_words(&parser);
	if (ret < 0 || line->request != WM_OPTION_RUN)
		return ret;
	return check_whole(&parser);
}

/* ---- of a program --------------------------------------------------------------- */

int wm_option_wrong_usage(const char *name, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%s: ", name);
	wm_printable_print(stderr, line);
	fprintf(stderr, ": see '%s --help'\n", name);
	return WM_EXIT_USAGE;
}

int wm_option_take(const struct wm_option_schema *schema, void *const values[WM_OPTION_SETS],
		   int argc, char *const *argv, struct wm_option_line *line)
{
	struct wm_error error = { "" };

	if (wm_option_parse(schema, values, argc, argv, line, &error) < 0)
		return wm_option_wrong_usage(schema->name, "%s", error.text);
	if (line->request == WM_OPTION_RUN)
		return -1;
	if (line->request == WM_OPTION_HELP)
		wm_option_print_help(schema, stdout, wm_wrap_page(stdout));
	else
		printf("%s\n", schema->version);
	return WM_EXIT_DONE;
}
