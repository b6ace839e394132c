/* SPDX-License-Identifier: BSD-3-Clause */
#include "dispatch.h"

#include "clock.h"
#include "harness.h"
#include "inflight.h"
#include "rack.h"
#include "seed.h"

#define US WM_NS_PER_US
#define MS WM_NS_PER_MS
#define S WM_NS_PER_S

static struct wm_seeds seeds;
static struct rack_config config;
static struct rack_result result;

static struct rack_config rack_of(uint32_t nodes, uint64_t extents)
{
	struct rack_config rack = {
		.seed = 1,
		.nodes = nodes,
		.extents_max = 48,
		.in_flight_max = 4096,
		.queue_target = 15,
		.extents = extents,
		.until_ns = 600 * S,
	};

	for (uint32_t i = 0; i < nodes; i++)
		rack.node[i] = rack_node();
	return rack;
}

/* Twelve nodes of 100 Mbit/s behind one uplink of 1 Gbit/s with 2.5 MB of queue. */
static struct rack_config rack_with_uplink(uint32_t frame_bytes, uint32_t loss)
{
	struct rack_config rack = rack_of(12, 1);

	rack.queue_target = 128 * 1024 / frame_bytes;
	rack.shared = (struct rack_link){ .frame_ns = 8 * frame_bytes,
					  .queue_frames = 2500000 / frame_bytes,
					  .delay_ns = 10 * US };
	for (uint32_t i = 0; i < 12; i++) {
		rack.node[i].link = (struct rack_link){ .frame_ns = 80 * frame_bytes,
							.queue_frames = 250000 / frame_bytes,
							.delay_ns = 27500 };
		rack.node[i].compute_ns = 30 * US;
		rack.node[i].loss = loss;
	}
	return rack;
}

static void check_exact(void)
{
	CU_ASSERT_TRUE(result.finished);
	CU_ASSERT_EQUAL(result.done, result.batches);
	CU_ASSERT_EQUAL(result.done_twice, 0);
	CU_ASSERT_EQUAL(result.wrong_count, 0);
	CU_ASSERT_EQUAL(result.counters.results, result.batches + result.invalidated);
	CU_ASSERT_EQUAL(result.innocent, 0);
	CU_ASSERT_FALSE(result.over_limit);
}

static void check_fair(uint32_t nodes)
{
	for (uint32_t i = 0; i < nodes; i++)
		CU_ASSERT_TRUE(result.results[i] * nodes * 2 >= result.batches);
}

/* ---- racks ---------------------------------------------------------------------- */

static void an_even_rack_shares_fairly_and_loses_nothing(void)
{
	static const uint32_t nodes[] = { 1, 3, 12, 64 };

	for (unsigned i = 0; i < 4; i++) {
		config = rack_of(nodes[i], 20 * nodes[i]);
		rack_run(&config, &result);
		check_exact();
		check_fair(nodes[i]);
		CU_ASSERT_EQUAL(result.counters.resent, 0);
		CU_ASSERT_EQUAL(result.counters.sent, result.batches);
	}
}

static void a_job_shorter_than_the_rack_is_wide_ends(void)
{
	config = rack_of(64, 1);
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.batches, 7);
}

static void a_fast_node_gets_more(void)
{
	config = rack_of(3, 100);
	config.node[1].link.frame_ns *= 4;
	config.node[2].compute_ns = 500 * US;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.results[0] > 3 * result.results[1]);
	CU_ASSERT_TRUE(result.results[0] > 5 * result.results[2]);
	CU_ASSERT_TRUE(result.results[2] > 0);
}

static void in_flight_max_holds_and_is_shared_fairly(void)
{
	config = rack_of(12, 100);
	config.in_flight_max = 24;
	rack_run(&config, &result);
	check_exact();
	check_fair(12);
	CU_ASSERT_TRUE(result.in_flight_peak <= 24);
}

static uint64_t wire_ns(uint64_t bits_per_s, uint16_t mtu)
{
	return (mtu + WM_INFLIGHT_WIRE_BYTES) * 8ull * S / bits_per_s;
}

/* Nodes that answer after four times delay_ns and 350 us, behind a port of that rate. */
static struct rack_config distant_rack(uint32_t nodes, uint64_t node_ns, uint64_t port_ns,
				       uint64_t delay_ns)
{
	struct rack_config rack = rack_of(nodes, 600 * MS / port_ns / 32 + 1000);

	rack.shared = (struct rack_link){ .frame_ns = port_ns, .delay_ns = delay_ns };
	for (uint32_t i = 0; i < nodes; i++) {
		rack.node[i].link = (struct rack_link){ .frame_ns = node_ns, .delay_ns = delay_ns };
		rack.node[i].submit_ns = 350 * US;
		rack.node[i].compute_ns = 1 * US;
	}
	rack.extents_max = 48u * 23; /* of 32 batches: as many as 48 of 728 have */
	rack.until_ns = 600 * MS;
	rack.measure_ns = 300 * MS;
	return rack;
}

