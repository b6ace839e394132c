/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A look at the tokens of the code, as far as it takes to know which names stand there. What
 * is GLSL and what is not the compiler says.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "kernel_source_private.h"

/* Without these a kernel sees its row alone, and runs on every device that computes. */
static const struct {
	const char *word, *why;
} reserved[] = {
	{ "layout", "a kernel has no interface but in, out and its parameters" },
	{ "buffer", "a kernel has no buffers but its row" },
	{ "uniform", "a kernel's constants are its parameters" },
	{ "shared", "elements are computed apart from each other" },
	{ "barrier", "elements are computed apart from each other" },
	{ "memoryBarrier", "elements are computed apart from each other" },
	{ "subpassInput", "a kernel sees no images" },
	{ "main", "a kernel's function is 'void element(int i)'" },
};

#define BRACKETS_MAX 64u

struct bracket {
	char closes;
	unsigned line;
};

struct scan {
	struct wm_kernel_source_place place;
	const char *at, *end;
	struct wm_error *error;
	bool has_element;
	bool is_conditional; /* #if may have one bracket twice: the compiler counts them then */
	unsigned condition_line, conditions; /* of #if that have no #endif yet; the last */
	struct bracket brackets[BRACKETS_MAX];
	unsigned depth;
};

#define refuse(scan, ...) wm_kernel_source_refuse(&(scan)->place, (scan)->error, __VA_ARGS__)

static bool is_word_part(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool begins(const char *word, size_t bytes, const char *prefix)
{
	return bytes >= strlen(prefix) && strncmp(word, prefix, strlen(prefix)) == 0;
}

static bool is_word(const char *word, size_t bytes, const char *other)
{
	return bytes == strlen(other) && memcmp(word, other, bytes) == 0;
}

static const char *why_reserved(const char *word, size_t bytes)
{
	if (begins(word, bytes, "wm_") || begins(word, bytes, "WM_"))
		return "names that begin with wm_ are Wiremill's own";
	if (begins(word, bytes, "gl_") || begins(word, bytes, "GL_"))
		return "an element knows its index i, and nothing of the device";
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (is_word(word, bytes, reserved[i].word))
			return reserved[i].why;
	}
	return NULL;
}

bool wm_kernel_source_is_reserved(const char *word, size_t bytes)
{
	static const char *const given[] = { "in", "out", "in_at", "out_at", "element", "i" };

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (is_word(word, bytes, given[i]))
			return true;
	}
	return why_reserved(word, bytes) != NULL;
}

static bool skip_blanks(const char **at, const char *end)
{
	while (*at < end && strchr(" \t\r\n", **at) && **at)
		(*at)++;
	return *at < end;
}

static int take_word(struct scan *scan)
{
	const char *word = scan->at, *why, *next;
	size_t bytes;

	while (scan->at < scan->end && is_word_part(*scan->at))
		scan->at++;
	bytes = (size_t)(scan->at - word);
	why = why_reserved(word, bytes);
	if (why)
		return refuse(scan, "'%.*s' is not for kernels: %s", bytes > 40 ? 40 : (int)bytes,
			      word, why);
	next = scan->at;
	if (is_word(word, bytes, "element") && skip_blanks(&next, scan->end) && *next == '(')
		scan->has_element = true;
	return 0;
}

static void count_condition(struct scan *scan, const char *word, size_t bytes)
{
	if (begins(word, bytes, "if")) {
		scan->is_conditional = true;
		scan->conditions++;
		scan->condition_line = scan->place.line;
	} else if (is_word(word, bytes, "endif") && scan->conditions) {
		scan->conditions--;
	}
}

