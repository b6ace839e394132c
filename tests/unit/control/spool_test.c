/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue on disk: what is read is checked, what is written comes back. */
#include "spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "harness.h"

#define JOB(id, kernel, input, output, fail_after_ms, audit_ppm)                  \
	"{\"job\": " #id ", \"kernel\": \"" kernel "\", \"input\": \"" input      \
	"\", \"output\": \"" output "\", \"force\": true, \"drop_tail\": false, " \
	"\"fail_after_ms\": " #fail_after_ms ", \"audit_ppm\": " #audit_ppm ", "  \
	"\"started\": true}"
#define GOOD(id) JOB(id, "xor", "/in", "/out", 1500, 10000)
#define LIST(next, jobs) "{\"next\": " #next ", \"jobs\": [" jobs "]}"

static char directory[64];

static void jobs_begin(struct wm_jobs *jobs)
{
	memset(jobs, 0, sizeof(*jobs));
	jobs->next_id = 1;
	jobs->state_directory = directory;
}

static void jobs_end(struct wm_jobs *jobs)
{
	while (jobs->count > 0)
		free(jobs->jobs[--jobs->count]);
}

static bool is_line(const struct wm_error *error)
{
	return error->text[0] && !strchr(error->text, '\n');
}

/* ---- in ----------------------------------------------------------------------- */

static void good_list_is_taken(void)
{
	static const char text[] = LIST(9, GOOD(5) ", " GOOD(7));
	struct wm_jobs jobs;
	const struct wm_job *job;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL_FATAL(wm_spool_parse(&jobs, text, strlen(text), NULL), 0);
	CU_ASSERT_EQUAL(jobs.next_id, 9);
	CU_ASSERT_EQUAL_FATAL(jobs.count, 2);
	job = jobs.jobs[0];
	CU_ASSERT_EQUAL(job->lane.id, 5);
	CU_ASSERT_EQUAL(job->state, WM_JOB_QUEUED);
	CU_ASSERT_STRING_EQUAL(job->kernel->name, "xor");
	CU_ASSERT_STRING_EQUAL(job->input, "/in");
	CU_ASSERT_STRING_EQUAL(job->output, "/out");
	CU_ASSERT(job->force && !job->drop_tail && job->resume);
	CU_ASSERT_EQUAL(job->fail_after_ns, 1500 * WM_NS_PER_MS);
	CU_ASSERT_EQUAL(job->audit_ppm, 10000);
	CU_ASSERT_EQUAL(jobs.jobs[1]->lane.id, 7);
	jobs_end(&jobs);
}

static uint32_t next_of(const char *text)
{
	struct wm_jobs jobs;
	uint32_t next;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_parse(&jobs, text, strlen(text), NULL), 0);
	next = jobs.next_id;
	jobs_end(&jobs);
	return next;
}

static void next_number_is_of_no_job_before(void)
{
	CU_ASSERT_EQUAL(next_of(LIST(3, "")), 3);
	CU_ASSERT_EQUAL(next_of(LIST(3, GOOD(7))), 8);
	CU_ASSERT_EQUAL(next_of(LIST(3, GOOD(7) "," GOOD(4))), 8);
	CU_ASSERT_EQUAL(next_of(LIST(1, GOOD(4294967294))), UINT32_MAX);
}

/* Refused with a line, and what was taken before it can be given back. */
static void refused(const char *text, size_t bytes)
{
	struct wm_error error = { "" };
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_parse(&jobs, text, bytes, &error), -EBADMSG);
	if (!is_line(&error))
		printf("# not refused: %.*s\n", (int)bytes, text);
	CU_ASSERT(is_line(&error));
	jobs_end(&jobs);
}

#define REFUSED(text) refused(text, strlen(text))

static void damaged_list_is_refused(void)
{
	static const char good[] = LIST(9, GOOD(5) ", " GOOD(7));

	/* Every way to cut it short. */
	for (size_t bytes = 0; bytes < sizeof(good) - 1; bytes++)
		refused(good, bytes);
	refused(good, sizeof(good));
	REFUSED("[]");
	REFUSED("null");
	REFUSED("{}");
	REFUSED("{\"next\": 1}");
	REFUSED("{\"jobs\": []}");
	REFUSED("{\"next\": \"1\", \"jobs\": []}");
	REFUSED("{\"next\": 1, \"jobs\": {}}");
	REFUSED(LIST(1, "7"));
	REFUSED(LIST(1, "{}"));
	REFUSED(LIST(1, "null, " GOOD(3)));
	REFUSED(LIST(9, GOOD(5) ", {\"job\": 6}"));
	REFUSED("{\"next\": 1, \"next\": 2, \"jobs\": []}");
	REFUSED(LIST(1, "") LIST(1, ""));
	REFUSED(LIST(9, "{\"job\": 5, \"kernel\": \"xor\", \"input\": \"/a\", \"output\": \"/b\", "
			"\"force\": 1, \"drop_tail\": false, \"fail_after_ms\": 0, "
			"\"audit_ppm\": 0, \"started\": true}"));
}

