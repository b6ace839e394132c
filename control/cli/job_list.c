/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "cli.h"
#include "client.h"
#include "number.h"
#include "table.h"

static const struct wm_column columns[] = {
	{ "JOB", true },    { "STATE", false },	 { "DONE", true },
	{ "RATE", true },   { "LEFT", true },	 { "KERNEL", false },
	{ "INPUT", false }, { "OUTPUT", false }, { "REMARK", false },
};

static void rate_add(struct wm_table *table, const json_t *job)
{
	double rate = wm_cli_real(job, "bytes_per_second");
	char text[32];

	if (rate > 0)
		wm_table_add(table, "%s/s",
			     wm_number_format_bytes(text, sizeof(text), (uint64_t)rate));
	else
		wm_table_add(table, "-");
}

static void left_add(struct wm_table *table, const json_t *job)
{
	const json_t *left = json_object_get(job, "seconds_left");
	char text[32];

	if (json_is_number(left))
		wm_table_add(table, "%s",
			     wm_number_format_seconds(text, sizeof(text), json_number_value(left)));
	else
		wm_table_add(table, "-");
}

static void done_add(struct wm_table *table, const json_t *job)
{
	uint64_t done = wm_cli_number(job, "output_bytes_done");
	uint64_t total = wm_cli_number(job, "output_bytes");

	wm_table_add(table, "%u %%", total ? (unsigned)((double)done / (double)total * 100) : 0);
}

static void job_add(struct wm_table *table, const json_t *job)
{
	const char *reason = wm_cli_text(job, "reason");

	wm_table_add(table, "%" PRIu64, wm_cli_number(job, "job"));
	wm_table_add(table, "%s", wm_cli_text(job, "state"));
	done_add(table, job);
	rate_add(table, job);
	left_add(table, job);
	wm_table_add(table, "%s", wm_cli_text(job, "kernel"));
	wm_table_add(table, "%s", wm_cli_text(job, "input"));
	wm_table_add(table, "%s", wm_cli_text(job, "output"));
	wm_table_add(table, "%s", *reason ? reason : wm_cli_text(job, "waiting"));
}

static void jobs_print(const json_t *jobs)
{
	struct wm_table *table;
	const json_t *job;
	size_t i;

	if (json_array_size(jobs) == 0) {
		printf("no jobs: 'wiremill job submit' makes one\n");
		return;
	}
	table = wm_table_create(columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(jobs, i, job) job_add(table, job);
	wm_table_print(table, stdout);
	wm_table_destroy(&table);
}

static int run(const struct wm_cli *cli)
{
	json_t *list = wm_client_ask(cli->socket_path, "job.list", json_object());

	if (!list)
		return WM_EXIT_FAILED;
	if (cli->json)
		wm_cli_print_json(list);
	else
		jobs_print(json_object_get(list, "jobs"));
	json_decref(list);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_job_list = {
	.name = "job list",
	.summary = "all jobs of the controller, a line each",
	.run = run,
};
