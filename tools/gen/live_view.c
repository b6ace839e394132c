/* SPDX-License-Identifier: BSD-3-Clause */
#include "live_view.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "result_writers.h"

/* Head, table of two rows, losses, latency, an empty line, names; how many more. */
#define LINES_BESIDE_TARGETS 9u
#define RATE_BYTES (WM_RESULT_CELL_BYTES + 8)

/* ---- taken off ------------------------------------------------------------- */

static void take(struct wm_live_target *shown, const struct wm_traffic_totals *totals,
		 const struct wm_histogram *latency)
{
	struct wm_result_row row = { 0 };

	wm_traffic_get_totals(totals, &shown->totals);
	wm_result_row_latency(&row, latency, false);
	shown->latency = row.latency;
}

void wm_live_take(struct wm_live_sample *sample, const struct wm_traffic *traffic, uint64_t now_ns,
		  struct wm_histogram scratch[2])
{
	struct wm_histogram *all = &scratch[0], *own = &scratch[1];

	sample->now_ns = now_ns;
	sample->target_count = wm_traffic_target_count(traffic);
	wm_histogram_init(all);
	for (uint32_t i = 0; i < sample->target_count; i++) {
		const struct wm_traffic_target *target = &traffic->targets[i];

		wm_histogram_init(own);
		if (target->latency)
			wm_histogram_merge(own, target->latency);
		wm_histogram_merge(all, own);
		if (i >= WM_LIVE_TARGETS_MAX)
			continue;
		wm_traffic_address_name(sample->targets[i].name, &target->address);
		take(&sample->targets[i], &target->totals, own);
	}
	take(&sample->all, &traffic->totals, all);
}

/* ---- figures --------------------------------------------------------------- */

static struct wm_traffic_count since(struct wm_traffic_count before, struct wm_traffic_count now)
{
	return (struct wm_traffic_count){ now.frames - before.frames, now.bytes - before.bytes };
}

/* That are to come: as far as it is known. */
static uint64_t awaited_of(const struct wm_live_head *head, const struct wm_traffic_totals *totals)
{
	return wm_traffic_mode_sends(head->mode) ? totals->sent.frames : totals->expected;
}

/* Figures of two instants: what came since the first was read is no less than nothing. */
static uint64_t missing_of(const struct wm_live_head *head, const struct wm_traffic_totals *totals)
{
	uint64_t all = awaited_of(head, totals);
	uint64_t distinct = totals->received.frames - totals->duplicates - totals->late;

	return all > distinct ? all - distinct : 0;
}

static double missing_percent(const struct wm_live_head *head,
			      const struct wm_traffic_totals *totals)
{
	uint64_t all = awaited_of(head, totals);

	return all ? 100 * (double)missing_of(head, totals) / (double)all : 0;
}

static const char *mode_name(enum wm_traffic_mode mode)
{
	static const char *const names[] = {
		[WM_TRAFFIC_TRANSMIT] = "transmit", [WM_TRAFFIC_ROUNDTRIP] = "roundtrip",
		[WM_TRAFFIC_RECEIVE] = "receive",   [WM_TRAFFIC_ECHO] = "echo",
		[WM_TRAFFIC_REPLAY] = "replay",
	};

	return names[mode];
}

/* ---- text -------------------------------------------------------------------- */

static double seconds(uint64_t ns)
{
	return (double)ns / (double)WM_NS_PER_S;
}

static void print_head(FILE *stream, const struct wm_live_head *head,
		       const struct wm_live_sample *now)
{
	char asked[64];

	fputs(mode_name(head->mode), stream);
	if (wm_traffic_mode_sends(head->mode))
		fprintf(stream, ", %s bytes, %s", head->size,
			wm_rate_format(asked, sizeof(asked), head->asked));
	fprintf(stream, ", %.1f s", seconds(now->now_ns - head->start_ns));
	if (head->duration_ns)
		fprintf(stream, " of %g s", seconds(head->duration_ns));
	if (head->count_max)
		fprintf(stream, ", %" PRIu64 " frames in all", head->count_max);
	fputc('\n', stream);
}

