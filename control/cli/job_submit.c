/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"
#include "kernel_list.h"
#include "value.h"
#include "wiremill/store.h"

static const char *kernel, *input, *output, *tail = "refuse", *audit, *fail_after, *name = "";
static struct wm_job_waiting waiting;
static bool force;

static const char *const tails[] = { "refuse", "drop", NULL };

static const struct wm_option options[] = {
	{ .name = "kernel",
	  .value_name = "NAME",
	  .help = "what is computed: " WM_KERNEL_NAMES,
	  .required = true,
	  .text = &kernel },
	{ .name = "input",
	  .value_name = "FILE",
	  .help = "file or block device that is read",
	  .required = true,
	  .text = &input },
	{ .name = "output",
	  .value_name = "FILE",
	  .help = "file or block device that is written",
	  .required = true,
	  .text = &output },
	{ .name = "wait", .help = "stay until the job is over", .flag = &waiting.wait },
	WM_JOB_OPTION_RECONNECT(waiting),
	{ .name = "name",
	  .value_name = "TEXT",
	  .help = "what you call the job, for 'job list'",
	  .text = &name },
	{ .name = "parsable",
	  .help = "print the job's number alone, before the waiting",
	  .flag = &waiting.parsable },
	{ .name = "dry-run",
	  .help = "check all that a submission checks, and queue nothing",
	  .flag = &waiting.dry_run },
	{ .name = "force", .help = "replace an output that exists", .flag = &force },
	{ .name = "tail",
	  .value_name = "refuse|drop",
	  .help = "bytes at the end of the input that make no whole element (refuse)",
	  .choices = tails,
	  .text = &tail },
	{ .name = "audit",
	  .value_name = "SHARE",
	  .help = "of all batches, like 1%: two nodes compute them, and must agree (none)",
	  .text = &audit },
	{ .name = "fail-after",
	  .value_name = "DURATION",
	  .help = "without a node that answers, like 30s, 5m, 2h (wait for one for ever)",
	  .text = &fail_after },
};

static int run(const struct wm_cli *cli)
{
	uint64_t fail_after_seconds = 0, audit_ppm = 0;
	char input_path[PATH_MAX], output_path[PATH_MAX];
	struct wm_source_identity meant;
	struct wm_error error = { "" };

	if (wm_cli_duration(cli->verb, "fail-after", fail_after, &fail_after_seconds) !=
		    WM_EXIT_DONE ||
	    wm_cli_share(cli->verb, "audit", audit, &audit_ppm) != WM_EXIT_DONE ||
	    wm_job_waiting_take(cli, &waiting) != WM_EXIT_DONE)
		return WM_EXIT_USAGE;
	if (wm_cli_path(input_path, input) != WM_EXIT_DONE ||
	    wm_cli_path(output_path, output) != WM_EXIT_DONE)
		return WM_EXIT_FAILED;
	if (wm_source_identify(&meant, input_path, &error) < 0)
		return wm_cli_failed("%s", error.text);
	return wm_job_start(
		cli, "job.submit",
		json_pack("{s:s, s:s, s:I, s:I, s:s, s:b, s:s, s:I, s:I, s:s, s:b}", "kernel",
			  kernel, "input", input_path, "input_device", (json_int_t)meant.device,
			  "input_inode", (json_int_t)meant.inode, "output", output_path, "force",
			  force, "tail", tail, "fail_after_seconds", (json_int_t)fail_after_seconds,
			  "audit_ppm", (json_int_t)audit_ppm, "name", name, "dry_run",
			  waiting.dry_run),
		&waiting);
}

const struct wm_verb wm_verb_job_submit = {
	.name = "job submit",
	.summary = "run a kernel over a file",
	.details =
		"Refused: an input that is empty, no multiple of the element (but see --tail), or\n"
		"the output; an output that exists (but see --force). The output gets its name\n"
		"when it is complete. With --wait, Ctrl-C ends the waiting, not the job, and a\n"
		"controller that is started again is found again. A node\n"
		"that an audit finds wrong goes into quarantine, and what rests on it is computed\n"
		"again.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run,
};
