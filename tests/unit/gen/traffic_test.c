/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic.h"

#include <string.h>

#include "clock.h"
#include "harness.h"

#define RUN 7u
#define SECOND WM_NS_PER_S

static const struct wm_traffic_address nodes[] = {
	{ .name = "n1", .mac = { 2, 0, 0, 0, 0, 1 }, .session = 5 * WM_NODES_MAX + 0 },
	{ .name = "n2", .mac = { 2, 0, 0, 0, 0, 2 }, .session = 9 * WM_NODES_MAX + 3 },
};

static struct wm_traffic_config config_of(enum wm_traffic_mode mode)
{
	return (struct wm_traffic_config){
		.mode = mode,
		.targets = nodes,
		.target_count = mode == WM_TRAFFIC_RECEIVE ? 0 : 2,
		.flows = 1,
		.run = RUN,
		.size = { .name = "64", .first = 64, .last = 64, .step = 1 },
		.rate = { .unit = WM_RATE_MAX },
		.burst_frames = 1,
		.count_max = 8,
		.idle_ns = 2 * SECOND,
	};
}

static struct wm_traffic *create(const struct wm_traffic_config *config)
{
	struct wm_traffic *traffic = wm_traffic_create(config);

	CU_ASSERT_PTR_NOT_NULL_FATAL(traffic);
	return traffic;
}

static struct wm_traffic_arrival answer_to(const struct wm_traffic_send *send, uint64_t now_ns)
{
	struct wm_traffic_arrival arrival = {
		.flow = send->flow,
		.session = send->session,
		.run = send->run,
		.batch_sequence = send->batch_sequence,
		.bytes = send->bytes,
		.sequence = send->sequence,
		.intended_ns = send->intended_ns,
		.now_ns = now_ns,
	};

	memcpy(arrival.mac, send->mac, sizeof(arrival.mac));
	return arrival;
}

static enum wm_drop answer(struct wm_traffic *traffic, const struct wm_traffic_send *send,
			   uint64_t now_ns)
{
	const struct wm_traffic_arrival arrival = answer_to(send, now_ns);

	return wm_traffic_arrived(traffic, &arrival);
}

/* All that is to be sent now; returns how many. */
static uint32_t send_all(struct wm_traffic *traffic, struct wm_traffic_send *sends, uint32_t max,
			 uint64_t now_ns)
{
	uint32_t count = 0;

	while (count < max && wm_traffic_next(traffic, now_ns, &sends[count]))
		count++;
	return count;
}

/* ---- sending ------------------------------------------------------------------- */

static void targets_take_turns_and_flows_within_them(void)
{
	struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic_send sends[16];
	struct wm_traffic *traffic;

	config.flows = 2;
	traffic = create(&config);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 8);
	for (uint32_t i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(sends[i].session, nodes[i % 2].session);
		CU_ASSERT_EQUAL(sends[i].flow, i / 2 % 2);
		CU_ASSERT_EQUAL(sends[i].sequence, i / 4);
		CU_ASSERT_EQUAL(sends[i].batch_sequence, i / 2);
	}
	wm_traffic_destroy(&traffic);
	CU_ASSERT_PTR_NULL(traffic);
}

static void a_rate_is_kept_by_the_clock(void)
{
	struct wm_traffic_config config = config_of(WM_TRAFFIC_TRANSMIT);
	struct wm_traffic_send send;
	struct wm_traffic *traffic;

	config.rate = (struct wm_rate){ .unit = WM_RATE_FRAMES, .per_s = 1000 };
	config.depth_ns = SECOND;
	traffic = create(&config);
	CU_ASSERT(wm_traffic_next(traffic, SECOND, &send));
	CU_ASSERT(!wm_traffic_next(traffic, SECOND + 999999, &send));
	CU_ASSERT(wm_traffic_next(traffic, SECOND + 1500000, &send));
	CU_ASSERT_EQUAL(send.intended_ns, SECOND + 1000000);
	wm_traffic_destroy(&traffic);
}

