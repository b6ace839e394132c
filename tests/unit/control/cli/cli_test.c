/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real CLI (its path is the first argument) against the real socket server,
 * whose methods here have fixed answers: the job's number says how it behaves.
 * The server is a child of the test; each run of the CLI is waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crc32c.h"
#include "harness.h"
#include "rpc.h"
#include "wiremill/journal.h"

static char directory[64] = "/tmp/wm-cli-test-XXXXXX", socket_path[96];
static const char *program;

/* ---- the controller ----------------------------------------------------- */

enum {
	JOB_DONE = 1,
	JOB_FAILS = 2,
	JOB_WAITS = 3,
	JOB_CANCELLED = 4,
	JOB_AGAIN = 5,
	JOB_RESUMED = 6,
	JOB_RESTARTS = 7, /* waits in the controller's first life, and is done in the next */
	JOB_CHANGES = 8,  /* another one has its number in the next */
	JOB_CANCELLING = 10,
	JOB_UNKNOWN = 9
};

/* Jobs under way are over at their third look, but for the one that waits. */
static unsigned looks;
/* Of the controller, so far. */
static unsigned lives;

static json_t *job_new(uint64_t number, const char *state, const char *reason, const char *waiting)
{
	return json_pack("{s:s, s:s, s:s, s:n, s:n, s:b, "
			 "s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:I, s:f, s:f, s:n}",
			 "user", "root", "name", "night run", "submitted",
			 number == JOB_CHANGES && lives > 1 ? "2026-11-27T13:44:06.000Z"
							    : "2026-11-27T13:44:05.007Z",
			 "started", "ended", "cancelling", number == JOB_CANCELLING, "job",
			 (json_int_t)number, "kernel", "xor", "input", "/data/in", "output",
			 "/data/out", "state", state, "reason", reason, "waiting", waiting,
			 "input_bytes", (json_int_t)96, "output_bytes", (json_int_t)64,
			 "output_bytes_done", (json_int_t)32, "batches", (json_int_t)2,
			 "batches_done", (json_int_t)1, "batch_elements", (json_int_t)256, "mtu",
			 (json_int_t)9000, "resends", (json_int_t)7, "nodes", (json_int_t)12,
			 "seconds", 2.0, "bytes_per_second", 32.0, "seconds_left");
}

/* With these members instead. Takes over both. */
static json_t *job_with(json_t *job, json_t *members)
{
	json_object_update(job, members);
	json_decref(members);
	return job;
}

/* One that had a wrong node, and one that goes on from an earlier life. */
static json_t *job_past(uint64_t number)
{
	json_t *job = job_new(number, "done", "", "");

	if (number == JOB_AGAIN)
		return job_with(job, json_pack("{s:i, s:i, s:i, s:i}", "batches_done", 5, "audited",
					       3, "audit_ppm", 1000, "speculated", 4));
	return job_with(job,
			json_pack("{s:i, s:i, s:i, s:i}", "resumed_bytes", 1500, "batches_done", 1,
				  "checked_bytes", 2000, "differing_extents", 2));
}

static json_t *job_look(uint64_t number, struct wm_error *error)
{
	bool over = number != JOB_WAITS && ++looks % 3 == 0;

	if (number == JOB_DONE)
		return job_new(number, over ? "done" : "running", "", "");
	if (number == JOB_FAILS)
		return job_new(number, over ? "failed" : "running",
			       over ? "the disk of /data/out is full" : "", "");
	if (number == JOB_WAITS)
		return job_new(number, "queued", "", "no node is admitted");
	if (number == JOB_CANCELLED)
		return job_new(number, "cancelled", "", "");
	if (number == JOB_RESTARTS || number == JOB_CHANGES)
		return job_new(number, lives > 1 ? "done" : "queued", "", "");
	if (number == JOB_CANCELLING)
		return job_new(number, "running", "", "");
	if (number == JOB_AGAIN || number == JOB_RESUMED)
		return job_past(number);
	wm_error_set(error, ENOENT, "there is no job %llu", (unsigned long long)number);
	return NULL;
}

static json_t *call_show(void *context, const json_t *params, int *code, struct wm_error *error)
{
	uint64_t number = 0;
	const struct wm_rpc_param expected[] = { { "job", WM_RPC_NUMBER, false, &number } };

	(void)context;
	if (wm_rpc_params_unpack(params, expected, 1, code, error) < 0)
		return NULL;
	return job_look(number, error);
}

