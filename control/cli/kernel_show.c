/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "generate.h"
#include "kernel.h"

static struct asked {
	struct wm_kernel_settings params;
	bool generated;
} asked;

static const struct wm_option options[] = {
	{ .name = "generated",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct asked, generated),
	  .help = "the whole shader that is made of it" },
	WM_KERNEL_OPTION_PARAM(struct asked),
};

static int show_generated(const struct wm_cli *cli, const struct wm_kernel_source *source)
{
	char *text = wm_generate(source, cli->line.operand, false);

	if (!text)
		return wm_cli_failed("out of memory for the shader");
	fputs(text, stdout);
	free(text);
	return WM_EXIT_DONE;
}

static int show(const struct wm_cli *cli, const struct wm_kernel_source *source)
{
	json_t *object;

	if (asked.generated)
		return show_generated(cli, source);
	if (!cli->json) {
		wm_kernel_print(source);
		return WM_EXIT_DONE;
	}
	object = wm_kernel_source_json(source);
	wm_cli_print_json(object);
	json_decref(object);
	return WM_EXIT_DONE;
}

static int run(const struct wm_cli *cli)
{
	struct wm_kernel_source source;
	char *code;
	int status;

	if (asked.generated && cli->json)
		return wm_cli_wrong_usage(cli->verb, "--generated does not go with --json");
	status = wm_kernel_read(cli->line.operand, &asked.params, &source, &code);
	if (status == WM_EXIT_DONE)
		status = show(cli, &source);
	free(code);
	return status;
}

const struct wm_verb wm_verb_kernel_show = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill kernel show",
	.summary = "what a kernel's file says that it is, and the shader made of it",
	.operand = "FILE|NAME",
	.about = "Needs no controller and no GPU, and compiles nothing. docs/kernels.md tells how\n"
		 "a kernel is written.",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
