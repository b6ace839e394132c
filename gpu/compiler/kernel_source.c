/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_source.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_source_private.h"
#include "number.h"

#define LINE_BYTES 256u
#define WORDS_MAX 6u
/* With its halo an element fits in a frame of the largest MTU, and a halo is a part of it. */
#define INPUT_BYTES_MAX 8192u
/* An element's output is made in registers, or in what drivers make of too many of them. */
#define OUTPUT_BYTES_MAX 1024u
#define HALO_MAX 4096u

static const struct {
	const char *name;
	uint32_t bytes;
} scalars[WM_SCALARS] = {
	[WM_SCALAR_U8] = { "u8", 1 },	[WM_SCALAR_I8] = { "i8", 1 },
	[WM_SCALAR_U16] = { "u16", 2 }, [WM_SCALAR_I16] = { "i16", 2 },
	[WM_SCALAR_U32] = { "u32", 4 }, [WM_SCALAR_I32] = { "i32", 4 },
	[WM_SCALAR_U64] = { "u64", 8 }, [WM_SCALAR_I64] = { "i64", 8 },
	[WM_SCALAR_F32] = { "f32", 4 },
};

static const struct {
	const char *name;
	double least, most;
} param_types[WM_PARAM_TYPES] = {
	[WM_PARAM_UINT] = { "uint", 0, UINT32_MAX },
	[WM_PARAM_INT] = { "int", INT32_MIN, INT32_MAX },
	[WM_PARAM_FLOAT] = { "float", -(double)FLT_MAX, (double)FLT_MAX },
};

/* What is read, and where. */
struct parser {
	struct wm_kernel_source *source;
	struct wm_kernel_source_place place;
	struct wm_error *error;
	unsigned seen; /* directives, by index */
};

/* A directive's line: its words after the first. */
struct line {
	char text[LINE_BYTES];
	char *words[WORDS_MAX];
	unsigned word_count;
};

uint32_t wm_scalar_bytes(enum wm_scalar scalar)
{
	assert(scalar < WM_SCALARS);
	return scalars[scalar].bytes;
}

const char *wm_scalar_name(enum wm_scalar scalar)
{
	assert(scalar < WM_SCALARS);
	return scalars[scalar].name;
}

const char *wm_param_type_name(enum wm_param_type type)
{
	assert(type < WM_PARAM_TYPES);
	return param_types[type].name;
}

int wm_kernel_source_refuse(const struct wm_kernel_source_place *place, struct wm_error *error,
			    const char *format, ...)
{
	char text[WM_ERROR_TEXT_BYTES / 2];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return wm_error_set(error, EINVAL, "%.200s:%u: %s", place->name, place->line, text);
}

#define refuse(parser, ...) wm_kernel_source_refuse(&(parser)->place, (parser)->error, __VA_ARGS__)

/* ---- values --------------------------------------------------------------------- */

static bool is_name(const char *word, bool (*is_part)(char c, bool first))
{
	size_t bytes = strlen(word);

	if (bytes == 0 || bytes >= WM_KERNEL_SOURCE_NAME_BYTES)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		if (!is_part(word[i], i == 0))
			return false;
	}
	return true;
}

static bool of_kernel(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (!first && ((c >= '0' && c <= '9') || c == '-'));
}

static bool of_param(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (!first && ((c >= '0' && c <= '9') || c == '_'));
}

/* SCALAR or SCALARxCOUNT. */
static bool read_type(struct wm_element_type *type, const char *word)
{
	uint64_t count = 1;

	for (unsigned i = 0; i < WM_SCALARS; i++) {
		size_t bytes = strlen(scalars[i].name);

		if (strncmp(word, scalars[i].name, bytes) != 0)
			continue;
		word += bytes;
		if (*word &&
		    (*word != 'x' || wm_number_parse(word + 1, 1, INPUT_BYTES_MAX, &count)))
			return false;
		*type = (struct wm_element_type){ (enum wm_scalar)i, (uint32_t)count };
		return true;
	}
	return false;
}

