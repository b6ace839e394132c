/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"
#include "kernel.h"
#include "kernel_list.h"
#include "wiremill/store.h"

#define PPM 1000000u

static struct asked {
	const char *kernel, *input, *output, *tail, *name;
	uint64_t audit_ppm, fail_after_seconds;
	struct wm_kernel_settings params;
	struct wm_job_waiting waiting;
	bool force;
} asked = { .name = "" };

static const struct wm_option options[] = {
	{ .name = "kernel",
	  .value_name = "NAME|FILE",
	  .type = WM_OPTION_TEXT,
	  .flags = WM_OPTION_REQUIRED,
	  WM_OPTION_FIELD(struct asked, kernel),
	  .help = "what is computed: " WM_KERNEL_NAMES ", " WM_KERNEL_SHIPPED_NAMES
		  ", one that 'kernel list' has, or a file of your own" },
	WM_KERNEL_OPTION_PARAM(struct asked),
	{ .name = "input",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  .flags = WM_OPTION_REQUIRED,
	  WM_OPTION_FIELD(struct asked, input),
	  .help = "file or block device that is read" },
	{ .name = "output",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  .flags = WM_OPTION_REQUIRED,
	  WM_OPTION_FIELD(struct asked, output),
	  .help = "file or block device that is written" },
	WM_JOB_OPTION_WAIT(struct asked),
	WM_JOB_OPTION_RECONNECT(struct asked),
	WM_JOB_OPTION_NAME(struct asked, "what you call the job, for 'job list'"),
	WM_JOB_OPTION_PARSABLE(struct asked, "print the job's number alone, before the waiting"),
	{ .name = "dry-run",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct asked, waiting.dry_run),
	  .help = "check all that a submission checks, and queue nothing" },
	{ .name = "force",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct asked, force),
	  .help = "replace an output that exists" },
	{ .name = "tail",
	  .value_name = "refuse|drop",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct asked, tail),
	  .choices = wm_cli_tails,
	  .preset = "refuse",
	  .help = "bytes at the end of the input that make no whole element" },
	{ .name = "audit",
	  .value_name = "SHARE",
	  .type = WM_OPTION_SHARE,
	  WM_OPTION_FIELD(struct asked, audit_ppm),
	  .max = PPM,
	  .help = "of all batches, like 1%: two nodes compute them, and must agree (none)" },
	WM_JOB_OPTION_FAIL_AFTER(struct asked,
				 "without a node that answers, like 30s, 5m, 2h (wait for one for "
				 "ever)"),
};

static json_t *params_make(const char *input, const char *output,
			   const struct wm_source_identity *meant)
{
	return json_pack("{s:s, s:I, s:I, s:s, s:b, s:s, s:I, s:I, s:s, s:b}", "input", input,
			 "input_device", (json_int_t)meant->device, "input_inode",
			 (json_int_t)meant->inode, "output", output, "force", asked.force, "tail",
			 asked.tail, "fail_after_seconds", (json_int_t)asked.fail_after_seconds,
			 "audit_ppm", (json_int_t)asked.audit_ppm, "name", asked.name, "dry_run",
			 asked.waiting.dry_run);
}

/* A name of the controller's, or a file of the caller's. Frees params where it fails; NULL, of
 * paths that are no text, is said when it is to be sent. */
static int kernel_put(json_t *params)
{
	int status = WM_EXIT_DONE;

	if (!params)
		return status;
	if (wm_kernel_is_source(asked.kernel))
		status = wm_kernel_put(params, asked.kernel, &asked.params);
	else
		json_object_set_new(params, "kernel", json_string(asked.kernel));
	if (status != WM_EXIT_DONE)
		json_decref(params);
	return status;
}

static int run(const struct wm_cli *cli)
{
	char input[PATH_MAX], output[PATH_MAX];
	struct wm_source_identity meant;
	struct wm_error error = { "" };
	json_t *params;

	if (asked.params.count > 0 && !wm_kernel_is_source(asked.kernel))
		return wm_cli_wrong_usage(cli->verb, "--param goes with a kernel's source: one "
						     "that the controller has, has its own");

	if (wm_job_waiting_check(cli, &asked.waiting) != WM_EXIT_DONE)
		return WM_EXIT_USAGE;
	if (wm_cli_path(input, asked.input) != WM_EXIT_DONE ||
	    wm_cli_path(output, asked.output) != WM_EXIT_DONE)
		return WM_EXIT_FAILED;
	if (wm_source_identify(&meant, input, &error) < 0)
		return wm_cli_failed("%s", error.text);
	params = params_make(input, output, &meant);
	if (kernel_put(params) != WM_EXIT_DONE)
		return WM_EXIT_FAILED;
	return wm_job_start(cli, "job.submit", params, &asked.waiting);
}

const struct wm_verb wm_verb_job_submit = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill job submit",
	.summary = "run a kernel over a file",
	.about =
		"Refused: an input that is empty, no multiple of the element (but see --tail), or\n"
		"the output; an output that exists (but see --force). The output gets its name\n"
		"when it is complete. With --wait, Ctrl-C ends the waiting, not the job, and a\n"
		"controller that is started again is found again. A node\n"
		"that an audit finds wrong goes into quarantine, and what rests on it is computed\n"
		"again. A kernel with a '/' in it, or that ends in .glsl, is a file of your own:\n"
		"the controller compiles it, and keeps it under its hash.",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
