/* SPDX-License-Identifier: BSD-3-Clause */
#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "result_writers.h"

#define ROWS_FIRST 16u

void wm_result_init(struct wm_result *result)
{
	memset(result, 0, sizeof(*result));
}

void wm_result_fini(struct wm_result *result)
{
	for (unsigned i = 0; i < result->row_count; i++)
		free(result->rows[i].histogram);
	free(result->rows);
	wm_result_init(result);
}

static int make_room(struct wm_result *result)
{
	unsigned room = result->row_room ? 2 * result->row_room : ROWS_FIRST;
	struct wm_result_row *rows;

	if (result->row_count < result->row_room)
		return 0;
	rows = reallocarray(result->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	result->rows = rows;
	result->row_room = room;
	return 0;
}

struct wm_result_row *wm_result_add(struct wm_result *result)
{
	struct wm_result_row *row;

	if (make_room(result) < 0)
		return NULL;
	row = &result->rows[result->row_count++];
	memset(row, 0, sizeof(*row));
	return row;
}

static void sum_up(struct wm_result_latency *latency, const struct wm_histogram *histogram)
{
	latency->count = histogram->count;
	latency->min_ns = histogram->count ? histogram->min_ns : 0;
	latency->mean_ns = wm_histogram_mean(histogram);
	latency->p50_ns = wm_histogram_percentile(histogram, 500000);
	latency->p90_ns = wm_histogram_percentile(histogram, 900000);
	latency->p99_ns = wm_histogram_percentile(histogram, 990000);
	latency->p999_ns = wm_histogram_percentile(histogram, 999000);
	latency->p9999_ns = wm_histogram_percentile(histogram, 999900);
	latency->max_ns = histogram->max_ns;
}

int wm_result_row_latency(struct wm_result_row *row, const struct wm_histogram *histogram,
			  bool keep)
{
	sum_up(&row->latency, histogram);
	if (!keep || histogram->count == 0)
		return 0;
	if (!row->histogram)
		row->histogram = malloc(sizeof(*histogram));
	if (!row->histogram)
		return -ENOMEM;
	memcpy(row->histogram, histogram, sizeof(*histogram));
	return 0;
}

/* ---- of traffic ------------------------------------------------------------------ */

/* Of sending, or of receiving where nothing is sent. */
static uint64_t duration_ns(const struct wm_traffic *traffic)
{
	if (wm_traffic_mode_sends(traffic->config.mode))
		return traffic->send_end_ns - traffic->start_ns;
	return traffic->last_ns > traffic->first_ns ? traffic->last_ns - traffic->first_ns : 0;
}

/* What all its rows have in common. */
static struct wm_result_row *add_row(struct wm_result *result, const char *test,
				     const struct wm_traffic *traffic)
{
	const struct wm_traffic_config *config = &traffic->config;
	struct wm_result_row *row = wm_result_add(result);

	if (!row)
		return NULL;
	snprintf(row->test, sizeof(row->test), "%s", test);
	row->sends = wm_traffic_mode_sends(config->mode);
	row->receives = wm_traffic_mode_receives(config->mode);
	row->duration_ns = duration_ns(traffic);
	if (!row->sends)
		return row;
	snprintf(row->size, sizeof(row->size), "%s", config->size.name);
	row->asked = config->rate;
	row->behind_ns = traffic->behind_max_ns;
	row->slipped_ns = traffic->bucket.slipped_ns;
	return row;
}

static int add_total(struct wm_result *result, const char *test, const struct wm_traffic *traffic,
		     struct wm_histogram *latency)
{
	struct wm_result_row *row = add_row(result, test, traffic);

	if (!row)
		return -ENOMEM;
	wm_histogram_init(latency);
	for (uint32_t i = 0; i < traffic->target_count; i++) {
		if (traffic->targets[i].latency)
			wm_histogram_merge(latency, traffic->targets[i].latency);
	}
	row->scope = WM_RESULT_TOTAL;
	row->busy_ns = traffic->busy_ns;
	row->link_downs = traffic->link_downs;
	row->totals = traffic->totals;
	row->lost = row->receives ? wm_traffic_lost_of_all(traffic) : 0;
	return wm_result_row_latency(row, latency, true);
}

static int add_target(struct wm_result *result, const char *test, const struct wm_traffic *traffic,
		      const struct wm_traffic_target *target)
{
	struct wm_result_row *row = add_row(result, test, traffic);

	if (!row)
		return -ENOMEM;
	row->scope = WM_RESULT_NODE;
	wm_traffic_address_name(row->target, &target->address);
	row->totals = target->totals;
	row->lost = row->receives ? wm_traffic_lost(traffic, target) : 0;
	return target->latency ? wm_result_row_latency(row, target->latency, false) : 0;
}

int wm_result_add_traffic(struct wm_result *result, const char *test,
			  const struct wm_traffic *traffic)
{
	struct wm_histogram *latency = malloc(sizeof(*latency));
	int ret = latency ? add_total(result, test, traffic, latency) : -ENOMEM;

	for (uint32_t i = 0; ret == 0 && i < traffic->target_count; i++)
		ret = add_target(result, test, traffic, &traffic->targets[i]);
	free(latency);
	return ret;
}

int wm_result_write(const struct wm_result *result, enum wm_result_format format, FILE *stream)
{
	static int (*const writers[])(const struct wm_result *, FILE *) = {
		[WM_RESULT_TEXT] = wm_result_text,
		[WM_RESULT_JSON] = wm_result_json,
		[WM_RESULT_CSV] = wm_result_csv,
	};
	int ret = writers[format](result, stream);

	if (ret == 0 && (fflush(stream) != 0 || ferror(stream)))
		ret = -EIO;
	return ret;
}

/* ---- worked out ------------------------------------------------------------------ */

static double per_second(double amount, uint64_t duration_ns)
{
	return duration_ns ? amount * (double)WM_NS_PER_S / (double)duration_ns : 0;
}

double wm_result_frames_per_s(struct wm_traffic_count count, uint64_t duration_ns)
{
	return per_second((double)count.frames, duration_ns);
}

double wm_result_bits_per_s(struct wm_traffic_count count, uint64_t duration_ns)
{
	double bytes = (double)count.bytes + WM_ETHER_GAP_BYTES * (double)count.frames;

	return per_second(8 * bytes, duration_ns);
}

double wm_result_loss(const struct wm_result_row *row)
{
	const struct wm_traffic_totals *totals = &row->totals;
	double distinct = (double)totals->received.frames - (double)totals->duplicates -
			  (double)totals->late;
	double all = row->sends ? (double)totals->sent.frames : distinct + (double)row->lost;

	return all > 0 ? (double)row->lost / all : 0;
}

double wm_result_frame_bytes(const struct wm_result_row *row)
{
	const struct wm_traffic_totals *totals = &row->totals;
	struct wm_traffic_count count = row->sends ? totals->sent : totals->received;

	return count.frames ? (double)count.bytes / (double)count.frames : 0;
}