static bool read_value(double *value, const char *word, enum wm_param_type type)
{
	char *end;

	/* strtod takes more than a number: "inf", "0x1p3", spaces. */
	if (word[strspn(word, "+-.0123456789eE")] ||
	    !isdigit((unsigned char)word[strlen(word) - 1]))
		return false;
	*value = strtod(word, &end);
	if (*end || !(*value >= param_types[type].least && *value <= param_types[type].most))
		return false;
	if (type == WM_PARAM_FLOAT)
		*value = (double)(float)*value;
	return type == WM_PARAM_FLOAT || *value == trunc(*value);
}

/* ---- directives ----------------------------------------------------------------- */

static int take_kernel(struct parser *parser, const struct line *line)
{
	if (!is_name(line->words[0], of_kernel))
		return refuse(parser,
			      "KERNEL '%s': a name is a lower-case letter, then up to 30 letters, "
			      "digits and '-'",
			      line->words[0]);
	snprintf(parser->source->kernel.name, sizeof(parser->source->kernel.name), "%s",
		 line->words[0]);
	return 0;
}

static int take_version(struct parser *parser, const struct line *line)
{
	uint64_t version;

	if (wm_number_parse(line->words[0], 1, UINT32_MAX, &version) < 0)
		return refuse(parser, "VERSION '%s': it is a whole number from 1", line->words[0]);
	parser->source->version = (uint32_t)version;
	return 0;
}

static int take_type(struct parser *parser, const struct line *line, const char *directive,
		     struct wm_element_type *type, uint32_t *bytes)
{
	if (!read_type(type, line->words[0]))
		return refuse(
			parser,
			"%s '%s': a type is u8, i8, u16, i16, u32, i32, u64, i64 or f32, alone "
			"or as in f32x4",
			directive, line->words[0]);
	*bytes = type->count * wm_scalar_bytes(type->scalar);
	return 0;
}

static int take_in(struct parser *parser, const struct line *line)
{
	return take_type(parser, line, "IN", &parser->source->in, &parser->source->kernel.in_bytes);
}

static int take_out(struct parser *parser, const struct line *line)
{
	return take_type(parser, line, "OUT", &parser->source->out,
			 &parser->source->kernel.out_bytes);
}

static int take_halo(struct parser *parser, const struct line *line)
{
	uint64_t halo[2];

	for (unsigned i = 0; i < 2; i++) {
		if (wm_number_parse(line->words[i], 0, HALO_MAX, &halo[i]) < 0)
			return refuse(parser, "HALO '%s': it is a number of elements, 0 to %u",
				      line->words[i], HALO_MAX);
	}
	parser->source->kernel.halo_before = (uint32_t)halo[0];
	parser->source->kernel.halo_after = (uint32_t)halo[1];
	return 0;
}

static bool find_param_type(enum wm_param_type *type, const char *word)
{
	for (unsigned i = 0; i < WM_PARAM_TYPES; i++) {
		if (strcmp(word, param_types[i].name) == 0) {
			*type = (enum wm_param_type)i;
			return true;
		}
	}
	return false;
}

static struct wm_kernel_param *find_param(struct wm_kernel_source *source, const char *name,
					  size_t bytes)
{
	for (uint32_t i = 0; i < source->param_count; i++) {
		if (strlen(source->params[i].name) == bytes &&
		    strncmp(source->params[i].name, name, bytes) == 0)
			return &source->params[i];
	}
	return NULL;
}

static int check_param_name(struct parser *parser, const char *name)
{
	size_t bytes = strlen(name);

	if (!is_name(name, of_param))
		return refuse(parser,
			      "PARAM '%s': a name is a letter, then up to 30 letters, digits and "
			      "'_'",
			      name);
	if (wm_kernel_source_is_reserved(name, bytes))
		return refuse(parser, "PARAM '%s': the name is taken", name);
	if (find_param(parser->source, name, bytes))
		return refuse(parser, "PARAM '%s' stands twice", name);
	if (parser->source->param_count == WM_KERNEL_SOURCE_PARAMS_MAX)
		return refuse(parser, "PARAM '%s': there are %u already, and no more are taken",
			      name, WM_KERNEL_SOURCE_PARAMS_MAX);
	return 0;
}

