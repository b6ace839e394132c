/* SPDX-License-Identifier: BSD-3-Clause */
/* Jobs from a command line: what is sent, waited for and shown. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli_rig.h"

/* ---- jobs --------------------------------------------------------------- */

static void options_come_in_any_order(void)
{
	CU_ASSERT_EQUAL(RUN("--json", "--socket", socket_path, "job", "show", "4"), 0);
	CU_ASSERT(json_has("state", "cancelled"));
	CU_ASSERT_EQUAL(RUN("job", "show", "--socket", socket_path, "4", "--json"), 0);
	CU_ASSERT(json_has("state", "cancelled"));
	setenv("WIREMILL_SOCKET", socket_path, 1);
	CU_ASSERT_EQUAL(RUN("job", "show", "--json", "--", "4"), 0);
	CU_ASSERT(json_has("state", "cancelled"));
}

static void submission_sends_absolute_paths_and_its_options(void)
{
	CU_ASSERT_EQUAL(chdir(directory), 0);
	CU_ASSERT_EQUAL(RUN("job", "submit", "--json", "--kernel", "echo", "--input", "in/a",
			    "--output", "/out", "--tail", "drop"),
			0);
	CU_ASSERT(json_has("output", "/out"));
	CU_ASSERT(json_has("tail", "drop"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, directory));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "/in/a\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\"force\": false"));
	CU_ASSERT_EQUAL(RUN("job", "submit", "--json", "--kernel", "echo", "--input=--odd",
			    "--output", "b", "--force"),
			0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "/--odd\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\"force\": true"));
	CU_ASSERT(json_has("tail", "refuse"));
	CU_ASSERT(out_has("\"audit_ppm\": 0"));
	CU_ASSERT(out_has("\"fail_after_seconds\": 0"));
	CU_ASSERT_EQUAL(chdir("/"), 0);
}

/* The controller has descriptors of its own under these numbers. */
static void an_input_that_only_this_process_has_is_refused(void)
{
	static const char *const inputs[] = { "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0",
					      "/proc/self/exe", "/dev/null" };

	for (unsigned i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(RUN("job", "submit", "--kernel", "echo", "--output", "/out",
				    "--input", inputs[i]),
				1);
		CU_ASSERT(says(inputs[i]));
		CU_ASSERT(says("to a file first"));
	}
}

static void an_input_is_named_by_device_and_inode_as_well(void)
{
	struct stat status;
	char text[64];

	CU_ASSERT_EQUAL_FATAL(stat(directory, &status), 0);
	CU_ASSERT_EQUAL(RUN("job", "submit", "--json", "--kernel", "echo", "--input", directory,
			    "--output", "/out"),
			0);
	snprintf(text, sizeof(text), "\"input_device\": %llu", (unsigned long long)status.st_dev);
	CU_ASSERT(out_has(text));
	snprintf(text, sizeof(text), "\"input_inode\": %llu", (unsigned long long)status.st_ino);
	CU_ASSERT(out_has(text));
}

static void shares_and_times_are_sent_as_numbers(void)
{
	CU_ASSERT_EQUAL(RUN(SUBMIT("echo", "--json", "--audit", "0.1%", "--fail-after", "5m")), 0);
	CU_ASSERT(out_has("\"audit_ppm\": 1000"));
	CU_ASSERT(out_has("\"fail_after_seconds\": 300"));
}

static void resume_sends_an_absolute_path_and_its_time(void)
{
	CU_ASSERT_EQUAL(chdir(directory), 0);
	CU_ASSERT_EQUAL(RUN("job", "resume", "echo", "--json", "--fail-after", "2h"), 0);
	CU_ASSERT(out_has(directory) && out_has("/echo\""));
	CU_ASSERT(out_has("\"fail_after_seconds\": 7200"));
	CU_ASSERT(out_has("\"trust_output\": false"));
	CU_ASSERT_EQUAL(RUN("job", "resume", "echo", "--json", "--trust-output"), 0);
	CU_ASSERT(out_has("\"fail_after_seconds\": 0"));
	CU_ASSERT(out_has("\"trust_output\": true"));
	CU_ASSERT_EQUAL(chdir("/"), 0);
}

