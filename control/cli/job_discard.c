/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli.h"
#include "client.h"
#include "printable.h"

static int run(const struct wm_cli *cli)
{
	char output[PATH_MAX];
	int status = wm_cli_path(output, cli->line.operand);
	const json_t *path;
	json_t *result;
	size_t i;

	if (status != WM_EXIT_DONE)
		return status;
	result = wm_client_ask(cli->socket_path, "job.discard",
			       json_pack("{s:s}", "output", output), &status);
	if (!result)
		return status;
	if (cli->json)
		wm_cli_print_json(result);
	json_array_foreach(json_object_get(result, "removed"), i, path)
	{
		if (cli->json)
			break;
		fputs("removed ", stdout);
		wm_printable_print(stdout, json_string_value(path));
		putchar('\n');
	}
	json_decref(result);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_job_discard = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill job discard",
	.summary = "remove what an unfinished job left beside its output",
	.about = "OUTPUT is where the job's output was to be. OUTPUT.wm-partial and\n"
		   "OUTPUT.wm-journal go, and with them what was computed; of a block device the\n"
		   "journal. Refused while a job is at it, which 'job cancel' ends.",
	.operand = "OUTPUT",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
