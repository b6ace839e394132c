/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rpc.h"

char directory[64] = "/tmp/wm-cli-test-XXXXXX", socket_path[96];
const char *program;

/* ---- the controller ----------------------------------------------------- */

/* Jobs under way are over at their third look, but for the one that waits. */
static unsigned looks;
/* Of the controller, so far. */
unsigned lives;

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
	{ 0 },
};
static const struct wm_rpc_method *const tables[] = { methods, NULL };

/* Serves until its input ends, which is when the test does. */
static void controller_run(int ready_fd, int end_fd)
{
	const struct wm_rpc_config config = { .socket_path = socket_path, .tables = tables };
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

void controller_start(void)
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

void controller_stop(void)
{
	close(controller_end);
	waitpid(controller, NULL, 0);
}

/* ---- the CLI ------------------------------------------------------------ */

char out[65536], err[65536];

void interrupt(pid_t pid)
{
	kill(pid, SIGINT);
}

void end_controller(pid_t pid)
{
	(void)pid;
	controller_stop();
}

void next_controller(pid_t pid)
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

int run_with(const struct cue *cues, const char *const *arguments)
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

int run_until(const char *words, const char *const *arguments)
{
	const struct cue cues[] = { { words, interrupt }, { NULL, NULL } };

	return run_with(cues, arguments);
}

/* Runs "wiremill ..."; leaves what it printed in out and err. */

bool is_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end && end[1] == '\0';
}

bool says(const char *words)
{
	bool right = is_one_line(err) && strstr(err, words) && !out[0];

	if (!right)
		printf("# expected '%s'\n# stderr: %s\n# stdout: %s\n", words, err, out);
	return right;
}

bool json_has(const char *name, const char *text)
{
	json_t *value = json_loads(out, JSON_DECODE_ANY, NULL);
	const char *found = json_string_value(json_object_get(value, name));
	bool right = found && strcmp(found, text) == 0;

	if (!right)
		printf("# expected %s = '%s' in %s\n# stderr: %s\n", name, text, out, err);
	json_decref(value);
	return right;
}

bool out_has(const char *words)
{
	if (!strstr(out, words))
		printf("# expected '%s'\n# stdout: %s\n# stderr: %s\n", words, out, err);
	return strstr(out, words);
}

int rig_run(const char *name, const struct wm_test *tests, unsigned count, int argc, char **argv)
{
	int status;

	if (argc != 2 || !(program = realpath(argv[1], NULL)) || !mkdtemp(directory)) {
		fprintf(stderr, "usage: TEST PATH-OF-WIREMILL\n");
		return 1;
	}
	snprintf(socket_path, sizeof(socket_path), "%s/sock", directory);
	setenv("WIREMILL_SOCKET", socket_path, 1);
	controller_start();
	status = wm_tests_run(name, tests, count);
	controller_stop();
	rmdir(directory);
	free((char *)(uintptr_t)program);
	return status;
}