static void resume_names_waits_for_and_fails_with_its_job(void)
{
	CU_ASSERT_EQUAL(RUN("job", "resume", "/resumed"), 0);
	CU_ASSERT_STRING_EQUAL(out, "job 6 is submitted\n");
	CU_ASSERT_EQUAL(RUN("job", "resume", "--wait", "/resumed"), 0);
	CU_ASSERT(out_has("job 6: done\n"));
	CU_ASSERT_EQUAL(RUN("job", "resume", "/fails", "--wait"), 1);
	CU_ASSERT(says("job 2 failed: the disk of /data/out is full"));
	CU_ASSERT_EQUAL(RUN("job", "resume", "/none"), 1);
	CU_ASSERT(says("there is no journal beside /none"));
	CU_ASSERT_EQUAL(RUN("job", "resume", "/none", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT(says("no controller answers at /nonexistent/sock"));
}

/* What is zero has no line: see job 1. */
static void job_shows_what_was_done_twice_or_before(void)
{
	CU_ASSERT_EQUAL(RUN("job", "show", "5"), 0);
	CU_ASSERT(out_has("  batches   2, of 256 elements"));
	CU_ASSERT(out_has("  computed  5 batches, some once more: a node was wrong, see 'wiremill "
			  "node list'\n"));
	CU_ASSERT(out_has("  audited   3 batches on two nodes (0.1 % wanted)\n"));
	CU_ASSERT(out_has("0 duplicates, 4 to a second node at the end\n"));
	CU_ASSERT_EQUAL(RUN("job", "show", "6"), 0);
	CU_ASSERT(out_has("  batches   2, of 256 elements"));
	CU_ASSERT(out_has("  computed  1 batch since it was resumed\n"));
	CU_ASSERT(out_has("  resumed   at 1.50 kB (1500 bytes of output were there)\n"));
	CU_ASSERT(out_has("  checked   2.00 kB of what was there: 2 extents differed, the disk had "
			  "changed them; they were made again\n"));
	CU_ASSERT_EQUAL(RUN("job", "show", "1"), 0);
	CU_ASSERT(out_has("  batches   1 of 2, of 256 elements"));
	CU_ASSERT(out_has("0 duplicates\n"));
	CU_ASSERT(!strstr(out, "computed") && !strstr(out, "audited") && !strstr(out, "resumed"));
}

static void submission_without_wait_names_the_job(void)
{
	CU_ASSERT_EQUAL(RUN(SUBMIT("xor")), 0);
	CU_ASSERT_STRING_EQUAL(out, "job 1 is submitted\n");
	CU_ASSERT_STRING_EQUAL(err, "");
}

static void refusal_is_the_controllers_line(void)
{
	CU_ASSERT_EQUAL(RUN(SUBMIT("fft", "--wait")), 1);
	CU_ASSERT(says("there is no kernel 'fft'"));
	CU_ASSERT_EQUAL(RUN("job", "show", "9"), 1);
	CU_ASSERT(says("there is no job 9"));
	CU_ASSERT_EQUAL(RUN("job", "watch", "9", "--json"), 1);
	CU_ASSERT(says("there is no job 9"));
}

static void text_that_is_no_utf8_is_refused_here(void)
{
	CU_ASSERT_EQUAL(
		RUN("job", "submit", "--kernel", "xor", "--input", "/\xff", "--output", "b"), 1);
	CU_ASSERT(says("a request is UTF-8"));
}

static void wait_ends_with_a_summary(void)
{
	CU_ASSERT_EQUAL(RUN(SUBMIT("xor", "--wait")), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "job 1: done\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "7 resends"));
	CU_ASSERT_EQUAL(RUN(SUBMIT("xor", "--wait", "--json")), 0);
	CU_ASSERT(json_has("state", "done"));
}

static void wait_for_a_job_that_fails_fails_with_its_reason(void)
{
	CU_ASSERT_EQUAL(RUN(SUBMIT("fails", "--wait")), 1);
	CU_ASSERT(says("job 2 failed: the disk of /data/out is full"));
	CU_ASSERT_EQUAL(RUN(SUBMIT("fails", "--wait", "--json")), 1);
	CU_ASSERT(json_has("state", "failed"));
	CU_ASSERT_EQUAL(RUN("job", "watch", "4"), 1);
	CU_ASSERT(says("job 4 was cancelled"));
}

static void interrupt_ends_the_waiting_and_says_how_to_go_on(void)
{
	static const char *const submit[] = { "wiremill", SUBMIT("waits", "--wait"), NULL };
	static const char *const watch[] = { "wiremill", "job", "watch", "3", "--json", NULL };

	CU_ASSERT_EQUAL(run_until("queued", submit), 128 + SIGINT);
	CU_ASSERT_STRING_EQUAL(out, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "job 3 is queued, waiting: no node is admitted\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "job 3 goes on: 'wiremill job watch 3' shows it, "
					   "'wiremill job cancel 3' ends it\n"));
	CU_ASSERT_EQUAL(run_until("queued", watch), 128 + SIGINT);
	CU_ASSERT(json_has("state", "queued"));
}

static void wait_goes_on_with_the_next_life_of_the_controller(void)
{
	static const char *const watch[] = { "wiremill", "job", "watch", "7", NULL };
	static const struct cue cues[] = { { "job 7 is queued", end_controller },
					   { "no controller answers", next_controller },
					   { NULL, NULL } };

	CU_ASSERT_EQUAL(run_with(cues, watch), 0);
	CU_ASSERT(out_has("job 7: done\n"));
	lives = 1;
}

static void job_of_the_same_number_is_not_taken_for_the_same(void)
{
	static const char *const watch[] = { "wiremill", "job", "watch", "8", NULL };
	static const struct cue cues[] = { { "job 8 is queued", end_controller },
					   { "no controller answers", next_controller },
					   { NULL, NULL } };

	controller_stop();
	lives = 0;
	controller_start();
	CU_ASSERT_EQUAL(run_with(cues, watch), 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "lost sight of job 8: the controller at "));
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "has another job of that number"));
}

