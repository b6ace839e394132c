/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

static struct asked {
	struct wm_job_waiting waiting;
} asked = { .waiting = { .wait = true } };

static const struct wm_option options[] = { WM_JOB_OPTION_RECONNECT(struct asked) };

static int run(const struct wm_cli *cli)
{
	struct wm_client client;
	struct wm_error error = { "" };
	uint64_t number;
	json_t *job;
	int ret, status = wm_cli_job_number(cli, &number);

	if (status != WM_EXIT_DONE)
		return status;
	ret = wm_client_open(&client, cli->socket_path, WM_CLIENT_ANSWER_S, &error);
	if (ret == 0)
		ret = wm_client_call(&client, "job.show",
				     json_pack("{s:I}", "job", (json_int_t)number), &job, &error);
	status = wm_client_exit_status(ret);
	if (ret < 0)
		wm_cli_failed("%s", error.text);
	else
		status = wm_job_wait(cli, &client, job, &asked.waiting);
	wm_client_close(&client);
	return status;
}

const struct wm_verb wm_verb_job_watch = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill job watch",
	.summary = "follow a job to its end",
	.about = "Exit status as of 'job submit --wait': 0 the job is done, 1 it failed or was\n"
		   "cancelled, 3 its controller went away for good, 128 and the number of the\n"
		   "signal that ended the watching (Ctrl-C: 130; the job goes on).",
	.operand = "ID",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
