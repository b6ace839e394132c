/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Latencies, counted to three significant digits in bounded memory, after the
 * idea of Gil Tene's HdrHistogram: buckets of equal width up to 2048 ns, then
 * 1024 of twice the width for each further power of two. So a bucket is never
 * wider than 1/1024 of what it holds.
 *
 *   0 .. 2047        1 ns wide     2048 buckets
 *   2048 .. 4095     2 ns          1024
 *   4096 .. 8191     4 ns          1024
 *   ...                                    up to 2^42 ns, more than one hour
 *
 * Coordinated omission (Tene): a sender that waits for a slow answer does not
 * measure the answers that it would have waited for meanwhile. So a latency counts from
 * when the frame should have been sent (the intended time of wm_bucket_take).
 *
 * The caller supplies the memory (265 KiB). One thread records, in constant time.
 */
#ifndef WM_GEN_HISTOGRAM_H
#define WM_GEN_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* What is longer is counted as this long; max_ns still tells. */
#define WM_HISTOGRAM_BITS 42u
#define WM_HISTOGRAM_NS_MAX ((1ull << WM_HISTOGRAM_BITS) - 1)
#define WM_HISTOGRAM_LINEAR_BITS 11u
#define WM_HISTOGRAM_BUCKETS                \
	((1u << WM_HISTOGRAM_LINEAR_BITS) + \
	 (WM_HISTOGRAM_BITS - WM_HISTOGRAM_LINEAR_BITS) * (1u << (WM_HISTOGRAM_LINEAR_BITS - 1)))

struct wm_histogram {
	uint64_t count;
	uint64_t min_ns, max_ns; /* exact; UINT64_MAX and 0 while empty */
	uint64_t counts[WM_HISTOGRAM_BUCKETS];
};

/* Latencies from first_ns to last_ns, both included. */
struct wm_histogram_bucket {
	uint64_t first_ns, last_ns;
	uint64_t count;
};

void wm_histogram_init(struct wm_histogram *histogram);
void wm_histogram_record(struct wm_histogram *histogram, uint64_t latency_ns);
/* From any thread, also while `from` is recorded into: each bucket is whole, together they
 * may be of two instants. */
void wm_histogram_merge(struct wm_histogram *into, const struct wm_histogram *from);

/* The latency that this share of all does not exceed, in parts per million
 * (999900: 99.99 %): the end of its bucket, never beyond max_ns. 0: empty. */
uint64_t wm_histogram_percentile(const struct wm_histogram *histogram, uint32_t share_ppm);
/* As exact as the buckets. 0: empty. */
uint64_t wm_histogram_mean(const struct wm_histogram *histogram);
/* Goes on from *cursor (0 at first) to the next bucket that is not empty. */
bool wm_histogram_next(const struct wm_histogram *histogram, unsigned *cursor,
		       struct wm_histogram_bucket *bucket);

#endif
