/* SPDX-License-Identifier: BSD-3-Clause */
#include "result.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "sample.h"

#define COLUMNS_MAX 64

static int write_text(const struct wm_result *result, FILE *stream)
{
	return wm_result_write(result, WM_RESULT_TEXT, stream);
}

static int write_json(const struct wm_result *result, FILE *stream)
{
	return wm_result_write(result, WM_RESULT_JSON, stream);
}

static int write_csv(const struct wm_result *result, FILE *stream)
{
	return wm_result_write(result, WM_RESULT_CSV, stream);
}

static char *report(int (*write)(const struct wm_result *result, FILE *stream))
{
	struct wm_result result;
	char *text;

	wm_sample_result(&result);
	text = wm_sample_text(write, &result);
	wm_result_fini(&result);
	return text;
}

static json_t *report_json(void)
{
	char *text = report(write_json);
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	free(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(value);
	return value;
}

static const json_t *row_of(const json_t *report, unsigned index)
{
	return json_array_get(json_object_get(report, "results"), index);
}

static void json_has_the_head_and_every_row(void)
{
	json_t *report = report_json();
	const char *format, *version;
	json_int_t mtu;

	CU_ASSERT_EQUAL(json_unpack(report, "{s:s, s:s, s:I}", "format", &format, "version",
				    &version, "mtu", &mtu),
			0);
	CU_ASSERT_STRING_EQUAL(format, "wiremill-gen-result");
	CU_ASSERT_STRING_EQUAL(version, "0.1.0");
	CU_ASSERT_EQUAL(mtu, 9000);
	CU_ASSERT_TRUE(json_is_null(json_object_get(report, "host")));
	CU_ASSERT_TRUE(json_is_null(json_object_get(report, "line_bits_per_s")));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(report, "results")), 7);
	json_decref(report);
}

static void json_says_null_for_what_was_not_measured(void)
{
	static const char *const names[] = { "received",  "lost",	"loss",
					     "reordered", "duplicates", "histogram",
					     "late",	  "latency_ns", "search" };
	json_t *report = report_json();

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_TRUE(json_is_null(json_object_get(row_of(report, 0), names[i])));
	CU_ASSERT_TRUE(json_is_object(json_object_get(row_of(report, 0), "sent")));
	json_decref(report);
}

static void json_holds_latencies_that_add_up(void)
{
	json_t *report = report_json(), *buckets, *bucket;
	json_int_t count, frames = 0, p9999, max, last = -1;
	size_t index;

	CU_ASSERT_EQUAL_FATAL(json_unpack((json_t *)row_of(report, 1), "{s:{s:I, s:I, s:I}, s:o}",
					  "latency_ns", "count", &count, "p99.99", &p9999, "max",
					  &max, "histogram", &buckets),
			      0);
	json_array_foreach(buckets, index, bucket)
	{
		CU_ASSERT(json_integer_value(json_array_get(bucket, 0)) > last);
		last = json_integer_value(json_array_get(bucket, 0));
		frames += json_integer_value(json_array_get(bucket, 1));
	}
	CU_ASSERT(count == 20000 && frames == count && last >= max && p9999 <= max);
	json_decref(report);
}

static void json_says_how_sure_a_critical_rate_is(void)
{
	json_t *report = report_json();
	double confidence, bound, overall;
	json_int_t rate, trials;

	CU_ASSERT_EQUAL(json_unpack((json_t *)row_of(report, 6), "{s:{s:I, s:I, s:f, s:f, s:f}}",
				    "search", "rate", &rate, "trials_each", &trials, "confidence",
				    &confidence, "failure_bound", &bound, "confidence_overall",
				    &overall),
			0);
	CU_ASSERT(rate == 80000 && trials == 29 && confidence == 0.95 && overall == 0.9);
	CU_ASSERT(bound > 0.09 && bound <= 0.1);
	json_decref(report);
}

/* Takes one field off the line, quotes undone in place. NULL: it was the last. */
static char *take_field(char *line)
{
	bool quoted = false;
	char *to = line;

	for (; *line && (quoted || *line != ','); line++) {
		if (*line != '"' || (quoted && line[1] == '"'))
			*to++ = *line;
		if (*line == '"' && quoted && line[1] == '"')
			line++;
		else if (*line == '"')
			quoted = !quoted;
	}
	if (!*line) {
		*to = '\0';
		return NULL;
	}
	*to = '\0';
	return line + 1;
}

/* Returns how many. */
static unsigned split(char *line, char *fields[COLUMNS_MAX])
{
	unsigned count = 0;

	while (line && count < COLUMNS_MAX) {
		fields[count++] = line;
		line = take_field(line);
	}
	return count;
}