/* In hundredths of what a line takes that needs frame_ns for each. */
static uint64_t share_percent(uint64_t frame_ns)
{
	rack_run(&config, &result);
	CU_ASSERT_FALSE(result.over_limit);
	return result.measured * frame_ns * 100 / (config.until_ns - config.measure_ns);
}

/* 24 nodes whose answers take 2 ms, on a line of that rate; so many elements at that MTU. */
static uint64_t share_of_line_percent(uint64_t bits_per_s, uint16_t mtu, uint32_t ring_frames)
{
	const uint64_t frame_ns = wire_ns(bits_per_s, mtu);

	config = distant_rack(24, 2 * frame_ns, frame_ns, 400 * US);
	config.queue_target = 128 * 1024 / mtu;
	config.in_flight_max = wm_inflight_max(ring_frames, 1);
	return share_percent(frame_ns);
}

static void a_line_is_full_though_answers_take_2_ms(void)
{
	CU_ASSERT(share_of_line_percent(25000000000, 9000, wm_inflight_ring_frames(9000)) >= 95);
	CU_ASSERT(share_of_line_percent(10000000000, 1500, wm_inflight_ring_frames(1500)) >= 95);
	/* A ring that a card does not have more of is what limits it. */
	CU_ASSERT(share_of_line_percent(10000000000, 1500, WM_LANE_RING_FRAMES_MIN) < 60);
}

/* Twelve nodes of 1 Gb/s at a port of 25: what all their links take together is the line. */
static uint64_t share_of_links_percent(uint16_t mtu, uint64_t round_trip_ns, uint32_t window_max,
				       uint32_t ring_frames)
{
	const uint64_t node_ns = wire_ns(1000000000, mtu);

	config = distant_rack(12, node_ns, wire_ns(25000000000, mtu),
			      (round_trip_ns - 350 * US) / 4);
	for (uint32_t i = 0; i < config.nodes; i++)
		config.node[i].window_max = window_max;
	config.queue_target = 128 * 1024 / mtu;
	config.in_flight_max = wm_inflight_max(ring_frames, 1);
	return share_percent(node_ns) / config.nodes;
}

static void all_links_of_a_rack_are_full_though_answers_take_2_or_4_ms(void)
{
	static const uint16_t mtus[] = { 1500, 3506, 9000 };

	for (uint32_t i = 0; i < 3; i++) {
		uint32_t ring = wm_inflight_ring_frames(mtus[i]);

		CU_ASSERT(share_of_links_percent(mtus[i], 2 * MS, WM_NODE_WINDOW_MAX, ring) >= 95);
		CU_ASSERT(share_of_links_percent(mtus[i], 4 * MS, WM_NODE_WINDOW_MAX, ring) >= 95);
	}
}

/* That the sizes in limits.h are needed: a quarter of the window, half of the ring. */
static void a_smaller_window_or_ring_leaves_links_idle(void)
{
	uint32_t ring = wm_inflight_ring_frames(1500);

	CU_ASSERT(share_of_links_percent(1500, 2 * MS, WM_NODE_WINDOW_MAX / 4, ring) < 80);
	CU_ASSERT(share_of_links_percent(1500, 4 * MS, WM_NODE_WINDOW_MAX / 4, ring) < 40);
	CU_ASSERT(share_of_links_percent(1500, 4 * MS, WM_NODE_WINDOW_MAX, ring / 2) < 80);
}

static void window_max_holds_for_each_node(void)
{
	config = rack_of(3, 20);
	config.node[0].window_max = 1;
	config.node[1].window_max = 2;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.results[0] > 0);
	CU_ASSERT_TRUE(result.results[2] > result.results[0]);
}

static void the_batches_of_a_node_that_dies_complete_elsewhere_within_2_s(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		config = rack_of(12, 300);
		config.seed = seed;
		config.node[seed % 12].die_ns = 20 * MS + seed * MS;
		config.no_drain = true;
		rack_run(&config, &result);
		check_exact();
		CU_ASSERT_EQUAL(result.timeouts, 1);
		CU_ASSERT_TRUE(result.counters.resent > 0);
		CU_ASSERT_TRUE(result.age_max_ns < 2 * S);
	}
}

static void a_node_may_die_and_come_back_with_other_sequences(void)
{
	config = rack_of(3, 4000);
	config.node[1].die_ns = 100 * MS;
	config.node[1].back_ns = 900 * MS;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.end_ns > 2 * S);
	CU_ASSERT_TRUE(result.results[1] * 10 > result.results[0] * 5);
}

static void all_nodes_but_one_may_die(void)
{
	config = rack_of(12, 200);
	for (uint32_t i = 1; i < 12; i++)
		config.node[i].die_ns = 5 * MS + i * MS;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.timeouts, 11);
}

static void a_removed_node_gets_nothing_more_and_leaves_nothing_behind(void)
{
	config = rack_of(3, 200);
	config.node[2].remove_ns = 10 * MS;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.results[2] > 0);
	CU_ASSERT_TRUE(result.results[2] * 5 < result.results[0]);
	CU_ASSERT_EQUAL(result.timeouts, 0);
	CU_ASSERT_TRUE(result.age_max_ns < 100 * MS); /* no timer was waited for */
	CU_ASSERT_TRUE(result.counters.unknown > 0);  /* its late results */
}

