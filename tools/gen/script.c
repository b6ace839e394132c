/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "script_words.h"

/* A script that repeats nothing but `set` would otherwise run for hours. */
#define LINES_RUN_MAX 100000u

struct loop {
	const char *body; /* the line behind `repeat` */
	unsigned body_line, repeat_line;
	uint64_t left; /* times, with the one that runs */
};

/* A reader that executes set, repeat and end, and writes out the rest. */
struct machine {
	const char *name, *at, *end;
	unsigned line; /* of what is executed */
	uint64_t lines_run, bytes;
	struct wm_script_words words;
	struct wm_script_variables variables;
	struct loop loops[WM_SCRIPT_REPEAT_DEPTH_MAX];
	unsigned depth;
	struct wm_script *script;
	unsigned step_room;
	struct wm_error *error;
};

__attribute__((format(printf, 2, 3))) static int wrong(struct machine *machine, const char *format,
						       ...)
{
	char text[WM_ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return wm_error_set(machine->error, EINVAL, "%s:%u: %s", machine->name, machine->line,
			    text);
}

static int no_memory(struct machine *machine)
{
	return wm_error_set(machine->error, ENOMEM, "%s: no memory", machine->name);
}

static int run_set(struct machine *machine)
{
	const char *name;
	int ret;

	if (machine->words.count != 3)
		return wrong(machine, "set takes a name and a value: set NAME VALUE");
	name = wm_script_word(&machine->words, 1);
	if (!wm_script_is_name(name))
		return wrong(machine, "'%s' is no name: letters, digits and _, %u at most", name,
			     WM_SCRIPT_NAME_BYTES - 1);
	ret = wm_script_variable_set(&machine->variables, name, wm_script_word(&machine->words, 2));
	if (ret == -ENOSPC)
		return wrong(machine, "more than %u names are set", WM_SCRIPT_VARIABLES_MAX);
	return ret < 0 ? no_memory(machine) : 0;
}

static int run_repeat(struct machine *machine)
{
	struct loop *loop = &machine->loops[machine->depth];
	uint64_t times;

	if (machine->words.count != 2 ||
	    wm_number_parse(wm_script_word(&machine->words, 1), 1, WM_SCRIPT_STEPS_MAX, &times) < 0)
		return wrong(machine, "repeat takes a number from 1 to %u", WM_SCRIPT_STEPS_MAX);
	if (machine->depth == WM_SCRIPT_REPEAT_DEPTH_MAX)
		return wrong(machine, "more than %u repeats inside each other",
			     WM_SCRIPT_REPEAT_DEPTH_MAX);
	*loop = (struct loop){ machine->at, machine->line, machine->line, times };
	machine->depth++;
	return 0;
}

static int run_end(struct machine *machine)
{
	struct loop *loop;

	if (machine->words.count != 1)
		return wrong(machine, "end stands alone on its line");
	if (machine->depth == 0)
		return wrong(machine, "end without a repeat above it");
	loop = &machine->loops[machine->depth - 1];
	if (--loop->left == 0) {
		machine->depth--;
		return 0;
	}
	machine->at = loop->body;
	machine->line = loop->body_line;
	return 0;
}

static int make_room(struct machine *machine)
{
	struct wm_script *script = machine->script;
	unsigned room = machine->step_room ? 2 * machine->step_room : 16;
	struct wm_script_step *steps;

	if (script->step_count == WM_SCRIPT_STEPS_MAX)
		return wrong(machine, "more than %u steps", WM_SCRIPT_STEPS_MAX);
	if (script->step_count < machine->step_room)
		return 0;
	steps = reallocarray(script->steps, room, sizeof(*steps));
	if (!steps)
		return no_memory(machine);
	script->steps = steps;
	machine->step_room = room;
	return 0;
}

/* Pointers and words in one piece of memory. */
static char **make_argv(const struct wm_script_words *words)
{
	size_t pointers_bytes = (words->count + 1) * sizeof(char *);
	char **argv = malloc(pointers_bytes + words->bytes);
	char *word;

	if (!argv)
		return NULL;
	word = (char *)argv + pointers_bytes;
	memcpy(word, words->text, words->bytes);
	for (unsigned i = 0; i < words->count; i++, word += strlen(word) + 1)
		argv[i] = word;
	argv[words->count] = NULL;
	return argv;
}

static int write_step(struct machine *machine)
{
	struct wm_script *script = machine->script;
	int ret = make_room(machine);
	char **argv;

	if (ret < 0)
		return ret;
	machine->bytes += machine->words.bytes;
	if (machine->bytes > WM_SCRIPT_WRITTEN_BYTES_MAX)
		return wrong(machine, "the steps, written out, are more than %u bytes",
			     WM_SCRIPT_WRITTEN_BYTES_MAX);
	argv = make_argv(&machine->words);
	if (!argv)
		return no_memory(machine);
	script->steps[script->step_count++] =
		(struct wm_script_step){ machine->line, (int)machine->words.count, argv };
	return 0;
}

static int run_words(struct machine *machine)
{
	const char *first;

	if (machine->words.count == 0)
		return 0;
	first = wm_script_word(&machine->words, 0);
	if (strcmp(first, "set") == 0)
		return run_set(machine);
	if (strcmp(first, "repeat") == 0)
		return run_repeat(machine);
	if (strcmp(first, "end") == 0)
		return run_end(machine);
	return write_step(machine);
}

static int run_line(struct machine *machine)
{
	const char *line = machine->at;
	const char *end = memchr(line, '\n', (size_t)(machine->end - line));
	struct wm_error error = { "" };
	int ret;

	machine->line++;
	machine->at = end ? end + 1 : machine->end;
	if (++machine->lines_run > LINES_RUN_MAX)
		return wrong(machine, "more than %u lines, with those repeated", LINES_RUN_MAX);
	ret = wm_script_words_read(&machine->words, line, end ? end : machine->end,
				   &machine->variables, &error);
	if (ret == -ENOMEM)
		return no_memory(machine);
	return ret < 0 ? wrong(machine, "%s", error.text) : run_words(machine);
}

static int run(struct machine *machine)
{
	int ret = 0;

	while (machine->at < machine->end && ret == 0)
		ret = run_line(machine);
	if (ret == 0 && machine->depth > 0) {
		machine->line = machine->loops[machine->depth - 1].repeat_line;
		ret = wrong(machine, "this repeat has no end");
	}
	if (ret == 0 && machine->script->step_count == 0)
		ret = wm_error_set(machine->error, EINVAL, "%s: there is no step in it",
				   machine->name);
	return ret;
}

struct wm_script *wm_script_parse(const char *name, const char *text, size_t text_bytes,
				  struct wm_error *error)
{
	struct machine machine = {
		.name = name, .at = text, .end = text + text_bytes, .error = error
	};
	int ret;

	machine.script = calloc(1, sizeof(*machine.script));
	ret = machine.script ? run(&machine) : no_memory(&machine);
	wm_script_variables_fini(&machine.variables);
	free(machine.words.text);
	if (ret == 0)
		return machine.script;
	wm_script_destroy(&machine.script);
	errno = -ret;
	return NULL;
}

/* The whole file, at most one byte more than is allowed. NULL with errno. */
static char *read_file(const char *path, size_t *bytes)
{
	FILE *stream = fopen(path, "r");
	char *text;
	int failure;

	if (!stream)
		return NULL;
	text = malloc(WM_SCRIPT_BYTES_MAX + 1);
	if (text)
		*bytes = fread(text, 1, WM_SCRIPT_BYTES_MAX + 1, stream);
	failure = !text ? ENOMEM : ferror(stream) ? errno : 0;
	fclose(stream);
	if (failure == 0)
		return text;
	free(text);
	errno = failure;
	return NULL;
}

struct wm_script *wm_script_load(const char *path, struct wm_error *error)
{
	struct wm_script *script = NULL;
	size_t bytes;
	char *text = read_file(path, &bytes);

	if (!text) {
		errno = -wm_error_set(error, errno, "%s: the script cannot be read: %s", path,
				      strerror(errno));
		return NULL;
	}
	if (bytes <= WM_SCRIPT_BYTES_MAX)
		script = wm_script_parse(path, text, bytes, error);
	else
		errno = -wm_error_set(error, EFBIG, "%s: a script has at most %u bytes", path,
				      WM_SCRIPT_BYTES_MAX);
	free(text);
	return script;
}

void wm_script_destroy(struct wm_script **script)
{
	if (!*script)
		return;
	for (unsigned i = 0; i < (*script)->step_count; i++)
		free((*script)->steps[i].argv);
	free((*script)->steps);
	free(*script);
	*script = NULL;
}