static void it_ends_after_its_duration(void)
{
	struct wm_traffic_config config = config_of(WM_TRAFFIC_TRANSMIT);
	struct wm_traffic_send sends[64];
	struct wm_traffic *traffic;

	config.count_max = 0;
	config.duration_ns = SECOND;
	traffic = create(&config);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 64, SECOND), 64);
	CU_ASSERT(!wm_traffic_is_over(traffic, 2 * SECOND - 1));
	CU_ASSERT_EQUAL(send_all(traffic, sends, 64, 2 * SECOND), 0);
	CU_ASSERT(wm_traffic_is_over(traffic, 2 * SECOND));
	wm_traffic_destroy(&traffic);
}

static void a_batch_holds_whole_elements_and_no_more_than_nodes_take(void)
{
	struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic_send send;
	struct wm_traffic *traffic;

	config.kernel = wm_kernel_find("xor");
	config.elements_max = 5;
	config.size = (struct wm_size_point){ .name = "200", .first = 200, .last = 200, .step = 1 };
	traffic = create(&config);
	CU_ASSERT(wm_traffic_next(traffic, SECOND, &send));
	CU_ASSERT_EQUAL(send.elements, 3); /* 4 vectors of 32 bytes: 42 + 128 + 4 */
	CU_ASSERT_EQUAL(send.bytes, 174);
	wm_traffic_destroy(&traffic);

	config.elements_max = 2;
	traffic = create(&config);
	CU_ASSERT(wm_traffic_next(traffic, SECOND, &send));
	CU_ASSERT_EQUAL(send.elements, 2);
	wm_traffic_destroy(&traffic);
	CU_ASSERT_EQUAL(wm_traffic_elements(config.kernel, 109), 0);
	CU_ASSERT_EQUAL(wm_traffic_elements(config.kernel, 110), 1);
}

/* ---- the window ------------------------------------------------------------------ */

static struct wm_traffic *with_window(uint32_t window)
{
	struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);

	config.window = window;
	config.count_max = 1000;
	return create(&config);
}

static void a_full_window_lets_only_the_others_send(void)
{
	struct wm_traffic *traffic = with_window(2);
	struct wm_traffic_send sends[16];

	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 4);
	CU_ASSERT_EQUAL(answer(traffic, &sends[1], SECOND), WM_DROP_NONE);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 1);
	CU_ASSERT_EQUAL(sends[0].session, nodes[1].session);
	wm_traffic_destroy(&traffic);
}

static void a_lost_frame_frees_its_place_when_a_later_one_is_answered(void)
{
	struct wm_traffic *traffic = with_window(2);
	struct wm_traffic_send sends[16];

	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 4);
	CU_ASSERT_EQUAL(answer(traffic, &sends[2], SECOND), WM_DROP_NONE); /* not 0 */
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 2);
	wm_traffic_destroy(&traffic);
}

static void a_window_of_which_nothing_comes_back_opens_after_a_while(void)
{
	struct wm_traffic *traffic = with_window(2);
	struct wm_traffic_send sends[16];

	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 4);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND + SECOND / 10), 0);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, 2 * SECOND), 4);
	CU_ASSERT_EQUAL(traffic->stalls, 2);
	wm_traffic_destroy(&traffic);
}

/* ---- counting -------------------------------------------------------------------- */

static void each_frame_is_lost_or_received_once(void)
{
	const struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic *traffic = create(&config);
	struct wm_traffic_send sends[16];
	struct wm_traffic_totals totals;

	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 8);
	CU_ASSERT_EQUAL(answer(traffic, &sends[0], SECOND), WM_DROP_NONE);
	CU_ASSERT_EQUAL(answer(traffic, &sends[4], SECOND), WM_DROP_NONE);
	CU_ASSERT_EQUAL(answer(traffic, &sends[2], SECOND), WM_DROP_NONE);
	CU_ASSERT_EQUAL(answer(traffic, &sends[2], SECOND), WM_DROP_DUPLICATE);
	wm_traffic_get_totals(&traffic->totals, &totals);
	CU_ASSERT_EQUAL(totals.sent.frames, 8);
	CU_ASSERT_EQUAL(totals.received.frames, 4);
	CU_ASSERT_EQUAL(totals.duplicates, 1);
	CU_ASSERT_EQUAL(totals.reordered, 1);
	CU_ASSERT_EQUAL(wm_traffic_lost(traffic, &traffic->targets[0]), 1);
	CU_ASSERT_EQUAL(wm_traffic_lost(traffic, &traffic->targets[1]), 4);
	wm_traffic_destroy(&traffic);
}

