/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "job.h"

static const char *kernel, *input, *output, *tail = "refuse";
static bool wait_for_end, force;

static const char *const tails[] = { "refuse", "drop", NULL };

static const struct wm_option options[] = {
	{ .name = "kernel",
	  .value_name = "NAME",
	  .help = "what is computed: xor (every 32 bytes with the next 32)",
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
	{ .name = "wait", .help = "stay until the job is over", .flag = &wait_for_end },
	{ .name = "force", .help = "replace an output that exists", .flag = &force },
	{ .name = "tail",
	  .value_name = "refuse|drop",
	  .help = "bytes at the end of the input that make no whole element (refuse)",
	  .choices = tails,
	  .text = &tail },
};

/* The controller runs in another directory. */
static int path_make_absolute(char *absolute, const char *path)
{
	char directory[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = snprintf(absolute, PATH_MAX, "%s", path);
	else if (getcwd(directory, sizeof(directory)))
		n = snprintf(absolute, PATH_MAX, "%s/%s", directory, path);
	else
		return wm_cli_failed("cannot tell where %s lies: the working directory: %s", path,
				     strerror(errno));
	if (n >= PATH_MAX)
		return wm_cli_failed("path is longer than %d bytes: %.64s...", PATH_MAX - 1, path);
	return WM_EXIT_DONE;
}

static json_t *params_new(const char *input_path, const char *output_path)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:s}", "kernel", kernel, "input", input_path,
			 "output", output_path, "force", force, "tail", tail);
}

/* Takes over job. */
static int submitted(const struct wm_cli *cli, json_t *job)
{
	if (cli->json)
		wm_cli_print_json(job);
	else
		printf("job %" PRIu64 " is submitted\n", wm_cli_number(job, "job"));
	json_decref(job);
	return WM_EXIT_DONE;
}

static int run(const struct wm_cli *cli)
{
	char input_path[PATH_MAX], output_path[PATH_MAX];
	struct wm_client client;
	struct wm_error error;
	json_t *job;
	int status;

	if (path_make_absolute(input_path, input) != WM_EXIT_DONE ||
	    path_make_absolute(output_path, output) != WM_EXIT_DONE)
		return WM_EXIT_FAILED;
	if (wm_client_open(&client, cli->socket_path, &error) < 0)
		return wm_cli_failed("%s", error.text);
	if (wm_client_call(&client, "job.submit", params_new(input_path, output_path), &job,
			   &error) < 0)
		status = wm_cli_failed("%s", error.text);
	else if (wait_for_end)
		status = wm_job_wait(cli, &client, job);
	else
		status = submitted(cli, job);
	wm_client_close(&client);
	return status;
}

const struct wm_verb wm_verb_job_submit = {
	.name = "job submit",
	.summary = "run a kernel over a file",
	.details =
		"Refused: an input that is empty, no multiple of the element (but see --tail), or\n"
		"the output; an output that exists (but see --force). The output gets its name\n"
		"when it is complete. With --wait, Ctrl-C ends the waiting, not the job.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.run = run,
};
