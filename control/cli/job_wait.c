/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for a job, across restarts of its controller too. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "job.h"
#include "number.h"
#include "progress_bar.h"
#include "signals.h"

#define POLL_NS (WM_NS_PER_S / 4)

struct watch {
	struct wm_client *client;
	json_t *job;
	struct wm_progress_bar progress;
	sigset_t to_end;
	uint64_t patience_ns;
	uint64_t lost_ns; /* since when no controller answers; 0: one does */
};

/* ---- what is shown -------------------------------------------------------- */

static bool state_is(const json_t *job, const char *state)
{
	return strcmp(wm_cli_text(job, "state"), state) == 0;
}

static bool is_over(const json_t *job)
{
	return state_is(job, "done") || state_is(job, "failed") || state_is(job, "cancelled");
}

/* All is computed, and what an earlier life wrote is still read back. */
static bool is_being_checked(const json_t *job)
{
	return wm_cli_bool(job, "checking") && !wm_cli_bool(job, "cancelling") &&
	       wm_cli_number(job, "extents_done") == wm_cli_number(job, "extents");
}

static void note_show(struct watch *watch)
{
	const json_t *job = watch->job;
	const char *waiting = wm_cli_text(job, "waiting");
	char note[WM_PROGRESS_LINE_BYTES], checked[32], all[32];

	if (is_being_checked(job))
		snprintf(note, sizeof(note),
			 "job %" PRIu64 " is checking what was there: %s of %s read back",
			 wm_cli_number(job, "job"),
			 wm_number_format_bytes(checked, sizeof(checked),
						wm_cli_number(job, "checked_bytes")),
			 wm_number_format_bytes(all, sizeof(all),
						wm_cli_number(job, "resumed_bytes")));
	else if (wm_cli_bool(job, "cancelling"))
		snprintf(note, sizeof(note), "job %" PRIu64 " is being cancelled",
			 wm_cli_number(job, "job"));
	else
		snprintf(note, sizeof(note), "job %" PRIu64 " is %s%s%s", wm_cli_number(job, "job"),
			 wm_cli_text(job, "state"), *waiting ? ", waiting: " : "", waiting);
	wm_progress_bar_note(&watch->progress, note);
}

static void progress_show(struct watch *watch)
{
	const json_t *job = watch->job;

	if (watch->lost_ns)
		wm_progress_bar_note(&watch->progress,
				     "no controller answers: the job goes on when it does");
	else if (state_is(job, "running") && !*wm_cli_text(job, "waiting") &&
		 !wm_cli_bool(job, "cancelling"))
		wm_progress_bar_show(&watch->progress, wm_cli_number(job, "output_bytes_done"),
				     wm_cli_number(job, "output_bytes"),
				     wm_cli_real(job, "bytes_per_second"), wm_clock_ns());
	else
		note_show(watch);
}

/* Prints how the job ended. Returns the exit status. */
static int job_end(const struct wm_cli *cli, const json_t *job, bool quiet)
{
	const char *reason = wm_cli_text(job, "reason");

	if (cli->json)
		wm_cli_print_json(job);
	if (!state_is(job, "done"))
		return wm_cli_failed("job %" PRIu64 " %s%s%s", wm_cli_number(job, "job"),
				     state_is(job, "failed") ? "failed" : "was cancelled",
				     *reason ? ": " : "", reason);
	if (!cli->json && !quiet)
		wm_job_print(job);
	return WM_EXIT_DONE;
}

static int interrupted(const struct wm_cli *cli, const json_t *job, int signal_number)
{
	uint64_t number = wm_cli_number(job, "job");

	if (cli->json)
		wm_cli_print_json(job);
	wm_cli_failed("job %" PRIu64 " goes on: 'wiremill job watch %" PRIu64
		      "' shows it, 'wiremill job cancel %" PRIu64 "' ends it",
		      number, number, number);
	return 128 + signal_number;
}

/* ---- looking -------------------------------------------------------------- */

/* Sleeps between two looks at the job. Returns the signal that ends that, or 0. */
static int pause_take(const struct watch *watch)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	int number = sigtimedwait(&watch->to_end, NULL, &pause);

	return number > 0 ? number : 0;
}

/* A controller without its state counts from 1 again. */
static bool is_the_same(const json_t *job, const json_t *now)
{
	return strcmp(wm_cli_text(job, "submitted"), wm_cli_text(now, "submitted")) == 0 &&
	       strcmp(wm_cli_text(job, "output"), wm_cli_text(now, "output")) == 0;
}

/* Replaces the job by what it is now. */
static int job_refresh(struct watch *watch, struct wm_error *error)
{
	json_t *params = json_pack("{s:O}", "job", json_object_get(watch->job, "job")), *now;
	int ret = wm_client_call(watch->client, "job.show", params, &now, error);

	if (ret < 0)
		return ret;
	if (!is_the_same(watch->job, now))
		ret = wm_error_set(error, ESTALE,
				   "the controller at %s has another job of that number: it has "
				   "lost its state, or is not the one that was asked",
				   watch->client->socket_path);
	json_decref(watch->job);
	watch->job = now;
	return ret;
}

