/* SPDX-License-Identifier: BSD-3-Clause */
/* What the job verbs share: a job object as text, and waiting for its end. */
#ifndef WM_CLI_JOB_H
#define WM_CLI_JOB_H

#include "cli.h"
#include "client.h"

/* Asks `method` about the job that the operand names. NULL: *status says how to
 * exit, and why was said on stderr. */
json_t *wm_job_ask(const struct wm_cli *cli, const char *method, int *status);
/*
 * Calls a method that makes a job, which is waited for or named. Takes over params
 * (NULL: it could not be made). Returns the exit status.
 */
int wm_job_start(const struct wm_cli *cli, const char *method, json_t *params, bool wait);
/* The job object as lines on stdout. */
void wm_job_print(const json_t *job);

/*
 * Asks for the job four times a second, shows how far it is, and ends with it:
 * done with a summary, failed or cancelled with the reason. Ctrl-C ends the
 * waiting, not the job. Takes over job, an object of the client's controller.
 * Returns the exit status.
 */
int wm_job_wait(const struct wm_cli *cli, struct wm_client *client, json_t *job);

#endif
