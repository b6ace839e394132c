/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "kernel.h"
#include "number.h"
#include "printable.h"
#include "trial.h"

static struct asked {
	struct wm_kernel_settings params;
	const char *reference, *device;
	uint64_t seed;
	bool validate;
} asked;

static const struct wm_option options[] = {
	WM_KERNEL_OPTION_PARAM(struct asked),
	{ .name = "reference",
	  .value_name = "COMMAND",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct asked, reference),
	  .help = "your own program, elements and halo in, results out, to compare with" },
	{ .name = "device",
	  .value_name = "TEXT",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct asked, device),
	  .help = "the GPU whose name contains TEXT (the best)" },
	{ .name = "seed",
	  .value_name = "N",
	  .type = WM_OPTION_COUNT,
	  .max = UINT32_MAX,
	  .preset = "1",
	  WM_OPTION_FIELD(struct asked, seed),
	  .help = "of the random inputs" },
	{ .name = "validate",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct asked, validate),
	  .help = "run under the Vulkan validation layer; its warnings fail the check" },
};

static void result_print_json(const struct wm_kernel_source *source,
			      const struct wm_executor_obtained *obtained,
			      const struct wm_kernel_trial_counts *counts, double bytes_per_second)
{
	json_t *object = wm_kernel_source_json(source);

	json_object_set_new(object, "device", json_string(obtained->device));
	json_object_set_new(object, "inputs", json_integer((json_int_t)counts->inputs));
	json_object_set_new(object, "cuts", json_integer((json_int_t)counts->cuts));
	json_object_set_new(object, "elements", json_integer((json_int_t)counts->elements));
	json_object_set_new(object, "bytes_per_second", json_real(bytes_per_second));
	wm_cli_print_json(object);
	json_decref(object);
}

static void result_print(const struct wm_kernel_source *source,
			 const struct wm_executor_obtained *obtained,
			 const struct wm_kernel_trial_counts *counts, double bytes_per_second)
{
	char rate[32];

	wm_kernel_print(source);
	fputs("device   ", stdout);
	wm_printable_print(stdout, obtained->device);
	printf("\nchecked  %" PRIu64 " elements, %" PRIu64 " inputs, %" PRIu64
	       " ways to cut them: all the same bytes%s\n",
	       counts->elements, counts->inputs, counts->cuts,
	       asked.reference ? ", the reference's too" : "");
	printf("speed    %s here, input and output together\n",
	       wm_number_format(rate, sizeof(rate), bytes_per_second, "B/s"));
}

static int report(const struct wm_cli *cli, const struct wm_kernel_source *source,
		  struct wm_kernel_trial *trial, const struct wm_kernel_trial_counts *counts)
{
	struct wm_executor_obtained obtained;
	struct wm_error error = { "" };
	double bytes_per_second = wm_kernel_trial_measure(trial, &error);

	if (bytes_per_second <= 0)
		return wm_cli_failed("%s", error.text);
	wm_kernel_trial_get_obtained(trial, &obtained);
	if (cli->json)
		result_print_json(source, &obtained, counts, bytes_per_second);
	else
		result_print(source, &obtained, counts, bytes_per_second);
	return WM_EXIT_DONE;
}

static int check(const struct wm_cli *cli, const struct wm_kernel_source *source)
{
	const struct wm_kernel_trial_config config = {
		.source = source,
		.name = cli->line.operand,
		.device = asked.device,
		.reference = asked.reference,
		.validate = asked.validate,
		.seed = asked.seed,
	};
	struct wm_kernel_trial_counts counts;
	struct wm_error error = { "" };
	struct wm_kernel_trial *trial;
	int status;

	if (wm_kernel_trial_open(&trial, &config, &error) < 0)
		return wm_cli_failed("%s", error.text);
	if (wm_kernel_trial_run(trial, &counts, &error) < 0)
		status = wm_cli_failed("%s", error.text);
	else if (counts.validation_messages > 0)
		status =
			wm_cli_failed("%s: the validation layer said %" PRIu64
				      " things (above): the kernel does what Vulkan does not allow",
				      cli->line.operand, counts.validation_messages);
	else
		status = report(cli, source, trial, &counts);
	wm_kernel_trial_close(&trial);
	return status;
}

static int run(const struct wm_cli *cli)
{
	struct wm_kernel_source source;
	char *code;
	int status = wm_kernel_read(cli->line.operand, &asked.params, &source, &code);

	if (status == WM_EXIT_DONE)
		status = check(cli, &source);
	free(code);
	return status;
}

const struct wm_verb wm_verb_kernel_check = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill kernel check",
	.summary = "compile a kernel and try it on the GPU that is here",
	.operand = "FILE|NAME",
	.about = "Made inputs are computed element by element, in batches of every size, and as\n"
		 "frames of each MTU carry them: all must give the same bytes, and no element may\n"
		 "read outside its halo or write another. Needs no controller. Exit status 0: all is\n"
		 "right; 1: the first thing that is wrong is named, with its element or its line.",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
