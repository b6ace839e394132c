/* SPDX-License-Identifier: BSD-3-Clause */
#include "result.h"

#include <math.h>

#include "clock.h"
#include "harness.h"

static bool is_about(double value, double expected)
{
	return fabs(value - expected) <= 1e-9 * fabs(expected);
}

static void rows_keep_what_they_hold_as_more_are_added(void)
{
	struct wm_result result;

	wm_result_init(&result);
	for (unsigned i = 0; i < 100; i++) {
		struct wm_result_row *row = wm_result_add(&result);

		CU_ASSERT_PTR_NOT_NULL_FATAL(row);
		CU_ASSERT(row->lost == 0 && row->histogram == NULL);
		row->lost = i;
	}
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(result.rows[i].lost, i);
	wm_result_fini(&result);
	CU_ASSERT_EQUAL(result.row_count, 0);
}

static void the_line_rate_of_64_bytes_is_ten_gigabit(void)
{
	struct wm_result_traffic traffic = { 14880952, 14880952ull * 64 };

	CU_ASSERT(is_about(wm_result_frames_per_s(traffic, WM_NS_PER_S), 14880952));
	CU_ASSERT(is_about(wm_result_frames_per_s(traffic, 2 * WM_NS_PER_S), 7440476));
	CU_ASSERT(is_about(wm_result_bits_per_s(traffic, WM_NS_PER_S), 14880952.0 * 672));
	CU_ASSERT_EQUAL(wm_result_bits_per_s(traffic, 0), 0);
}

static void loss_is_of_what_was_sent(void)
{
	struct wm_result_row row = { .sends = true,
				     .receives = true,
				     .sent = { 1000, 64000 },
				     .received = { 990, 63360 },
				     .duplicates = 10,
				     .lost = 20 };

	CU_ASSERT(is_about(wm_result_loss(&row), 0.02));
	CU_ASSERT(is_about(wm_result_frame_bytes(&row), 64));
}

static void a_receiver_alone_takes_loss_of_what_must_have_been_sent(void)
{
	struct wm_result_row row = {
		.receives = true, .received = { 110, 110 * 128 }, .duplicates = 10, .lost = 100
	};

	CU_ASSERT(is_about(wm_result_loss(&row), 0.5));
	CU_ASSERT(is_about(wm_result_frame_bytes(&row), 128));
}

static void nothing_measured_divides_by_nothing(void)
{
	struct wm_result_row row = { .sends = true };

	CU_ASSERT_EQUAL(wm_result_loss(&row), 0);
	CU_ASSERT_EQUAL(wm_result_frame_bytes(&row), 0);
}

static void a_total_is_the_sum_of_its_parts(void)
{
	struct wm_result_row total = { 0 };
	struct wm_result_row part = { .sends = true,
				      .receives = true,
				      .sequenced = true,
				      .sent = { 10, 640 },
				      .received = { 9, 576 },
				      .lost = 2,
				      .reordered = 3,
				      .duplicates = 1,
				      .late = 4,
				      .damaged = 5 };

	wm_result_row_add(&total, &part);
	wm_result_row_add(&total, &part);
	CU_ASSERT(total.sends && total.receives && total.sequenced);
	CU_ASSERT(total.sent.frames == 20 && total.sent.bytes == 1280);
	CU_ASSERT(total.received.frames == 18 && total.received.bytes == 1152);
	CU_ASSERT(total.lost == 4 && total.reordered == 6 && total.duplicates == 2);
	CU_ASSERT(total.late == 8 && total.damaged == 10);
}

static void latency_is_summed_up_and_kept_if_asked_for(void)
{
	static struct wm_histogram histogram;
	struct wm_result_row *row;
	struct wm_result result;

	wm_result_init(&result);
	row = wm_result_add(&result);
	wm_histogram_init(&histogram);
	CU_ASSERT_EQUAL(wm_result_row_latency(row, &histogram, true), 0);
	CU_ASSERT(row->latency.count == 0 && row->latency.min_ns == 0 && !row->histogram);
	for (uint64_t ns = 1; ns <= 1000; ns++)
		wm_histogram_record(&histogram, ns);
	CU_ASSERT_EQUAL(wm_result_row_latency(row, &histogram, false), 0);
	CU_ASSERT_PTR_NULL(row->histogram);
	CU_ASSERT_EQUAL(wm_result_row_latency(row, &histogram, true), 0);
	CU_ASSERT(row->histogram && row->histogram->count == 1000);
	CU_ASSERT(row->latency.min_ns == 1 && row->latency.max_ns == 1000);
	CU_ASSERT(row->latency.p50_ns == 500 && row->latency.p90_ns == 900);
	CU_ASSERT(row->latency.p99_ns == 990 && row->latency.p999_ns == 999);
	CU_ASSERT_EQUAL(row->latency.p9999_ns, 1000);
	wm_result_fini(&result);
}

static const struct wm_test tests[] = {
	WM_TEST(rows_keep_what_they_hold_as_more_are_added),
	WM_TEST(the_line_rate_of_64_bytes_is_ten_gigabit),
	WM_TEST(loss_is_of_what_was_sent),
	WM_TEST(a_receiver_alone_takes_loss_of_what_must_have_been_sent),
	WM_TEST(nothing_measured_divides_by_nothing),
	WM_TEST(a_total_is_the_sum_of_its_parts),
	WM_TEST(latency_is_summed_up_and_kept_if_asked_for),
};

int main(void)
{
	return WM_TESTS_RUN("result", tests);
}
