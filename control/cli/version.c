/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "cli.h"
#include "client.h"

/* The controller's version object, or NULL where none answers: this verb is asked
 * on machines without one too. */
static json_t *controller_version(const struct wm_cli *cli)
{
	struct wm_client client;
	json_t *version;

	if (wm_client_open(&client, cli->socket_path, NULL) < 0)
		return NULL;
	wm_client_call(&client, "version", json_object(), &version, NULL);
	wm_client_close(&client);
	return version;
}

static int run(const struct wm_cli *cli)
{
	json_t *controller = controller_version(cli), *both;

	if (cli->json) {
		both = json_pack("{s:s, s:o*}", "version", WM_VERSION, "controller",
				 controller ? json_incref(controller) : json_null());
		wm_cli_print_json(both);
		json_decref(both);
	} else {
		printf("wiremill %s\n", WM_VERSION);
		if (controller)
			printf("controller %s, process %" PRIu64 "\n",
			       wm_cli_text(controller, "version"),
			       wm_cli_number(controller, "pid"));
		else
			printf("controller: none answers at %s\n", cli->socket_path);
	}
	json_decref(controller);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_version = {
	.name = "version",
	.summary = "of this program, and of the controller if one answers",
	.run = run,
};
