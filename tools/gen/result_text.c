/* SPDX-License-Identifier: BSD-3-Clause */
#include "result_writers.h"

#include <inttypes.h>

#include "clock.h"
#include "number.h"
#include "printable.h"

#define PPM 1e6

char *wm_result_figure(char text[WM_RESULT_CELL_BYTES], bool is_known, double value)
{
	static const char *const units[] = { "", "k", "M", "G", "T" };
	unsigned unit = 0;

	if (!is_known) {
		snprintf(text, WM_RESULT_CELL_BYTES, "-");
		return text;
	}
	while (value >= 999.5 && unit < sizeof(units) / sizeof(units[0]) - 1)
		value /= 1000, unit++;
	snprintf(text, WM_RESULT_CELL_BYTES, "%.*f%s%s",
		 value >= 99.95 || value == 0 ? 0
		 : value >= 9.995	      ? 1
					      : 2,
		 value, unit ? " " : "", units[unit]);
	return text;
}

char *wm_result_time(char text[WM_RESULT_CELL_BYTES], bool is_known, uint64_t ns)
{
	double us = (double)ns / (double)WM_NS_PER_US;

	if (!is_known)
		snprintf(text, WM_RESULT_CELL_BYTES, "-");
	else if (us < 9999.95)
		snprintf(text, WM_RESULT_CELL_BYTES, "%.1f us", us);
	else
		snprintf(text, WM_RESULT_CELL_BYTES, "%.1f ms", us / 1000);
	return text;
}

void wm_result_add_figure(struct wm_table *table, bool is_known, double value)
{
	char cell[WM_RESULT_CELL_BYTES];

	wm_table_add(table, "%s", wm_result_figure(cell, is_known, value));
}

void wm_result_add_count(struct wm_table *table, bool is_known, uint64_t count)
{
	if (is_known)
		wm_table_add(table, "%" PRIu64, count);
	else
		wm_table_add(table, "-");
}

void wm_result_add_times(struct wm_table *table, const struct wm_result_latency *latency,
			 const uint64_t *times_ns, unsigned count)
{
	char cell[WM_RESULT_CELL_BYTES];

	for (unsigned i = 0; i < count; i++)
		wm_table_add(table, "%s", wm_result_time(cell, latency->count > 0, times_ns[i]));
}

static void print_head(const struct wm_result_head *head, FILE *stream)
{
	char line[WM_RESULT_CELL_BYTES];

	if (head->command) {
		wm_printable_print(stream, head->command);
		fputc('\n', stream);
	}
	if (head->started)
		fprintf(stream, "%s ", head->started);
	if (head->host)
		fprintf(stream, "%s ", head->host);
	if (head->interface)
		fprintf(stream, "%s ", head->interface);
	if (head->driver)
		fprintf(stream, "(%s) ", head->driver);
	fprintf(stream, "MTU %" PRIu32, head->mtu);
	if (head->line_bits_per_s)
		fprintf(stream, ", line of %sbit/s",
			wm_result_figure(line, true, (double)head->line_bits_per_s));
	fputs("\n\n", stream);
}

