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

#define NUMBERS                                                                          \
	"\"input_bytes\": 96, \"output_bytes\": 64, \"dropped_tail_bytes\": 0, "         \
	"\"elements\": 2, \"batch_elements\": 256, \"mtu\": 9000, \"extents\": 1, "      \
	"\"batches\": 1, \"resumed_bytes\": 0, \"nodes\": 2, \"extents_done\": 1, "      \
	"\"batches_done\": 1, \"output_bytes_done\": 64, \"sends\": 3, \"resends\": 2, " \
	"\"duplicates\": 1, \"speculated\": 0, \"audited\": 0, "                         \
	"\"waited_max_ns\": 250000000"
#define ENDED(id, state, more)                                                     \
	"{\"job\": " #id ", \"kernel\": \"xor\", \"input\": \"/in\", \"output\": " \
	"\"/out\", \"force\": false, \"drop_tail\": false, \"fail_after_ms\": 0, " \
	"\"audit_ppm\": 7, \"state\": \"" state "\", \"reason\": \"on request\", " \
	"\"run_ns\": 1500000000, " more "}"
#define CAUGHT(mac, name, reason) \
	"{\"mac\": \"" mac "\", \"name\": \"" name "\", \"reason\": \"" reason "\"}"
#define WHOLE(jobs, ended, quarantine)                                 \
	"{\"next\": 9, \"jobs\": [" jobs "], \"ended\": [" ended "], " \
	"\"quarantine\": [" quarantine "]}"

static char directory[64];
static struct wm_membership membership;

static void membership_begin(void)
{
	static const struct wm_membership_calls none = { 0 };
	static const uint8_t mac[WM_ETHER_ADDR_BYTES] = { 2 };

	wm_membership_init(&membership, &none, mac);
}

static void jobs_begin(struct wm_jobs *jobs)
{
	membership_begin();
	memset(jobs, 0, sizeof(*jobs));
	jobs->membership = &membership;
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
	CU_ASSERT_STRING_EQUAL(job->kernel.name, "xor");
	CU_ASSERT_STRING_EQUAL(job->input, "/in");
	CU_ASSERT_STRING_EQUAL(job->output, "/out");
	CU_ASSERT(job->force && !job->drop_tail && job->resume);
	CU_ASSERT_EQUAL(job->fail_after_ns, 1500 * WM_NS_PER_MS);
	CU_ASSERT_EQUAL(job->audit_ppm, 10000);
	CU_ASSERT_EQUAL(jobs.jobs[1]->lane.id, 7);
	jobs_end(&jobs);
}