static void stalls_that_are_not_deaths_are_survived(void)
{
	config = rack_of(12, 200);
	for (uint32_t i = 0; i < 12; i++) {
		config.node[i].stall = 2000;
		config.node[i].stall_ns = 400 * MS;
	}
	config.no_drain = true;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.timeouts > 0);
	CU_ASSERT_TRUE(result.spurious > 0);
}

/* ---- a shared uplink -------------------------------------------------------------- */

/* Part of the uplink that carried new results in the last seconds, in thousands. */
static uint64_t uplink_used(uint64_t from_ns, uint64_t until_ns)
{
	config.measure_ns = from_ns;
	config.until_ns = until_ns;
	config.extents = until_ns / config.shared.frame_ns / 32 + 200;
	rack_run(&config, &result);
	return result.measured * config.shared.frame_ns * 1000 / (until_ns - from_ns);
}

static void an_uplink_is_filled_without_loss(void)
{
	config = rack_with_uplink(8290, 0);
	CU_ASSERT_TRUE(uplink_used(S, 6 * S) >= 980);
	CU_ASSERT_EQUAL(result.dropped, 0);
	config = rack_with_uplink(1538, 0);
	CU_ASSERT_TRUE(uplink_used(S, 3 * S) >= 980);
	CU_ASSERT_EQUAL(result.dropped, 0);
}

/* Of what passes the uplink once in 1.02 frames. */
static void an_uplink_is_filled_despite_random_loss(void)
{
	config = rack_with_uplink(8290, 10000);
	CU_ASSERT_TRUE(uplink_used(S, 6 * S) >= 970);
	config = rack_with_uplink(1538, 10000);
	CU_ASSERT_TRUE(uplink_used(S, 3 * S) >= 970);
}

/* Each that joins finds the queue of the others standing. */
static void nodes_that_join_one_by_one_do_not_pile_up_their_queues(void)
{
	config = rack_with_uplink(8290, 0);
	for (uint32_t i = 1; i < 12; i++) {
		config.node[i].remove_ns = 1;
		config.node[i].back_ns = i * 730 * MS;
	}
	CU_ASSERT_TRUE(uplink_used(12 * S, 32 * S) >= 980);
	CU_ASSERT_EQUAL(result.dropped, 0);
	for (uint32_t i = 0; i < 12; i++)
		CU_ASSERT_TRUE(result.state[i].rtt_ns < 20 * MS); /* 12 * 15 frames are 12 ms */
}

/* ---- second opinions, failures, the end ------------------------------------------ */

#define ALL UINT32_MAX
#define ONE_PERCENT (UINT32_MAX / 100)

static void every_batch_of_a_full_audit_is_computed_by_two_nodes(void)
{
	config = rack_of(3, 40);
	config.audit = ALL;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.counters.audited, result.batches);
	CU_ASSERT_EQUAL(result.counters.sent - result.counters.speculated, 2 * result.batches);
	CU_ASSERT_EQUAL(result.counters.resent, 0);
	CU_ASSERT_EQUAL(result.sent_again_to_same, 0);
	CU_ASSERT_EQUAL(result.quarantined, 0);
}

static void an_audit_takes_its_share_of_batches(void)
{
	config = rack_of(12, 1000);
	config.audit = ONE_PERCENT;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.counters.audited * 100 > result.batches * 8 / 10);
	CU_ASSERT_TRUE(result.counters.audited * 100 < result.batches * 12 / 10);
}

static void a_full_audit_lets_nothing_wrong_through(void)
{
	static const uint32_t often[] = { 100, 10000, 1000000 };

	for (unsigned i = 0; i < 3; i++) {
		config = rack_of(5, 100);
		config.audit = ALL;
		config.node[2].wrong = often[i];
		rack_run(&config, &result);
		check_exact();
		CU_ASSERT_EQUAL(result.wrong_kept, 0);
		CU_ASSERT_FALSE(result.given_up);
		CU_ASSERT_TRUE(often[i] == 100 || result.quarantined == 1 << 2);
	}
}

static void a_node_that_is_always_wrong_is_found_by_an_audit_of_one_percent(void)
{
	config = rack_of(12, 300);
	config.audit = ONE_PERCENT;
	config.node[7].wrong = 1000000;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.quarantined, 1 << 7);
	CU_ASSERT_TRUE(result.invalidated > 0);
}

static void three_results_of_three_nodes_end_the_job(void)
{
	config = rack_of(3, 40);
	config.audit = ALL;
	config.node[0].wrong = config.node[1].wrong = 1000000;
	rack_run(&config, &result);
	CU_ASSERT_TRUE(result.given_up);
	CU_ASSERT_EQUAL(result.quarantined, 0);
	CU_ASSERT_FALSE(result.finished);
}

static void two_wrong_nodes_of_many_are_found_both(void)
{
	config = rack_of(12, 100);
	config.audit = ALL;
	config.node[3].wrong = config.node[4].wrong = 5000;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.wrong_kept, 0);
	CU_ASSERT_EQUAL(result.quarantined, 1 << 3 | 1 << 4);
}

