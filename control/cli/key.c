/* SPDX-License-Identifier: BSD-3-Clause */
#include "key.h"

#include "cli.h"

static int run(const struct wm_cli *cli)
{
	struct wm_error error = { "" };
	json_t *key;

	if (wm_key_create(cli->line.operand, &error) < 0)
		return wm_cli_failed("%s", error.text);
	if (cli->json) {
		key = json_pack("{s:s}", "key", cli->line.operand);
		wm_cli_print_json(key);
		json_decref(key);
	}
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_key = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill key",
	.summary = "makes a cluster key, for --key of wiremilld and wiremill-node",
	.about = "Writes 64 hexadecimal digits to FILE, which must not exist, readable by you\n"
		   "alone. Copy it to every machine of the rack, by a way that nobody listens to.",
	.operand = "FILE",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
