/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "option_private.h"
#include "wrap.h"

#define USAGE_INDENT 7u
#define FORM_BYTES 64u
#define TEXT_BYTES 1024u

/* "--name VALUE", "--name[=VALUE]" or "--name" */
static const char *form_of(char text[FORM_BYTES], const struct wm_option *option)
{
	const char *before = " ", *behind = "";

	if (!option->value_name)
		before = "";
	else if (option->flags & WM_OPTION_VALUE_OPTIONAL)
		before = "[=", behind = "]";
	snprintf(text, FORM_BYTES, "--%s%s%s%s", option->name, before,
		 option->value_name ? option->value_name : "", behind);
	return text;
}

/* ---- usage ------------------------------------------------------------------------- */

/* "[--name VALUE]" stays on one line. */
static unsigned piece_bytes(const char *usage)
{
	unsigned bytes = 0;

	while (usage[bytes] && usage[bytes] != '\n') {
		if (usage[bytes] == ' ' && strchr("[-|", usage[bytes + 1]))
			break;
		bytes++;
	}
	return bytes;
}

/* One way to use it; where the next begins, or NULL. */
static const char *print_way(struct wm_wrap *wrap, const char *usage)
{
	while (*usage && *usage != '\n') {
		unsigned bytes = piece_bytes(usage);

		wm_wrap_word(wrap, usage, bytes);
		usage += bytes + (usage[bytes] == ' ');
	}
	fputc('\n', wrap->stream);
	return *usage ? usage + 1 : NULL;
}

static void print_tables(struct wm_wrap *wrap, const struct wm_option_schema *schema)
{
	char form[FORM_BYTES], piece[FORM_BYTES + 2];
	const struct wm_option *option;
	unsigned set;

	if (schema->operand)
		wm_wrap_word(wrap, schema->operand, (unsigned)strlen(schema->operand));
	for (unsigned i = 0; (option = wm_option_at(schema, i, &set)); i++) {
		if (!wm_option_is_known(schema, option))
			continue;
		snprintf(piece, sizeof(piece), option->flags & WM_OPTION_REQUIRED ? "%s" : "[%s]",
			 form_of(form, option));
		wm_wrap_word(wrap, piece, (unsigned)strlen(piece));
	}
	fputc('\n', wrap->stream);
}

static struct wm_wrap begin_way(const struct wm_option_schema *schema, const char *before,
				FILE *stream, unsigned width)
{
	int at = fprintf(stream, "%s%s", before, schema->name);

	return (struct wm_wrap){ stream, width, USAGE_INDENT, at > 0 ? (unsigned)at : 0 };
}

static void print_usage(const struct wm_option_schema *schema, FILE *stream, unsigned width)
{
	struct wm_wrap wrap = begin_way(schema, "usage: ", stream, width);
	const char *usage = schema->usage;

	if (!usage)
		print_tables(&wrap, schema);
	while (usage) {
		usage = print_way(&wrap, usage);
		if (usage)
			wrap = begin_way(schema, "       ", stream, width);
	}
}

/* ---- the rest ---------------------------------------------------------------------- */

/* What it is for, and what it is when it is not given. */
static void print_option(const struct wm_option *option, FILE *stream, unsigned width)
{
	char form[FORM_BYTES], text[TEXT_BYTES];

	snprintf(text, sizeof(text), option->preset ? "%s (%s)" : "%s", option->help,
		 option->preset);
	wm_wrap_row(stream, width, form_of(form, option), text);
}

static void print_options(const struct wm_option_schema *schema, FILE *stream, unsigned width)
{
	const struct wm_option *option;
	unsigned set;

	for (unsigned i = 0; (option = wm_option_at(schema, i, &set)); i++) {
		if (wm_option_is_known(schema, option))
			print_option(option, stream, width);
	}
	if (schema->version)
		wm_wrap_row(stream, width, "-V, --version", "print which one this is");
	wm_wrap_row(stream, width, "-h, --help", "print this");
}

/* An empty line parts paragraphs. */
static void print_text(const char *text, FILE *stream, unsigned width)
{
	char paragraph[TEXT_BYTES];

	while (text) {
		struct wm_wrap wrap = { stream, width, 0, 0 };
		const char *end = strstr(text, "\n\n");
		size_t bytes = end ? (size_t)(end - text) : strlen(text);

		snprintf(paragraph, sizeof(paragraph), "%.*s", (int)bytes, text);
		wm_wrap_words(&wrap, paragraph);
		fputs(end ? "\n\n" : "\n", stream);
		text = end ? end + 2 : NULL;
	}
}

static void print_summary(const struct wm_option_schema *schema, FILE *stream, unsigned width)
{
	int at = fprintf(stream, "%s:", schema->name);
	struct wm_wrap wrap = { stream, width, 0, at > 0 ? (unsigned)at : 0 };

	wm_wrap_words(&wrap, schema->summary);
	fputs("\n\n", stream);
}

/* "  throughput             what it does" */
static void print_commands(const struct wm_option_schema *schema, FILE *stream, unsigned width)
{
	char form[FORM_BYTES];

	for (unsigned i = 0; i < schema->command_count; i++) {
		const struct wm_option_schema *command = &schema->commands[i];

		snprintf(form, sizeof(form), "%s%s%s", strrchr(command->name, ' ') + 1,
			 command->operand ? " " : "", command->operand ? command->operand : "");
		wm_wrap_row(stream, width, form, command->summary);
	}
	fputc('\n', stream);
}

void wm_option_print_help(const struct wm_option_schema *schema, FILE *stream, unsigned width)
{
	if (schema->summary)
		print_summary(schema, stream, width);
	print_usage(schema, stream, width);
	fputc('\n', stream);
	if (schema->about) {
		print_text(schema->about, stream, width);
		fputc('\n', stream);
	}
	if (schema->commands)
		print_commands(schema, stream, width);
	print_options(schema, stream, width);
	if (schema->notes) {
		fputc('\n', stream);
		print_text(schema->notes, stream, width);
	}
}