static void a_lone_node_waits_with_its_audit_until_another_joins(void)
{
	config = rack_of(2, 20);
	config.audit = ALL;
	config.node[1].join_ns = 3 * S;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.end_ns > 3 * S);
	CU_ASSERT_EQUAL(result.sent_again_to_same, 0);
	config.node[1].join_ns = 700 * S; /* never */
	rack_run(&config, &result);
	CU_ASSERT_FALSE(result.finished || result.given_up);
	CU_ASSERT_EQUAL(result.done, 0);
}

/* More than are kept: the rest waits, and nothing fails. */
static void two_nodes_that_differ_wait_for_a_third(void)
{
	config = rack_of(3, 100);
	config.audit = ALL;
	config.node[1].wrong = 1000000;
	config.node[2].join_ns = 5 * S;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.quarantined, 1 << 1);
	CU_ASSERT_EQUAL(result.wrong_kept, 0);
	CU_ASSERT_TRUE(result.end_ns > 5 * S);
}

static void a_wrong_node_is_found_also_after_it_has_left(void)
{
	config = rack_of(3, 100);
	config.audit = ALL;
	config.node[1].wrong = 1000000;
	config.node[1].remove_ns = 200 * MS;
	config.node[2].join_ns = 5 * S;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.quarantined, 1 << 1);
	CU_ASSERT_EQUAL(result.wrong_kept, 0);
}

static void what_a_slow_node_holds_at_the_end_goes_to_another_too(void)
{
	config = rack_of(4, 50);
	config.node[3].compute_ns = 300 * MS;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.counters.speculated > 0);
	CU_ASSERT_EQUAL(result.sent_again_to_same, 0);
	CU_ASSERT_TRUE(result.end_ns < 200 * MS);
	config.no_drain = true;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_EQUAL(result.counters.speculated, 0);
	CU_ASSERT_TRUE(result.end_ns > 200 * MS);
}

static void an_even_rack_speculates_on_little(void)
{
	config = rack_of(12, 1000);
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.counters.speculated * 100 < result.batches);
	CU_ASSERT_EQUAL(result.sent_again_to_same, 0);
}

/* Three seconds a batch: slow, and neither silent nor lost. */
static void a_slow_kernel_is_waited_for(void)
{
	config = rack_of(4, 2);
	config.until_ns = 1000 * S;
	for (uint32_t i = 0; i < 4; i++)
		config.node[i].compute_ns = 3 * S;
	rack_run(&config, &result);
	check_exact();
	/* Each node is silent until its first beat tells that it works. */
	CU_ASSERT_TRUE(result.timeouts <= 4 * 3);
	CU_ASSERT_TRUE(result.counters.resent < result.batches);
	CU_ASSERT_TRUE(result.counters.duplicates < result.batches);
}

static void a_batch_that_one_node_cannot_compute_goes_to_another(void)
{
	config = rack_of(12, 100);
	config.node[5].fail = 1000000;
	config.node[6].fail = 1000000;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_FALSE(result.given_up);
	CU_ASSERT_EQUAL(result.results[5] + result.results[6], 0);
	CU_ASSERT_EQUAL(result.sent_again_to_same, 0);
	CU_ASSERT_TRUE(result.counters.failed > 0);
	/* It rests between its failures. */
	CU_ASSERT_TRUE(result.counters.failed * 20 < result.batches);
}

static void a_batch_that_three_nodes_cannot_compute_ends_the_job(void)
{
	config = rack_of(3, 100);
	for (uint32_t i = 0; i < 3; i++)
		config.node[i].fail = 1000000;
	rack_run(&config, &result);
	CU_ASSERT_TRUE(result.given_up);
}

/* However often: others would have to say the same. */
static void what_a_lone_node_cannot_compute_waits_for_another(void)
{
	config = rack_of(1, 1);
	config.node[0].fail = 1000000;
	rack_run(&config, &result);
	CU_ASSERT_FALSE(result.given_up);
	CU_ASSERT_FALSE(result.finished);
	CU_ASSERT_TRUE(result.counters.failed > 3);

	config = rack_of(2, 1);
	config.node[0].fail = 1000000;
	config.node[1].join_ns = 6 * S;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_FALSE(result.given_up);

	config = rack_of(1, 1);
	config.node[0].fail = 200000;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_FALSE(result.given_up);
}

/* The other member has died and is not removed yet. */
static void a_failed_batch_does_not_wait_for_a_silent_node(void)
{
	config = rack_of(2, 20);
	config.node[0].fail = 20000;
	config.node[1].die_ns = 5 * MS;
	rack_run(&config, &result);
	check_exact();
	CU_ASSERT_TRUE(result.counters.failed > 0);
	CU_ASSERT_TRUE(result.age_max_ns < 2 * S);
}

/* ---- single calls ------------------------------------------------------------------- */

static const struct wm_layout layout = {
	.elements = 100 * 8,
	.extents = 2,
	.batches = 80,
	.extent_elements = 400,
	.batch_elements = 10,
	.batches_per_extent = 40,
};

