/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

static int run(const struct wm_cli *cli)
{
	struct wm_client client;
	struct wm_error error;
	uint64_t number;
	json_t *job;
	int status = wm_cli_job_number(cli, &number);

	if (status != WM_EXIT_DONE)
		return status;
	if (wm_client_open(&client, cli->socket_path, &error) < 0)
		return wm_cli_failed("%s", error.text);
	if (wm_client_call(&client, "job.show", json_pack("{s:I}", "job", (json_int_t)number), &job,
			   &error) < 0)
		status = wm_cli_failed("%s", error.text);
	else
		status = wm_job_wait(cli, &client, job);
	wm_client_close(&client);
	return status;
}

const struct wm_verb wm_verb_job_watch = {
	.name = "job watch",
	.summary = "follow a job to its end",
	.details = "Exit status as of 'job submit --wait': 0 the job is done, 1 it failed, was\n"
		   "cancelled, or Ctrl-C ended the watching (the job goes on).",
	.operand = "ID",
	.run = run,
};