static void wait_ends_when_the_controller_does_not_come_back(void)
{
	static const char *const watch[] = {
		"wiremill", "job", "watch", "3", "--reconnect=1s", NULL
	};
	static const struct cue cues[] = { { "job 3 is queued", end_controller }, { NULL, NULL } };

	CU_ASSERT_EQUAL(run_with(cues, watch), 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "lost sight of job 3, which goes on when its controller "
					   "does: no controller answers at "));
	controller_start();
}

/* Somebody listens there, and says nothing: as long as the CLI waits for a word. */
static void standstill_is_told_from_absence(void)
{
	char path[sizeof(directory) + 16];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "%s/still", directory);
	strcpy(address.sun_path, path);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL(listen(fd, 8), 0);
	CU_ASSERT_EQUAL(RUN("version", "--socket", path), 0);
	CU_ASSERT(out_has("is busy, or stands still: it has not answered for"));
	close(fd);
	unlink(path);
}

static void parsable_is_the_number_alone(void)
{
	static const char *const submit[] = { "wiremill", SUBMIT("waits", "--wait", "--parsable"),
					      NULL };

	CU_ASSERT_EQUAL(RUN(SUBMIT("xor", "--parsable")), 0);
	CU_ASSERT_STRING_EQUAL(out, "1\n");
	CU_ASSERT_EQUAL(RUN(SUBMIT("xor", "--parsable", "--wait")), 0);
	CU_ASSERT_STRING_EQUAL(out, "1\n");
	CU_ASSERT_EQUAL(run_until("queued", submit), 128 + SIGINT);
	CU_ASSERT_STRING_EQUAL(out, "3\n");
	CU_ASSERT_EQUAL(RUN("job", "resume", "/resumed", "--parsable"), 0);
	CU_ASSERT_STRING_EQUAL(out, "6\n");
	WRONG("--parsable does not go with --json", SUBMIT("xor", "--parsable", "--json"));
	WRONG("--reconnect is a time such as", SUBMIT("xor", "--reconnect", "soon"));
}