static struct wm_flow flows[4];

/* It is admitted, and takes part. */
static void node_add(struct wm_dispatch *dispatch, uint32_t node, uint32_t window_max,
		     uint32_t seed)
{
	wm_flow_init(&flows[node], seed);
	wm_dispatch_node_add(dispatch, node, window_max);
}

static struct wm_dispatch *dispatch_start(uint32_t nodes)
{
	struct wm_dispatch_config limits = { .nodes_max = 4,
					     .flows = flows,
					     .extents_max = 2,
					     .batches_per_extent_max = 40,
					     .in_flight_max = 100 };
	struct wm_dispatch *dispatch = wm_dispatch_create(&limits);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dispatch);
	wm_dispatch_start(dispatch, &layout, 15);
	for (uint32_t i = 0; i < nodes; i++)
		node_add(dispatch, i, 128, 1000 * i);
	wm_dispatch_extent_open(dispatch, 0, 0);
	return dispatch;
}

static void nothing_is_sent_without_a_node_or_without_a_batch(void)
{
	struct wm_dispatch *dispatch = dispatch_start(0);
	struct wm_dispatch_send send;

	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, 0, &send));
	node_add(dispatch, 2, 1, 0);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 0, &send));
	CU_ASSERT_EQUAL(send.node, 2);
	CU_ASSERT_EQUAL(send.batch.batch, 0);
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, 0, &send)); /* its window is full */
	wm_dispatch_start(dispatch, &layout, 15);
	node_add(dispatch, 2, 1, 0);
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, 0, &send)); /* no extent is open */
	CU_ASSERT_EQUAL(wm_dispatch_nodes_alive(dispatch), 1);
	wm_dispatch_destroy(&dispatch);
	CU_ASSERT_PTR_NULL(dispatch);
}

/* Also when each has room for many. */
static void nodes_are_served_as_many_batches_in_turn_as_may_wait_on_their_way(void)
{
	struct wm_dispatch *dispatch = dispatch_start(0);
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send sends[12];

	wm_dispatch_start(dispatch, &layout, 4);
	for (uint32_t i = 0; i < 3; i++)
		node_add(dispatch, i, 128, 1000 * i);
	wm_dispatch_extent_open(dispatch, 0, 0);
	wm_dispatch_extent_open(dispatch, 1, 1);
	for (uint64_t round = 0; round < 6; round++) {
		for (unsigned i = 0; i < 12; i++) {
			CU_ASSERT_TRUE_FATAL(wm_dispatch_next(dispatch, round * MS, &sends[i]));
			CU_ASSERT_EQUAL(sends[i].node, i / 4);
		}
		for (unsigned i = 0; i < 12; i++)
			wm_dispatch_result(dispatch, sends[i].node, sends[i].batch.batch,
					   sends[i].sequence, round * MS + US, &receipt);
	}
	wm_dispatch_destroy(&dispatch);
}

static void a_node_waits_until_half_its_window_is_free(void)
{
	struct wm_dispatch *dispatch = dispatch_start(0);
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send sends[5];

	node_add(dispatch, 0, 4, 0);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_TRUE_FATAL(wm_dispatch_next(dispatch, 0, &sends[i]));
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, 0, &sends[4]));
	wm_dispatch_result(dispatch, 0, sends[0].batch.batch, sends[0].sequence, US, &receipt);
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, US, &sends[4]));
	wm_dispatch_result(dispatch, 0, sends[1].batch.batch, sends[1].sequence, US, &receipt);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, US, &sends[4]));
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, US, &sends[4]));
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, US, &sends[4]));
	wm_dispatch_destroy(&dispatch);
}

static void expect_knows_what_is_in_flight_and_refuses_nonsense(void)
{
	struct wm_dispatch *dispatch = dispatch_start(2);
	struct wm_ledger_batch expected;
	struct wm_dispatch_send send;

	wm_dispatch_next(dispatch, 0, &send);
	CU_ASSERT_TRUE(wm_dispatch_expect(dispatch, 0, send.batch.batch, send.sequence, &expected));
	CU_ASSERT_EQUAL(expected.token, send.batch.token);
	CU_ASSERT_EQUAL(expected.count, 10);
	/* Nobody answers for what another node was sent. */
	CU_ASSERT_FALSE(wm_dispatch_expect(dispatch, 1, send.batch.batch, 77, &expected));
	CU_ASSERT_FALSE(
		wm_dispatch_expect(dispatch, 1, send.batch.batch, send.sequence, &expected));

	CU_ASSERT_FALSE(wm_dispatch_expect(dispatch, 0, 40, send.sequence, &expected));
	CU_ASSERT_FALSE(wm_dispatch_expect(dispatch, 0, 80, send.sequence, &expected));
	CU_ASSERT_FALSE(wm_dispatch_expect(dispatch, 0, UINT64_MAX, send.sequence, &expected));
	CU_ASSERT_FALSE(
		wm_dispatch_expect(dispatch, 3, 0, send.sequence, &expected)); /* no member */
	wm_dispatch_destroy(&dispatch);
}

