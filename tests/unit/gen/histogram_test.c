/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "seed.h"

static struct wm_histogram histogram, other;

static struct wm_histogram_bucket bucket_of(uint64_t latency_ns)
{
	struct wm_histogram_bucket bucket = { 0 };
	unsigned cursor = 0;

	wm_histogram_init(&other);
	wm_histogram_record(&other, latency_ns);
	CU_ASSERT_TRUE(wm_histogram_next(&other, &cursor, &bucket));
	return bucket;
}

static void an_empty_one_has_no_percentiles(void)
{
	struct wm_histogram_bucket bucket = { 0 };
	unsigned cursor = 0;

	wm_histogram_init(&histogram);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 500000), 0);
	CU_ASSERT_EQUAL(wm_histogram_mean(&histogram), 0);
	CU_ASSERT_FALSE(wm_histogram_next(&histogram, &cursor, &bucket));
}

static void a_bucket_holds_its_latency_within_a_thousandth(void)
{
	for (uint64_t ns = 1; ns < WM_HISTOGRAM_NS_MAX; ns += ns / 7 + 1) {
		struct wm_histogram_bucket bucket = bucket_of(ns);

		CU_ASSERT(bucket.first_ns <= ns && ns <= bucket.last_ns);
		CU_ASSERT((bucket.last_ns - bucket.first_ns) * 1000 <= bucket.first_ns);
	}
}

static void buckets_follow_each_other_without_a_gap(void)
{
	struct wm_histogram_bucket bucket = bucket_of(0);

	CU_ASSERT(bucket.first_ns == 0 && bucket.last_ns == 0);
	for (unsigned i = 1; i < WM_HISTOGRAM_BUCKETS; i++) {
		struct wm_histogram_bucket next = bucket_of(bucket.last_ns + 1);

		CU_ASSERT_EQUAL(next.first_ns, bucket.last_ns + 1);
		bucket = next;
	}
	CU_ASSERT_EQUAL(bucket.last_ns, WM_HISTOGRAM_NS_MAX);
}

static void percentiles_are_those_of_the_sorted_list(void)
{
	wm_histogram_init(&histogram);
	for (uint64_t ns = 1; ns <= 1000; ns++)
		wm_histogram_record(&histogram, ns);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 0), 1);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 500000), 500);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 500001), 501);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 990000), 990);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 999900), 1000);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 1000000), 1000);
	CU_ASSERT_EQUAL(wm_histogram_mean(&histogram), 501);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void percentiles_of_random_latencies_are_within_a_thousandth(void)
{
	static const uint32_t shares[] = { 1, 250000, 500000, 900000, 999000, 999900, 1000000 };
	static uint64_t sorted[20000];
	uint64_t random = 1;

	wm_histogram_init(&histogram);
	for (unsigned i = 0; i < 20000; i++) {
		sorted[i] = wm_random(&random) >> (22 + wm_random_below(&random, 40));
		wm_histogram_record(&histogram, sorted[i]);
	}
	qsort(sorted, 20000, sizeof(sorted[0]), by_size);
	for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		uint64_t rank = (20000ull * shares[i] + 999999) / 1000000;
		uint64_t exact = sorted[rank - 1];
		uint64_t found = wm_histogram_percentile(&histogram, shares[i]);

		CU_ASSERT(found >= exact && (found - exact) * 1000 <= exact);
	}
}

static void the_longest_is_exact(void)
{
	wm_histogram_init(&histogram);
	wm_histogram_record(&histogram, 1234567891);
	CU_ASSERT_EQUAL(histogram.max_ns, 1234567891);
	CU_ASSERT_EQUAL(histogram.min_ns, 1234567891);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 999999), 1234567891);
}

static void longer_than_the_range_is_counted_and_told(void)
{
	wm_histogram_init(&histogram);
	wm_histogram_record(&histogram, UINT64_MAX);
	CU_ASSERT_EQUAL(histogram.count, 1);
	CU_ASSERT_EQUAL(wm_histogram_percentile(&histogram, 500000), UINT64_MAX);
}

static void merging_equals_recording_into_one(void)
{
	static struct wm_histogram all, parts[2];
	uint64_t random = 3;

	wm_histogram_init(&all);
	wm_histogram_init(&parts[0]);
	wm_histogram_init(&parts[1]);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t ns = wm_random(&random) >> wm_random_below(&random, 64);

		wm_histogram_record(&all, ns);
		wm_histogram_record(&parts[i % 2], ns);
	}
	wm_histogram_merge(&parts[0], &parts[1]);
	CU_ASSERT_EQUAL(memcmp(&all, &parts[0], sizeof(all)), 0);
}

static void iterating_gives_every_latency_once(void)
{
	struct wm_histogram_bucket bucket = { 0 };
	unsigned cursor = 0;
	uint64_t random = 5, seen = 0, last_ns = 0;

	wm_histogram_init(&histogram);
	for (unsigned i = 0; i < 5000; i++)
		wm_histogram_record(&histogram, 1 + wm_random_below(&random, 1000000));
	while (wm_histogram_next(&histogram, &cursor, &bucket)) {
		CU_ASSERT(bucket.count > 0 && bucket.first_ns > last_ns);
		seen += bucket.count;
		last_ns = bucket.last_ns;
	}
	CU_ASSERT_EQUAL(seen, 5000);
}

static const struct wm_test tests[] = {
	WM_TEST(an_empty_one_has_no_percentiles),
	WM_TEST(a_bucket_holds_its_latency_within_a_thousandth),
	WM_TEST(buckets_follow_each_other_without_a_gap),
	WM_TEST(percentiles_are_those_of_the_sorted_list),
	WM_TEST(percentiles_of_random_latencies_are_within_a_thousandth),
	WM_TEST(the_longest_is_exact),
	WM_TEST(longer_than_the_range_is_counted_and_told),
	WM_TEST(merging_equals_recording_into_one),
	WM_TEST(iterating_gives_every_latency_once),
};

int main(void)
{
	return WM_TESTS_RUN("histogram", tests);
}