static const struct wm_column columns[] = {
	{ "test", false },  { "size", true },	    { "target", false },    { "asked", true },
	{ "sent/s", true }, { "received/s", true }, { "bit/s", true },	    { "lost", true },
	{ "loss %", true }, { "reordered", true },  { "duplicates", true }, { "p50", true },
	{ "p99", true },    { "p99.99", true },	    { "max", true },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_rates(struct wm_table *table, const struct wm_result_row *row)
{
	const struct wm_traffic_totals *totals = &row->totals;
	struct wm_traffic_count shown = row->receives ? totals->received : totals->sent;

	wm_result_add_figure(table, row->sends,
			     wm_result_frames_per_s(totals->sent, row->duration_ns));
	wm_result_add_figure(table, row->receives,
			     wm_result_frames_per_s(totals->received, row->duration_ns));
	wm_result_add_figure(table, row->sends || row->receives,
			     wm_result_bits_per_s(shown, row->duration_ns));
}

static void add_losses(struct wm_table *table, const struct wm_result_row *row)
{
	wm_result_add_count(table, row->receives, row->lost);
	if (row->receives)
		wm_table_add(table, "%.4g", 100 * wm_result_loss(row));
	else
		wm_table_add(table, "-");
	wm_result_add_count(table, row->receives, row->totals.reordered);
	wm_result_add_count(table, row->receives, row->totals.duplicates);
}

static void add_row(struct wm_table *table, const struct wm_result_row *row)
{
	const uint64_t times_ns[] = { row->latency.p50_ns, row->latency.p99_ns,
				      row->latency.p9999_ns, row->latency.max_ns };
	char asked[64];

	wm_table_add(table, "%s", row->test);
	wm_table_add(table, "%s", row->size);
	wm_table_add(table, "%s", row->scope == WM_RESULT_TOTAL ? "all" : row->target);
	wm_table_add(table, "%s", wm_rate_format(asked, sizeof(asked), row->asked));
	add_rates(table, row);
	add_losses(table, row);
	wm_result_add_times(table, &row->latency, times_ns, sizeof(times_ns) / sizeof(times_ns[0]));
}

static void print_confidence(const struct wm_result_search *search, FILE *stream)
{
	char trials[WM_COUNT_BYTES];
	const struct wm_search_result *found = &search->found;

	fprintf(stream,
		"    %" PRIu32 " of %s of %g s passed: with confidence C = %g %%, "
		"a trial fails with a chance of at most 1 - (1 - C)^(1/%" PRIu32 ") = %.3g %%\n",
		found->trials_each,
		wm_number_format_count(trials, sizeof(trials), found->trials_each, "trial"),
		(double)search->trial_ns / (double)WM_NS_PER_S, search->confidence_ppm / PPM * 100,
		found->trials_each,
		100 * wm_search_failure_bound(search->confidence_ppm, found->trials_each) / PPM);
	if (found->candidates > 1)
		fprintf(stream,
			"    rates that were tried so: k = %" PRIu32
			", so the confidence in all is at least 1 - k (1 - C) = %g %%\n",
			found->candidates,
			100 *
				wm_search_confidence_overall(search->confidence_ppm,
							     found->candidates) /
				PPM);
}

/* The rate of a search, in the unit that was asked for. */
static const char *rate_of(char *text, size_t text_bytes, const struct wm_result_row *row,
			   uint64_t per_s)
{
	return wm_rate_format(text, text_bytes, (struct wm_rate){ row->asked.unit, per_s });
}

static void print_search(const struct wm_result_row *row, FILE *stream)
{
	char trials[WM_COUNT_BYTES];
	const struct wm_result_search *search = &row->search;
	const struct wm_search_result *found = &search->found;
	char rate[64];

	fprintf(stream, "%s, %s bytes%s%s: ",
		search->kind == WM_SEARCH_THROUGHPUT ? "throughput" : "critical rate", row->size,
		row->target[0] ? ", " : "", row->target);
	if (found->found)
		fprintf(stream, "%s, ", rate_of(rate, sizeof(rate), row, found->rate));
	else
		fprintf(stream, "no rate passed, ");
	if (found->failed_at)
		fprintf(stream, "%s %s", rate_of(rate, sizeof(rate), row, found->failed_at),
			found->tester_limited ? "could not be sent: the tester was the limit"
					      : "did not pass");
	else
		fprintf(stream, "the most that was asked for");
	fprintf(stream, " (%s",
		wm_number_format_count(trials, sizeof(trials), found->trials, "trial"));
	if (search->tolerated_ppm)
		fprintf(stream, ", loss of %g %% counts as none",
			100 * search->tolerated_ppm / PPM);
	fprintf(stream, ")\n");
	if (found->found && search->kind == WM_SEARCH_CRITICAL)
		print_confidence(search, stream);
}

static void print_table(const struct wm_result *result, FILE *stream)
{
	struct wm_table *table = wm_table_create(columns, COLUMNS);

	for (unsigned i = 0; i < result->row_count; i++)
		add_row(table, &result->rows[i]);
	wm_table_print(table, stream, 0);
	wm_table_destroy(&table);
}

/* What a reader of the table would not see. */
static void print_remarks(const struct wm_result_row *row, FILE *stream)
{
	const char *target = row->target[0] ? row->target : "all";

	if (row->search.kind != WM_SEARCH_NONE)
		print_search(row, stream);
	if (row->link_downs)
		fprintf(stream,
			"%s %s %s: the port's link was down meanwhile (%" PRIu32
			" times): what was lost then says nothing of the rack\n",
			row->test, row->size, target, row->link_downs);
	if (row->totals.damaged)
		fprintf(stream, "%s %s %s: %" PRIu64 " frames came damaged\n", row->test, row->size,
			target, row->totals.damaged);
	if (row->totals.late)
		fprintf(stream,
			"%s %s %s: %" PRIu64 " frames came too late to be told from copies; they "
			"count as lost\n",
			row->test, row->size, target, row->totals.late);
	/* Elsewhere it is part of the latency. */
	if (row->sends && !row->receives && row->scope == WM_RESULT_TOTAL &&
	    row->asked.unit != WM_RATE_MAX)
		fprintf(stream, "%s %s %s: frames left up to %.3f ms late\n", row->test, row->size,
			target, (double)row->behind_ns / (double)WM_NS_PER_MS);
	if (row->slipped_ns)
		fprintf(stream, "%s %s %s: the sender gave up %.3f s of its schedule\n", row->test,
			row->size, target, (double)row->slipped_ns / (double)WM_NS_PER_S);
}

static void print_recording(const struct wm_result_recording *recording, FILE *stream)
{
	if (!recording->path)
		return;
	wm_printable_print(stream, recording->path);
	fprintf(stream, ": %" PRIu64 " frames", recording->frames);
	if (recording->missed)
		fprintf(stream,
			"; %" PRIu64 " more were sent or received and could not be "
			"recorded",
			recording->missed);
	fputc('\n', stream);
}

int wm_result_text(const struct wm_result *result, FILE *stream)
{
	print_head(&result->head, stream);
	print_table(result, stream);
	fputc('\n', stream);
	for (unsigned i = 0; i < result->row_count; i++)
		print_remarks(&result->rows[i], stream);
	print_recording(&result->head.recording, stream);
	if (result->head.port)
		fprintf(stream, "%s\n", result->head.port);
	return 0;
}