static void a_result_of_no_member_or_of_a_batch_never_sent_is_unknown(void)
{
	struct wm_dispatch *dispatch = dispatch_start(1);
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send send;

	wm_dispatch_next(dispatch, 0, &send);
	CU_ASSERT_EQUAL(wm_dispatch_result(dispatch, 3, 0, send.sequence, 10, &receipt),
			WM_LEDGER_UNKNOWN);
	CU_ASSERT_EQUAL(wm_dispatch_result(dispatch, 0, 20, 99, 10, &receipt), WM_LEDGER_UNKNOWN);
	CU_ASSERT_EQUAL(wm_dispatch_get_counters(dispatch)->unknown, 2);
	CU_ASSERT_EQUAL(wm_dispatch_result(dispatch, 0, 0, send.sequence, 10, &receipt),
			WM_LEDGER_NEW);
	CU_ASSERT_EQUAL(receipt.batch.token, send.batch.token);
	CU_ASSERT_EQUAL(wm_dispatch_result(dispatch, 0, 0, send.sequence, 10, &receipt),
			WM_LEDGER_DUPLICATE);
	wm_dispatch_destroy(&dispatch);
}

/* Such a node is broken; the job must end nevertheless. */
static void a_result_under_another_sequence_does_not_strand_that_sequences_batch(void)
{
	struct wm_dispatch *dispatch = dispatch_start(1);
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send first, second, third;

	wm_dispatch_next(dispatch, 0, &first);
	wm_dispatch_next(dispatch, 0, &second);
	CU_ASSERT_EQUAL(
		wm_dispatch_result(dispatch, 0, second.batch.batch, first.sequence, 10, &receipt),
		WM_LEDGER_UNKNOWN);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 20, &third));
	CU_ASSERT_EQUAL(third.batch.batch, first.batch.batch);
	CU_ASSERT_TRUE(third.batch.again);
	wm_dispatch_destroy(&dispatch);
}

static void a_removed_nodes_batches_are_sent_to_others_at_once(void)
{
	struct wm_dispatch *dispatch = dispatch_start(2);
	struct wm_dispatch_send send;
	unsigned again = 0;

	while (wm_dispatch_next(dispatch, 0, &send))
		;
	wm_dispatch_node_remove(dispatch, 0);
	wm_dispatch_node_remove(dispatch, 0); /* not an error */
	CU_ASSERT_EQUAL(wm_dispatch_get_counters(dispatch)->lost, 4);
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, 0, &send));
	node_add(dispatch, 3, 8, 0);
	for (unsigned i = 0; i < 4 && wm_dispatch_next(dispatch, 0, &send); i++) {
		CU_ASSERT_EQUAL(send.node, 3);
		again += send.batch.again;
	}
	CU_ASSERT_EQUAL(again, 4);
	wm_dispatch_destroy(&dispatch);
}

/* Its batches are held for the opinion of another. */
static void a_lone_node_with_an_audit_is_stuck_until_another_joins(void)
{
	struct wm_dispatch *dispatch = dispatch_start(1);
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send send;

	wm_dispatch_audit(dispatch, ALL, 1);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 0, &send));
	do {
		CU_ASSERT_FALSE(wm_dispatch_is_stuck(dispatch));
		CU_ASSERT_EQUAL(wm_dispatch_result(dispatch, send.node, send.batch.batch,
						   send.sequence, MS, &receipt),
				WM_LEDGER_HELD);
	} while (wm_dispatch_next(dispatch, MS, &send));
	CU_ASSERT_TRUE(wm_dispatch_is_stuck(dispatch));
	CU_ASSERT_EQUAL(wm_dispatch_nodes_alive(dispatch), 1);
	node_add(dispatch, 3, 4, 0);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, MS, &send));
	CU_ASSERT_FALSE(wm_dispatch_is_stuck(dispatch));
	wm_dispatch_destroy(&dispatch);
}

static void a_silent_node_is_not_alive_until_it_is_heard_of(void)
{
	struct wm_dispatch *dispatch = dispatch_start(2);
	struct wm_dispatch_send send;
	uint32_t silent = WM_LEDGER_NOBODY, unable;

	while (wm_dispatch_next(dispatch, 0, &send))
		;
	CU_ASSERT_EQUAL(wm_dispatch_tick(dispatch, 499 * MS, &silent), 0);
	CU_ASSERT_EQUAL(wm_dispatch_tick(dispatch, 500 * MS, &silent), 2);
	CU_ASSERT_TRUE(silent < 2);
	CU_ASSERT_EQUAL(wm_dispatch_get_counters(dispatch)->waited_max_ns, 500 * MS);
	CU_ASSERT_EQUAL(wm_dispatch_nodes_alive(dispatch), 0);
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, 500 * MS, &send));
	wm_dispatch_node_beat(dispatch, 1, false, 600 * MS);
	wm_dispatch_node_beat(dispatch, 3, false, 600 * MS); /* no member: nothing */
	CU_ASSERT_EQUAL(wm_dispatch_nodes_alive(dispatch), 1);
	/* It is asked again, which is no answer of it. */
	CU_ASSERT_EQUAL(wm_dispatch_nodes_answering(dispatch, &unable), 0);
	CU_ASSERT_EQUAL(unable, 0);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 600 * MS, &send));
	CU_ASSERT_EQUAL(send.node, 1);
	CU_ASSERT_TRUE(send.batch.again);
	wm_dispatch_destroy(&dispatch);
}

