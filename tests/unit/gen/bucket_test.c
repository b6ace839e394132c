/* SPDX-License-Identifier: BSD-3-Clause */
#include "bucket.h"

#include "clock.h"
#include "harness.h"
#include "seed.h"

/* It never slips: the load is what was asked for. */
#define DEPTH_ENDLESS UINT64_MAX

static struct wm_bucket bucket;

static void begin(enum wm_rate_unit unit, uint64_t per_s, uint32_t burst, uint64_t depth_ns)
{
	wm_bucket_init(&bucket, (struct wm_rate){ unit, per_s }, burst, depth_ns, 0);
}

/* A sender that is always in time. */
static uint64_t take_when_due(uint32_t frame_bytes)
{
	return wm_bucket_take(&bucket, frame_bytes, bucket.due_ns);
}

static void frames_are_due_evenly(void)
{
	begin(WM_RATE_FRAMES, 1000, 1, DEPTH_ENDLESS);
	for (uint64_t i = 0; i < 10; i++) {
		CU_ASSERT_FALSE(i > 0 && wm_bucket_is_due(&bucket, i * WM_NS_PER_MS - 1));
		CU_ASSERT_TRUE(wm_bucket_is_due(&bucket, i * WM_NS_PER_MS));
		CU_ASSERT_EQUAL(take_when_due(64), i * WM_NS_PER_MS);
	}
}

/* After n frames of one cost: exactly n * cost * 10^9 / rate, rounded down. */
static void expect_no_drift(enum wm_rate_unit unit, uint64_t per_s, uint32_t frame_bytes)
{
	uint64_t cost = wm_rate_cost(unit, frame_bytes);
	unsigned __int128 exact_ns;

	begin(unit, per_s, 1, DEPTH_ENDLESS);
	for (uint64_t frames = 0; frames < 300000; frames++) {
		exact_ns = (unsigned __int128)frames * cost * WM_NS_PER_S / per_s;
		if (take_when_due(frame_bytes) != (uint64_t)exact_ns) {
			CU_FAIL("drifted");
			return;
		}
	}
}

static void rates_that_do_not_divide_never_drift(void)
{
	expect_no_drift(WM_RATE_FRAMES, 14880952, 64);
	expect_no_drift(WM_RATE_FRAMES, 3, 64);
	expect_no_drift(WM_RATE_FRAMES, 999999937, 64);
	expect_no_drift(WM_RATE_BITS_L1, 10000000000, 64);
	expect_no_drift(WM_RATE_BITS_L1, 999999999989, 9018);
	expect_no_drift(WM_RATE_BITS_L2, 7, 9018);
	expect_no_drift(WM_RATE_BITS_L2, 123456789, 1517);
}

static void sizes_that_change_never_drift(void)
{
	uint64_t random = 11, bits = 0, rate = 987654321;

	begin(WM_RATE_BITS_L1, rate, 1, DEPTH_ENDLESS);
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t bytes = 64 + wm_random_below(&random, 8955);
		unsigned __int128 exact_ns = (unsigned __int128)bits * WM_NS_PER_S / rate;

		if (take_when_due(bytes) != (uint64_t)exact_ns) {
			CU_FAIL("drifted");
			return;
		}
		bits += wm_rate_cost(WM_RATE_BITS_L1, bytes);
	}
}

static void a_stalled_sender_catches_up_at_the_intended_times(void)
{
	uint64_t now_ns = 50 * WM_NS_PER_MS;

	begin(WM_RATE_FRAMES, 1000, 1, DEPTH_ENDLESS);
	for (uint64_t i = 0; i <= 50; i++) {
		CU_ASSERT_TRUE(wm_bucket_is_due(&bucket, now_ns));
		CU_ASSERT_EQUAL(wm_bucket_take(&bucket, 64, now_ns), i * WM_NS_PER_MS);
	}
	CU_ASSERT_FALSE(wm_bucket_is_due(&bucket, now_ns));
	CU_ASSERT_EQUAL(bucket.slipped_ns, 0);
}

static void what_is_older_than_the_depth_is_given_up(void)
{
	uint64_t now_ns = 50 * WM_NS_PER_MS, taken = 0;

	begin(WM_RATE_FRAMES, 1000, 1, 3 * WM_NS_PER_MS);
	for (; wm_bucket_is_due(&bucket, now_ns); taken++)
		CU_ASSERT(wm_bucket_take(&bucket, 64, now_ns) >= 47 * WM_NS_PER_MS);
	CU_ASSERT_EQUAL(taken, 4);
	CU_ASSERT_EQUAL(bucket.slipped_ns, 47 * WM_NS_PER_MS);
	CU_ASSERT_EQUAL(bucket.due_ns, 51 * WM_NS_PER_MS);
}

static void a_burst_is_due_at_once_and_the_mean_rate_holds(void)
{
	begin(WM_RATE_FRAMES, 1000, 16, DEPTH_ENDLESS);
	for (uint64_t burst = 0; burst < 100; burst++)
		for (unsigned i = 0; i < 16; i++)
			CU_ASSERT_EQUAL(take_when_due(64), burst * 16 * WM_NS_PER_MS);
	CU_ASSERT_EQUAL(bucket.due_ns, 1600 * WM_NS_PER_MS);
}

static void a_burst_is_not_torn_by_a_slip(void)
{
	begin(WM_RATE_FRAMES, 1000, 4, 0);
	CU_ASSERT_EQUAL(wm_bucket_take(&bucket, 64, 0), 0);
	for (unsigned i = 1; i < 4; i++)
		CU_ASSERT_EQUAL(wm_bucket_take(&bucket, 64, WM_NS_PER_S), 0);
	CU_ASSERT_EQUAL(wm_bucket_take(&bucket, 64, WM_NS_PER_S), WM_NS_PER_S);
	CU_ASSERT_EQUAL(bucket.slipped_ns, WM_NS_PER_S - 4 * WM_NS_PER_MS);
}

static void without_a_rate_every_frame_is_due_now(void)
{
	begin(WM_RATE_MAX, 0, 1, 0);
	for (uint64_t now_ns = 5; now_ns < 500; now_ns += 3) {
		CU_ASSERT_TRUE(wm_bucket_is_due(&bucket, now_ns));
		CU_ASSERT_EQUAL(wm_bucket_take(&bucket, 64, now_ns), now_ns);
	}
	CU_ASSERT_EQUAL(bucket.slipped_ns, 0);
}

static const struct wm_test tests[] = {
	WM_TEST(frames_are_due_evenly),
	WM_TEST(rates_that_do_not_divide_never_drift),
	WM_TEST(sizes_that_change_never_drift),
	WM_TEST(a_stalled_sender_catches_up_at_the_intended_times),
	WM_TEST(what_is_older_than_the_depth_is_given_up),
	WM_TEST(a_burst_is_due_at_once_and_the_mean_rate_holds),
	WM_TEST(a_burst_is_not_torn_by_a_slip),
	WM_TEST(without_a_rate_every_frame_is_due_now),
};

int main(void)
{
	return WM_TESTS_RUN("bucket", tests);
}