static void csv_has_as_many_fields_in_each_line(void)
{
	char *text = report(write_csv), *rest = text, *line;
	char *names[COLUMNS_MAX], *fields[COLUMNS_MAX];
	unsigned columns = split(strsep(&rest, "\n"), names), lines = 0;

	CU_ASSERT(columns > 30);
	CU_ASSERT_STRING_EQUAL(names[0], "test");
	while ((line = strsep(&rest, "\n")) && *line) {
		CU_ASSERT_EQUAL(split(line, fields), columns);
		lines++;
	}
	CU_ASSERT_EQUAL(lines, 7);
	free(text);
}

static char *field(const char *name, unsigned row)
{
	char *text = report(write_csv), *rest = text, *found = NULL;
	char *names[COLUMNS_MAX], *fields[COLUMNS_MAX];
	unsigned columns = split(strsep(&rest, "\n"), names);

	while (row--)
		strsep(&rest, "\n");
	split(strsep(&rest, "\n"), fields);
	for (unsigned i = 0; i < columns; i++) {
		if (strcmp(names[i], name) == 0)
			found = strdup(fields[i]);
	}
	free(text);
	return found;
}

static void expect_field(const char *name, unsigned row, const char *expected)
{
	char *found = field(name, row);

	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	CU_ASSERT_STRING_EQUAL(found, expected);
	free(found);
}

static void csv_has_what_json_has(void)
{
	expect_field("test", 0, "transmit");
	expect_field("sent.frames", 0, "20000");
	expect_field("received.frames", 0, "");
	expect_field("latency_ns.p99.99", 0, "");
	expect_field("lost", 5, "100");
	expect_field("loss", 5, "0.005");
	expect_field("target", 5, "n1, the \"first\"");
	expect_field("search.trials_each", 6, "29");
	expect_field("search.found", 6, "true");
	CU_ASSERT_PTR_NULL(field("histogram", 0));
}

static void text_says_what_was_found_and_how_sure_it_is(void)
{
	char *text = report(write_text);

	CU_ASSERT_PTR_NOT_NULL(strstr(text, "wiremill-gen echo --size 64,imix"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "n1, the"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "critical rate, 1518 bytes: 80.0 kpps, "
					    "80.1 kpps did not pass (40 trials)"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "29 of 29 trials of 10 s"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "at least 1 - k (1 - C) = 90 %"));
	free(text);
}

static void text_says_when_the_tester_was_the_limit(void)
{
	struct wm_result result;
	char *text;

	wm_sample_result(&result);
	result.rows[6].search.found.tester_limited = true;
	result.rows[5].totals.damaged = 3;
	result.rows[5].slipped_ns = 1500000000;
	result.rows[1].link_downs = 2;
	text = wm_sample_text(write_text, &result);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "the tester was the limit"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "3 frames came damaged"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gave up 1.500 s of its schedule"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "link was down meanwhile (2 times)"));
	free(text);
	wm_result_fini(&result);
}

static void a_replay_says_how_late_it_was_and_what_was_recorded(void)
{
	struct wm_result result;
	const char *unit, *file;
	json_int_t missed;
	json_t *report;
	double behind_s;
	char *text;

	wm_sample_result(&result);
	result.head.recording = (struct wm_result_recording){ "all.pcapng", 1000, 7 };
	result.rows[0].asked = (struct wm_rate){ WM_RATE_RECORDED, 1000000 };
	result.rows[0].behind_ns = 2500000;
	text = wm_sample_text(write_text, &result);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "frames left up to 2.500 ms late"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "all.pcapng: 1000 frames; 7 more were"));
	free(text);
	text = wm_sample_text(write_json, &result);
	report = json_loads(text, 0, NULL);
	CU_ASSERT_EQUAL(json_unpack(report, "{s:{s:s, s:I}, s:[{s:{s:s, s:n}, s:f}]}", "recording",
				    "file", &file, "missed", &missed, "results", "asked", "unit",
				    &unit, "per_s", "behind_s", &behind_s),
			0);
	CU_ASSERT_STRING_EQUAL(file, "all.pcapng");
	CU_ASSERT_STRING_EQUAL(unit, "recorded");
	CU_ASSERT(missed == 7 && behind_s == 0.0025);
	json_decref(report);
	free(text);
	wm_result_fini(&result);
}

static const struct wm_test tests[] = {
	WM_TEST(json_has_the_head_and_every_row),
	WM_TEST(json_says_null_for_what_was_not_measured),
	WM_TEST(json_holds_latencies_that_add_up),
	WM_TEST(json_says_how_sure_a_critical_rate_is),
	WM_TEST(csv_has_as_many_fields_in_each_line),
	WM_TEST(csv_has_what_json_has),
	WM_TEST(text_says_what_was_found_and_how_sure_it_is),
	WM_TEST(text_says_when_the_tester_was_the_limit),
	WM_TEST(a_replay_says_how_late_it_was_and_what_was_recorded),
};

int main(void)
{
	return WM_TESTS_RUN("report", tests);
}
