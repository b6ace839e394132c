/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "cli.h"
#include "client.h"
#include "job.h"
#include "number.h"
#include "table.h"
#include "wrap.h"

static struct asked {
	const char *state;
	uint64_t last;
	bool wide;
} asked;

static const char *const states[] = { "queued", "preparing", "running",	  "finishing",
				      "done",	"failed",    "cancelled", NULL };

static const struct wm_option options[] = {
	{ .name = "state",
	  .value_name = "STATE",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct asked, state),
	  .help = "those alone that are queued, preparing, running, finishing, done, failed or "
		  "cancelled",
	  .choices = states },
	{ .name = "last",
	  .value_name = "N",
	  .type = WM_OPTION_COUNT,
	  WM_OPTION_FIELD(struct asked, last),
	  .min = 1,
	  .max = UINT32_MAX,
	  .help = "the newest N alone (of that state)" },
	{ .name = "wide",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct asked, wide),
	  .help = "all columns, and nothing cut" },
};

static const struct wm_column columns[] = {
	{ "JOB", WM_COLUMN_RIGHT },
	{ "STATE", 0 },
	{ "DONE", WM_COLUMN_RIGHT },
	{ "RATE", WM_COLUMN_RIGHT | WM_COLUMN_OPTIONAL },
	{ "LEFT", WM_COLUMN_RIGHT | WM_COLUMN_OPTIONAL },
	{ "NAME", WM_COLUMN_CUT | WM_COLUMN_OPTIONAL },
	{ "INPUT", WM_COLUMN_CUT | WM_COLUMN_PATH | WM_COLUMN_SPARE },
	{ "OUTPUT", WM_COLUMN_CUT | WM_COLUMN_PATH },
	{ "REMARK", WM_COLUMN_CUT | WM_COLUMN_TEXT | WM_COLUMN_OPTIONAL },
	{ "USER", WM_COLUMN_WIDE | WM_COLUMN_OPTIONAL },
	{ "SUBMITTED", WM_COLUMN_WIDE | WM_COLUMN_OPTIONAL },
	{ "STARTED", WM_COLUMN_WIDE | WM_COLUMN_OPTIONAL },
	{ "ENDED", WM_COLUMN_WIDE | WM_COLUMN_OPTIONAL },
	{ "KERNEL", WM_COLUMN_WIDE },
};

static void rate_add(struct wm_table *table, const json_t *job)
{
	double rate = wm_cli_real(job, "bytes_per_second");
	char text[32];

	if (rate > 0)
		wm_table_add(table, "%s/s",
			     wm_number_format_bytes(text, sizeof(text), (uint64_t)rate));
	else
		wm_table_add(table, "%s", "");
}

static void left_add(struct wm_table *table, const json_t *job)
{
	const json_t *left = json_object_get(job, "seconds_left");
	char text[32];

	if (json_is_number(left))
		wm_table_add(table, "%s",
			     wm_number_format_seconds(text, sizeof(text), json_number_value(left)));
	else
		wm_table_add(table, "%s", "");
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
	char kernel[WM_JOB_KERNEL_BYTES];

	wm_table_add(table, "%" PRIu64, wm_cli_number(job, "job"));
	wm_table_add(table, "%s",
		     wm_cli_bool(job, "cancelling") ? "cancelling" : wm_cli_text(job, "state"));
	done_add(table, job);
	rate_add(table, job);
	left_add(table, job);
	wm_table_add(table, "%s", wm_cli_text(job, "name"));
	wm_table_add(table, "%s", wm_cli_text(job, "input"));
	wm_table_add(table, "%s", wm_cli_text(job, "output"));
	wm_table_add(table, "%s", *reason ? reason : wm_cli_text(job, "waiting"));
	wm_table_add(table, "%s", wm_cli_text(job, "user"));
	/* to the second */
	wm_table_add(table, "%.19s", wm_cli_text(job, "submitted"));
	wm_table_add(table, "%.19s", wm_cli_text(job, "started"));
	wm_table_add(table, "%.19s", wm_cli_text(job, "ended"));
	wm_table_add(table, "%s", wm_job_kernel(kernel, job));
}

static void jobs_print(const json_t *jobs)
{
	struct wm_table *table;
	const json_t *job;
	size_t i;

	if (json_array_size(jobs) == 0) {
		printf(asked.state ? "no such jobs\n"
				   : "no jobs: 'wiremill job submit' makes one\n");
		return;
	}
	table = wm_table_create(columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(jobs, i, job) job_add(table, job);
	wm_table_print(table, stdout, asked.wide ? 0 : wm_wrap_screen(stdout));
	wm_table_destroy(&table);
}

static int run(const struct wm_cli *cli)
{
	json_t *params, *list;
	int status;

	params = json_object();
	if (asked.state)
		json_object_set_new(params, "state", json_string(asked.state));
	if (asked.last)
		json_object_set_new(params, "last", json_integer((json_int_t)asked.last));
	list = wm_client_list(cli->socket_path, "job.list", params, "jobs", &status);
	if (!list)
		return status;
	if (cli->json)
		wm_cli_print_json(list);
	else
		jobs_print(json_object_get(list, "jobs"));
	json_decref(list);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_job_list = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill job list",
	.summary = "the jobs of the controller, a line each",
	.about =
		"In the order of submission, the newest last: all that are not over, and of those\n"
		"that are at least the newest 512, also over restarts of the controller. Older\n"
		"ones are forgotten. To fit the terminal (80 columns where there is none) some\n"
		"columns are left out, and long values cut; 'wiremill job show' has all of a\n"
		"job. Times are UTC.",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