static void values_that_no_job_has_are_refused(void)
{
	REFUSED(LIST(0, ""));
	REFUSED(LIST(-1, ""));
	REFUSED(LIST(1.5, ""));
	REFUSED(LIST(4294967296, ""));
	REFUSED(LIST(9, GOOD(0)));
	REFUSED(LIST(9, GOOD(-1)));
	REFUSED(LIST(9, GOOD(4294967295)));
	REFUSED(LIST(9, GOOD(4294967301)));
	REFUSED(LIST(9, GOOD(99999999999999999999)));
	REFUSED(LIST(9, JOB(5, "xor", "/a", "/b", -1, 0)));
	REFUSED(LIST(9, JOB(5, "xor", "/a", "/b", 9223372036855, 0)));
	REFUSED(LIST(9, JOB(5, "xor", "/a", "/b", 0, -1)));
	REFUSED(LIST(9, JOB(5, "xor", "/a", "/b", 0, 1000001)));
	REFUSED(LIST(9, JOB(5, "fft", "/a", "/b", 0, 0)));
	REFUSED(LIST(9, JOB(5, "", "/a", "/b", 0, 0)));
	REFUSED(LIST(9, JOB(5, "xor", "a", "/b", 0, 0)));
	REFUSED(LIST(9, JOB(5, "xor", "/a", "", 0, 0)));
	REFUSED(LIST(9, JOB(5, "xor", "/a\\u0000b", "/b", 0, 0)));
}

static void two_jobs_of_one_number_are_refused(void)
{
	REFUSED(LIST(9, GOOD(5) ", " GOOD(5)));
	REFUSED(LIST(9, GOOD(5) ", " GOOD(6) ", " GOOD(5)));
}

/* A list of that many jobs, the input of each a path that long. For free(). */
static char *list_new(unsigned count, unsigned path_bytes)
{
	size_t room = 64 + count * (path_bytes + 256), n;
	char *text = malloc(room), *path = malloc(path_bytes + 1);

	memset(path, 'a', path_bytes);
	path[0] = '/';
	path[path_bytes] = '\0';
	n = (size_t)snprintf(text, room, "{\"next\": 1, \"jobs\": [");
	for (unsigned i = 0; i < count; i++)
		n += (size_t)snprintf(text + n, room - n,
				      "%s{\"job\": %u, \"kernel\": \"xor\", \"input\": \"%s\", "
				      "\"output\": \"/b\", \"force\": false, \"drop_tail\": true, "
				      "\"fail_after_ms\": 0, \"audit_ppm\": 0, \"started\": false}",
				      i ? ", " : "", i + 1, path);
	snprintf(text + n, room - n, "]}");
	free(path);
	return text;
}

static void list_and_paths_have_their_bounds(void)
{
	static const unsigned good[][2] = { { WM_JOBS_MAX, 2 }, { 1, PATH_MAX - 1 } };
	static const unsigned bad[][2] = { { WM_JOBS_MAX + 1, 2 }, { 1, PATH_MAX } };
	struct wm_jobs jobs;
	char *text;

	for (unsigned i = 0; i < 2; i++) {
		text = list_new(good[i][0], good[i][1]);
		jobs_begin(&jobs);
		CU_ASSERT_EQUAL(wm_spool_parse(&jobs, text, strlen(text), NULL), 0);
		CU_ASSERT_EQUAL(jobs.count, good[i][0]);
		jobs_end(&jobs);
		free(text);
		text = list_new(bad[i][0], bad[i][1]);
		REFUSED(text);
		free(text);
	}
}

/* ---- out and in ------------------------------------------------------------------ */

static struct wm_job *job_add(struct wm_jobs *jobs, enum wm_job_state state)
{
	struct wm_job *job = calloc(1, sizeof(*job));

	job->lane.id = jobs->next_id++;
	job->state = state;
	job->kernel = wm_kernel_find("xor");
	snprintf(job->input, sizeof(job->input), "/data/in \"%u\"\n", job->lane.id);
	snprintf(job->output, sizeof(job->output), "/data/K\xc3\xb6ln %u", job->lane.id);
	job->drop_tail = job->lane.id % 2;
	job->force = !job->drop_tail;
	job->fail_after_ns = job->lane.id * WM_NS_PER_S;
	job->audit_ppm = 1000000 - job->lane.id;
	jobs->jobs[jobs->count++] = job;
	return job;
}