/* "12.2 Mbit/s", "500 pps" */
static char *rate_of(char text[RATE_BYTES], double per_s, const char *unit)
{
	char figure[WM_RESULT_CELL_BYTES];
	bool has_prefix = per_s >= 999.5;

	snprintf(text, RATE_BYTES, "%s%s%s", wm_result_figure(figure, true, per_s),
		 has_prefix ? "" : " ", unit);
	return text;
}

static void add_way(struct wm_table *table, const struct wm_live_head *head, const char *name,
		    struct wm_traffic_count now, struct wm_traffic_count lately, uint64_t took_ns)
{
	double bits = wm_result_bits_per_s(lately, took_ns);
	char rate[RATE_BYTES];

	wm_table_add(table, "%s", name);
	wm_table_add(table, "%s", rate_of(rate, wm_result_frames_per_s(lately, took_ns), "pps"));
	wm_table_add(table, "%s", rate_of(rate, bits, "bit/s"));
	if (head->line_bits_per_s)
		wm_table_add(table, "%.1f %%", 100 * bits / (double)head->line_bits_per_s);
	else
		wm_table_add(table, "-");
	wm_table_add(table, "%" PRIu64, now.frames);
}

static void print_ways(FILE *stream, const struct wm_live_head *head,
		       const struct wm_live_sample *before, const struct wm_live_sample *now)
{
	static const struct wm_column columns[] = { { "", false },
						    { "rate", true },
						    { "on the wire", true },
						    { "of line", true },
						    { "frames so far", true } };
	struct wm_table *table = wm_table_create(columns, sizeof(columns) / sizeof(columns[0]));
	uint64_t took_ns = now->now_ns - before->now_ns;
	const struct wm_traffic_totals *was = &before->all.totals, *is = &now->all.totals;

	if (wm_traffic_mode_sends(head->mode))
		add_way(table, head, "sent", is->sent, since(was->sent, is->sent), took_ns);
	if (wm_traffic_mode_receives(head->mode))
		add_way(table, head, "received", is->received, since(was->received, is->received),
			took_ns);
	wm_table_print(table, stream, 0);
	wm_table_destroy(&table);
}

static void print_losses(FILE *stream, const struct wm_live_head *head,
			 const struct wm_live_sample *now)
{
	const struct wm_traffic_totals *totals = &now->all.totals;

	fprintf(stream,
		"missing %" PRIu64 " (%.3g %%), reordered %" PRIu64 ", duplicates %" PRIu64
		", damaged %" PRIu64,
		missing_of(head, totals), missing_percent(head, totals), totals->reordered,
		totals->duplicates, totals->damaged);
}

static void print_latency(FILE *stream, const struct wm_result_latency *latency)
{
	char p50[WM_RESULT_CELL_BYTES], p99[WM_RESULT_CELL_BYTES], max[WM_RESULT_CELL_BYTES];

	fprintf(stream, "latency p50 %s, p99 %s, max %s",
		wm_result_time(p50, true, latency->p50_ns),
		wm_result_time(p99, true, latency->p99_ns),
		wm_result_time(max, true, latency->max_ns));
}

static void add_target(struct wm_table *table, const struct wm_live_head *head,
		       const struct wm_live_target *before, const struct wm_live_target *now,
		       uint64_t took_ns)
{
	const struct wm_traffic_totals *was = &before->totals, *is = &now->totals;
	const struct wm_result_latency *latency = &now->latency;
	const uint64_t times_ns[] = { latency->p50_ns, latency->p99_ns, latency->max_ns };
	const bool receives = wm_traffic_mode_receives(head->mode);

	wm_table_add(table, "%s", now->name);
	wm_result_add_figure(table, wm_traffic_mode_sends(head->mode),
			     wm_result_frames_per_s(since(was->sent, is->sent), took_ns));
	wm_result_add_figure(table, receives,
			     wm_result_frames_per_s(since(was->received, is->received), took_ns));
	wm_result_add_count(table, receives, missing_of(head, is));
	wm_result_add_count(table, receives, is->reordered);
	wm_result_add_count(table, receives, is->duplicates);
	wm_result_add_times(table, latency, times_ns, sizeof(times_ns) / sizeof(times_ns[0]));
}