static void failures_count_only_from_who_was_asked(void)
{
	struct wm_dispatch *dispatch = dispatch_start(2);
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send send;

	wm_dispatch_next(dispatch, 0, &send);
	CU_ASSERT_EQUAL(send.node, 0);
	for (uint32_t sequence = 0; sequence < 2000; sequence++) {
		CU_ASSERT_EQUAL(wm_dispatch_failed(dispatch, 1, 0, sequence, 1, &receipt), 0);
		CU_ASSERT_EQUAL(wm_dispatch_failed(dispatch, 0, 7, sequence + 1, 1, &receipt), 0);
	}
	CU_ASSERT_EQUAL(wm_dispatch_failed(dispatch, 0, 0, send.sequence, 1, &receipt), 1);
	CU_ASSERT_EQUAL(wm_dispatch_failed(dispatch, 0, 0, send.sequence, 1, &receipt), 0);
	CU_ASSERT_EQUAL(wm_dispatch_failed(dispatch, 3, 0, send.sequence, 1, &receipt), 0);
	CU_ASSERT_EQUAL(wm_dispatch_get_counters(dispatch)->failed, 1);
	/* The other one gets it, and the first nothing before it is heard of. */
	while (wm_dispatch_next(dispatch, 2, &send))
		CU_ASSERT_EQUAL(send.node, 1);
	wm_dispatch_node_beat(dispatch, 0, false, 3);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 3, &send));
	CU_ASSERT_EQUAL(send.node, 0);
	wm_dispatch_destroy(&dispatch);
}

/* All that a member can say: any batch, any sequence, result or failure. */
static void a_flood_of_answers_to_nothing_changes_nothing(void)
{
	struct wm_dispatch *dispatch = dispatch_start(2);
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send sends[100];
	uint64_t random = 1;
	unsigned sent = 0;

	wm_dispatch_audit(dispatch, ALL, 1);
	while (sent < 100 && wm_dispatch_next(dispatch, 0, &sends[sent]))
		sent++;
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t batch = wm_random_below(&random, 90);
		uint32_t sequence = 500 + wm_random_below(&random, 400);
		enum wm_ledger_verdict verdict =
			wm_dispatch_result(dispatch, 1, batch, sequence, 1, &receipt);

		CU_ASSERT_TRUE(verdict == WM_LEDGER_UNKNOWN || verdict == WM_LEDGER_DUPLICATE);
		CU_ASSERT_EQUAL(wm_dispatch_failed(dispatch, 1, batch, sequence, 1, &receipt), 0);
	}
	for (unsigned i = 0; i < sent; i++)
		CU_ASSERT_EQUAL(wm_dispatch_result(dispatch, sends[i].node, sends[i].batch.batch,
						   sends[i].sequence, 2, &receipt),
				WM_LEDGER_HELD);
	wm_dispatch_destroy(&dispatch);
}

/* ---- at random ------------------------------------------------------------------------ */

static uint32_t sometimes(uint64_t *random, uint32_t below)
{
	return wm_random_below(random, 2) ? wm_random_below(random, below) : 0;
}

static void node_at_random(struct rack_node_config *node, uint64_t *random, bool mortal)
{
	node->link.frame_ns *= 1 + sometimes(random, 10);
	node->link.queue_frames = 4 + wm_random_below(random, 60);
	node->link.delay_ns += sometimes(random, (uint32_t)(2 * MS));
	node->compute_ns += sometimes(random, (uint32_t)MS);
	node->submit_ns += sometimes(random, (uint32_t)MS);
	node->window_max = 1 + wm_random_below(random, 128);
	node->loss = sometimes(random, 60000);
	node->duplicate = sometimes(random, 60000);
	node->reorder = sometimes(random, 60000);
	node->reorder_ns = 1 + wm_random_below(random, (uint32_t)(5 * MS));
	node->stall = sometimes(random, 3000);
	node->stall_ns = wm_random_below(random, 500) * MS;
	if (!mortal || wm_random_below(random, 4) != 0)
		return;
	node->die_ns = 1 + wm_random_below(random, (uint32_t)(300 * MS));
	if (wm_random_below(random, 2))
		node->back_ns = node->die_ns + wm_random_below(random, 2000) * MS;
	else if (wm_random_below(random, 2))
		node->remove_ns = node->die_ns + wm_random_below(random, 2000) * MS;
}