static void what_was_never_sent_is_not_counted(void)
{
	const struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic *traffic = create(&config);
	struct wm_traffic_arrival arrival;
	struct wm_traffic_send send;

	CU_ASSERT(wm_traffic_next(traffic, SECOND, &send));
	arrival = answer_to(&send, SECOND);
	arrival.sequence = 1;
	CU_ASSERT_EQUAL(wm_traffic_arrived(traffic, &arrival), WM_DROP_BATCH);
	arrival = answer_to(&send, SECOND);
	arrival.run++;
	CU_ASSERT_EQUAL(wm_traffic_arrived(traffic, &arrival), WM_DROP_BATCH);
	arrival = answer_to(&send, SECOND);
	arrival.flow = 1;
	CU_ASSERT_EQUAL(wm_traffic_arrived(traffic, &arrival), WM_DROP_BATCH);
	arrival = answer_to(&send, SECOND);
	arrival.session += WM_NODES_MAX;
	CU_ASSERT_EQUAL(wm_traffic_arrived(traffic, &arrival), WM_DROP_SESSION);
	arrival = answer_to(&send, SECOND);
	arrival.mac[5] = 9;
	CU_ASSERT_EQUAL(wm_traffic_arrived(traffic, &arrival), WM_DROP_SESSION);
	CU_ASSERT_EQUAL(traffic->totals.received.frames, 0);
	wm_traffic_destroy(&traffic);
}

static void latency_counts_from_when_a_frame_should_have_left(void)
{
	struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic_send sends[2];
	struct wm_traffic *traffic;

	config.rate = (struct wm_rate){ .unit = WM_RATE_FRAMES, .per_s = 1000 };
	config.depth_ns = SECOND;
	traffic = create(&config);
	CU_ASSERT(wm_traffic_next(traffic, SECOND, &sends[0]));
	/* due a millisecond after the first, and sent nine late */
	CU_ASSERT(wm_traffic_next(traffic, SECOND + 10000000, &sends[1]));
	CU_ASSERT_EQUAL(answer(traffic, &sends[1], SECOND + 11000000), WM_DROP_NONE);
	CU_ASSERT_EQUAL(traffic->targets[1].latency->count, 1);
	CU_ASSERT_EQUAL(traffic->targets[1].latency->max_ns, 10000000);
	wm_traffic_destroy(&traffic);
}

static void a_result_is_timed_by_its_batch_sequence(void)
{
	struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic_arrival arrival;
	struct wm_traffic_send send;
	struct wm_traffic *traffic;

	config.kernel = wm_kernel_find("xor");
	config.elements_max = 8;
	config.size.first = config.size.last = 200;
	traffic = create(&config);
	CU_ASSERT(wm_traffic_next(traffic, SECOND, &send));
	arrival = answer_to(&send, SECOND + 5000);
	arrival.intended_ns = 0;
	CU_ASSERT_EQUAL(wm_traffic_arrived(traffic, &arrival), WM_DROP_NONE);
	CU_ASSERT_EQUAL(traffic->targets[0].latency->max_ns, 5000);
	wm_traffic_destroy(&traffic);
}

/* ---- receiving -------------------------------------------------------------------- */

static struct wm_traffic_arrival from(uint8_t machine, uint64_t sequence, uint64_t now_ns)
{
	return (struct wm_traffic_arrival){ .mac = { 2, 0, 0, 0, 0, machine },
					    .run = RUN,
					    .sequence = sequence,
					    .bytes = 64,
					    .now_ns = now_ns };
}

static enum wm_drop hear(struct wm_traffic *traffic, uint8_t machine, uint64_t sequence)
{
	const struct wm_traffic_arrival arrival = from(machine, sequence, SECOND);