static void is_same(const struct wm_job *job, const struct wm_job *other)
{
	CU_ASSERT_EQUAL(job->lane.id, other->lane.id);
	CU_ASSERT_PTR_EQUAL(job->kernel, other->kernel);
	CU_ASSERT_STRING_EQUAL(job->input, other->input);
	CU_ASSERT_STRING_EQUAL(job->output, other->output);
	CU_ASSERT_EQUAL(job->force, other->force);
	CU_ASSERT_EQUAL(job->drop_tail, other->drop_tail);
	CU_ASSERT_EQUAL(job->fail_after_ns, other->fail_after_ns);
	CU_ASSERT_EQUAL(job->audit_ppm, other->audit_ppm);
}

static const char *file_path(const char *suffix)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/jobs.json%s", directory, suffix);
	return path;
}

static void what_is_not_over_comes_back(void)
{
	static const bool kept[] = { false, true, true, false, true, true, true, false };
	struct wm_jobs before, after;
	struct stat status;
	uint32_t found = 0;

	jobs_begin(&before);
	job_add(&before, WM_JOB_DONE);
	job_add(&before, WM_JOB_FINISHING);
	job_add(&before, WM_JOB_RUNNING);
	job_add(&before, WM_JOB_CANCELLED);
	/* Suspended when the controller stopped. */
	job_add(&before, WM_JOB_FAILED)->goes_on = true;
	job_add(&before, WM_JOB_QUEUED);
	job_add(&before, WM_JOB_QUEUED)->resume = true;
	job_add(&before, WM_JOB_FAILED);
	CU_ASSERT_EQUAL(wm_spool_save(&before, NULL), 0);
	CU_ASSERT_NOT_EQUAL(access(file_path(".new"), F_OK), 0);
	CU_ASSERT(stat(file_path(""), &status) == 0 && (status.st_mode & 07) == 0);

	jobs_begin(&after);
	CU_ASSERT_EQUAL(wm_spool_load(&after, NULL), 0);
	CU_ASSERT_EQUAL(after.next_id, 9);
	CU_ASSERT_EQUAL_FATAL(after.count, 5);
	for (uint32_t i = 0; i < before.count; i++) {
		if (kept[i])
			is_same(before.jobs[i], after.jobs[found++]);
	}
	CU_ASSERT(after.jobs[0]->resume && after.jobs[2]->resume);
	CU_ASSERT(!after.jobs[3]->resume && after.jobs[4]->resume);
	jobs_end(&before);
	jobs_end(&after);
}

static void saved_again_it_is_replaced(void)
{
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	job_add(&jobs, WM_JOB_QUEUED);
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	jobs_end(&jobs);
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, NULL), 0);
	CU_ASSERT_EQUAL(jobs.count, 0);
	CU_ASSERT_EQUAL(jobs.next_id, 2);
}

static void missing_file_is_an_empty_list(void)
{
	struct wm_jobs jobs;

	unlink(file_path(""));
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, NULL), 0);
	CU_ASSERT_EQUAL(jobs.count, 0);
	CU_ASSERT_EQUAL(jobs.next_id, 1);
}

static void damaged_file_is_named_and_kept(void)
{
	struct wm_error error = { "" };
	struct wm_jobs jobs;
	FILE *file = fopen(file_path(""), "w");

	fputs(LIST(9, GOOD(5) ", " GOOD(5)), file);
	fclose(file);
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, &error), -EBADMSG);
	CU_ASSERT(is_line(&error) && strstr(error.text, file_path("")));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "can be resumed one by one"));
	CU_ASSERT_EQUAL(access(file_path(""), F_OK), 0);
	jobs_end(&jobs);
	unlink(file_path(""));
}

static void directory_that_takes_no_file_is_named(void)
{
	struct wm_error error = { "" };
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	jobs.state_directory = "/nonexistent/state";
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, &error), -ENOENT);
	CU_ASSERT(is_line(&error) && strstr(error.text, "/nonexistent/state/jobs.json"));
	CU_ASSERT_EQUAL(wm_spool_prepare("/nonexistent/state", &error), -ENOENT);
	CU_ASSERT(is_line(&error) && strstr(error.text, "--state"));
	CU_ASSERT_EQUAL(wm_spool_prepare(directory, NULL), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(good_list_is_taken),
	WM_TEST(next_number_is_of_no_job_before),
	WM_TEST(damaged_list_is_refused),
	WM_TEST(values_that_no_job_has_are_refused),
	WM_TEST(two_jobs_of_one_number_are_refused),
	WM_TEST(list_and_paths_have_their_bounds),
	WM_TEST(what_is_not_over_comes_back),
	WM_TEST(saved_again_it_is_replaced),
	WM_TEST(missing_file_is_an_empty_list),
	WM_TEST(damaged_file_is_named_and_kept),
	WM_TEST(directory_that_takes_no_file_is_named),
};

int main(void)
{
	int status;

	strcpy(directory, "/tmp/wm-spool-test-XXXXXX");
	if (!mkdtemp(directory))
		return 1;
	status = WM_TESTS_RUN("spool", tests);
	unlink(file_path(""));
	rmdir(directory);
	return status;
}
