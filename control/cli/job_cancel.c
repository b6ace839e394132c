/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <string.h>

#include "job.h"

static int run(const struct wm_cli *cli)
{
	int status;
	json_t *job = wm_job_ask(cli, "job.cancel", &status);

	if (!job)
		return status;
	/* The lane first gets back what it has in flight. */
	if (cli->json)
		wm_cli_print_json(job);
	else
		printf("job %" PRIu64 " %s cancelled\n", wm_cli_number(job, "job"),
		       strcmp(wm_cli_text(job, "state"), "cancelled") == 0 ? "is" : "is being");
	json_decref(job);
	return status;
}

const struct wm_verb wm_verb_job_cancel = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill job cancel",
	.summary = "end a job that is not over; nothing is left of its output",
	.operand = "ID",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
