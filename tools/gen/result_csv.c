/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "result_writers.h"

/* RFC 4180: quoted where it must be, quotes doubled. */
static void write_text(const char *text, FILE *stream)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, stream);
		return;
	}
	fputc('"', stream);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', stream);
		fputc(*text, stream);
	}
	fputc('"', stream);
}

static void write_value(const json_t *value, FILE *stream)
{
	if (json_is_string(value))
		write_text(json_string_value(value), stream);
	else if (json_is_integer(value))
		fprintf(stream, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		fprintf(stream, "%.9g", json_real_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", stream);
}

/* What goes into a row: no lists, and no null in the row that has all. */
static bool is_column(const json_t *member)
{
	return !json_is_array(member) && !json_is_null(member);
}

static void write_names(json_t *all, const char *prefix, bool *first, FILE *stream)
{
	const char *name;
	json_t *member;

	json_object_foreach(all, name, member)
	{
		if (json_is_object(member)) {
			write_names(member, name, first, stream);
		} else if (is_column(member)) {
			fprintf(stream, "%s%s%s%s", *first ? "" : ",", prefix, *prefix ? "." : "",
				name);
			*first = false;
		}
	}
}

/* row: NULL where all of it is null */
static void write_values(json_t *all, const json_t *row, bool *first, FILE *stream)
{
	const char *name;
	json_t *member;

	json_object_foreach(all, name, member)
	{
		const json_t *value = json_object_get(row, name);

		if (json_is_object(member)) {
			write_values(member, value, first, stream);
		} else if (is_column(member)) {
			fputs(*first ? "" : ",", stream);
			write_value(value, stream);
			*first = false;
		}
	}
}

/* A row in which nothing is null: it says what columns there are. */
static json_t *row_with_all(void)
{
	struct wm_result_row row = {
		.asked = { WM_RATE_FRAMES, 1 },
		.sends = true,
		.receives = true,
		.latency = { .count = 1 },
		.search = { .kind = WM_SEARCH_CRITICAL,
			    .found = { .failed_at = 1, .trials_each = 1 },
			    .confidence_ppm = 1 },
	};

	return wm_result_json_row(&row);
}

static int write_row(json_t *all, const struct wm_result_row *row, FILE *stream)
{
	json_t *values = wm_result_json_row(row);
	bool first = true;

	if (!values)
		return -ENOMEM;
	write_values(all, values, &first, stream);
	fputc('\n', stream);
	json_decref(values);
	return 0;
}

int wm_result_csv(const struct wm_result *result, FILE *stream)
{
	json_t *all = row_with_all();
	bool first = true;
	int ret = 0;

	if (!all)
		return -ENOMEM;
	write_names(all, "", &first, stream);
	fputc('\n', stream);
	for (unsigned i = 0; i < result->row_count && ret == 0; i++)
		ret = write_row(all, &result->rows[i], stream);
	json_decref(all);
	return ret;
}
