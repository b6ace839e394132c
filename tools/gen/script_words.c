/* SPDX-License-Identifier: BSD-3-Clause */
#include "script_words.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct wm_script_words *words;
	const char *at, *end;
	const struct wm_script_variables *variables;
	struct wm_error *error;
	size_t word_start; /* in words->text */
};

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool wm_script_is_name(const char *text)
{
	size_t length = 0;

	while (is_name_character(text[length]))
		length++;
	return length > 0 && length < WM_SCRIPT_NAME_BYTES && text[length] == '\0';
}

static const struct wm_script_variable *find(const struct wm_script_variables *variables,
					     const char *name, size_t length)
{
	for (unsigned i = 0; i < variables->count; i++) {
		const struct wm_script_variable *variable = &variables->variable[i];

		if (strlen(variable->name) == length && memcmp(variable->name, name, length) == 0)
			return variable;
	}
	return NULL;
}

int wm_script_variable_set(struct wm_script_variables *variables, const char *name,
			   const char *value)
{
	struct wm_script_variable *variable =
		(struct wm_script_variable *)find(variables, name, strlen(name));
	char *copy;

	assert(wm_script_is_name(name));
	if (!variable && variables->count == WM_SCRIPT_VARIABLES_MAX)
		return -ENOSPC;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	if (!variable) {
		variable = &variables->variable[variables->count++];
		strcpy(variable->name, name);
		variable->value = NULL;
	}
	free(variable->value);
	variable->value = copy;
	return 0;
}

void wm_script_variables_fini(struct wm_script_variables *variables)
{
	while (variables->count > 0)
		free(variables->variable[--variables->count].value);
}

static int put(struct reader *reader, char c)
{
	struct wm_script_words *words = reader->words;
	size_t room = words->room ? 2 * words->room : 256;
	char *text;

	if (words->bytes - reader->word_start >= WM_SCRIPT_WORD_BYTES_MAX)
		return wm_error_set(reader->error, EINVAL, "a word is longer than %u bytes",
				    WM_SCRIPT_WORD_BYTES_MAX);
	if (words->bytes == words->room) {
		text = realloc(words->text, room);
		if (!text)
			return wm_error_set(reader->error, ENOMEM, "no memory");
		words->text = text;
		words->room = room;
	}
	words->text[words->bytes++] = c;
	return 0;
}

static int put_text(struct reader *reader, const char *text)
{
	int ret = 0;

	while (*text && ret == 0)
		ret = put(reader, *text++);
	return ret;
}

/* Behind the $: "NAME" or "{NAME}". */
static int read_variable(struct reader *reader)
{
	const struct wm_script_variable *variable;
	bool braced = reader->at < reader->end && *reader->at == '{';
	const char *name = reader->at += braced;
	size_t length;

	while (reader->at < reader->end && is_name_character(*reader->at))
		reader->at++;
	length = (size_t)(reader->at - name);
	if (length == 0)
		return wm_error_set(reader->error, EINVAL,
				    "$ has no name behind it: write \\$ for the character");
	if (braced && (reader->at == reader->end || *reader->at != '}'))
		return wm_error_set(reader->error, EINVAL, "${%.*s has no } behind it", (int)length,
				    name);
	reader->at += braced;
	variable = find(reader->variables, name, length);
	if (!variable)
		return wm_error_set(reader->error, EINVAL,
				    "$%.*s was not set: 'set %.*s VALUE' must stand above",
				    (int)length, name, (int)length, name);
	return put_text(reader, variable->value);
}

/* One character, or what it stands for; not a quote. */
static int read_piece(struct reader *reader)
{
	char c = *reader->at++;

	if (c == '\0')
		return wm_error_set(reader->error, EINVAL, "a byte of 0: this is no text");
	if (c == '$')
		return read_variable(reader);
	if (c != '\\')
		return put(reader, c);
	if (reader->at == reader->end)
		return wm_error_set(reader->error, EINVAL, "a backslash ends the line");
	return put(reader, *reader->at++);
}

static int read_word(struct reader *reader)
{
	bool quoted = false;
	int ret = 0;

	reader->word_start = reader->words->bytes;
	while (ret == 0 && reader->at < reader->end && (quoted || !is_blank(*reader->at))) {
		if (*reader->at != '"') {
			ret = read_piece(reader);
			continue;
		}
		quoted = !quoted;
		reader->at++;
	}
	if (ret == 0 && quoted)
		ret = wm_error_set(reader->error, EINVAL, "a quote is not closed");
	if (ret == 0)
		ret = put(reader, '\0');
	return ret;
}

int wm_script_words_read(struct wm_script_words *words, const char *text, const char *end,
			 const struct wm_script_variables *variables, struct wm_error *error)
{
	struct reader reader = { words, text, end, variables, error, 0 };
	int ret = 0;

	words->bytes = words->count = 0;
	while (ret == 0) {
		while (reader.at < end && is_blank(*reader.at))
			reader.at++;
		if (reader.at == end || *reader.at == '#')
			break;
		if (words->count == WM_SCRIPT_WORDS_MAX)
			return wm_error_set(error, EINVAL, "more than %u words in a line",
					    WM_SCRIPT_WORDS_MAX);
		ret = read_word(&reader);
		words->count++;
	}
	return ret;
}

const char *wm_script_word(const struct wm_script_words *words, unsigned index)
{
	const char *word = words->text;

	assert(index < words->count);
	while (index--)
		word += strlen(word) + 1;
	return word;
}
