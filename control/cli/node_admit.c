/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli.h"
#include "client.h"
#include "printable.h"

static int run(const struct wm_cli *cli)
{
	int status;
	json_t *node = wm_client_ask(cli->socket_path, "node.admit",
				     json_pack("{s:s}", "name", cli->line.operand), &status);

	if (!node)
		return status;
	if (cli->json) {
		wm_cli_print_json(node);
	} else {
		printf("node ");
		wm_printable_print(stdout, wm_cli_text(node, "name"));
		printf(" is trusted again: if it runs, it is back within seconds\n");
	}
	json_decref(node);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_node_admit = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill node admit",
	.summary = "trust a node again that computed wrong",
	.about = "A node whose results were wrong is in quarantine: 'wiremill node list' says\n"
		   "what it did. Mend it first; this lets it in again. NAME may also be its MAC\n"
		   "address.",
	.operand = "NAME",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
