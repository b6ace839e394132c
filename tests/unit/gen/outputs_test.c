/* SPDX-License-Identifier: BSD-3-Clause */
#include "outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "sample.h"
#include "signals.h"

#define OLD "what was measured yesterday\n"

static char folder[] = "/tmp/wm-outputs.XXXXXX";
static char json_path[64], csv_path[64], new_path[64];

static void place(void)
{
	FILE *stream;

	snprintf(json_path, sizeof(json_path), "%s/json", folder);
	snprintf(csv_path, sizeof(csv_path), "%s/csv", folder);
	snprintf(new_path, sizeof(new_path), "%s/new", folder);
	unlink(new_path);
	unlink(json_path);
	stream = fopen(csv_path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	fputs(OLD, stream);
	fclose(stream);
}

/* The caller's. */
static char *content(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *stream = fopen(path, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	CU_ASSERT(fread(text, 1, (1 << 20) - 1, stream) > 0);
	fclose(stream);
	return text;
}

static bool holds(const char *path, const char *words)
{
	char *text = content(path);
	bool found = strstr(text, words);

	free(text);
	return found;
}

static bool is_whole_json(const char *path)
{
	json_t *report = json_load_file(path, 0, NULL);
	bool is_whole = json_array_size(json_object_get(report, "results")) > 0;

	json_decref(report);
	return is_whole;
}

/* Opens, and writes the sample while stdout and stderr are those files. */
static int write_with(const struct wm_outputs_wanted *wanted, int out, int err)
{
	struct wm_outputs outputs;
	struct wm_result result;
	struct wm_error error;
	int kept_out = dup(STDOUT_FILENO), kept_err = dup(STDERR_FILENO), ret;

	CU_ASSERT_EQUAL_FATAL(wm_outputs_open(&outputs, wanted, &error), 0);
	wm_sample_result(&result);
	fflush(stdout);
	if (out < 0)
		close(STDOUT_FILENO);
	else
		dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	ret = wm_outputs_write(&outputs, &result);
	dup2(kept_out, STDOUT_FILENO);
	dup2(kept_err, STDERR_FILENO);
	close(kept_out);
	close(kept_err);
	wm_outputs_close(&outputs);
	wm_result_fini(&result);
	return ret;
}

static int write_to(const struct wm_outputs_wanted *wanted, const char *out_path)
{
	int out = open(out_path, O_WRONLY), err = open(new_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	int ret = write_with(wanted, out, err);

	close(out);
	close(err);
	return ret;
}

static void a_full_stdout_costs_no_file(void)
{
	const struct wm_outputs_wanted wanted = { .json_path = json_path, .csv_path = csv_path };

	place();
	CU_ASSERT_EQUAL(write_to(&wanted, "/dev/full"), -ENOSPC);
	CU_ASSERT(is_whole_json(json_path));
	CU_ASSERT(holds(csv_path, "throughput") || holds(csv_path, "echo"));
	CU_ASSERT_FALSE(holds(csv_path, OLD));
	/* The text is not lost either. */
	CU_ASSERT(holds(new_path, "No space left"));
	CU_ASSERT(holds(new_path, "received/s"));
}

static void a_pipe_that_is_gone_costs_no_file(void)
{
	const struct wm_outputs_wanted wanted = { .json_path = json_path };
	int ends[2], err;

	place();
	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	close(ends[0]);
	err = open(new_path, O_RDWR | O_CREAT, 0600);
	CU_ASSERT_EQUAL(write_with(&wanted, ends[1], err), -EPIPE);
	CU_ASSERT_EQUAL(write_with(&wanted, -1, err), -EBADF);
	CU_ASSERT(is_whole_json(json_path));
	close(ends[1]);
	close(err);
}

static void a_full_file_costs_no_other(void)
{
	const struct wm_outputs_wanted wanted = { .json_path = "/dev/full", .csv_path = csv_path };

	place();
	CU_ASSERT_EQUAL(write_to(&wanted, "/dev/null"), -ENOSPC);
	CU_ASSERT_FALSE(holds(csv_path, OLD));
	CU_ASSERT(holds(new_path, "/dev/full: the results are not all written: No space left"));
}

static void a_place_that_is_not_there_is_told_first(void)
{
	const struct wm_outputs_wanted wanted[] = {
		{ .json_path = new_path, .csv_path = "/nowhere/csv" },
		{ .json_path = "/nowhere/json", .csv_path = csv_path },
	};
	struct wm_outputs outputs;
	struct wm_error error;

	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		place();
		CU_ASSERT(wm_outputs_open(&outputs, &wanted[i], &error) < 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/nowhere/"));
		CU_ASSERT(holds(csv_path, OLD));
		CU_ASSERT(access(new_path, F_OK) < 0);
	}
}

static void a_measurement_that_fails_leaves_what_was_there(void)
{
	const struct wm_outputs_wanted wanted = { .json_path = new_path, .csv_path = csv_path };
	struct wm_outputs outputs;
	struct wm_error error;

	place();
	CU_ASSERT_EQUAL_FATAL(wm_outputs_open(&outputs, &wanted, &error), 0);
	CU_ASSERT_EQUAL(access(new_path, F_OK), 0);
	wm_outputs_close(&outputs);
	CU_ASSERT(access(new_path, F_OK) < 0);
	CU_ASSERT(holds(csv_path, OLD));
}

static void no_result_replaces_what_else_is_open(void)
{
	const struct wm_outputs_wanted wanted[] = {
		{ .json_path = csv_path, .csv_path = csv_path },
		{ .json_path = csv_path, .read_path = csv_path },
		{ .csv_path = csv_path, .write_path = csv_path },
		{ .json_path = new_path, .csv_path = new_path },
	};
	struct wm_outputs outputs;
	struct wm_error error;

	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		place();
		CU_ASSERT_EQUAL(wm_outputs_open(&outputs, &wanted[i], &error), -EINVAL);
		CU_ASSERT(holds(csv_path, OLD));
	}
}

static void a_name_that_is_no_text_costs_no_report(void)
{
	struct wm_result result;
	char *json = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&json, &bytes);

	wm_sample_result(&result);
	result.head.command = "replay \xff\xfe.pcapng";
	result.head.recording.path = "\x1b[2J\xc3";
	CU_ASSERT_EQUAL(wm_result_write(&result, WM_RESULT_JSON, stream), 0);
	fclose(stream);
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "replay \\\\xff\\\\xfe.pcapng"));
	free(json);
	wm_result_fini(&result);
}

static const struct wm_test tests[] = {
	WM_TEST(a_full_stdout_costs_no_file),
	WM_TEST(a_pipe_that_is_gone_costs_no_file),
	WM_TEST(a_full_file_costs_no_other),
	WM_TEST(a_place_that_is_not_there_is_told_first),
	WM_TEST(a_measurement_that_fails_leaves_what_was_there),
	WM_TEST(no_result_replaces_what_else_is_open),
	WM_TEST(a_name_that_is_no_text_costs_no_report),
};

int main(void)
{
	int ret;

	wm_signals_ignore_writes();
	if (!mkdtemp(folder))
		return 1;
	ret = WM_TESTS_RUN("outputs", tests);
	unlink(csv_path);
	unlink(json_path);
	unlink(new_path);
	rmdir(folder);
	return ret;
}
