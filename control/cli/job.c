/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

#include <inttypes.h>
#include <string.h>

#include "number.h"
#include "printable.h"

json_t *wm_job_ask(const struct wm_cli *cli, const char *method, int *status)
{
	uint64_t number;

	*status = wm_cli_job_number(cli, &number);
	if (*status != WM_EXIT_DONE)
		return NULL;
	return wm_client_ask(cli->socket_path, method,
			     json_pack("{s:I}", "job", (json_int_t)number), status);
}

/* ---- as text ------------------------------------------------------------ */

static void file_print(const char *label, const json_t *job, const char *path, const char *bytes)
{
	char text[32];

	printf("  %-9s ", label);
	wm_printable_print(stdout, wm_cli_text(job, path));
	printf("  (%s, %" PRIu64 " bytes)\n",
	       wm_number_format_bytes(text, sizeof(text), wm_cli_number(job, bytes)),
	       wm_cli_number(job, bytes));
}

static void line_print(const char *label, const char *text)
{
	if (!*text)
		return;
	printf("  %-9s ", label);
	wm_printable_print(stdout, text);
	putchar('\n');
}

/* About: the last extent is shorter than the others. */
static uint64_t resumed_batches(const json_t *job)
{
	double bytes = (double)wm_cli_number(job, "output_bytes");
	double share = bytes > 0 ? (double)wm_cli_number(job, "resumed_bytes") / bytes : 0;

	return (uint64_t)(share * (double)wm_cli_number(job, "batches"));
}

/* What the nodes did. Batches that are made again after a quarantine count again, and
 * those of an earlier life not at all: then it is no share of the whole. */
static void batches_print(const json_t *job)
{
	char batches[WM_COUNT_BYTES];
	uint64_t done = wm_cli_number(job, "batches_done"), all = wm_cli_number(job, "batches");
	bool resumed = wm_cli_number(job, "resumed_bytes") > 0;
	bool again = done > all - resumed_batches(job) + resumed;

	printf("  %-9s ", "batches");
	if (!resumed && !again)
		printf("%" PRIu64 " of ", done);
	printf("%" PRIu64 ", of %" PRIu64 " elements", all, wm_cli_number(job, "batch_elements"));
	/* Of the smallest node's: known when it begins. */
	if (wm_cli_number(job, "mtu"))
		printf(" at MTU %" PRIu64, wm_cli_number(job, "mtu"));
	putchar('\n');
	if (resumed || again)
		printf("  %-9s %s%s%s\n", "computed",
		       wm_number_format_count(batches, sizeof(batches), done, "batch"),
		       resumed ? " since it was resumed" : "",
		       again ? ", some once more: a node was wrong, see 'wiremill node list'" : "");
}

static void resumed_print(const json_t *job)
{
	uint64_t bytes = wm_cli_number(job, "resumed_bytes");
	char text[32];

	if (bytes)
		printf("  %-9s at %s (%" PRIu64 " bytes of output were there)\n", "resumed",
		       wm_number_format_bytes(text, sizeof(text), bytes), bytes);
}

/* Of what was there: how far it has been read back. */
static void checked_print(const json_t *job)
{
	uint64_t bytes = wm_cli_number(job, "checked_bytes");
	uint64_t differing = wm_cli_number(job, "differing_extents");
	char text[32];

	if (!bytes && !wm_cli_bool(job, "checking"))
		return;
	printf("  %-9s %s of what was there%s", "checked",
	       wm_number_format_bytes(text, sizeof(text), bytes),
	       wm_cli_bool(job, "checking") ? " so far" : "");
	if (differing)
		printf(": %" PRIu64
		       " extents differed, the disk had changed them; they %s made again",
		       differing, strcmp(wm_cli_text(job, "state"), "done") == 0 ? "were" : "are");
	putchar('\n');
}

static void audited_print(const json_t *job)
{
	char batches[WM_COUNT_BYTES];
	uint64_t ppm = wm_cli_number(job, "audit_ppm"), audited = wm_cli_number(job, "audited");

	if (ppm || audited)
		printf("  %-9s %s on two nodes (%g %% wanted)\n", "audited",
		       wm_number_format_count(batches, sizeof(batches), audited, "batch"),
		       (double)ppm / 10000);
}

static void sends_print(const json_t *job)
{
	uint64_t speculated = wm_cli_number(job, "speculated");

	printf("  %-9s %" PRIu64 ", %" PRIu64 " resends, %" PRIu64 " duplicates", "sends",
	       wm_cli_number(job, "sends"), wm_cli_number(job, "resends"),
	       wm_cli_number(job, "duplicates"));
	if (speculated)
		printf(", %" PRIu64 " to a second node at the end", speculated);
	putchar('\n');
}

static void time_print(const json_t *job)
{
	const json_t *left = json_object_get(job, "seconds_left");
	char text[32];

	printf("  %-9s %.2f s", "time", wm_cli_real(job, "seconds"));
	if (wm_cli_real(job, "bytes_per_second") > 0)
		printf(", %s/s of output",
		       wm_number_format_bytes(text, sizeof(text),
					      (uint64_t)wm_cli_real(job, "bytes_per_second")));
	if (json_is_number(left) && strcmp(wm_cli_text(job, "state"), "done") != 0)
		printf(", %s left",
		       wm_number_format_seconds(text, sizeof(text), json_number_value(left)));
	putchar('\n');
}

const char *wm_job_kernel(char text[WM_JOB_KERNEL_BYTES], const json_t *job)
{
	const char *hash = wm_cli_text(job, "kernel_hash");

	snprintf(text, WM_JOB_KERNEL_BYTES, "%.40s%s%.12s", wm_cli_text(job, "kernel"),
		 *hash ? " " : "", hash);
	return text;
}

void wm_job_print(const json_t *job)
{
	char kernel[WM_JOB_KERNEL_BYTES];

	printf("job %" PRIu64 ": %s%s\n", wm_cli_number(job, "job"), wm_cli_text(job, "state"),
	       wm_cli_bool(job, "cancelling")
		       ? ", being cancelled: what is in flight comes back first"
		       : "");
	line_print("name", wm_cli_text(job, "name"));
	line_print("user", wm_cli_text(job, "user"));
	line_print("submitted", wm_cli_text(job, "submitted"));
	line_print("started", wm_cli_text(job, "started"));
	line_print("ended", wm_cli_text(job, "ended"));
	line_print("reason", wm_cli_text(job, "reason"));
	line_print("waiting", wm_cli_text(job, "waiting"));
	line_print("kernel", wm_job_kernel(kernel, job));
	file_print("input", job, "input", "input_bytes");
	file_print("output", job, "output", "output_bytes");
	if (wm_cli_number(job, "dropped_tail_bytes"))
		printf("  %-9s %" PRIu64 " bytes at the end of the input\n", "dropped",
		       wm_cli_number(job, "dropped_tail_bytes"));
	time_print(job);
	printf("  %-9s %" PRIu64 " of %" PRIu64 "\n", "extents", wm_cli_number(job, "extents_done"),
	       wm_cli_number(job, "extents"));
	batches_print(job);
	resumed_print(job);
	checked_print(job);
	audited_print(job);
	sends_print(job);
	printf("  %-9s %" PRIu64 "\n", "nodes", wm_cli_number(job, "nodes"));
}