/* The kernel names the job's behaviour; "echo" answers with the parameters. */
static json_t *call_submit(void *context, const json_t *params, int *code, struct wm_error *error)
{
	const char *kernel = NULL, *input = NULL, *output = NULL, *tail = NULL, *name = NULL;
	uint64_t fail_after_seconds = 0, audit_ppm = 0, device = 0, inode = 0;
	bool force = false, dry_run = false;
	const struct wm_rpc_param expected[] = {
		{ "kernel", WM_RPC_STRING, false, &kernel },
		{ "input", WM_RPC_STRING, false, &input },
		{ "input_device", WM_RPC_NUMBER, true, &device },
		{ "input_inode", WM_RPC_NUMBER, true, &inode },
		{ "output", WM_RPC_STRING, false, &output },
		{ "force", WM_RPC_BOOL, true, &force },
		{ "tail", WM_RPC_STRING, true, &tail },
		{ "fail_after_seconds", WM_RPC_NUMBER, true, &fail_after_seconds },
		{ "audit_ppm", WM_RPC_NUMBER, true, &audit_ppm },
		{ "name", WM_RPC_STRING, true, &name },
		{ "dry_run", WM_RPC_BOOL, true, &dry_run },
	};

	(void)context;
	if (wm_rpc_params_unpack(params, expected, 11, code, error) < 0)
		return NULL;
	looks = 0;
	if (strcmp(kernel, "echo") == 0)
		return json_deep_copy(params);
	if (strcmp(kernel, "fails") == 0)
		return job_look(JOB_FAILS, error);
	if (strcmp(kernel, "waits") == 0)
		return job_look(JOB_WAITS, error);
	if (strcmp(kernel, "xor") == 0)
		return job_look(JOB_DONE, error);
	wm_error_set(error, EINVAL, "there is no kernel '%s'", kernel);
	return NULL;
}

/* The output's name is its behaviour. */
static json_t *call_resume(void *context, const json_t *params, int *code, struct wm_error *error)
{
	const char *output = NULL, *name = NULL;
	uint64_t fail_after_seconds = 0;
	bool trust_output = false;
	const struct wm_rpc_param expected[] = {
		{ "output", WM_RPC_STRING, false, &output },
		{ "fail_after_seconds", WM_RPC_NUMBER, true, &fail_after_seconds },
		{ "name", WM_RPC_STRING, true, &name },
		{ "trust_output", WM_RPC_BOOL, true, &trust_output },
	};

	(void)context;
	if (wm_rpc_params_unpack(params, expected, 4, code, error) < 0)
		return NULL;
	looks = 0;
	if (strcmp(output, "/fails") == 0)
		return job_look(JOB_FAILS, error);
	if (strcmp(output, "/resumed") == 0)
		return job_look(JOB_RESUMED, error);
	if (strstr(output, "echo"))
		return json_deep_copy(params);
	wm_error_set(error, ENOENT, "there is no journal beside %s", output);
	return NULL;
}

static json_t *call_list(void *context, const json_t *params, int *code, struct wm_error *error)
{
	const char *state = NULL;
	uint64_t after = 0, last = 0;
	const struct wm_rpc_param expected[] = {
		{ "after", WM_RPC_NUMBER, true, &after },
		{ "last", WM_RPC_NUMBER, true, &last },
		{ "state", WM_RPC_STRING, true, &state },
	};

	(void)context;
	if (wm_rpc_params_unpack(params, expected, 3, code, error) < 0)
		return NULL;
	if (state || last)
		return json_pack("{s:[o], s:n}", "jobs",
				 job_new(last, state ? state : "done", "", ""), "next");
	/* two pages */
	if (after == 0)
		return json_pack("{s:[o], s:i}", "jobs", job_new(1, "running", "", ""), "next", 1);
	return json_pack("{s:[o, o], s:n}", "jobs", job_new(2, "failed", "out of luck", ""),
			 job_new(JOB_CANCELLING, "running", "", ""), "next");
}

static json_t *node_new(const char *name, const char *state, const char *reason)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:b, s:s, s:b}", "name", name, "state", state,
			 "reason", reason, "mtu", 9000, "device", "llvmpipe", "software", true,
			 "xdp_mode", "native", "zero_copy", false);
}

static json_t *call_nodes(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context;
	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	return json_pack("{s:[o, o], s:n}", "nodes", node_new("n01", "refused", "no Vulkan device"),
			 node_new("n02", "quarantined", "computed batch 7 of job 3 wrong"), "next");
}

