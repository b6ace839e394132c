/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "cli.h"
#include "client.h"
#include "printable.h"

/* It has nothing to look up. */
#define ANSWER_S 5

/* The controller's version object, or NULL and why not: this verb is asked on machines
 * without one too. */
static json_t *controller_version(const struct wm_cli *cli, struct wm_error *error)
{
	struct wm_client client;
	json_t *version;

	if (wm_client_open(&client, cli->socket_path, ANSWER_S, error) < 0)
		return NULL;
	wm_client_call(&client, "version", json_object(), &version, error);
	wm_client_close(&client);
	return version;
}

static void unanswered_print(const char *reason)
{
	printf("controller: ");
	wm_printable_print(stdout, reason);
	putchar('\n');
}

static int run(const struct wm_cli *cli)
{
	struct wm_error error = { "" };
	json_t *controller = controller_version(cli, &error), *both;

	if (cli->json) {
		char reason[2 * WM_ERROR_TEXT_BYTES];

		both = json_pack("{s:s, s:o, s:o}", "version", WM_VERSION, "controller",
				 controller ? json_incref(controller) : json_null(), "reason",
				 json_string(wm_printable(reason, sizeof(reason), error.text)));
		wm_cli_print_json(both);
		json_decref(both);
	} else {
		printf("wiremill %s\n", WM_VERSION);
		if (controller)
			printf("controller %s, process %" PRIu64 "\n",
			       wm_cli_text(controller, "version"),
			       wm_cli_number(controller, "pid"));
		else
			unanswered_print(error.text);
	}
	json_decref(controller);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_version = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill version",
	.summary = "of this program, and of the controller if one answers",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