	return wm_traffic_arrived(traffic, &arrival);
}

static void a_receiver_tells_sources_apart(void)
{
	const struct wm_traffic_config config = config_of(WM_TRAFFIC_RECEIVE);
	struct wm_traffic *traffic = create(&config);

	CU_ASSERT_EQUAL(hear(traffic, 1, 100), WM_DROP_NONE);
	CU_ASSERT_EQUAL(hear(traffic, 2, 0), WM_DROP_NONE);
	CU_ASSERT_EQUAL(hear(traffic, 1, 103), WM_DROP_NONE);
	CU_ASSERT_EQUAL(traffic->target_count, 2);
	CU_ASSERT_EQUAL(wm_traffic_lost(traffic, &traffic->targets[0]), 2);
	CU_ASSERT_EQUAL(wm_traffic_lost(traffic, &traffic->targets[1]), 0);
	wm_traffic_destroy(&traffic);
}

static void more_sources_than_there_is_room_for_are_strangers(void)
{
	const struct wm_traffic_config config = config_of(WM_TRAFFIC_RECEIVE);
	struct wm_traffic *traffic = create(&config);

	for (uint8_t i = 0; i < WM_TRAFFIC_SOURCES_MAX; i++)
		CU_ASSERT_EQUAL(hear(traffic, i, 0), WM_DROP_NONE);
	CU_ASSERT_EQUAL(hear(traffic, 200, 0), WM_DROP_FULL);
	CU_ASSERT_EQUAL(traffic->strangers, 1);
	wm_traffic_destroy(&traffic);
}

/* ---- the end ------------------------------------------------------------------------ */

static void a_round_trip_is_over_when_all_is_back_and_no_copy_follows(void)
{
	const struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic *traffic = create(&config);
	struct wm_traffic_send sends[16];

	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 8);
	for (uint32_t i = 0; i < 8; i++)
		answer(traffic, &sends[i], SECOND);
	CU_ASSERT(!wm_traffic_is_over(traffic, SECOND));
	CU_ASSERT(wm_traffic_is_over(traffic, SECOND + SECOND / 2));
	wm_traffic_destroy(&traffic);
}

static void a_lost_frame_is_waited_for_until_it_is_idle(void)
{
	const struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic *traffic = create(&config);
	struct wm_traffic_send sends[16];

	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 8);
	for (uint32_t i = 1; i < 8; i++)
		answer(traffic, &sends[i], 2 * SECOND);
	CU_ASSERT(!wm_traffic_is_over(traffic, 4 * SECOND - 1));
	CU_ASSERT(wm_traffic_is_over(traffic, 4 * SECOND));
	wm_traffic_destroy(&traffic);
}

static void a_failed_port_ends_it_at_once(void)
{
	const struct wm_traffic_config config = config_of(WM_TRAFFIC_ROUNDTRIP);
	struct wm_traffic *traffic = create(&config);
	struct wm_traffic_send send;

	CU_ASSERT(wm_traffic_next(traffic, SECOND, &send));
	wm_traffic_fail(traffic, -5, SECOND);
	CU_ASSERT(!wm_traffic_next(traffic, SECOND, &send));
	CU_ASSERT(wm_traffic_is_over(traffic, SECOND));
	CU_ASSERT_EQUAL(traffic->result, -5);
	wm_traffic_destroy(&traffic);
}

/* ---- a capture ------------------------------------------------------------------- */

static struct wm_capture_frame recorded[] = {
	{ .time_ns = 0, .offset = 0, .length = 60 },
	{ .time_ns = 1000, .offset = 60, .length = 14 },
	{ .time_ns = 5000, .offset = 74, .length = 1514 },
};
static uint8_t recorded_bytes[74 + 1514];
static const struct wm_capture capture = { .frame_count = 3,
					   .byte_count = sizeof(recorded_bytes),
					   .frames = recorded,
					   .bytes = recorded_bytes };

static struct wm_traffic_config config_of_replay(struct wm_rate rate)
{
	return (struct wm_traffic_config){
		.mode = WM_TRAFFIC_REPLAY,
		.capture = &capture,
		.passes = 1,
		.rate = rate,
		.burst_frames = 1,
	};
}