static void rack_at_random(uint64_t seed)
{
	static const uint32_t nodes[] = { 1, 3, 12, 64 };
	uint64_t random = seed;

	config = rack_of(nodes[wm_random_below(&random, 4)], 1 + wm_random_below(&random, 60));
	config.seed = seed;
	config.extents_max = 1 + wm_random_below(&random, 48);
	config.in_flight_max = 1 + wm_random_below(&random, 1000);
	config.queue_target = 1 + wm_random_below(&random, 80);
	if (wm_random_below(&random, 2))
		config.shared = (struct rack_link){ .frame_ns = 6632, .queue_frames = 300 };
	/* Wrong ones are few beside those that live, so that two of three agree. */
	if (config.nodes >= 12 && wm_random_below(&random, 2)) {
		config.audit = wm_random_below(&random, 2) ? ALL : 50 * ONE_PERCENT;
		config.node[1].wrong = wm_random_below(&random, 1000000);
	}
	/* Node 0 lives, so that there is an end. */
	for (uint32_t i = 0; i < config.nodes; i++)
		node_at_random(&config.node[i], &random, i > 0);
}

static void every_batch_is_completed_exactly_once_whatever_happens(void)
{
	uint64_t longest_ns = 0;

	for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
		unsigned failures = CU_get_number_of_failures();

		rack_at_random(seed);
		rack_run(&config, &result);
		check_exact();
		if (result.end_ns > longest_ns)
			longest_ns = result.end_ns;
		if (CU_get_number_of_failures() != failures) {
			printf("# failed with --seed %llu\n", (unsigned long long)seed);
			return;
		}
	}
	printf("# the longest took %llu ms of virtual time\n",
	       (unsigned long long)(longest_ns / MS));
}

static const struct wm_test tests[] = {
	WM_TEST(an_even_rack_shares_fairly_and_loses_nothing),
	WM_TEST(a_job_shorter_than_the_rack_is_wide_ends),
	WM_TEST(a_fast_node_gets_more),
	WM_TEST(in_flight_max_holds_and_is_shared_fairly),
	WM_TEST(a_line_is_full_though_answers_take_2_ms),
	WM_TEST(all_links_of_a_rack_are_full_though_answers_take_2_or_4_ms),
	WM_TEST(a_smaller_window_or_ring_leaves_links_idle),
	WM_TEST(window_max_holds_for_each_node),
	WM_TEST(the_batches_of_a_node_that_dies_complete_elsewhere_within_2_s),
	WM_TEST(a_node_may_die_and_come_back_with_other_sequences),
	WM_TEST(all_nodes_but_one_may_die),
	WM_TEST(a_removed_node_gets_nothing_more_and_leaves_nothing_behind),
	WM_TEST(stalls_that_are_not_deaths_are_survived),
	WM_TEST(an_uplink_is_filled_without_loss),
	WM_TEST(an_uplink_is_filled_despite_random_loss),
	WM_TEST(nodes_that_join_one_by_one_do_not_pile_up_their_queues),
	WM_TEST(every_batch_of_a_full_audit_is_computed_by_two_nodes),
	WM_TEST(an_audit_takes_its_share_of_batches),
	WM_TEST(a_full_audit_lets_nothing_wrong_through),
	WM_TEST(a_node_that_is_always_wrong_is_found_by_an_audit_of_one_percent),
	WM_TEST(three_results_of_three_nodes_end_the_job),
	WM_TEST(two_wrong_nodes_of_many_are_found_both),
	WM_TEST(a_lone_node_waits_with_its_audit_until_another_joins),
	WM_TEST(two_nodes_that_differ_wait_for_a_third),
	WM_TEST(a_wrong_node_is_found_also_after_it_has_left),
	WM_TEST(what_a_slow_node_holds_at_the_end_goes_to_another_too),
	WM_TEST(an_even_rack_speculates_on_little),
	WM_TEST(a_batch_that_one_node_cannot_compute_goes_to_another),
	WM_TEST(a_batch_that_three_nodes_cannot_compute_ends_the_job),
	WM_TEST(what_a_lone_node_cannot_compute_waits_for_another),
	WM_TEST(a_slow_kernel_is_waited_for),
	WM_TEST(a_failed_batch_does_not_wait_for_a_silent_node),
	WM_TEST(failures_count_only_from_who_was_asked),
	WM_TEST(a_flood_of_answers_to_nothing_changes_nothing),
	WM_TEST(nothing_is_sent_without_a_node_or_without_a_batch),
	WM_TEST(nodes_are_served_as_many_batches_in_turn_as_may_wait_on_their_way),
	WM_TEST(a_node_waits_until_half_its_window_is_free),
	WM_TEST(expect_knows_what_is_in_flight_and_refuses_nonsense),
	WM_TEST(a_result_of_no_member_or_of_a_batch_never_sent_is_unknown),
	WM_TEST(a_result_under_another_sequence_does_not_strand_that_sequences_batch),
	WM_TEST(a_removed_nodes_batches_are_sent_to_others_at_once),
	WM_TEST(a_lone_node_with_an_audit_is_stuck_until_another_joins),
	WM_TEST(a_silent_node_is_not_alive_until_it_is_heard_of),
	WM_TEST(every_batch_is_completed_exactly_once_whatever_happens),
};

WM_TESTS_ARGUMENTS(0, 2, WM_SEED_USAGE);

int main(int argc, char **argv)
{
	seeds = wm_seeds_choose(argc, argv, 400);
	return WM_TESTS_RUN("dispatch", tests);
}