/* A line that begins with '#': macros and conditions are the author's. */
static int take_directive(struct scan *scan)
{
	static const char *const allowed[] = { "define", "undef", "if",	   "ifdef", "ifndef",
					       "elif",	 "else",  "endif", "error" };
	const char *word = scan->at + 1;
	size_t bytes = 0;

	while (word < scan->end && (*word == ' ' || *word == '\t'))
		word++;
	while (word + bytes < scan->end && is_word_part(word[bytes]))
		bytes++;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (is_word(word, bytes, allowed[i])) {
			scan->at = word + bytes;
			count_condition(scan, word, bytes);
			return 0;
		}
	}
	return refuse(scan, "'#%.*s' is not for kernels: %s", bytes > 40 ? 40 : (int)bytes, word,
		      "#define, #undef, #if and its kin are");
}

static int skip_comment(struct scan *scan)
{
	unsigned line = scan->place.line;

	for (scan->at += 2; scan->end - scan->at >= 2; scan->at++) {
		if (memcmp(scan->at, "*/", 2) == 0) {
			scan->at += 2;
			return 0;
		}
		scan->place.line += *scan->at == '\n';
	}
	scan->place.line = line;
	return refuse(scan, "this comment has no end");
}

static void skip_line(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '\n')
		scan->at++;
}

/* What is open at the end would take in what follows the code: the compiler's message is
 * about a line that its author never saw. */
static int take_bracket(struct scan *scan)
{
	char sign = *scan->at;
	struct bracket *last = scan->depth ? &scan->brackets[scan->depth - 1] : NULL;

	if (scan->is_conditional || !strchr("()[]{}", sign))
		return 0;
	if (strchr("([{", sign)) {
		if (scan->depth == BRACKETS_MAX)
			return refuse(scan, "brackets are nested more than %u deep", BRACKETS_MAX);
		scan->brackets[scan->depth++] = (struct bracket){
			.closes = sign == '('	? ')'
				  : sign == '[' ? ']'
						: '}',
			.line = scan->place.line,
		};
		return 0;
	}
	if (!last)
		return refuse(scan, "'%c' closes nothing", sign);
	if (last->closes != sign)
		return refuse(scan, "'%c' stands where line %u wants '%c'", sign, last->line,
			      last->closes);
	scan->depth--;
	return 0;
}

static int take_sign(struct scan *scan)
{
	bool two = scan->end - scan->at >= 2;

	if (two && memcmp(scan->at, "//", 2) == 0) {
		if (scan->end - scan->at >= 3 && scan->at[2] == '!')
			return refuse(scan,
				      "a directive stands before the code, in the first comment");
		skip_line(scan);
		return 0;
	}
	if (two && memcmp(scan->at, "/*", 2) == 0)
		return skip_comment(scan);
	if (*scan->at == '#')
		return take_directive(scan);
	/* Either could make a name of two halves. */
	if (*scan->at == '\\')
		return refuse(scan, "'\\': a line ends where it ends");
	if ((*scan->at < ' ' && !strchr("\t\r\n\f\v", *scan->at)) || !*scan->at)
		return refuse(scan, "byte 0x%02x is no text", (unsigned char)*scan->at);
	if (take_bracket(scan) < 0)
		return -EINVAL;
	scan->place.line += *scan->at == '\n';
	scan->at++;
	return 0;
}

static int check_end(struct scan *scan)
{
	/* It would take in what follows, with the line numbers. */
	if (scan->conditions) {
		scan->place.line = scan->condition_line;
		return refuse(scan, "an #if before the end has no #endif; the last is here");
	}
	if (scan->depth && !scan->is_conditional) {
		scan->place.line = scan->brackets[scan->depth - 1].line;
		return refuse(scan, "no '%c' closes what is opened here",
			      scan->brackets[scan->depth - 1].closes);
	}
	if (!scan->has_element)
		return refuse(scan, "there is no function 'void element(int i)'");
	return 0;
}

int wm_kernel_source_check_code(const char *name, unsigned line, const char *code,
				size_t code_bytes, struct wm_error *error)
{
	struct scan scan = {
		.place = { name, line }, .at = code, .end = code + code_bytes, .error = error
	};

	while (scan.at < scan.end) {
		int ret = is_word_part(*scan.at) ? take_word(&scan) : take_sign(&scan);

		if (ret < 0)
			return ret;
	}
	return check_end(&scan);
}