/* A target that was not there before began with zeroes. */
static void print_targets(FILE *stream, const struct wm_live_head *head,
			  const struct wm_live_sample *before, const struct wm_live_sample *now,
			  uint32_t count)
{
	static const struct wm_column columns[] = {
		{ "target", false }, { "sent/s", true },    { "received/s", true },
		{ "missing", true }, { "reordered", true }, { "duplicates", true },
		{ "p50", true },     { "p99", true },	    { "max", true },
	};
	static const struct wm_live_target none;
	struct wm_table *table = wm_table_create(columns, sizeof(columns) / sizeof(columns[0]));

	for (uint32_t i = 0; i < count; i++)
		add_target(table, head, i < before->target_count ? &before->targets[i] : &none,
			   &now->targets[i], now->now_ns - before->now_ns);
	wm_table_print(table, stream, 0);
	wm_table_destroy(&table);
}

static uint32_t targets_shown(const struct wm_live_sample *now, unsigned lines_max)
{
	uint32_t fitting = lines_max > LINES_BESIDE_TARGETS ? lines_max - LINES_BESIDE_TARGETS : 0;
	uint32_t count = now->target_count;

	if (count > WM_LIVE_TARGETS_MAX)
		count = WM_LIVE_TARGETS_MAX;
	return count < fitting ? count : fitting;
}

void wm_live_print(FILE *stream, const struct wm_live_head *head,
		   const struct wm_live_sample *before, const struct wm_live_sample *now,
		   unsigned lines_max)
{
	uint32_t shown = targets_shown(now, lines_max);

	print_head(stream, head, now);
	print_ways(stream, head, before, now);
	if (wm_traffic_mode_receives(head->mode)) {
		print_losses(stream, head, now);
		fputc('\n', stream);
	}
	if (now->all.latency.count > 0) {
		print_latency(stream, &now->all.latency);
		fputc('\n', stream);
	}
	if (shown == 0)
		return;
	fputc('\n', stream);
	print_targets(stream, head, before, now, shown);
	if (shown < now->target_count)
		fprintf(stream, "and %" PRIu32 " more\n", now->target_count - shown);
}

static void print_rate(FILE *stream, const char *way, struct wm_traffic_count lately,
		       uint64_t took_ns)
{
	char rate[RATE_BYTES], bits[RATE_BYTES];

	fprintf(stream, ", %s %s (%s)", way,
		rate_of(rate, wm_result_frames_per_s(lately, took_ns), "pps"),
		rate_of(bits, wm_result_bits_per_s(lately, took_ns), "bit/s"));
}

void wm_live_print_line(FILE *stream, const struct wm_live_head *head,
			const struct wm_live_sample *before, const struct wm_live_sample *now)
{
	const struct wm_traffic_totals *was = &before->all.totals, *is = &now->all.totals;
	uint64_t took_ns = now->now_ns - before->now_ns;

	fprintf(stream, "%s %.1f s", mode_name(head->mode), seconds(now->now_ns - head->start_ns));
	if (wm_traffic_mode_sends(head->mode))
		print_rate(stream, "sent", since(was->sent, is->sent), took_ns);
	if (wm_traffic_mode_receives(head->mode)) {
		print_rate(stream, "received", since(was->received, is->received), took_ns);
		fputs(", ", stream);
		print_losses(stream, head, now);
	}
	if (now->all.latency.count > 0) {
		fputs(", ", stream);
		print_latency(stream, &now->all.latency);
	}
	fputc('\n', stream);
}
