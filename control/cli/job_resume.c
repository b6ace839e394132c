/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"
#include "value.h"

static const char *fail_after, *name = "";
static struct wm_job_waiting waiting;

static const struct wm_option options[] = {
	{ .name = "wait", .help = "stay until the job is over", .flag = &waiting.wait },
	WM_JOB_OPTION_RECONNECT(waiting),
	{ .name = "name", .value_name = "TEXT", .help = "what you call the job", .text = &name },
	{ .name = "parsable", .help = "print the job's number alone", .flag = &waiting.parsable },
	{ .name = "fail-after",
	  .value_name = "DURATION",
	  .help = "instead of what 'job submit' was given",
	  .text = &fail_after },
};

static int run(const struct wm_cli *cli)
{
	uint64_t fail_after_seconds = 0;
	char output[PATH_MAX];
	int status = wm_cli_duration(cli->verb, "fail-after", fail_after, &fail_after_seconds);

	if (status == WM_EXIT_DONE)
		status = wm_job_waiting_take(cli, &waiting);
	if (status == WM_EXIT_DONE)
		status = wm_cli_path(output, cli->operand);
	if (status != WM_EXIT_DONE)
		return status;
	return wm_job_start(cli, "job.resume",
			    json_pack("{s:s, s:I, s:s}", "output", output, "fail_after_seconds",
				      (json_int_t)fail_after_seconds, "name", name),
			    &waiting);
}

const struct wm_verb wm_verb_job_resume = {
	.name = "job resume",
	.summary = "go on with a job that failed, or whose controller did",
	.details =
		"OUTPUT is where the job's output was to be; beside it lie OUTPUT.wm-partial and\n"
		"OUTPUT.wm-journal, which knows the job. What is on disk already is not computed\n"
		"again. It goes on with the options that it had, --audit and --fail-after as "
		"well.\n"
		"Refused if the input is not as it was. A controller that starts again resumes by\n"
		"itself what was queued or running.",
	.operand = "OUTPUT",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run,
};
