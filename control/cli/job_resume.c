/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

static struct asked {
	const char *name;
	uint64_t fail_after_seconds;
	bool trust_output;
	struct wm_job_waiting waiting;
} asked = { .name = "" };

static const struct wm_option options[] = {
	WM_JOB_OPTION_WAIT(struct asked),
	WM_JOB_OPTION_RECONNECT(struct asked),
	WM_JOB_OPTION_NAME(struct asked, "what you call the job"),
	WM_JOB_OPTION_PARSABLE(struct asked, "print the job's number alone"),
	WM_JOB_OPTION_FAIL_AFTER(struct asked, "instead of what 'job submit' was given"),
	{ .name = "trust-output",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct asked, trust_output),
	  .help = "do not read back all that is there, but the newest" },
};

static int run(const struct wm_cli *cli)
{
	char output[PATH_MAX];
	int status = wm_job_waiting_check(cli, &asked.waiting);

	if (status == WM_EXIT_DONE)
		status = wm_cli_path(output, cli->line.operand);
	if (status != WM_EXIT_DONE)
		return status;
	return wm_job_start(cli, "job.resume",
			    json_pack("{s:s, s:I, s:s, s:b}", "output", output,
				      "fail_after_seconds", (json_int_t)asked.fail_after_seconds,
				      "name", asked.name, "trust_output", asked.trust_output),
			    &asked.waiting);
}

const struct wm_verb wm_verb_job_resume = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill job resume",
	.summary = "go on with a job that failed, or whose controller did",
	.about =
		"OUTPUT is where the job's output was to be; beside it lie OUTPUT.wm-partial and\n"
		"OUTPUT.wm-journal, which knows the job. What is on disk already is not computed\n"
		"again. It goes on with the options that it had, --audit and --fail-after as "
		"well.\n"
		"Refused if the input is not as it was. A controller that starts again resumes by\n"
		"itself what was queued or running.\n"
		"All that is there is read back while the rest is computed, and what the disk has\n"
		"changed is made again, before OUTPUT gets its name; --trust-output leaves that "
		"out.",
	.operand = "OUTPUT",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
