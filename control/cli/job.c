/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "number.h"
#include "printable.h"
#include "progress.h"
#include "signals.h"

#define POLL_NS (WM_NS_PER_S / 4)

json_t *wm_job_ask(const struct wm_cli *cli, const char *method, int *status)
{
	uint64_t number;
	json_t *job;

	*status = wm_cli_job_number(cli, &number);
	if (*status != WM_EXIT_DONE)
		return NULL;
	job = wm_client_ask(cli->socket_path, method,
			    json_pack("{s:I}", "job", (json_int_t)number));
	*status = job ? WM_EXIT_DONE : WM_EXIT_FAILED;
	return job;
}

/* ---- as text ------------------------------------------------------------ */

static void file_print(const char *label, const json_t *job, const char *path, const char *bytes)
{
	char text[32];

	printf("  %-9s ", label);
	wm_printable_print(stdout, wm_cli_text(job, path));
	printf("  (%s, %" PRIu64 " bytes)\n",
	       wm_number_format_bytes(text, sizeof(text), wm_cli_number(job, bytes)),
	       wm_cli_number(job, bytes));
}

static void line_print(const char *label, const char *text)
{
	if (!*text)
		return;
	printf("  %-9s ", label);
	wm_printable_print(stdout, text);
	putchar('\n');
}

/* About: the last extent is shorter than the others. */
static uint64_t resumed_batches(const json_t *job)
{
	double bytes = (double)wm_cli_number(job, "output_bytes");
	double share = bytes > 0 ? (double)wm_cli_number(job, "resumed_bytes") / bytes : 0;

	return (uint64_t)(share * (double)wm_cli_number(job, "batches"));
}

/* What the nodes did. Batches that are made again after a quarantine count again, and
 * those of an earlier life not at all: then it is no share of the whole. */
static void batches_print(const json_t *job)
{
	uint64_t done = wm_cli_number(job, "batches_done"), all = wm_cli_number(job, "batches");
	bool resumed = wm_cli_number(job, "resumed_bytes") > 0;
	bool again = done > all - resumed_batches(job) + resumed;

	printf("  %-9s ", "batches");
	if (!resumed && !again)
		printf("%" PRIu64 " of ", done);
	printf("%" PRIu64 ", of %" PRIu64 " elements", all, wm_cli_number(job, "batch_elements"));
	/* Of the smallest node's: known when it begins. */
	if (wm_cli_number(job, "mtu"))
		printf(" at MTU %" PRIu64, wm_cli_number(job, "mtu"));
	putchar('\n');
	if (resumed || again)
		printf("  %-9s %" PRIu64 " batches%s%s\n", "computed", done,
		       resumed ? " since it was resumed" : "",
		       again ? ", some once more: a node was wrong, see 'wiremill node list'" : "");
}

static void resumed_print(const json_t *job)
{
	uint64_t bytes = wm_cli_number(job, "resumed_bytes");
	char text[32];

	if (bytes)
		printf("  %-9s at %s (%" PRIu64 " bytes of output were there)\n", "resumed",
		       wm_number_format_bytes(text, sizeof(text), bytes), bytes);
}

static void audited_print(const json_t *job)
{
	uint64_t ppm = wm_cli_number(job, "audit_ppm"), audited = wm_cli_number(job, "audited");

	if (ppm || audited)
		printf("  %-9s %" PRIu64 " batches on two nodes (%g %% wanted)\n", "audited",
		       audited, (double)ppm / 10000);
}

static void sends_print(const json_t *job)
{
	uint64_t speculated = wm_cli_number(job, "speculated");

	printf("  %-9s %" PRIu64 ", %" PRIu64 " resends, %" PRIu64 " duplicates", "sends",
	       wm_cli_number(job, "sends"), wm_cli_number(job, "resends"),
	       wm_cli_number(job, "duplicates"));
	if (speculated)
		printf(", %" PRIu64 " to a second node at the end", speculated);
	putchar('\n');
}

static void time_print(const json_t *job)
{
	const json_t *left = json_object_get(job, "seconds_left");
	char text[32];

	printf("  %-9s %.2f s", "time", wm_cli_real(job, "seconds"));
	if (wm_cli_real(job, "bytes_per_second") > 0)
		printf(", %s/s of output",
		       wm_number_format_bytes(text, sizeof(text),
					      (uint64_t)wm_cli_real(job, "bytes_per_second")));
	if (json_is_number(left) && strcmp(wm_cli_text(job, "state"), "done") != 0)
		printf(", %s left",
		       wm_number_format_seconds(text, sizeof(text), json_number_value(left)));
	putchar('\n');
}

void wm_job_print(const json_t *job)
{
	printf("job %" PRIu64 ": %s\n", wm_cli_number(job, "job"), wm_cli_text(job, "state"));
	line_print("reason", wm_cli_text(job, "reason"));
	line_print("waiting", wm_cli_text(job, "waiting"));
	line_print("kernel", wm_cli_text(job, "kernel"));
	file_print("input", job, "input", "input_bytes");
	file_print("output", job, "output", "output_bytes");
	if (wm_cli_number(job, "dropped_tail_bytes"))
		printf("  %-9s %" PRIu64 " bytes at the end of the input\n", "dropped",
		       wm_cli_number(job, "dropped_tail_bytes"));
	time_print(job);
	printf("  %-9s %" PRIu64 " of %" PRIu64 "\n", "extents", wm_cli_number(job, "extents_done"),
	       wm_cli_number(job, "extents"));
	batches_print(job);
	resumed_print(job);
	audited_print(job);
	sends_print(job);
	printf("  %-9s %" PRIu64 "\n", "nodes", wm_cli_number(job, "nodes"));
}

