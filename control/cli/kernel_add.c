/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"
#include "kernel.h"

static struct asked {
	struct wm_kernel_settings params;
} asked;

static const struct wm_option options[] = {
	WM_KERNEL_OPTION_PARAM(struct asked),
};

static void added_print(const json_t *kernel)
{
	printf("kernel %s is in the library: %.12s\n", wm_cli_text(kernel, "name"),
	       wm_cli_text(kernel, "hash"));
}

static int run(const struct wm_cli *cli)
{
	json_t *request, *kernel;
	int status;

	request = json_object();
	status = wm_kernel_put(request, cli->line.operand, &asked.params);
	if (status != WM_EXIT_DONE) {
		json_decref(request);
		return status;
	}
	kernel = wm_client_ask(cli->socket_path, "kernel.add", request, &status);
	if (!kernel)
		return status;
	if (cli->json)
		wm_cli_print_json(kernel);
	else
		added_print(kernel);
	json_decref(kernel);
	return status;
}

const struct wm_verb wm_verb_kernel_add = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill kernel add",
	.summary = "compile a kernel, and keep it in the controller's library",
	.operand = "FILE|NAME",
	.about = "'job submit --kernel FILE' does it by itself. What is in the library is named by\n"
		 "its name, or by 8 digits or more of its hash: of the text, the parameters and the\n"
		 "compiler's result together. One that no job names makes room when it is full.",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