static void dry_run_is_asked_for_and_makes_no_job(void)
{
	CU_ASSERT_EQUAL(RUN(SUBMIT("echo", "--json", "--dry-run")), 0);
	CU_ASSERT(out_has("\"dry_run\": true"));
	CU_ASSERT_EQUAL(RUN(SUBMIT("echo", "--json")), 0);
	CU_ASSERT(out_has("\"dry_run\": false"));
	CU_ASSERT_EQUAL(RUN(SUBMIT("xor", "--dry-run")), 0);
	CU_ASSERT_STRING_EQUAL(out, "the job would be queued: 64 bytes of output, 0 extents; "
				    "nothing was done\n");
	CU_ASSERT_EQUAL(RUN(SUBMIT("fft", "--dry-run")), 1);
	WRONG("--wait does not go with it", SUBMIT("xor", "--dry-run", "--wait"));
	WRONG("--parsable does not go with it", SUBMIT("xor", "--dry-run", "--parsable"));
}

static void job_that_is_being_cancelled_says_so(void)
{
	CU_ASSERT_EQUAL(RUN("job", "show", "10"), 0);
	CU_ASSERT(out_has("job 10: running, being cancelled"));
	CU_ASSERT_EQUAL(RUN("job", "list"), 0);
	CU_ASSERT(out_has(" 10  cancelling "));
	CU_ASSERT_EQUAL(run_until("being cancelled",
				  (const char *const[]){ "wiremill", "job", "watch", "10", NULL }),
			128 + SIGINT);
}

static void job_shows_whose_it_is_and_its_times(void)
{
	CU_ASSERT_EQUAL(RUN("job", "show", "1"), 0);
	CU_ASSERT(out_has("  name      night run\n"));
	CU_ASSERT(out_has("  user      root\n"));
	CU_ASSERT(out_has("  submitted 2026-11-27T13:44:05.007Z\n"));
	CU_ASSERT(!strstr(out, "  started "));
	CU_ASSERT_EQUAL(RUN(SUBMIT("echo", "--json", "--name", "night run")), 0);
	CU_ASSERT(json_has("name", "night run"));
}

static const struct wm_test tests[] = {
	WM_TEST(options_come_in_any_order),
	WM_TEST(submission_sends_absolute_paths_and_its_options),
	WM_TEST(an_input_that_only_this_process_has_is_refused),
	WM_TEST(an_input_is_named_by_device_and_inode_as_well),
	WM_TEST(shares_and_times_are_sent_as_numbers),
	WM_TEST(submission_without_wait_names_the_job),
	WM_TEST(resume_sends_an_absolute_path_and_its_time),
	WM_TEST(resume_names_waits_for_and_fails_with_its_job),
	WM_TEST(job_shows_what_was_done_twice_or_before),
	WM_TEST(refusal_is_the_controllers_line),
	WM_TEST(text_that_is_no_utf8_is_refused_here),
	WM_TEST(wait_ends_with_a_summary),
	WM_TEST(wait_for_a_job_that_fails_fails_with_its_reason),
	WM_TEST(interrupt_ends_the_waiting_and_says_how_to_go_on),
	WM_TEST(wait_goes_on_with_the_next_life_of_the_controller),
	WM_TEST(job_of_the_same_number_is_not_taken_for_the_same),
	WM_TEST(wait_ends_when_the_controller_does_not_come_back),
	WM_TEST(standstill_is_told_from_absence),
	WM_TEST(parsable_is_the_number_alone),
	WM_TEST(dry_run_is_asked_for_and_makes_no_job),
	WM_TEST(job_that_is_being_cancelled_says_so),
	WM_TEST(job_shows_whose_it_is_and_its_times),
};

WM_TESTS_ARGUMENTS(1, 1, "WIREMILL");

int main(int argc, char **argv)
{
	return rig_run("cli job", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