/* 0 while there is hope: the job is as it is, or nobody tells for the moment. */
static int look(struct watch *watch, struct wm_error *error)
{
	int ret = 0;

	if (watch->client->fd < 0)
		ret = wm_client_open(watch->client, watch->client->socket_path, WM_CLIENT_ANSWER_S,
				     error);
	if (ret == 0)
		ret = job_refresh(watch, error);
	if (ret == 0)
		watch->lost_ns = 0;
	if (wm_client_exit_status(ret) != WM_EXIT_NO_CONTROLLER || ret == -ESTALE)
		return ret;
	wm_client_close(watch->client);
	if (!watch->lost_ns)
		watch->lost_ns = wm_clock_ns();
	return wm_clock_ns() - watch->lost_ns < watch->patience_ns ? 0 : ret;
}

static int lost_sight(const struct watch *watch, int ret, const struct wm_error *error)
{
	wm_cli_failed("lost sight of job %" PRIu64 "%s: %s", wm_cli_number(watch->job, "job"),
		      ret == -EREMOTEIO || ret == -ESTALE
			      ? ""
			      : ", which goes on when its controller does",
		      error->text);
	return wm_client_exit_status(ret);
}

int wm_job_wait(const struct wm_cli *cli, struct wm_client *client, json_t *job,
		const struct wm_job_waiting *waiting)
{
	struct watch watch = { .client = client, .job = job };
	struct wm_error error = { "" };
	int ret = 0, signal_number = 0, status;

	watch.patience_ns = waiting->reconnect_seconds * WM_NS_PER_S;
	/* Blocked, they end the pause below and nothing else. */
	wm_signals_to_end(&watch.to_end);
	sigprocmask(SIG_BLOCK, &watch.to_end, NULL);
	wm_progress_bar_init(&watch.progress, stderr);
	while (ret == 0 && !signal_number && !is_over(watch.job)) {
		progress_show(&watch);
		signal_number = pause_take(&watch);
		if (!signal_number)
			ret = look(&watch, &error);
	}
	wm_progress_bar_clear(&watch.progress);
	if (ret < 0)
		status = lost_sight(&watch, ret, &error);
	else if (signal_number)
		status = interrupted(cli, watch.job, signal_number);
	else
		status = job_end(cli, watch.job, waiting->parsable);
	json_decref(watch.job);
	return status;
}

/* ---- making one ------------------------------------------------------------ */

int wm_job_waiting_check(const struct wm_cli *cli, const struct wm_job_waiting *waiting)
{
	if (cli->json && waiting->parsable)
		return wm_cli_wrong_usage(cli->verb, "--parsable does not go with --json");
	if (waiting->dry_run && (waiting->wait || waiting->parsable))
		return wm_cli_wrong_usage(cli->verb,
					  "--dry-run makes no job: --%s does not go with it",
					  waiting->wait ? "wait" : "parsable");
	if (!waiting->wait && wm_option_is_given(&cli->verb->schema, &cli->line, WM_JOB_RECONNECT))
		return wm_cli_wrong_usage(cli->verb,
					  "--reconnect is for --wait: without it nothing "
					  "waits for the controller");
	return WM_EXIT_DONE;
}

/* What is said as soon as there is a job. */
static void job_made(const struct wm_cli *cli, const json_t *job,
		     const struct wm_job_waiting *waiting)
{
	if (waiting->dry_run && !cli->json)
		printf("the job would be queued: %" PRIu64 " bytes of output, %" PRIu64
		       " extents; nothing was done\n",
		       wm_cli_number(job, "output_bytes"), wm_cli_number(job, "extents"));
	else if (waiting->parsable)
		printf("%" PRIu64 "\n", wm_cli_number(job, "job"));
	else if (!waiting->wait && cli->json)
		wm_cli_print_json(job);
	else if (!waiting->wait)
		printf("job %" PRIu64 " is submitted\n", wm_cli_number(job, "job"));
	/* Whoever reads the number need not wait for the end too. */
	fflush(stdout);
}

/* Of a call that may have made a job all the same. */
static int start_failed(int ret, const struct wm_error *error)
{
	int status = wm_client_exit_status(ret);

	wm_cli_failed("%s%s", error->text,
		      status == WM_EXIT_NO_CONTROLLER
			      ? "; whether there is a job now, 'wiremill job list' tells"
			      : "");
	return status;
}

int wm_job_start(const struct wm_cli *cli, const char *method, json_t *params,
		 const struct wm_job_waiting *waiting)
{
	struct wm_client client;
	struct wm_error error = { "" };
	json_t *job;
	int status,
		ret = wm_client_open(&client, cli->socket_path, wm_client_patience(params), &error);

	if (ret < 0) {
		json_decref(params);
		wm_cli_failed("%s", error.text);
		return wm_client_exit_status(ret);
	}
	ret = wm_client_call(&client, method, params, &job, &error);
	if (ret < 0) {
		status = start_failed(ret, &error);
	} else {
		job_made(cli, job, waiting);
		status = WM_EXIT_DONE;
		if (waiting->wait)
			status = wm_job_wait(cli, &client, json_incref(job), waiting);
		json_decref(job);
	}
	wm_client_close(&client);
	return status;
}
