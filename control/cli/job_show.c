/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

static int run(const struct wm_cli *cli)
{
	int status;
	json_t *job = wm_job_ask(cli, "job.show", &status);

	if (!job)
		return status;
	if (cli->json)
		wm_cli_print_json(job);
	else
		wm_job_print(job);
	json_decref(job);
	return status;
}

const struct wm_verb wm_verb_job_show = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill job show",
	.summary = "all about one job",
	.operand = "ID",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