static json_t *call_admit(void *context, const json_t *params, int *code, struct wm_error *error)
{
	const char *name = NULL;
	const struct wm_rpc_param expected[] = { { "name", WM_RPC_STRING, false, &name } };

	(void)context;
	if (wm_rpc_params_unpack(params, expected, 1, code, error) < 0)
		return NULL;
	if (strcmp(name, "n02") == 0)
		return node_new("n02", "gone", "trusted again, not back yet");
	wm_error_set(error, ENOENT, "no node '%s' here: see 'wiremill node list'", name);
	return NULL;
}

static json_t *call_stats(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context;
	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	return json_pack("{s:s, s:[{s:i, s:{s:s}, s:{s:i, s:i}}]}", "version", "9.9", "lanes",
			 "lane", 0, "obtained", "transmit", "attached", "drops", "crc", 3,
			 "version", 0);
}

static json_t *call_version(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context;
	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	return json_pack("{s:s, s:i}", "version", "9.9", "pid", 77);
}

static const struct wm_rpc_method methods[] = {
	{ .name = "job.submit", .call = call_submit },
	{ .name = "job.show", .call = call_show },
	{ .name = "job.cancel", .call = call_show },
	{ .name = "job.list", .call = call_list },
	{ .name = "node.list", .call = call_nodes },
	{ .name = "stats", .call = call_stats },
	{ .name = "version", .call = call_version },
	{ .name = "job.resume", .call = call_resume },
	{ .name = "node.admit", .call = call_admit },
};

/* Serves until its input ends, which is when the test does. */
static void controller_run(int ready_fd, int end_fd)
{
	const struct wm_rpc_config config = { .socket_path = socket_path,
					      .methods = methods,
					      .method_count = sizeof(methods) /
							      sizeof(methods[0]) };
	struct wm_rpc *rpc;
	struct pollfd fds[2] = { { .events = POLLIN }, { .fd = end_fd, .events = POLLIN } };

	if (wm_rpc_create(&rpc, &config, NULL) < 0)
		_exit(1);
	fds[0].fd = wm_rpc_fd(rpc);
	close(ready_fd);
	while (poll(fds, 2, -1) >= 0 && !fds[1].revents)
		wm_rpc_serve(rpc);
	wm_rpc_destroy(&rpc);
	_exit(0);
}

/* The pipe that keeps the controller alive. */
static int controller_end;
static pid_t controller;

static void controller_start(void)
{
	int ready[2], end[2];
	char none;

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(end, O_CLOEXEC) < 0)
		abort();
	lives++;
	controller = fork();
	if (controller == 0) {
		close(ready[0]);
		close(end[1]);
		controller_run(ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	/* Ends when the socket listens. */
	if (read(ready[0], &none, 1) != 0)
		abort();
	close(ready[0]);
	controller_end = end[1];
}

static void controller_stop(void)
{
	close(controller_end);
	waitpid(controller, NULL, 0);
}

/* ---- the CLI ------------------------------------------------------------ */

static char out[65536], err[65536];

/* What is done when words appear on stderr, one after the other; ends with NULL words. */
struct cue {
	const char *words;
	void (*act)(pid_t pid);
};

static void interrupt(pid_t pid)
{
	kill(pid, SIGINT);
}

static void end_controller(pid_t pid)
{
	(void)pid;
	controller_stop();
}

static void next_controller(pid_t pid)
{
	(void)pid;
	controller_start();
}

/* Everything both pipes give, until both have ended. */
static void collect(int out_fd, int err_fd, pid_t pid, const struct cue *cue)
{
	struct pollfd fds[2] = { { .fd = out_fd, .events = POLLIN },
				 { .fd = err_fd, .events = POLLIN } };
	char *texts[2] = { out, err };
	size_t done[2] = { 0, 0 };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, 2, -1) < 0)
			abort();
		for (int i = 0; i < 2; i++) {
			ssize_t n = !fds[i].revents ? 0
						    : read(fds[i].fd, texts[i] + done[i],
							   sizeof(out) - 1 - done[i]);

			if (fds[i].revents && n <= 0)
				fds[i].fd = -1;
			done[i] += n > 0 ? (size_t)n : 0;
			texts[i][done[i]] = '\0';
		}
		if (cue->words && strstr(err, cue->words))
			cue++->act(pid);
	}
}