static void what_has_ended_stands_in_its_order(void)
{
	static const char text[] =
		WHOLE(GOOD(5) ", " GOOD(7),
		      ENDED(6, "cancelled", NUMBERS) ", " ENDED(8, "done", NUMBERS), "");
	struct wm_jobs jobs;
	const struct wm_job *job;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL_FATAL(wm_spool_parse(&jobs, text, strlen(text), NULL), 0);
	CU_ASSERT_EQUAL_FATAL(jobs.count, 4);
	for (uint32_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(jobs.jobs[i]->lane.id, 5 + i);
	job = jobs.jobs[1];
	CU_ASSERT_EQUAL(job->state, WM_JOB_CANCELLED);
	CU_ASSERT_STRING_EQUAL(job->reason, "on request");
	CU_ASSERT_DOUBLE_EQUAL(wm_job_seconds(job, 77), 1.5, 1e-9);
	CU_ASSERT_EQUAL(job->input_bytes, 96);
	CU_ASSERT_EQUAL(job->lane.layout.output_bytes, 64);
	CU_ASSERT_EQUAL(job->mtu, 9000);
	CU_ASSERT_EQUAL(job->nodes, 2);
	CU_ASSERT_EQUAL(job->audit_ppm, 7);
	CU_ASSERT_EQUAL(job->counters.output_bytes_done, 64);
	CU_ASSERT_EQUAL(job->counters.dispatch.sent, 3);
	CU_ASSERT_EQUAL(jobs.jobs[3]->state, WM_JOB_DONE);
	jobs_end(&jobs);
}

static void who_was_caught_is_in_quarantine(void)
{
	static const char text[] =
		WHOLE("", "", CAUGHT("02:00:00:00:01:0a", "n3", "computed batch 7 of job 3 wrong"));
	static const uint8_t mac[] = { 2, 0, 0, 0, 1, 0x0a };
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL_FATAL(wm_spool_parse(&jobs, text, strlen(text), NULL), 0);
	CU_ASSERT_EQUAL_FATAL(membership.count, 1);
	CU_ASSERT_EQUAL(membership.members[0].state, WM_MEMBER_QUARANTINED);
	CU_ASSERT_EQUAL(memcmp(membership.members[0].mac, mac, sizeof(mac)), 0);
	CU_ASSERT_STRING_EQUAL(membership.members[0].hello.name, "n3");
	CU_ASSERT_STRING_EQUAL(membership.members[0].reason, "computed batch 7 of job 3 wrong");
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

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
/* A job whose kernel is not built in, or an odd one. */
#define OWN(name, hash) JOB(5, name "\", \"kernel_hash\": \"" hash, "/a", "/b", 0, 0)

static void kernel_that_is_not_built_in_has_its_hash(void)
{
	static const char text[] = LIST(9, OWN("blend", HASH));
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL_FATAL(wm_spool_parse(&jobs, text, strlen(text), NULL), 0);
	CU_ASSERT_STRING_EQUAL(jobs.jobs[0]->kernel.name, "blend");
	CU_ASSERT_EQUAL(jobs.jobs[0]->kernel.hash[1], 0x23);
	CU_ASSERT_EQUAL(jobs.jobs[0]->kernel.hash[31], 0xef);
	jobs_end(&jobs);
	REFUSED(LIST(9, OWN("blend", "")));
	REFUSED(LIST(9, OWN("blend", HASH "0")));
	REFUSED(LIST(9, OWN("blend", "../../etc/passwd")));
	REFUSED(LIST(9, OWN("blend", "00000000000000000000000000000000"
				     "00000000000000000000000000000000")));
	REFUSED(LIST(9, OWN("Blend", HASH)));
	REFUSED(LIST(9, OWN("", HASH)));
	REFUSED(LIST(9, OWN("a0123456789012345678901234567890", HASH)));
}

#define LONG_TEXT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void values_that_no_ended_job_has_are_refused(void)
{
	REFUSED(WHOLE("", ENDED(5, "running", NUMBERS), ""));
	REFUSED(WHOLE("", ENDED(5, "", NUMBERS), ""));
	REFUSED(WHOLE("", ENDED(5, "done", "\"mtu\": 9000"), ""));
	REFUSED(WHOLE("", ENDED(5, "done", NUMBERS ", \"mtu\": 1"), ""));
	REFUSED(WHOLE("", GOOD(5), ""));
	REFUSED(WHOLE(ENDED(5, "done", NUMBERS), "", ""));
	REFUSED(WHOLE(GOOD(5), ENDED(5, "done", NUMBERS), ""));
	REFUSED("{\"next\": 9, \"jobs\": [], \"ended\": {}}");
	REFUSED("{\"next\": 9, \"jobs\": [], \"ended\": null}");
}

static void who_cannot_be_in_quarantine_is_refused(void)
{
	REFUSED("{\"next\": 9, \"jobs\": [], \"quarantine\": 1}");
	REFUSED(WHOLE("", "", "{}"));
	REFUSED(WHOLE("", "", CAUGHT("02:00:00:00:01:A", "n3", "")));
	REFUSED(WHOLE("", "", CAUGHT("02:00:00:00:01:0A", "n3", "")));
	REFUSED(WHOLE("", "", CAUGHT("02:00:00:00:01:0a:", "n3", "")));
	REFUSED(WHOLE("", "", CAUGHT("02:00:00:00:01:0a", "a b", "")));
	REFUSED(WHOLE("", "", CAUGHT("02:00:00:00:01:0a", "n3", LONG_TEXT LONG_TEXT LONG_TEXT)));
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
	job->kernel = *wm_kernel_find("xor");
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
	CU_ASSERT(wm_kernel_is_same(&job->kernel, &other->kernel));
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

static void every_job_comes_back(void)
{
	static const bool over[] = { true, false, false, true, false, false, false, true };
	struct wm_job *failed;
	struct wm_jobs before, after;
	struct stat status;

	jobs_begin(&before);
	job_add(&before, WM_JOB_DONE);
	job_add(&before, WM_JOB_FINISHING);
	job_add(&before, WM_JOB_RUNNING)->journal = 0xfeedbeef;
	job_add(&before, WM_JOB_CANCELLED);
	/* Suspended when the controller stopped. */
	job_add(&before, WM_JOB_FAILED)->resume_on_start = true;
	job_add(&before, WM_JOB_QUEUED);
	job_add(&before, WM_JOB_QUEUED)->resume = true;
	failed = job_add(&before, WM_JOB_FAILED);
	strcpy(failed->reason, "no \"room\"");
	failed->run_ns = 12;
	failed->counters.dispatch.audited = 34;
	CU_ASSERT_EQUAL(wm_spool_save(&before, NULL), 0);
	CU_ASSERT_NOT_EQUAL(access(file_path(".new"), F_OK), 0);
	CU_ASSERT(stat(file_path(""), &status) == 0 && (status.st_mode & 07) == 0);

	jobs_begin(&after);
	CU_ASSERT_EQUAL(wm_spool_load(&after, NULL), 0);
	CU_ASSERT_EQUAL(after.next_id, 9);
	CU_ASSERT_EQUAL_FATAL(after.count, 8);
	for (uint32_t i = 0; i < before.count; i++) {
		is_same(before.jobs[i], after.jobs[i]);
		CU_ASSERT_EQUAL(after.jobs[i]->state,
				over[i] ? before.jobs[i]->state : WM_JOB_QUEUED);
	}
	for (uint32_t i = 1; i < 7; i++)
		CU_ASSERT_EQUAL(after.jobs[i]->resume, !over[i] && i != 5);
	CU_ASSERT_EQUAL(after.jobs[2]->journal, 0xfeedbeef);
	CU_ASSERT_STRING_EQUAL(after.jobs[7]->reason, "no \"room\"");
	CU_ASSERT_EQUAL(after.jobs[7]->run_ns, 12);
	CU_ASSERT_EQUAL(after.jobs[7]->counters.dispatch.audited, 34);
	jobs_end(&before);
	jobs_end(&after);
}

/* A line that was cut in the middle of a letter must not make the file unreadable. */
/* Of a job that goes on the end is not known, whatever its last life said. */
static void origin_comes_back(void)
{
	static const uint64_t ms = 1795787045007;
	struct wm_jobs jobs;
	struct wm_job *job;

	jobs_begin(&jobs);
	job = job_add(&jobs, WM_JOB_FAILED);
	CU_ASSERT_EQUAL(wm_job_origin_init(&job->origin, 0, "night run", NULL), 0);
	job->origin.submitted_ms = ms;
	job->origin.started_ms = ms + 1;
	job->origin.ended_ms = ms + 2;
	*job_add(&jobs, WM_JOB_FAILED) = *job;
	jobs.jobs[1]->lane.id = job->lane.id + 1;
	jobs.jobs[1]->resume_on_start = true;
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	jobs_end(&jobs);
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(jobs.count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct wm_job_origin *origin = &jobs.jobs[i]->origin;

		CU_ASSERT_STRING_EQUAL(origin->user, "root");
		CU_ASSERT_STRING_EQUAL(origin->name, "night run");
		CU_ASSERT_EQUAL(origin->submitted_ms, ms);
		CU_ASSERT_EQUAL(origin->started_ms, ms + 1);
		CU_ASSERT_EQUAL(origin->ended_ms, i ? 0 : ms + 2);
	}
	jobs_end(&jobs);
}

#define FROM(user, name, times) \
	ENDED(6, "done", NUMBERS ", \"user\": " user ", \"name\": " name ", " times)
#define TIMES "\"submitted_ms\": 3, \"started_ms\": 4, \"ended_ms\": 5"

static void origin_that_cannot_be_is_refused(void)
{
	static const char *const texts[] = {
		WHOLE("", FROM("\"a\"", "\"\\u0007\"", TIMES), ""),
		WHOLE("", FROM("1", "\"\"", TIMES), ""),
		WHOLE("", FROM("\"a\"", "\"\"", "\"submitted_ms\": 3, \"started_ms\": 4"), ""),
		WHOLE("",
		      FROM("\"a\"", "\"\"",
			   "\"submitted_ms\": \"x\", \"started_ms\": 4, \"ended_ms\": 5"),
		      ""),
		WHOLE("",
		      FROM("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "\"\"",
			   TIMES),
		      ""),
	};
	static const char good[] = WHOLE("", FROM("\"a\"", "\"b\"", TIMES), "");
	struct wm_jobs jobs;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		jobs_begin(&jobs);
		CU_ASSERT_EQUAL(wm_spool_parse(&jobs, texts[i], strlen(texts[i]), NULL), -EBADMSG);
		jobs_end(&jobs);
	}
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_parse(&jobs, good, strlen(good), NULL), 0);
	jobs_end(&jobs);
}

static void a_reason_of_any_bytes_comes_back(void)
{
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	strcpy(job_add(&jobs, WM_JOB_FAILED)->reason, "/data/K\xc3");
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	jobs_end(&jobs);
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(jobs.count, 1);
	CU_ASSERT_STRING_EQUAL(jobs.jobs[0]->reason, "/data/K\\xc3");
	jobs_end(&jobs);
}

/* What is saved can be loaded, or is not saved, and what was there before stays. */
static void comes_back_or_is_refused(void (*make)(struct wm_job *job, unsigned which),
				     unsigned which, bool good)
{
	struct wm_error error = { "" };
	struct wm_jobs before, after;

	jobs_begin(&before);
	job_add(&before, WM_JOB_QUEUED);
	CU_ASSERT_EQUAL_FATAL(wm_spool_save(&before, NULL), 0);
	make(job_add(&before, WM_JOB_QUEUED), which);
	CU_ASSERT_EQUAL(wm_spool_save(&before, &error), good ? 0 : -EINVAL);
	CU_ASSERT(good || (is_line(&error) && strstr(error.text, "job 2 has")));
	jobs_begin(&after);
	CU_ASSERT_EQUAL(wm_spool_load(&after, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(after.count, good ? 2 : 1);
	if (good)
		is_same(before.jobs[1], after.jobs[1]);
	jobs_end(&before);
	jobs_end(&after);
}

static const char *const good_paths[] = {
	"/",	"/\x01\n\r\t\x1b[2J", "/\"\\'", "/\xe2\x80\xae", "/\xf0\x9f\x92\xa9", "/../..//",
	"/\x7f"
};
static const char *const bad_paths[] = {
	"", "a", "./a", "/\xff", "/a\xc3", "/\xed\xa0\x80", "/\xc0\x80", "/\xf5\x80\x80\x80"
};

static void make_good(struct wm_job *job, unsigned which)
{
	strcpy(which % 2 ? job->input : job->output, good_paths[which / 2]);
}

static void make_bad(struct wm_job *job, unsigned which)
{
	strcpy(which % 2 ? job->input : job->output, bad_paths[which / 2]);
}

static void make_longest(struct wm_job *job, unsigned which)
{
	(void)which;
	memset(job->input, 'x', PATH_MAX - 1);
	job->input[0] = '/';
	job->input[PATH_MAX - 1] = '\0';
}

static void make_out_of_range(struct wm_job *job, unsigned which)
{
	if (which == 0)
		job->fail_after_ns = UINT64_MAX;
	else
		job->audit_ppm = UINT32_MAX;
}

static void what_the_next_start_would_refuse_is_not_saved(void)
{
	for (unsigned i = 0; i < 2 * sizeof(good_paths) / sizeof(good_paths[0]); i++)
		comes_back_or_is_refused(make_good, i, true);
	for (unsigned i = 0; i < 2 * sizeof(bad_paths) / sizeof(bad_paths[0]); i++)
		comes_back_or_is_refused(make_bad, i, false);
	comes_back_or_is_refused(make_longest, 0, true);
	for (unsigned i = 0; i < 2; i++)
		comes_back_or_is_refused(make_out_of_range, i, false);
}

static void a_cancel_comes_back(void)
{
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	job_add(&jobs, WM_JOB_RUNNING)->cancelled = true;
	job_add(&jobs, WM_JOB_RUNNING);
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	jobs_end(&jobs);
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, NULL), 0);
	CU_ASSERT(jobs.jobs[0]->cancelled && jobs.jobs[0]->resume && !jobs.jobs[1]->cancelled);
	jobs_end(&jobs);
}

static void quarantine_lasts_until_the_node_is_admitted(void)
{
	static const uint8_t mac[] = { 2, 0xff, 0, 0, 0, 9 };
	struct wm_jobs jobs;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_membership_recall(&membership, mac, "n09", "computed wrong"), 0);
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(wm_membership_count(&membership, WM_MEMBER_QUARANTINED), 1);
	CU_ASSERT_EQUAL(memcmp(membership.members[0].mac, mac, sizeof(mac)), 0);
	CU_ASSERT_STRING_EQUAL(membership.members[0].reason, "computed wrong");

	CU_ASSERT_EQUAL(wm_membership_admit(&membership, 0), 0);
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, NULL), 0);
	CU_ASSERT_EQUAL(membership.count, 0);
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
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "entry 2 of 'jobs' is no job"));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "wiremill job resume OUTPUT"));
	CU_ASSERT_EQUAL(access(file_path(""), F_OK), 0);
	jobs_end(&jobs);
	unlink(file_path(""));
}

