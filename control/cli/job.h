/* SPDX-License-Identifier: BSD-3-Clause */
/* What the job verbs share: a job object as text (job.c), and waiting for its end (job_wait.c). */
#ifndef WM_CLI_JOB_H
#define WM_CLI_JOB_H

#include "cli.h"
#include "client.h"
#include "clock.h"

/* What the options of a verb say about it. */
struct wm_job_waiting {
	bool wait;
	bool parsable;		    /* the number alone goes to stdout */
	bool dry_run;		    /* no job is made, what it would be is said */
	uint64_t reconnect_seconds; /* how long a controller that went away is looked for */
};

/* The options of it, where `own` has a member `waiting`. A controller that is started again is
 * back within seconds; one whose machine is, later. */
#define WM_JOB_RECONNECT "reconnect"
#define WM_JOB_OPTION_RECONNECT(own)                                                               \
	{                                                                                          \
		.name = WM_JOB_RECONNECT, .value_name = "DURATION", .type = WM_OPTION_DURATION,    \
		WM_OPTION_FIELD(own, waiting.reconnect_seconds), .unit_ns = WM_NS_PER_S, .min = 1, \
		.max = WM_CLI_SECONDS_MAX, .preset = "5m",                                         \
		.help = "while waiting: how long to look for a controller that went away"          \
	}
#define WM_JOB_OPTION_WAIT(own)                                                             \
	{                                                                                   \
		.name = "wait", .type = WM_OPTION_FLAG, WM_OPTION_FIELD(own, waiting.wait), \
		.help = "stay until the job is over"                                        \
	}
#define WM_JOB_OPTION_NAME(own, text)                                         \
	{                                                                     \
		.name = "name", .value_name = "TEXT", .type = WM_OPTION_TEXT, \
		WM_OPTION_FIELD(own, name), .help = text                      \
	}
#define WM_JOB_OPTION_PARSABLE(own, text)                            \
	{                                                            \
		.name = "parsable", .type = WM_OPTION_FLAG,          \
		WM_OPTION_FIELD(own, waiting.parsable), .help = text \
	}
#define WM_JOB_OPTION_FAIL_AFTER(own, text)                                                 \
	{                                                                                   \
		.name = "fail-after", .value_name = "DURATION", .type = WM_OPTION_DURATION, \
		WM_OPTION_FIELD(own, fail_after_seconds), .unit_ns = WM_NS_PER_S, .min = 1, \
		.max = WM_CLI_SECONDS_MAX, .help = text                                     \
	}

/* Do the values go together? WM_EXIT_DONE, or WM_EXIT_USAGE and what is wrong was said. */
int wm_job_waiting_check(const struct wm_cli *cli, const struct wm_job_waiting *waiting);
/* Asks `method` about the job that the operand names. NULL: *status says how to
 * exit, and why was said on stderr. */
json_t *wm_job_ask(const struct wm_cli *cli, const char *method, int *status);
/*
 * Calls a method that makes a job, which is named, and waited for where that is wanted. Takes
 * over params (NULL: it could not be made). Returns the exit status.
 */
int wm_job_start(const struct wm_cli *cli, const char *method, json_t *params,
		 const struct wm_job_waiting *waiting);
/* What it computes: the kernel's name, and where it is not built in 12 digits of its hash. */
#define WM_JOB_KERNEL_BYTES 64
const char *wm_job_kernel(char text[WM_JOB_KERNEL_BYTES], const json_t *job);
/* The job object as lines on stdout. */
void wm_job_print(const json_t *job);

/*
 * Asks for the job four times a second, shows how far it is, and ends with it: done with a
 * summary, failed or cancelled with the reason. A controller that goes away is looked for; the
 * job is known again by its number and when it was submitted. Ctrl-C ends the waiting, not the
 * job. Takes over job, an object of the client's controller. Returns the exit status.
 */
int wm_job_wait(const struct wm_cli *cli, struct wm_client *client, json_t *job,
		const struct wm_job_waiting *waiting);

#endif
