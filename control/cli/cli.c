/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "number.h"
#include "printable.h"

#define LINE_BYTES 2048
#define PROGRAM "wiremill"

const struct wm_option wm_cli_common[WM_CLI_COMMON] = {
	{ .name = "json",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct wm_cli, json),
	  .help = "print one JSON value instead of text" },
	{ .name = "socket",
	  .value_name = "PATH",
	  .type = WM_OPTION_PATH,
	  WM_OPTION_FIELD(struct wm_cli, socket_path),
	  .help = "of the controller; else $WIREMILL_SOCKET, else " WM_SOCKET_PATH_DEFAULT },
};

const char *const wm_cli_tails[] = { "refuse", "drop", NULL };

const char *wm_cli_verb_name(const struct wm_verb *verb)
{
	return verb->schema.name + strlen(PROGRAM " ");
}

int wm_cli_failed(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fputs(PROGRAM ": ", stderr);
	wm_printable_print(stderr, line);
	fputc('\n', stderr);
	return WM_EXIT_FAILED;
}

int wm_cli_wrong_usage(const struct wm_verb *verb, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return wm_option_wrong_usage(verb ? verb->schema.name : PROGRAM, "%s", line);
}

int wm_cli_print_json(const json_t *value)
{
	/* What a terminal would take for a command is none as \\uXXXX. */
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	putchar('\n');
	return WM_EXIT_DONE;
}

int wm_cli_job_number(const struct wm_cli *cli, uint64_t *job)
{
	if (wm_number_parse(cli->line.operand, 0, UINT32_MAX, job) < 0)
		return wm_cli_wrong_usage(cli->verb, "'%s' is no number of a job",
					  cli->line.operand);
	return WM_EXIT_DONE;
}

int wm_cli_path(char absolute[PATH_MAX], const char *path)
{
	char directory[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = snprintf(absolute, PATH_MAX, "%s", path);
	else if (getcwd(directory, sizeof(directory)))
		n = snprintf(absolute, PATH_MAX, "%s/%s", directory, path);
	else
		return wm_cli_failed("cannot tell where %s lies: the working directory: %s", path,
				     strerror(errno));
	if (n >= PATH_MAX)
		return wm_cli_failed("path is longer than %d bytes: %.64s...", PATH_MAX - 1, path);
	return WM_EXIT_DONE;
}

const char *wm_cli_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

uint64_t wm_cli_number(const json_t *object, const char *name)
{
	json_int_t number = json_integer_value(json_object_get(object, name));

	return number > 0 ? (uint64_t)number : 0;
}

double wm_cli_real(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

bool wm_cli_bool(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}