static int run_with(const struct cue *cues, const char *const *arguments)
{
	int outs[2], errs[2], status;
	pid_t pid;

	if (pipe2(outs, O_CLOEXEC) < 0 || pipe2(errs, O_CLOEXEC) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		dup2(outs[1], STDOUT_FILENO);
		dup2(errs[1], STDERR_FILENO);
		execv(program, (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	close(outs[1]);
	close(errs[1]);
	collect(outs[0], errs[0], pid, cues);
	close(outs[0]);
	close(errs[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Ctrl-C when these words appear. */
static int run_until(const char *words, const char *const *arguments)
{
	const struct cue cues[] = { { words, interrupt }, { NULL, NULL } };

	return run_with(cues, arguments);
}

/* Runs "wiremill ..."; leaves what it printed in out and err. */
#define RUN(...) run_until(NULL, (const char *const[]){ "wiremill", ##__VA_ARGS__, NULL })

static bool is_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end && end[1] == '\0';
}

/* One line on stderr with these words in it, nothing on stdout. */
static bool says(const char *words)
{
	bool right = is_one_line(err) && strstr(err, words) && !out[0];

	if (!right)
		printf("# expected '%s'\n# stderr: %s\n# stdout: %s\n", words, err, out);
	return right;
}

/* stdout is one JSON value, and has this text under this name. */
static bool json_has(const char *name, const char *text)
{
	json_t *value = json_loads(out, JSON_DECODE_ANY, NULL);
	const char *found = json_string_value(json_object_get(value, name));
	bool right = found && strcmp(found, text) == 0;

	if (!right)
		printf("# expected %s = '%s' in %s\n# stderr: %s\n", name, text, out, err);
	json_decref(value);
	return right;
}

static bool out_has(const char *words)
{
	if (!strstr(out, words))
		printf("# expected '%s'\n# stdout: %s\n# stderr: %s\n", words, out, err);
	return strstr(out, words);
}

/* ---- wrong usage -------------------------------------------------------- */

#define WRONG(words, ...)                                       \
	do {                                                    \
		CU_ASSERT_EQUAL(RUN(__VA_ARGS__), 2);           \
		CU_ASSERT(says(words));                         \
		CU_ASSERT_PTR_NOT_NULL(strstr(err, "--help'")); \
	} while (0)

static void wrong_verb_is_named(void)
{
	WRONG("there is no verb 'fly'", "fly");
	WRONG("there is no verb 'job fly': 'job' goes with submit, list,", "job", "fly");
	WRONG("'job' alone is no verb: it goes with submit, list,", "job");
	WRONG("'node' alone is no verb: it goes with list, admit", "node", "--json");
	WRONG("'--json' needs a verb", "--json");
	WRONG("'--socket' needs a verb", "--socket");
}

static void wrong_option_is_named(void)
{
	WRONG("there is no option '--fly'", "stats", "--fly");
	WRONG("there is no option '-x'", "stats", "-x");
	WRONG("there is no option '-y' in '-hy'", "stats", "-hy");
	WRONG("there is no option '--fly'", "--fly", "stats");
	WRONG("there is no option '--js'", "stats", "--js");
	WRONG("--json takes no value", "stats", "--json=1");
	WRONG("--json is given twice", "--json", "stats", "--json");
	WRONG("--socket needs a value, PATH", "stats", "--socket");
	WRONG("--socket needs a value, PATH", "stats", "--socket=");
	WRONG("--input needs a value, FILE", "job", "submit", "--input", "--output", "x");
	WRONG("--tail is refuse or drop, not 'keep'", "job", "submit", "--tail", "keep");
	WRONG("--manifest needs a value, FILE", "verify", "--manifest=", "--output", "x");
	WRONG("'m' is one word too many", "verify", "--output", "x", "--manifest", "m");
	WRONG("--manifest is given twice", "verify", "--manifest", "--manifest=m");
	WRONG("--wait takes no value", "job", "resume", "x", "--wait=1");
	WRONG("'x' is one word too many", "stats", "x");
}

static void what_is_missing_is_named(void)
{
	WRONG("wiremill job submit: --kernel NAME is missing", "job", "submit");
	WRONG("--input FILE is missing", "job", "submit", "--kernel", "xor", "--output", "b");
	WRONG("--output FILE is missing", "verify", "--kernel=xor", "--input=a");
	WRONG("--output FILE is missing", "verify", "--manifest");
	WRONG("--kernel NAME is missing, or --manifest", "verify", "--input=a", "--output=b");
	WRONG("--input FILE is missing, or --manifest", "verify", "--kernel=xor", "--output=b");
	WRONG("OUTPUT is missing", "job", "resume", "--wait");
	WRONG("NAME is missing", "node", "admit");
	WRONG("ID is missing", "job", "show");
	WRONG("'one' is no number of a job", "job", "watch", "one");
	WRONG("'99999999999' is no number of a job", "job", "cancel", "99999999999");
	WRONG("one ID at a time: '1' and '2' are two", "job", "show", "1", "2");
}

#define SUBMIT(kernel, ...) \
	"job", "submit", "--kernel", kernel, "--input", "/a", "--output", "/b", ##__VA_ARGS__

static void values_that_make_no_sense_are_named(void)
{
	WRONG("--audit is a share such as 1% or 0.1%, at the finest 0.0001%, from 0% to 100%, not "
	      "'1'",
	      SUBMIT("xor", "--audit", "1"));
	WRONG("0.0001%, from 0% to 100%, not '101%'", SUBMIT("xor", "--audit", "101%"));
	WRONG("--audit needs a value, SHARE", SUBMIT("xor", "--audit", "--wait"));
	WRONG("--fail-after is a time such as 30s, 5m or 2h, from 1s to 8760h, not 'soon'",
	      SUBMIT("xor", "--fail-after", "soon"));
	WRONG("--fail-after is a time such as 30s, 5m or 2h, from 1s to 8760h, not '0'",
	      SUBMIT("xor", "--fail-after=0"));
	WRONG("--fail-after needs a unit with its time: 5s, 5m or 5h",
	      SUBMIT("xor", "--fail-after=5"));
	WRONG("--reconnect is for --wait: without it nothing waits",
	      SUBMIT("xor", "--reconnect", "5m"));
	WRONG("--last is a number from 1 to 4294967295, not '0'", "job", "list", "--last", "0");
	WRONG("wiremill job resume: --fail-after is a time such as 30s, 5m or 2h, from 1s to "
	      "8760h, not '9999h'",
	      "job", "resume", "/b", "--fail-after", "9999h");
	WRONG("--fail-after needs a value, DURATION", "job", "resume", "/b", "--fail-after");
	WRONG("--kernel does not go with --manifest", "verify", "--manifest", "--output=b",
	      "--kernel=xor");
	WRONG("--input does not go with --manifest", "verify", "--manifest", "--output=b",
	      "--input=a");
	WRONG("--tail does not go with --manifest", "verify", "--manifest", "--output=b",
	      "--tail=drop");
}

static void help_is_on_stdout(void)
{
	CU_ASSERT_EQUAL(RUN(), 0);
	CU_ASSERT(strstr(out, "job submit") && strstr(out, "verify") && !err[0]);
	CU_ASSERT_EQUAL(RUN("--help"), 0);
	CU_ASSERT(strstr(out, "job submit") && !err[0]);
	CU_ASSERT_EQUAL(RUN("job", "--help"), 0);
	CU_ASSERT(strstr(out, "job submit") && !err[0]);
	CU_ASSERT_EQUAL(RUN("job", "submit", "--help", "--fly"), 0);
	CU_ASSERT(strstr(out, "--tail refuse|drop") && strstr(out, "--socket PATH") && !err[0]);
	CU_ASSERT_EQUAL(RUN("verify", "--help"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\n       wiremill verify --manifest[=FILE] --output"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\n  --manifest[=FILE] "));
	CU_ASSERT_EQUAL(RUN("job", "resume", "--help"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "job resume OUTPUT [--wait] [--reconnect DURATION]"));
	CU_ASSERT_EQUAL(RUN("--version"), 0);
	CU_ASSERT_EQUAL(strncmp(out, "wiremill ", 9), 0);
	CU_ASSERT_EQUAL(RUN("-V"), 0);
	CU_ASSERT_EQUAL(strncmp(out, "wiremill ", 9), 0);
	CU_ASSERT_EQUAL(RUN("help", "job", "submit"), 0);
	CU_ASSERT(out_has("wiremill job submit: ") && !err[0]);
	CU_ASSERT_EQUAL(RUN("help", "stats"), 0);
	CU_ASSERT(out_has("wiremill stats: "));
	CU_ASSERT_EQUAL(RUN("help", "job"), 0);
	CU_ASSERT(out_has("  job watch ") && !strstr(out, "node list") && !err[0]);
	WRONG("there is no verb 'fly'", "help", "fly");
	WRONG("there is no verb 'job fly'", "help", "job", "fly");
}

static void no_line_of_help_is_longer_than_a_screen(void)
{
	static const char *const verbs[][2] = {
		{ "job", "submit" },	{ "job", "list" },   { "job", "show" },
		{ "job", "watch" },	{ "job", "cancel" }, { "job", "resume" },
		{ "node", "list" },	{ "node", "admit" }, { "stats", "--help" },
		{ "verify", "--help" }, { "key", "--help" }, { "--help", NULL },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		CU_ASSERT_EQUAL(RUN(verbs[i][0], verbs[i][1], "--help"), 0);
		for (const char *line = out; *line; line += strcspn(line, "\n") + 1) {
			CU_ASSERT(strcspn(line, "\n") <= 80);
			CU_ASSERT(line[0] == '\n' || line[strcspn(line, "\n") - 1] != ' ');
		}
	}
}

static void without_a_controller_it_says_what_to_start(void)
{
	CU_ASSERT_EQUAL(RUN("job", "list", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT(says("no controller answers at /nonexistent/sock: start wiremilld, or name its "
		       "socket with --socket"));
	CU_ASSERT_EQUAL(RUN("job", "list", "--json", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT(says("no controller answers"));
	CU_ASSERT_EQUAL(RUN("stats", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT_EQUAL(RUN("node", "admit", "n", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT_EQUAL(RUN("job", "watch", "1", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT_EQUAL(RUN("job", "cancel", "1", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT(says("no controller answers"));
	CU_ASSERT_EQUAL(RUN("version", "--socket", "/nonexistent/sock"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "no controller answers at /nonexistent/sock"));
}

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

/* ---- the other verbs ---------------------------------------------------- */

static bool lines_fit(size_t width)
{
	for (const char *line = out; *line; line += strcspn(line, "\n") + 1) {
		if (strcspn(line, "\n") > width)
			return false;
	}
	return true;
}

static void lists_are_tables(void)
{
	CU_ASSERT_EQUAL(RUN("job", "list"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "JOB  STATE"));
	/* both pages */
	CU_ASSERT(out_has("  1  running ") && out_has("  2  failed "));
	CU_ASSERT(lines_fit(80));
	CU_ASSERT_EQUAL(RUN("job", "list", "--wide"), 0);
	CU_ASSERT(out_has("out of luck  root  2026-11-27T13:44:05  xor\n"));
	CU_ASSERT_EQUAL(RUN("node", "list"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "no Vulkan device\n"));
	CU_ASSERT(out_has("n02   quarantined"));
	CU_ASSERT(lines_fit(80));
	CU_ASSERT_EQUAL(RUN("node", "list", "--wide"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "llvmpipe [CPU]  native, copy"));
	CU_ASSERT(out_has("computed batch 7 of job 3 wrong\n"));
	CU_ASSERT_EQUAL(RUN("job", "list", "--json"), 0);
	CU_ASSERT(out_has("\"job\": 1,") && out_has("\"job\": 2,") && !strstr(out, "next"));
}

static void jobs_are_listed_by_state_and_the_newest_alone(void)
{
	CU_ASSERT_EQUAL(RUN("job", "list", "--state", "finishing", "--last", "5"), 0);
	CU_ASSERT(out_has("  5  finishing "));
	WRONG("--last is a number from 1 to 4294967295, not '0'", "job", "list", "--last", "0");
	WRONG("--state is queued, preparing, running, finishing, done, failed or cancelled, not "
	      "'ready'",
	      "job", "list", "--state", "ready");
}

static void node_is_admitted_by_its_name(void)
{
	CU_ASSERT_EQUAL(RUN("node", "admit", "n02"), 0);
	CU_ASSERT_STRING_EQUAL(out, "node n02 is trusted again: if it runs, it is back within "
				    "seconds\n");
	CU_ASSERT_EQUAL(RUN("node", "admit", "n02", "--json"), 0);
	CU_ASSERT(json_has("state", "gone"));
	CU_ASSERT_EQUAL(RUN("node", "admit", "n09"), 1);
	CU_ASSERT(says("no node 'n09' here: see 'wiremill node list'"));
}

static void stats_shows_only_drops_that_happened(void)
{
	CU_ASSERT_EQUAL(RUN("stats"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "transmit attached"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "drops        3 crc\n"));
	CU_ASSERT_EQUAL(RUN("stats", "--json"), 0);
	CU_ASSERT(json_has("version", "9.9"));
}

static void version_names_both(void)
{
	CU_ASSERT_EQUAL(RUN("version"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "controller 9.9, process 77\n"));
}

/* ---- verify ------------------------------------------------------------- */

static const char *file_make(const char *name, const void *bytes, size_t count)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	int fd;

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	CU_ASSERT_EQUAL(write(fd, bytes, count), (ssize_t)count);
	close(fd);
	return path;
}

/* "wiremill verify" of two vectors, 'a' and 'b', against those bytes. */
static int verify(const void *bytes, size_t count)
{
	char vectors[64];
	const char *input, *output;
	int status;

	memset(vectors, 'a', 32);
	memset(vectors + 32, 'b', 32);
	input = file_make("in", vectors, sizeof(vectors));
	output = file_make("out", bytes, count);
	status = RUN("verify", "--kernel", "xor", "--input", input, "--output", output);
	unlink(input);
	unlink(output);
	return status;
}

static void verify_names_the_first_difference(void)
{
	char result[33];

	memset(result, 'a' ^ 'b', sizeof(result));
	CU_ASSERT_EQUAL(verify(result, 32), 0);
	CU_ASSERT_EQUAL(strncmp(out, "verified: 32 bytes of ", 22), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, " are exactly kernel xor of "));
	CU_ASSERT_EQUAL(verify(result, 33), 1);
	CU_ASSERT(says("it goes on at offset 32, where it should end "
		       "(it has 33 bytes, and should have 32)"));
	CU_ASSERT_EQUAL(verify(result, 31), 1);
	CU_ASSERT(says("it ends at offset 31, where it should go on"));
	CU_ASSERT_EQUAL(verify(result, 0), 1);
	result[7] ^= 0x10;
	CU_ASSERT_EQUAL(verify(result, 32), 1);
	CU_ASSERT(says("at offset 7 it has 0x13, and should have 0x03"));
	CU_ASSERT_PTR_NULL(strstr(err, "bytes, and should have 32"));
	CU_ASSERT_EQUAL(verify(result, 31), 1);
	CU_ASSERT(says("at offset 7 it has 0x13, and should have 0x03 "
		       "(it has 31 bytes, and should have 32)"));
}

/* ---- verify by manifest ------------------------------------------------- */

#define EXTENT_BYTES (1u << 20)
#define LONG_BYTES (2 * EXTENT_BYTES + 992)

/* The manifest of an output of two extents and a piece, as a job leaves it. */
static const char *manifest_make(const char *name, const uint8_t *bytes)
{
	struct wm_journal_identity identity = {
		.input_bytes = LONG_BYTES + 32,
		.output_bytes = LONG_BYTES,
		.extent_elements = EXTENT_BYTES / 32,
		.kernel = *wm_kernel_find("xor"),
		.input_path = "/data/in",
	};
	uint8_t file[WM_JOURNAL_HEADER_BYTES + 4 * sizeof(uint32_t)];
	uint32_t crcs[4];

	CU_ASSERT_EQUAL(wm_journal_extents(&identity), 3);
	wm_manifest_encode_header(file, &identity, 77);
	for (unsigned i = 0; i < 3; i++)
		crcs[i] = wm_crc32c(0, bytes + i * EXTENT_BYTES, i < 2 ? EXTENT_BYTES : 992);
	crcs[3] = wm_crc32c(0, crcs, 3 * sizeof(crcs[0]));
	memcpy(file + WM_JOURNAL_HEADER_BYTES, crcs, sizeof(crcs));
	return file_make(name, file, sizeof(file));
}

/* Runs "wiremill verify --manifest" of that many bytes, the one at `wrong` changed. */
static int verify_long(size_t count, size_t wrong)
{
	uint8_t *bytes = malloc(LONG_BYTES + 1);
	const char *output, *manifest;
	int status;

	for (size_t i = 0; i < LONG_BYTES + 1; i++)
		bytes[i] = (uint8_t)(i >> 8 ^ i);
	manifest = manifest_make("long.wm-manifest", bytes);
	bytes[wrong] ^= 1;
	output = file_make("long", bytes, count);
	status = RUN("verify", "--manifest", "--output", output);
	unlink(manifest);
	unlink(output);
	free(bytes);
	return status;
}

static void manifest_names_the_first_extent_that_differs(void)
{
	/* The byte after the end is not part of it. */
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, LONG_BYTES), 0);
	CU_ASSERT(out_has("verified: 2098144 bytes of ") && out_has("/long.wm-manifest says\n"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, 5), 1);
	CU_ASSERT(says("long.wm-manifest says: the extent at offset 0 has other bytes"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, EXTENT_BYTES), 1);
	CU_ASSERT(says("the extent at offset 1048576 has other bytes"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, LONG_BYTES - 1), 1);
	CU_ASSERT(says("the extent at offset 2097152 has other bytes"));
}

static void manifest_knows_where_the_output_ends(void)
{
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES + 1, LONG_BYTES), 1);
	CU_ASSERT(says("it goes on at offset 2098144, where it should end"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES - 1, LONG_BYTES), 1);
	CU_ASSERT(says("it ends at offset 2098143, where it should go on"));
	CU_ASSERT_EQUAL(verify_long(0, LONG_BYTES), 1);
	CU_ASSERT(says("it ends at offset 0, where it should go on"));
	/* A piece that is short and wrong. */
	CU_ASSERT_EQUAL(verify_long(EXTENT_BYTES + 7, 3), 1);
	CU_ASSERT(says("the extent at offset 0 has other bytes "
		       "(it has 1048583 bytes, and should have 2098144)"));
}

static void manifest_may_lie_elsewhere(void)
{
	uint8_t *bytes = calloc(1, LONG_BYTES);
	const char *manifest = manifest_make("elsewhere", bytes);
	const char *output = file_make("long", bytes, LONG_BYTES);
	char option[160];

	snprintf(option, sizeof(option), "--manifest=%s", manifest);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option, "--json"), 0);
	CU_ASSERT(json_has("manifest", manifest) && out_has("\"equal\": true"));
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, "--manifest"), 1);
	CU_ASSERT(says("/long.wm-manifest, which a job leaves when it is done: name it with "
		       "--manifest=FILE, or verify with --kernel and --input"));
	file_make("long", "x", 1);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option, "--json"), 1);
	CU_ASSERT(out_has("\"equal\": false") && out_has("\"offset\": 1"));
	unlink(output);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option), 1);
	CU_ASSERT(says("output does not exist: "));
	CU_ASSERT_EQUAL(truncate(manifest, 8200), 0);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option), 1);
	CU_ASSERT(says("manifest has not the length that its header says: "));
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, "--manifest=/nonexistent/m"), 1);
	CU_ASSERT(says("manifest does not exist: /nonexistent/m"));
	unlink(manifest);
	free(bytes);
}

