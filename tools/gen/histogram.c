/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

#include <assert.h>
#include <string.h>

#define LINEAR (1u << WM_HISTOGRAM_LINEAR_BITS)
#define HALF (LINEAR / 2)
#define PPM 1000000u

/* How often the width has doubled at this latency. */
static unsigned doublings_of(uint64_t latency_ns)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(latency_ns | 1);

	return bits > WM_HISTOGRAM_LINEAR_BITS ? bits - WM_HISTOGRAM_LINEAR_BITS : 0;
}

static unsigned index_of(uint64_t latency_ns)
{
	unsigned doublings = doublings_of(latency_ns);

	return doublings * HALF + (unsigned)(latency_ns >> doublings);
}

static uint64_t first_of(unsigned index)
{
	unsigned doublings = index < LINEAR ? 0 : index / HALF - 1;

	return (uint64_t)(index - doublings * HALF) << doublings;
}

static uint64_t last_of(unsigned index)
{
	return first_of(index + 1) - 1;
}

void wm_histogram_init(struct wm_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min_ns = UINT64_MAX;
}

/* One writer; who merges meanwhile sees whole figures. */
static void put(uint64_t *figure, uint64_t value)
{
	__atomic_store_n(figure, value, __ATOMIC_RELAXED);
}

static uint64_t get(const uint64_t *figure)
{
	return __atomic_load_n(figure, __ATOMIC_RELAXED);
}

static void note_extremes(struct wm_histogram *histogram, uint64_t latency_ns)
{
	if (latency_ns < histogram->min_ns)
		put(&histogram->min_ns, latency_ns);
	if (latency_ns > histogram->max_ns)
		put(&histogram->max_ns, latency_ns);
}

void wm_histogram_record(struct wm_histogram *histogram, uint64_t latency_ns)
{
	uint64_t bounded = latency_ns < WM_HISTOGRAM_NS_MAX ? latency_ns : WM_HISTOGRAM_NS_MAX;
	uint64_t *bucket = &histogram->counts[index_of(bounded)];

	note_extremes(histogram, latency_ns);
	put(&histogram->count, histogram->count + 1);
	put(bucket, *bucket + 1);
}

void wm_histogram_merge(struct wm_histogram *into, const struct wm_histogram *from)
{
	uint64_t min_ns = get(&from->min_ns), max_ns = get(&from->max_ns), count;

	/* The count is of the buckets as they were seen. */
	for (unsigned i = 0; i < WM_HISTOGRAM_BUCKETS; i++) {
		count = get(&from->counts[i]);
		into->counts[i] += count;
		into->count += count;
	}
	if (min_ns < into->min_ns)
		into->min_ns = min_ns;
	if (max_ns > into->max_ns)
		into->max_ns = max_ns;
}

/* The least number of latencies that is this share of count, at least 1. In parts,
 * so that no product overflows. */
static uint64_t rank_of(uint64_t count, uint32_t share_ppm)
{
	uint64_t rest = count % PPM * share_ppm;
	uint64_t rank = count / PPM * share_ppm + (rest + PPM - 1) / PPM;

	return rank ? rank : 1;
}

uint64_t wm_histogram_percentile(const struct wm_histogram *histogram, uint32_t share_ppm)
{
	uint64_t rank = rank_of(histogram->count, share_ppm), below = 0;
	unsigned index = 0;

	assert(share_ppm <= PPM);
	if (histogram->count == 0)
		return 0;
	while (index < WM_HISTOGRAM_BUCKETS - 1 && below + histogram->counts[index] < rank)
		below += histogram->counts[index++];
	/* The last bucket holds what is longer, too: only max_ns tells how long. */
	if (index == WM_HISTOGRAM_BUCKETS - 1 || last_of(index) > histogram->max_ns)
		return histogram->max_ns;
	return last_of(index);
}

uint64_t wm_histogram_mean(const struct wm_histogram *histogram)
{
	struct wm_histogram_bucket bucket;
	unsigned cursor = 0;
	double sum_ns = 0;

	if (histogram->count == 0)
		return 0;
	while (wm_histogram_next(histogram, &cursor, &bucket))
		sum_ns += (double)bucket.count *
			  ((double)bucket.first_ns + (double)bucket.last_ns) / 2;
	return (uint64_t)(sum_ns / (double)histogram->count + 0.5);
}

bool wm_histogram_next(const struct wm_histogram *histogram, unsigned *cursor,
		       struct wm_histogram_bucket *bucket)
{
	while (*cursor < WM_HISTOGRAM_BUCKETS && histogram->counts[*cursor] == 0)
		(*cursor)++;
	if (*cursor == WM_HISTOGRAM_BUCKETS)
		return false;
	bucket->first_ns = first_of(*cursor);
	bucket->last_ns = last_of(*cursor);
	bucket->count = histogram->counts[(*cursor)++];
	return true;
}