static int take_param(struct parser *parser, const struct line *line)
{
	struct wm_kernel_param param = { 0 };
	double *const values[] = { &param.value, &param.least, &param.most };

	if (check_param_name(parser, line->words[0]) < 0)
		return -EINVAL;
	if (!find_param_type(&param.type, line->words[1]))
		return refuse(parser, "PARAM %s: its type is uint, int or float, not '%s'",
			      line->words[0], line->words[1]);
	for (unsigned i = 0; i < 3; i++) {
		if (!read_value(values[i], line->words[2 + i], param.type))
			return refuse(parser, "PARAM %s: '%s' is no %s", line->words[0],
				      line->words[2 + i], line->words[1]);
	}
	if (!(param.least <= param.value && param.value <= param.most))
		return refuse(parser, "PARAM %s: its default %s is not between %s and %s",
			      line->words[0], line->words[2], line->words[3], line->words[4]);
	snprintf(param.name, sizeof(param.name), "%s", line->words[0]);
	parser->source->params[parser->source->param_count++] = param;
	return 0;
}

static int take_text(struct parser *parser, const struct line *line)
{
	snprintf(parser->source->text, sizeof(parser->source->text), "%.*s",
		 (int)sizeof(parser->source->text) - 1, line->words[0]);
	return 0;
}

static const struct directive {
	const char *name, *form;
	unsigned words; /* that follow; 0: the rest of the line is one */
	bool required, repeated;
	int (*take)(struct parser *parser, const struct line *line);
} directives[] = {
	{ "KERNEL", "KERNEL NAME", 1, true, false, take_kernel },
	{ "VERSION", "VERSION N", 1, false, false, take_version },
	{ "IN", "IN TYPE", 1, true, false, take_in },
	{ "OUT", "OUT TYPE", 1, true, false, take_out },
	{ "HALO", "HALO BEFORE AFTER", 2, false, false, take_halo },
	{ "PARAM", "PARAM NAME TYPE DEFAULT LEAST MOST", 5, false, true, take_param },
	{ "TEXT", "TEXT WORDS", 0, false, false, take_text },
};

#define DIRECTIVES (sizeof(directives) / sizeof(directives[0]))

/* ---- lines ---------------------------------------------------------------------- */

static char *next_word(char **text)
{
	char *word = *text + strspn(*text, " \t");
	size_t bytes = strcspn(word, " \t");

	if (bytes == 0)
		return NULL;
	*text = word + bytes;
	if (**text)
		*(*text)++ = '\0';
	return word;
}

static int split(struct parser *parser, const struct directive *directive, struct line *line,
		 char *rest)
{
	char *word;

	if (directive->words == 0) {
		line->words[0] = rest + strspn(rest, " \t");
		return *line->words[0] ? 0 : refuse(parser, "a directive is %s", directive->form);
	}
	while ((word = next_word(&rest))) {
		if (line->word_count == directive->words)
			return refuse(parser, "'%.80s' is too much: a directive is %s", word,
				      directive->form);
		line->words[line->word_count++] = word;
	}
	if (line->word_count < directive->words)
		return refuse(parser, "something is missing: a directive is %s", directive->form);
	return 0;
}

static int take_directive(struct parser *parser, struct line *line)
{
	char *rest = line->text, *name = next_word(&rest);

	for (unsigned i = 0; name && i < DIRECTIVES; i++) {
		const struct directive *directive = &directives[i];

		if (strcmp(name, directive->name) != 0)
			continue;
		if (parser->seen & 1u << i && !directive->repeated)
			return refuse(parser, "%s stands twice", name);
		parser->seen |= 1u << i;
		return split(parser, directive, line, rest) < 0 ? -EINVAL
								: directive->take(parser, line);
	}
	return refuse(parser,
		      "there is no directive '%.80s': they are KERNEL, VERSION, IN, OUT, HALO, "
		      "PARAM and TEXT",
		      name ? name : "");
}

/* Copies what follows //! and is printable ASCII. */
static int take_line(struct parser *parser, const char *text, size_t bytes)
{
	struct line line = { .word_count = 0 };

	if (bytes > 0 && text[bytes - 1] == '\r')
		bytes--;
	if (bytes >= sizeof(line.text))
		return refuse(parser, "a directive has %u bytes at most, this one has %zu",
			      LINE_BYTES - 1, bytes);
	for (size_t i = 0; i < bytes; i++) {
		if ((text[i] < ' ' && text[i] != '\t') || text[i] > '~')
			return refuse(parser, "byte 0x%02x in a directive: ASCII alone is taken",
				      (unsigned char)text[i]);
	}
	memcpy(line.text, text, bytes);
	return take_directive(parser, &line);
}