static void a_capture_is_sent_as_it_is_when_it_came(void)
{
	const struct wm_traffic_config config =
		config_of_replay((struct wm_rate){ WM_RATE_RECORDED, WM_REPLAY_SPEED_ONE_PPM });
	struct wm_traffic *traffic = create(&config);
	struct wm_traffic_send send;

	CU_ASSERT(wm_traffic_next(traffic, SECOND, &send));
	CU_ASSERT(send.recorded == recorded_bytes && send.recorded_bytes == 60 && !send.mac);
	CU_ASSERT(!wm_traffic_next(traffic, SECOND + 999, &send));
	CU_ASSERT(wm_traffic_next(traffic, SECOND + 1000, &send));
	CU_ASSERT(send.recorded == recorded_bytes + 60 && send.recorded_bytes == 14);
	CU_ASSERT_EQUAL(send.bytes, 64); /* a port pads it */
	CU_ASSERT(!wm_traffic_is_over(traffic, SECOND + 1000));
	CU_ASSERT(wm_traffic_next(traffic, SECOND + 5700, &send));
	CU_ASSERT_EQUAL(send.bytes, 1518);
	CU_ASSERT(!wm_traffic_next(traffic, SECOND + 9000, &send));
	CU_ASSERT(wm_traffic_is_over(traffic, SECOND + 9000));
	CU_ASSERT_EQUAL(traffic->behind_max_ns, 700);
	CU_ASSERT(traffic->totals.sent.frames == 3 && traffic->totals.sent.bytes == 64 + 64 + 1518);
	wm_traffic_destroy(&traffic);
}

static void a_rate_takes_the_place_of_recorded_times(void)
{
	struct wm_traffic_config config =
		config_of_replay((struct wm_rate){ WM_RATE_FRAMES, 1000 });
	struct wm_traffic_send sends[16];
	struct wm_traffic *traffic;

	config.passes = 0;
	config.count_max = 7;
	config.depth_ns = SECOND;
	config.targets = &nodes[1];
	config.target_count = 1;
	traffic = create(&config);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND), 1);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND + 3000000), 3);
	CU_ASSERT_EQUAL(memcmp(sends[2].mac, nodes[1].mac, sizeof(nodes[1].mac)), 0);
	CU_ASSERT_EQUAL(send_all(traffic, sends, 16, SECOND + 99000000), 3);
	CU_ASSERT(wm_traffic_is_over(traffic, SECOND + 99000000));
	CU_ASSERT_EQUAL(traffic->targets[0].totals.sent.frames, 7);
	wm_traffic_destroy(&traffic);
}

static const struct wm_test tests[] = {
	WM_TEST(targets_take_turns_and_flows_within_them),
	WM_TEST(a_rate_is_kept_by_the_clock),
	WM_TEST(it_ends_after_its_duration),
	WM_TEST(a_batch_holds_whole_elements_and_no_more_than_nodes_take),
	WM_TEST(a_full_window_lets_only_the_others_send),
	WM_TEST(a_lost_frame_frees_its_place_when_a_later_one_is_answered),
	WM_TEST(a_window_of_which_nothing_comes_back_opens_after_a_while),
	WM_TEST(each_frame_is_lost_or_received_once),
	WM_TEST(what_was_never_sent_is_not_counted),
	WM_TEST(latency_counts_from_when_a_frame_should_have_left),
	WM_TEST(a_result_is_timed_by_its_batch_sequence),
	WM_TEST(a_receiver_tells_sources_apart),
	WM_TEST(more_sources_than_there_is_room_for_are_strangers),
	WM_TEST(a_round_trip_is_over_when_all_is_back_and_no_copy_follows),
	WM_TEST(a_lost_frame_is_waited_for_until_it_is_idle),
	WM_TEST(a_failed_port_ends_it_at_once),
	WM_TEST(a_capture_is_sent_as_it_is_when_it_came),
	WM_TEST(a_rate_takes_the_place_of_recorded_times),
};

int main(void)
{
	return WM_TESTS_RUN("traffic", tests);
}