static void result_that_cannot_be_written_fails(void)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		dup2(full, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execl(program, "wiremill", "version", NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(full);
}

static const struct wm_test tests[] = {
	WM_TEST(wrong_verb_is_named),
	WM_TEST(wrong_option_is_named),
	WM_TEST(what_is_missing_is_named),
	WM_TEST(values_that_make_no_sense_are_named),
	WM_TEST(help_is_on_stdout),
	WM_TEST(no_line_of_help_is_longer_than_a_screen),
	WM_TEST(without_a_controller_it_says_what_to_start),
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
	WM_TEST(lists_are_tables),
	WM_TEST(jobs_are_listed_by_state_and_the_newest_alone),
	WM_TEST(node_is_admitted_by_its_name),
	WM_TEST(stats_shows_only_drops_that_happened),
	WM_TEST(version_names_both),
	WM_TEST(verify_names_the_first_difference),
	WM_TEST(manifest_names_the_first_extent_that_differs),
	WM_TEST(manifest_knows_where_the_output_ends),
	WM_TEST(manifest_may_lie_elsewhere),
	WM_TEST(result_that_cannot_be_written_fails),
};

WM_TESTS_ARGUMENTS(1, 1, "WIREMILL");

int main(int argc, char **argv)
{
	int status;

	if (argc != 2 || !(program = realpath(argv[1], NULL)) || !mkdtemp(directory)) {
		fprintf(stderr, "usage: cli_test PATH-OF-WIREMILL\n");
		return 1;
	}
	snprintf(socket_path, sizeof(socket_path), "%s/sock", directory);
	setenv("WIREMILL_SOCKET", socket_path, 1);
	controller_start();
	status = WM_TESTS_RUN("cli", tests);
	controller_stop();
	rmdir(directory);
	free((char *)(uintptr_t)program);
	return status;
}