static bool is_blank(const char *line, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (!strchr(" \t\r", line[i]) || !line[i])
			return false;
	}
	return true;
}

/* Returns where the code begins, in bytes, or -EINVAL. place.line is its line then. */
static ptrdiff_t take_comment(struct parser *parser, const char *code, size_t code_bytes)
{
	size_t at = 0;

	while (at < code_bytes) {
		const char *line = code + at;
		const char *end = memchr(line, '\n', code_bytes - at);
		size_t bytes = end ? (size_t)(end - line) : code_bytes - at;

		if (!is_blank(line, bytes) && (bytes < 2 || memcmp(line, "//", 2) != 0))
			break;
		if (bytes >= 3 && line[2] == '!' && take_line(parser, line + 3, bytes - 3) < 0)
			return -EINVAL;
		at += bytes + (end != NULL);
		parser->place.line++;
	}
	return (ptrdiff_t)at;
}

/* ---- the whole ------------------------------------------------------------------- */

static int check_shape(struct parser *parser)
{
	const struct wm_kernel *kernel = &parser->source->kernel;
	uint64_t in_bytes = (1ull + kernel->halo_before + kernel->halo_after) * kernel->in_bytes;

	parser->place.line = 1;
	for (unsigned i = 0; i < DIRECTIVES; i++) {
		if (directives[i].required && !(parser->seen & 1u << i))
			return refuse(parser, "the first comment has no line '//!%s'",
				      directives[i].form);
	}
	if (in_bytes > INPUT_BYTES_MAX)
		return refuse(parser,
			      "an element of input with its halo has %llu bytes: %u fit in a frame",
			      (unsigned long long)in_bytes, INPUT_BYTES_MAX);
	if (kernel->out_bytes > OUTPUT_BYTES_MAX)
		return refuse(parser, "an element of output has %u bytes: %u are the most",
			      kernel->out_bytes, OUTPUT_BYTES_MAX);
	return 0;
}

int wm_kernel_source_parse(struct wm_kernel_source *source, const char *name, const char *code,
			   size_t code_bytes, struct wm_error *error)
{
	struct parser parser = { source, { name, 1 }, error, 0 };
	unsigned line;
	ptrdiff_t at;

	*source = (struct wm_kernel_source){ .version = 1, .code = code, .code_bytes = code_bytes };
	if (code_bytes > WM_KERNEL_SOURCE_BYTES_MAX)
		return wm_error_set(error, EINVAL, "%.200s has %zu bytes: a kernel has %u at most",
				    name, code_bytes, WM_KERNEL_SOURCE_BYTES_MAX);
	at = take_comment(&parser, code, code_bytes);
	if (at < 0)
		return -EINVAL;
	line = parser.place.line;
	if (check_shape(&parser) < 0)
		return -EINVAL;
	return wm_kernel_source_check_code(name, line, code + at, code_bytes - (size_t)at, error);
}

int wm_kernel_source_set_param(struct wm_kernel_source *source, const char *setting,
			       struct wm_error *error)
{
	const char *equals = strchr(setting, '=');
	size_t bytes = equals ? (size_t)(equals - setting) : strlen(setting);
	struct wm_kernel_param *param = find_param(source, setting, bytes);
	double value;

	if (!equals)
		return wm_error_set(error, EINVAL, "parameter '%.80s': it is NAME=VALUE", setting);
	if (!param)
		return wm_error_set(error, EINVAL, "kernel %s has no parameter '%.*s'",
				    source->kernel.name, bytes > 80 ? 80 : (int)bytes, setting);
	if (!equals[1] || !read_value(&value, equals + 1, param->type) ||
	    !(value >= param->least && value <= param->most))
		return wm_error_set(error, EINVAL,
				    "parameter %s: '%.80s' is no %s from %.9g to %.9g", param->name,
				    equals + 1, param_types[param->type].name, param->least,
				    param->most);
	param->value = value;
	return 0;
}

int wm_kernel_source_set_params(struct wm_kernel_source *source, const char *const *settings,
				uint32_t count, struct wm_error *error)
{
	for (uint32_t i = 0; i < count; i++) {
		int ret = wm_kernel_source_set_param(source, settings[i], error);

		if (ret < 0)
			return ret;
	}
	return 0;
}
