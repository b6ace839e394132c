/* SPDX-License-Identifier: BSD-3-Clause */
#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

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

static void add_traffic(struct wm_result_traffic *total, struct wm_result_traffic part)
{
	total->frames += part.frames;
	total->bytes += part.bytes;
}

void wm_result_row_add(struct wm_result_row *total, const struct wm_result_row *part)
{
	total->sends |= part->sends;
	total->receives |= part->receives;
	total->sequenced |= part->sequenced;
	add_traffic(&total->sent, part->sent);
	add_traffic(&total->received, part->received);
	total->lost += part->lost;
	total->reordered += part->reordered;
	total->duplicates += part->duplicates;
	total->late += part->late;
	total->damaged += part->damaged;
}

static double per_second(double amount, uint64_t duration_ns)
{
	return duration_ns ? amount * (double)WM_NS_PER_S / (double)duration_ns : 0;
}

double wm_result_frames_per_s(struct wm_result_traffic traffic, uint64_t duration_ns)
{
	return per_second((double)traffic.frames, duration_ns);
}

double wm_result_bits_per_s(struct wm_result_traffic traffic, uint64_t duration_ns)
{
	double bytes = (double)traffic.bytes + WM_ETHER_GAP_BYTES * (double)traffic.frames;

	return per_second(8 * bytes, duration_ns);
}

double wm_result_loss(const struct wm_result_row *row)
{
	double distinct = (double)row->received.frames - (double)row->duplicates -
			  (double)row->late;
	double all = row->sends ? (double)row->sent.frames : distinct + (double)row->lost;

	return all > 0 ? (double)row->lost / all : 0;
}

double wm_result_frame_bytes(const struct wm_result_row *row)
{
	const struct wm_result_traffic *traffic = row->sends ? &row->sent : &row->received;

	return traffic->frames ? (double)traffic->bytes / (double)traffic->frames : 0;
}
