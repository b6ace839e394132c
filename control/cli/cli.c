/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "number.h"
#include "printable.h"

#define LINE_BYTES 2048
#define WIDTH_DEFAULT 80u

int wm_cli_failed(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fputs("wiremill: ", stderr);
	wm_printable_print(stderr, line);
	fputc('\n', stderr);
	return WM_EXIT_FAILED;
}

int wm_cli_wrong_usage(const struct wm_verb *verb, const char *format, ...)
{
	const char *space = verb ? " " : "", *name = verb ? verb->name : "";
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "wiremill%s%s: ", space, name);
	wm_printable_print(stderr, line);
	fprintf(stderr, ": see 'wiremill%s%s --help'\n", space, name);
	return WM_EXIT_USAGE;
}

unsigned wm_cli_width(FILE *stream)
{
	struct winsize size;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col;
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
	if (wm_number_parse(cli->operand, 0, UINT32_MAX, job) < 0)
		return wm_cli_wrong_usage(cli->verb, "'%s' is no number of a job", cli->operand);
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
