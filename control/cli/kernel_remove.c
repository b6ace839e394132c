/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli.h"
#include "client.h"

static int run(const struct wm_cli *cli)
{
	json_t *kernel;
	int status;

	kernel = wm_client_ask(cli->socket_path, "kernel.remove",
			       json_pack("{s:s}", "kernel", cli->line.operand), &status);
	if (!kernel)
		return status;
	if (cli->json)
		wm_cli_print_json(kernel);
	else
		printf("kernel %s %.12s is removed\n", wm_cli_text(kernel, "name"),
		       wm_cli_text(kernel, "hash"));
	json_decref(kernel);
	return status;
}

const struct wm_verb wm_verb_kernel_remove = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill kernel remove",
	.summary = "remove a kernel from the controller's library",
	.operand = "NAME",
	.about = "By its name, or by 8 digits or more of its hash. Refused while a job names it that\n"
		 "is not over, or that failed and may be resumed.",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