/* ---- waiting ------------------------------------------------------------ */

static bool state_is(const json_t *job, const char *state)
{
	return strcmp(wm_cli_text(job, "state"), state) == 0;
}

static bool is_over(const json_t *job)
{
	return state_is(job, "done") || state_is(job, "failed") || state_is(job, "cancelled");
}

static void progress_show(struct wm_progress *progress, const json_t *job)
{
	const char *waiting = wm_cli_text(job, "waiting");
	char note[WM_PROGRESS_LINE_BYTES];

	if (!*waiting && state_is(job, "running")) {
		wm_progress_show(progress, wm_cli_number(job, "output_bytes_done"),
				 wm_cli_number(job, "output_bytes"),
				 wm_cli_real(job, "bytes_per_second"), wm_clock_ns());
		return;
	}
	snprintf(note, sizeof(note), "job %" PRIu64 " is %s%s%s", wm_cli_number(job, "job"),
		 wm_cli_text(job, "state"), *waiting ? ", waiting: " : "", waiting);
	wm_progress_note(progress, note);
}

/* Prints how the job ended. Returns the exit status. */
static int job_end(const struct wm_cli *cli, const json_t *job)
{
	const char *reason = wm_cli_text(job, "reason");

	if (cli->json)
		wm_cli_print_json(job);
	if (!state_is(job, "done"))
		return wm_cli_failed("job %" PRIu64 " %s%s%s", wm_cli_number(job, "job"),
				     state_is(job, "failed") ? "failed" : "was cancelled",
				     *reason ? ": " : "", reason);
	if (!cli->json)
		wm_job_print(job);
	return WM_EXIT_DONE;
}

static int interrupted(const struct wm_cli *cli, const json_t *job)
{
	uint64_t number = wm_cli_number(job, "job");

	if (cli->json)
		wm_cli_print_json(job);
	return wm_cli_failed("job %" PRIu64 " goes on: 'wiremill job watch %" PRIu64
			     "' shows it, 'wiremill job cancel %" PRIu64 "' ends it",
			     number, number, number);
}

/* Sleeps between two looks at the job. False: Ctrl-C, or a request to end. */
static bool pause_was_quiet(const sigset_t *signals)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };

	return sigtimedwait(signals, NULL, &pause) < 0;
}

/* Replaces *job by the job as it is now. */
static int job_refresh(struct wm_client *client, json_t **job, struct wm_error *error)
{
	json_t *now;
	json_t *params = json_pack("{s:O}", "job", json_object_get(*job, "job"));
	int ret = wm_client_call(client, "job.show", params, &now, error);

	if (ret < 0)
		return ret;
	json_decref(*job);
	*job = now;
	return 0;
}

int wm_job_wait(const struct wm_cli *cli, struct wm_client *client, json_t *job)
{
	struct wm_progress progress;
	struct wm_error error;
	sigset_t signals;
	bool quiet = true;
	int ret = 0, status;

	/* Blocked, they end the pause below and nothing else. */
	wm_signals_to_end(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	wm_progress_init(&progress, stderr);

	while (ret == 0 && quiet && !is_over(job)) {
		progress_show(&progress, job);
		quiet = pause_was_quiet(&signals);
		if (quiet)
			ret = job_refresh(client, &job, &error);
	}
	wm_progress_clear(&progress);
	if (ret < 0)
		status = wm_cli_failed(
			"lost sight of job %" PRIu64 "%s: %s", wm_cli_number(job, "job"),
			ret == -EREMOTEIO ? "" : ", which goes on when its controller does",
			error.text);
	else
		status = quiet ? job_end(cli, job) : interrupted(cli, job);
	json_decref(job);
	return status;
}

/* ---- making one --------------------------------------------------------- */

/* Takes over job. */
static int job_made(const struct wm_cli *cli, json_t *job)
{
	if (cli->json)
		wm_cli_print_json(job);
	else
		printf("job %" PRIu64 " is submitted\n", wm_cli_number(job, "job"));
	json_decref(job);
	return WM_EXIT_DONE;
}

int wm_job_start(const struct wm_cli *cli, const char *method, json_t *params, bool wait)
{
	struct wm_client client;
	struct wm_error error;
	json_t *job;
	int status;

	if (wm_client_open(&client, cli->socket_path, &error) < 0) {
		json_decref(params);
		return wm_cli_failed("%s", error.text);
	}
	if (wm_client_call(&client, method, params, &job, &error) < 0)
		status = wm_cli_failed("%s", error.text);
	else
		status = wait ? wm_job_wait(cli, &client, job) : job_made(cli, job);
	wm_client_close(&client);
	return status;
}
