/* SPDX-License-Identifier: BSD-3-Clause */
#include "result_writers.h"

#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "json_table.h"

#define PPM 1e6

static double seconds(uint64_t ns)
{
	return (double)ns / (double)WM_NS_PER_S;
}

static json_t *number_if(bool is_known, uint64_t number)
{
	return is_known ? json_integer((json_int_t)number) : json_null();
}

static json_t *asked(struct wm_rate rate)
{
	static const char *const units[] = { [WM_RATE_MAX] = "max",
					     [WM_RATE_FRAMES] = "frames",
					     [WM_RATE_BITS_L2] = "bits_l2",
					     [WM_RATE_BITS_L1] = "bits_l1",
					     [WM_RATE_RECORDED] = "recorded" };

	return json_pack(
		"{s:s, s:o}", "unit", units[rate.unit], "per_s",
		number_if(rate.unit != WM_RATE_MAX && rate.unit != WM_RATE_RECORDED, rate.per_s));
}

static json_t *traffic(bool is_known, struct wm_traffic_count count, uint64_t duration_ns)
{
	if (!is_known)
		return json_null();
	return json_pack("{s:I, s:I, s:f, s:f}", "frames", (json_int_t)count.frames, "bytes",
			 (json_int_t)count.bytes, "frames_per_s",
			 wm_result_frames_per_s(count, duration_ns), "bits_per_s",
			 wm_result_bits_per_s(count, duration_ns));
}

static json_t *latency(const struct wm_result_latency *latency)
{
	if (latency->count == 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "count",
			 (json_int_t)latency->count, "min", (json_int_t)latency->min_ns, "mean",
			 (json_int_t)latency->mean_ns, "p50", (json_int_t)latency->p50_ns, "p90",
			 (json_int_t)latency->p90_ns, "p99", (json_int_t)latency->p99_ns, "p99.9",
			 (json_int_t)latency->p999_ns, "p99.99", (json_int_t)latency->p9999_ns,
			 "max", (json_int_t)latency->max_ns);
}

static json_t *histogram(const struct wm_histogram *histogram)
{
	struct wm_histogram_bucket bucket;
	json_t *buckets;
	unsigned cursor = 0;

	if (!histogram)
		return json_null();
	buckets = json_array();
	while (wm_histogram_next(histogram, &cursor, &bucket))
		json_array_append_new(buckets, json_pack("[I, I]", (json_int_t)bucket.last_ns,
							 (json_int_t)bucket.count));
	return buckets;
}

static json_t *confidence(const struct wm_result_search *search)
{
	const struct wm_search_result *found = &search->found;

	return json_pack(
		"{s:f, s:f, s:f}", "confidence", search->confidence_ppm / PPM, "failure_bound",
		wm_search_failure_bound(search->confidence_ppm, found->trials_each) / PPM,
		"confidence_overall",
		wm_search_confidence_overall(search->confidence_ppm, found->candidates) / PPM);
}

static json_t *search(const struct wm_result_search *search)
{
	const struct wm_search_result *found = &search->found;
	json_t *object;

	if (search->kind == WM_SEARCH_NONE)
		return json_null();
	object = json_pack("{s:s, s:b, s:I, s:o, s:b, s:i, s:i, s:i, s:I, s:f, s:f}", "kind",
			   search->kind == WM_SEARCH_THROUGHPUT ? "throughput" : "critical",
			   "found", found->found, "rate", (json_int_t)found->rate, "failed_at",
			   number_if(found->failed_at > 0, found->failed_at), "tester_limited",
			   found->tester_limited, "trials", found->trials, "trials_each",
			   found->trials_each, "candidates", found->candidates, "resolution",
			   (json_int_t)search->resolution, "trial_s", seconds(search->trial_ns),
			   "loss_tolerated", search->tolerated_ppm / PPM);
	if (search->kind == WM_SEARCH_CRITICAL)
		json_object_update_new(object, confidence(search));
	return object;
}

json_t *wm_result_json_row(const struct wm_result_row *row)
{
	const struct wm_traffic_totals *totals = &row->totals;
	bool numbered = row->receives;

	return json_pack(
		"{s:s, s:s, s:f, s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:I, s:f, s:f, s:f, s:I, s:o, s:o, s:o}",
		"test", row->test, "size", row->size, "frame_bytes", wm_result_frame_bytes(row),
		"scope", row->scope == WM_RESULT_TOTAL ? "total" : "node", "target",
		wm_json_printable(row->target), "duration_s", seconds(row->duration_ns), "asked",
		asked(row->asked), "sent", traffic(row->sends, totals->sent, row->duration_ns),
		"received", traffic(row->receives, totals->received, row->duration_ns), "lost",
		number_if(numbered, row->lost), "loss",
		numbered ? json_real(wm_result_loss(row)) : json_null(), "reordered",
		number_if(numbered, totals->reordered), "duplicates",
		number_if(numbered, totals->duplicates), "late", number_if(numbered, totals->late),
		"damaged", (json_int_t)totals->damaged, "behind_s", seconds(row->behind_ns),
		"slipped_s", seconds(row->slipped_ns), "busy_s", seconds(row->busy_ns),
		"link_downs", (json_int_t)row->link_downs, "latency_ns", latency(&row->latency),
		"histogram", histogram(row->histogram), "search", search(&row->search));
}

static json_t *rows(const struct wm_result *result)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < result->row_count; i++) {
		if (json_array_append_new(array, wm_result_json_row(&result->rows[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *recording(const struct wm_result_recording *recording)
{
	if (!recording->path)
		return json_null();
	return json_pack("{s:o, s:I, s:I}", "file", wm_json_printable(recording->path), "frames",
			 (json_int_t)recording->frames, "missed", (json_int_t)recording->missed);
}

static json_t *whole(const struct wm_result *result)
{
	const struct wm_result_head *head = &result->head;

	return json_pack(
		"{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "format",
		"wiremill-gen-result", "format_version", 1, "version",
		wm_json_printable(head->version), "started", wm_json_printable(head->started),
		"host", wm_json_printable(head->host), "interface",
		wm_json_printable(head->interface), "driver", wm_json_printable(head->driver),
		"command", wm_json_printable(head->command), "mtu", (json_int_t)head->mtu,
		"line_bits_per_s", number_if(head->line_bits_per_s > 0, head->line_bits_per_s),
		"recording", recording(&head->recording), "results", rows(result));
}

int wm_result_json(const struct wm_result *result, FILE *stream)
{
	json_t *value = whole(result);
	int ret;

	if (!value)
		return -ENOMEM;
	ret = json_dumpf(value, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
	fputc('\n', stream);
	json_decref(value);
	return ret < 0 ? -EIO : 0;
}