/* A pipe would hold up the start for ever. */
static void what_is_no_file_is_named_and_kept(void)
{
	struct wm_error error = { "" };
	struct wm_jobs jobs;
	struct stat status;

	jobs_begin(&jobs);
	CU_ASSERT_EQUAL_FATAL(mkfifo(file_path(""), 0600), 0);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, &error), -EINVAL);
	CU_ASSERT(is_line(&error) && strstr(error.text, file_path("")));
	CU_ASSERT_EQUAL(unlink(file_path("")), 0);
	CU_ASSERT_EQUAL_FATAL(mkdir(file_path(""), 0700), 0);
	CU_ASSERT_EQUAL(wm_spool_load(&jobs, &error), -EISDIR);
	CU_ASSERT_EQUAL(lstat(file_path(""), &status), 0);
	CU_ASSERT_EQUAL(rmdir(file_path("")), 0);
}

/* A pipe of the name that it is written under would hold up all clients and nodes. */
static void saving_waits_for_no_pipe_and_follows_no_link(void)
{
	char linked[sizeof(directory) + 8];
	struct wm_jobs jobs;
	struct stat status;

	snprintf(linked, sizeof(linked), "%s/linked", directory);
	fclose(fopen(linked, "w"));
	jobs_begin(&jobs);
	CU_ASSERT_EQUAL_FATAL(mkfifo(file_path(".new"), 0600), 0);
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(symlink(linked, file_path(".new")), 0);
	CU_ASSERT_EQUAL(wm_spool_save(&jobs, NULL), 0);
	CU_ASSERT(stat(linked, &status) == 0 && status.st_size == 0);
	CU_ASSERT(lstat(file_path(""), &status) == 0 && S_ISREG(status.st_mode));
	CU_ASSERT_EQUAL(unlink(linked), 0);
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
	WM_TEST(what_has_ended_stands_in_its_order),
	WM_TEST(who_was_caught_is_in_quarantine),
	WM_TEST(next_number_is_of_no_job_before),
	WM_TEST(damaged_list_is_refused),
	WM_TEST(values_that_no_job_has_are_refused),
	WM_TEST(kernel_that_is_not_built_in_has_its_hash),
	WM_TEST(values_that_no_ended_job_has_are_refused),
	WM_TEST(who_cannot_be_in_quarantine_is_refused),
	WM_TEST(two_jobs_of_one_number_are_refused),
	WM_TEST(list_and_paths_have_their_bounds),
	WM_TEST(every_job_comes_back),
	WM_TEST(origin_comes_back),
	WM_TEST(origin_that_cannot_be_is_refused),
	WM_TEST(a_reason_of_any_bytes_comes_back),
	WM_TEST(what_the_next_start_would_refuse_is_not_saved),
	WM_TEST(a_cancel_comes_back),
	WM_TEST(quarantine_lasts_until_the_node_is_admitted),
	WM_TEST(saved_again_it_is_replaced),
	WM_TEST(missing_file_is_an_empty_list),
	WM_TEST(damaged_file_is_named_and_kept),
	WM_TEST(what_is_no_file_is_named_and_kept),
	WM_TEST(saving_waits_for_no_pipe_and_follows_no_link),
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
