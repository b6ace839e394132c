/* SPDX-License-Identifier: BSD-3-Clause */
#include "result.h"

#include <math.h>
#include <string.h>

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
	struct wm_traffic_count traffic = { 14880952, 14880952ull * 64 };

	CU_ASSERT(is_about(wm_result_frames_per_s(traffic, WM_NS_PER_S), 14880952));
	CU_ASSERT(is_about(wm_result_frames_per_s(traffic, 2 * WM_NS_PER_S), 7440476));
	CU_ASSERT(is_about(wm_result_bits_per_s(traffic, WM_NS_PER_S), 14880952.0 * 672));
	CU_ASSERT_EQUAL(wm_result_bits_per_s(traffic, 0), 0);
}

static void loss_is_of_what_was_sent(void)
{
	struct wm_result_row row = {
		.sends = true,
		.receives = true,
		.totals = { .sent = { 1000, 64000 }, .received = { 990, 63360 }, .duplicates = 10 },
		.lost = 20
	};

	CU_ASSERT(is_about(wm_result_loss(&row), 0.02));
	CU_ASSERT(is_about(wm_result_frame_bytes(&row), 64));
}

static void a_receiver_alone_takes_loss_of_what_must_have_been_sent(void)
{
	struct wm_result_row row = {
		.receives = true,
		.totals = { .received = { 110, 110 * 128 }, .duplicates = 10 },
		.lost = 100,
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

/* Frames to two nodes in turn, of which the third and the last are not answered; one answer
 * comes twice. */
static struct wm_traffic *half_answered(void)
{
	static const struct wm_traffic_address nodes[] = {
		{ .name = "n1", .mac = { 2, 0, 0, 0, 0, 1 }, .session = 1 },
		{ .mac = { 2, 0, 0, 0, 0, 2 }, .session = 2 },
	};
	const struct wm_traffic_config config = {
		.mode = WM_TRAFFIC_ROUNDTRIP,
		.targets = nodes,
		.target_count = 2,
		.flows = 1,
		.size = { .name = "64", .first = 64, .last = 64, .step = 1 },
		.rate = { WM_RATE_FRAMES, 1000 },
		.burst_frames = 4,
		.depth_ns = WM_NS_PER_S,
		.count_max = 4,
	};
	struct wm_traffic *traffic = wm_traffic_create(&config);
	struct wm_traffic_send send;

	CU_ASSERT_PTR_NOT_NULL_FATAL(traffic);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_FATAL(wm_traffic_next(traffic, WM_NS_PER_S + 10 * WM_NS_PER_MS, &send));
		const struct wm_traffic_arrival arrival = {
			.mac = { 2, 0, 0, 0, 0, send.mac[5] },
			.session = send.session,
			.batch_sequence = send.batch_sequence,
			.sequence = send.sequence,
			.bytes = 64,
			.intended_ns = send.intended_ns,
			.now_ns = send.intended_ns + 1000,
		};

		for (unsigned times = i == 0 ? 2 : i == 1; times > 0; times--)
			wm_traffic_arrived(traffic, &arrival);
	}
	wm_traffic_stop(traffic, 2 * WM_NS_PER_S);
	return traffic;
}

static void traffic_makes_a_row_of_all_and_one_of_each_target(void)
{
	struct wm_traffic *traffic = half_answered();
	const struct wm_result_row *all, *first, *second;
	struct wm_result result;

	traffic->link_downs = 3;
	traffic->busy_ns = 7;
	wm_result_init(&result);
	CU_ASSERT_EQUAL_FATAL(wm_result_add_traffic(&result, "throughput", traffic), 0);
	CU_ASSERT_EQUAL_FATAL(result.row_count, 3);
	all = &result.rows[0], first = &result.rows[1], second = &result.rows[2];
	for (unsigned i = 0; i < 3; i++) {
		const struct wm_result_row *row = &result.rows[i];

		CU_ASSERT(row->sends && row->receives && row->asked.per_s == 1000);
		CU_ASSERT_STRING_EQUAL(row->test, "throughput");
		CU_ASSERT_STRING_EQUAL(row->size, "64");
		CU_ASSERT_EQUAL(row->duration_ns, traffic->send_end_ns - traffic->start_ns);
	}
	CU_ASSERT(all->scope == WM_RESULT_TOTAL && first->scope == WM_RESULT_NODE);
	CU_ASSERT(strcmp(all->target, "") == 0 && strcmp(first->target, "n1") == 0);
	CU_ASSERT_STRING_EQUAL(second->target, "02:00:00:00:00:02");
	CU_ASSERT(all->totals.sent.frames == 4 && all->totals.sent.bytes == 256);
	CU_ASSERT(all->totals.received.frames == 3 && all->totals.duplicates == 1);
	CU_ASSERT(first->totals.sent.frames == 2 && first->totals.received.frames == 2);
	CU_ASSERT(second->totals.sent.frames == 2 && second->totals.received.frames == 1);
	CU_ASSERT(all->lost == 2 && first->lost == 1 && second->lost == 1);
	CU_ASSERT(all->latency.count == 2 && all->histogram && all->latency.max_ns == 1000);
	CU_ASSERT(first->latency.count == 1 && !first->histogram);
	/* Of the port, not of a target. */
	CU_ASSERT(all->link_downs == 3 && all->busy_ns == 7);
	CU_ASSERT(first->link_downs == 0 && first->busy_ns == 0);
	wm_result_fini(&result);
	wm_traffic_destroy(&traffic);
}

static const struct wm_test tests[] = {
	WM_TEST(traffic_makes_a_row_of_all_and_one_of_each_target),
	WM_TEST(rows_keep_what_they_hold_as_more_are_added),
	WM_TEST(the_line_rate_of_64_bytes_is_ten_gigabit),
	WM_TEST(loss_is_of_what_was_sent),
	WM_TEST(a_receiver_alone_takes_loss_of_what_must_have_been_sent),
	WM_TEST(nothing_measured_divides_by_nothing),
	WM_TEST(latency_is_summed_up_and_kept_if_asked_for),
};

int main(void)
{
	return WM_TESTS_RUN("result", tests);
}
