/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a node's flow outlives a job, and what does not. */
#include <string.h>

#include "clock.h"
#include "dispatch.h"
#include "harness.h"
#include "rack.h"
#include "wiremill/limits.h"

#define US WM_NS_PER_US
#define MS WM_NS_PER_MS
#define S WM_NS_PER_S

#define QUEUE_TARGET 16u
#define SEED 1000u

static const struct wm_kernel kernel = { .name = "xor" };
static const struct wm_kernel other = { .name = "other" };

/* ---- a flow ------------------------------------------------------------------------ */

/* A job is over: it learned this window, and that a result may be four late. */
static struct wm_flow flow_that_learned(uint32_t window)
{
	struct wm_flow flow;

	wm_flow_init(&flow, SEED);
	wm_flow_begin(&flow, WM_NODE_WINDOW_MAX, QUEUE_TARGET, &kernel);
	for (uint32_t i = 0; i < 5; i++)
		wm_flow_send(&flow, i + 1, 0);
	for (uint32_t i = 1; i < 5; i++)
		wm_flow_accept(&flow, SEED + i, 3 * S);
	while (wm_flow_next_lost(&flow))
		;
	wm_flow_accept(&flow, SEED, 3 * S);
	CU_ASSERT_EQUAL(flow.counters.spurious, 1);
	flow.window = window;
	flow.slow_start = false;
	return flow;
}

static void next_job(struct wm_flow *flow)
{
	wm_flow_begin(flow, WM_NODE_WINDOW_MAX, QUEUE_TARGET, &kernel);
}

/* Sends what it may, and answers it all. */
static void answer_a_window(struct wm_flow *flow, uint64_t now_ns)
{
	uint32_t first = flow->next;

	while (wm_flow_has_room(flow))
		wm_flow_send(flow, 1, now_ns);
	while (first != flow->next)
		CU_ASSERT_EQUAL(wm_flow_accept(flow, first++, now_ns + MS), 1);
}

static void sequences_go_on(void)
{
	struct wm_flow flow = flow_that_learned(50);

	next_job(&flow);
	CU_ASSERT_EQUAL(wm_flow_send(&flow, 7, 4 * S), SEED + 5);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, SEED + 5, 4 * S), 7);
}

static void the_window_is_opened_by_answers_up_to_where_it_was(void)
{
	struct wm_flow flow = flow_that_learned(50);
	uint64_t now_ns = 4 * S;

	next_job(&flow);
	CU_ASSERT_EQUAL(flow.window, QUEUE_TARGET); /* no burst beyond what may wait */
	answer_a_window(&flow, now_ns);
	CU_ASSERT_EQUAL(flow.window, QUEUE_TARGET * 5 / 4 + 1);
	while (flow.learned) {
		CU_ASSERT_TRUE_FATAL(flow.window < 50);
		now_ns += 2 * MS;
		answer_a_window(&flow, now_ns);
	}
	CU_ASSERT_EQUAL(flow.window, 50);
}

static void a_small_window_stays_small(void)
{
	struct wm_flow flow = flow_that_learned(5);

	next_job(&flow);
	CU_ASSERT_EQUAL(flow.window, 5);
	CU_ASSERT_EQUAL(flow.learned, 0);
}

static void a_job_that_is_over_before_the_window_is_open_forgets_nothing(void)
{
	struct wm_flow flow = flow_that_learned(50);

	for (unsigned i = 0; i < 3; i++) {
		next_job(&flow);
		wm_flow_accept(&flow, wm_flow_send(&flow, 1, 4 * S), 4 * S);
	}
	CU_ASSERT_EQUAL(flow.learned, 50);
}

static void a_window_that_was_cut_for_a_look_at_the_base_comes_back(void)
{
	struct wm_flow flow = flow_that_learned(50);

	flow.base_window = 50;
	flow.window = 6;
	next_job(&flow);
	CU_ASSERT_EQUAL(flow.learned, 50);
	CU_ASSERT_EQUAL(flow.base_window, 0);
}

static void loss_and_silence_end_the_opening(void)
{
	struct wm_flow flow = flow_that_learned(50);

	next_job(&flow);
	wm_flow_send(&flow, 1, 4 * S);
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 6 * S));
	CU_ASSERT_EQUAL(flow.learned, 0);
	CU_ASSERT_EQUAL(flow.window, 2);
}

/* Six frames of an MTU of 1500 have the bytes of one of 9000; so has the queue's target. */
static void the_window_is_of_bytes(void)
{
	struct wm_flow flow = flow_that_learned(120);

	wm_flow_begin(&flow, WM_NODE_WINDOW_MAX, QUEUE_TARGET / 4, &kernel);
	CU_ASSERT_EQUAL(flow.window, 4);
	CU_ASSERT_EQUAL(flow.learned, 30);
	wm_flow_begin(&flow, WM_NODE_WINDOW_MAX, QUEUE_TARGET, &kernel);
	CU_ASSERT_EQUAL(flow.window, QUEUE_TARGET);
	CU_ASSERT_EQUAL(flow.learned, 120);
	wm_flow_begin(&flow, WM_NODE_WINDOW_MAX, 64 * QUEUE_TARGET, &kernel);
	CU_ASSERT_EQUAL(flow.window, WM_NODE_WINDOW_MAX);
	wm_flow_begin(&flow, WM_NODE_WINDOW_MAX, 0, &kernel);
	CU_ASSERT_EQUAL(flow.window, 2); /* never less */
}

static void what_the_node_holds_bounds_it(void)
{
	for (uint32_t window_max = 1; window_max < 50; window_max++) {
		struct wm_flow flow = flow_that_learned(50);

		wm_flow_begin(&flow, window_max, QUEUE_TARGET, &kernel);
		CU_ASSERT_TRUE(flow.window <= window_max && flow.learned <= window_max);
		for (unsigned round = 0; round < 9; round++)
			answer_a_window(&flow, 4 * S + 2 * round * MS);
		CU_ASSERT_EQUAL(flow.window, window_max);
	}
}

static void another_kernel_begins_with_a_small_window(void)
{
	struct wm_flow flow = flow_that_learned(50);

	wm_flow_begin(&flow, WM_NODE_WINDOW_MAX, QUEUE_TARGET, &other);
	CU_ASSERT_EQUAL(flow.window, 4);
	CU_ASSERT_EQUAL(flow.learned, 0);
	CU_ASSERT_TRUE(flow.slow_start);
	CU_ASSERT_EQUAL(wm_flow_send(&flow, 1, 4 * S), SEED + 5);
	/* Nor does the one before it come back by that window. */
	next_job(&flow);
	CU_ASSERT_EQUAL(flow.window, 4);
	CU_ASSERT_EQUAL(flow.learned, 0);
}

static void the_distance_of_what_comes_out_of_order_stays(void)
{
	struct wm_flow flow = flow_that_learned(50);
	uint32_t reorder = flow.reorder;

	CU_ASSERT_EQUAL(reorder, 5);
	next_job(&flow);
	CU_ASSERT_EQUAL(flow.reorder, reorder);
	wm_flow_begin(&flow, WM_NODE_WINDOW_MAX, QUEUE_TARGET, &other);
	CU_ASSERT_EQUAL(flow.reorder, reorder);
}

/* Its results took 3 s in the job before. */
static void the_round_trip_is_measured_anew(void)
{
	struct wm_flow flow = flow_that_learned(50);

	CU_ASSERT_TRUE(flow.timeout_ns > 3 * S);
	next_job(&flow);
	CU_ASSERT_EQUAL(flow.srtt_ns, 0);
	wm_flow_send(&flow, 1, 4 * S);
	CU_ASSERT_FALSE(wm_flow_expire(&flow, 4 * S + 499 * MS));
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 4 * S + 501 * MS));
}

/* And that it works on batches was said of those before. */
static void a_node_that_works_is_waited_for_in_its_job_only(void)
{
	struct wm_flow flow = flow_that_learned(50);

	wm_flow_beat(&flow, true, 4 * S);
	next_job(&flow);
	wm_flow_send(&flow, 1, 4 * S);
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 4 * S + 501 * MS));
}

static void what_was_in_flight_is_forgotten_and_not_lost(void)
{
	struct wm_flow flow = flow_that_learned(50);

	for (uint32_t i = 0; i < 30; i++)
		wm_flow_send(&flow, 100 + i, 4 * S);
	next_job(&flow);
	CU_ASSERT_EQUAL(flow.in_flight, 0);
	CU_ASSERT_EQUAL(flow.counters.sent, 0);
	CU_ASSERT_EQUAL(wm_flow_waiting_ns(&flow, 5 * S), 0);
	CU_ASSERT_FALSE(wm_flow_expire(&flow, 60 * S));
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
	CU_ASSERT_EQUAL(flow.counters.lost, 0);
	CU_ASSERT_EQUAL(flow.window, QUEUE_TARGET); /* it is no sign of a bad way */
}

/* Of any of them: in flight, given up, or answered. */
static void a_late_result_of_the_job_before_is_none_of_this_one(void)
{
	struct wm_flow flow = flow_that_learned(50);
	uint32_t sequence;

	for (uint32_t i = 0; i < 30; i++)
		wm_flow_send(&flow, 100 + i, 4 * S);
	wm_flow_accept(&flow, SEED + 20, 4 * S);
	while (wm_flow_next_lost(&flow))
		;
	next_job(&flow);
	sequence = wm_flow_send(&flow, 500, 5 * S);
	CU_ASSERT_EQUAL(sequence, SEED + 35);
	for (uint32_t late = SEED; late != sequence; late++) {
		CU_ASSERT_EQUAL(wm_flow_look(&flow, late), 0);
		CU_ASSERT_EQUAL(wm_flow_accept(&flow, late, 5 * S), 0);
	}
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
	CU_ASSERT_EQUAL(flow.counters.spurious, 0);
	CU_ASSERT_EQUAL(flow.counters.lost, 0);
	CU_ASSERT_EQUAL(flow.reorder, 5);
	CU_ASSERT_EQUAL(flow.srtt_ns, 0); /* it tells nothing of this kernel */
	CU_ASSERT_EQUAL(flow.in_flight, 1);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, sequence, 5 * S + MS), 500);
}

static void silence_goes_on_until_the_node_is_heard_of(void)
{
	struct wm_flow flow = flow_that_learned(50);

	for (unsigned i = 0; i < 2; i++) {
		wm_flow_beat(&flow, false, 10 * i * S);
		wm_flow_send(&flow, 1, 10 * i * S);
		CU_ASSERT_TRUE(wm_flow_expire(&flow, 10 * i * S + 9 * S));
	}
	next_job(&flow);
	CU_ASSERT_FALSE(wm_flow_has_room(&flow));
	CU_ASSERT_FALSE(wm_flow_answers(&flow));
	/* Other batches may reach it: it need not wait for as long as in the job before. */
	wm_flow_beat(&flow, false, 20 * S);
	CU_ASSERT_TRUE(wm_flow_has_room(&flow));
	CU_ASSERT_FALSE(wm_flow_answers(&flow));
	wm_flow_send(&flow, 1, 20 * S);
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 21 * S));
	wm_flow_beat(&flow, false, 24 * S); /* but for longer each time, as ever */
	CU_ASSERT_FALSE(wm_flow_has_room(&flow));
	wm_flow_beat(&flow, false, 25 * S);
	CU_ASSERT_TRUE(wm_flow_has_room(&flow));
}

static void a_node_that_could_not_compute_may_try_the_next_job(void)
{
	struct wm_flow flow = flow_that_learned(50);

	wm_flow_rest(&flow, 4 * S);
	CU_ASSERT_FALSE(wm_flow_has_room(&flow));
	next_job(&flow);
	CU_ASSERT_TRUE(wm_flow_has_room(&flow));
	CU_ASSERT_FALSE(flow.unable);
}

/* It started again, or another lane admitted it: it has another session. */
static void a_node_that_comes_back_is_a_new_one(void)
{
	struct wm_flow flow = flow_that_learned(50), fresh;

	wm_flow_init(&flow, 77);
	next_job(&flow);
	wm_flow_init(&fresh, 77);
	next_job(&fresh);
	CU_ASSERT_EQUAL(memcmp(&flow, &fresh, sizeof(flow)), 0);
	CU_ASSERT_EQUAL(flow.window, 4);
	CU_ASSERT_EQUAL(wm_flow_send(&flow, 1, 0), 77);
}

/* ---- a dispatch -------------------------------------------------------------------- */

static const struct wm_layout layout = {
	.kernel = { .name = "xor" },
	.elements = 100 * 8,
	.extents = 2,
	.batches = 80,
	.extent_elements = 400,
	.batch_elements = 10,
	.batches_per_extent = 40,
};

static struct wm_flow flows[2];

static void job_start(struct wm_dispatch *dispatch)
{
	wm_dispatch_start(dispatch, &layout, QUEUE_TARGET);
	wm_dispatch_node_add(dispatch, 0, 128);
	wm_dispatch_extent_open(dispatch, 0, 0);
}

static struct wm_dispatch *dispatch_create(void)
{
	const struct wm_dispatch_config limits = { .nodes_max = 2,
						   .flows = flows,
						   .extents_max = 2,
						   .batches_per_extent_max = 40,
						   .in_flight_max = 100 };
	struct wm_dispatch *dispatch = wm_dispatch_create(&limits);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dispatch);
	wm_flow_init(&flows[0], SEED);
	wm_flow_init(&flows[1], SEED);
	job_start(dispatch);
	return dispatch;
}

/* The same batch of the same node, and it is in flight once more. */
static void a_result_of_the_job_before_does_no_batch_of_this_one(void)
{
	struct wm_dispatch *dispatch = dispatch_create();
	struct wm_dispatch_receipt receipt;
	struct wm_dispatch_send before, now;
	struct wm_ledger_batch expected;
	uint32_t silent;

	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 0, &before));
	job_start(dispatch);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, MS, &now));
	CU_ASSERT_EQUAL(now.batch.batch, before.batch.batch);
	CU_ASSERT_EQUAL(now.sequence, before.sequence + 1);
	CU_ASSERT_FALSE(
		wm_dispatch_expect(dispatch, 0, before.batch.batch, before.sequence, &expected));
	CU_ASSERT_EQUAL(wm_dispatch_result(dispatch, 0, before.batch.batch, before.sequence, 2 * MS,
					   &receipt),
			WM_LEDGER_UNKNOWN);
	wm_dispatch_tick(dispatch, 3 * MS, &silent);
	CU_ASSERT_EQUAL(wm_dispatch_get_counters(dispatch)->lost, 0);
	CU_ASSERT_EQUAL(wm_dispatch_get_counters(dispatch)->results, 0);
	CU_ASSERT_EQUAL(
		wm_dispatch_result(dispatch, 0, now.batch.batch, now.sequence, 4 * MS, &receipt),
		WM_LEDGER_NEW);
	wm_dispatch_destroy(&dispatch);
}

static void a_beat_between_jobs_is_heard(void)
{
	struct wm_dispatch *dispatch = dispatch_create();
	struct wm_dispatch_send send;
	uint32_t silent;

	while (wm_dispatch_next(dispatch, 0, &send))
		;
	CU_ASSERT_EQUAL(wm_dispatch_tick(dispatch, S, &silent), 1);
	wm_dispatch_start(dispatch, &layout, QUEUE_TARGET);
	wm_dispatch_node_beat(dispatch, 0, false, 2 * S);
	wm_dispatch_node_add(dispatch, 0, 128);
	wm_dispatch_extent_open(dispatch, 0, 0);
	CU_ASSERT_EQUAL(wm_dispatch_nodes_alive(dispatch), 1);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 2 * S, &send));
	wm_dispatch_destroy(&dispatch);
}

static void a_silent_node_gets_nothing_in_the_next_job_either(void)
{
	struct wm_dispatch *dispatch = dispatch_create();
	struct wm_dispatch_send send;
	uint32_t silent;

	while (wm_dispatch_next(dispatch, 0, &send))
		;
	CU_ASSERT_EQUAL(wm_dispatch_tick(dispatch, S, &silent), 1);
	job_start(dispatch);
	CU_ASSERT_EQUAL(wm_dispatch_nodes_alive(dispatch), 0);
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, S, &send));
	/* Of this job it is told once more, and once only. */
	silent = WM_LEDGER_NOBODY;
	CU_ASSERT_EQUAL(wm_dispatch_tick(dispatch, S + MS, &silent), 1);
	CU_ASSERT_EQUAL(silent, 0);
	CU_ASSERT_EQUAL(wm_dispatch_tick(dispatch, S + 2 * MS, &silent), 0);
	wm_dispatch_node_beat(dispatch, 0, false, 2 * S);
	CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 2 * S, &send));
	wm_dispatch_destroy(&dispatch);
}

/* The ring of the port holds so many, whatever each node is good for. */
static void learned_windows_fill_the_port_and_no_more(void)
{
	struct wm_dispatch *dispatch = dispatch_create();
	struct wm_dispatch_node_state state[2];
	struct wm_dispatch_send send;

	wm_dispatch_node_add(dispatch, 1, 128);
	flows[0].window = flows[1].window = 128;
	wm_dispatch_limit(dispatch, 20);
	wm_dispatch_start(dispatch, &layout, 128);
	wm_dispatch_node_add(dispatch, 0, 128);
	wm_dispatch_node_add(dispatch, 1, 128);
	wm_dispatch_extent_open(dispatch, 0, 0);
	CU_ASSERT_EQUAL(flows[0].window, 128);
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_TRUE(wm_dispatch_next(dispatch, 0, &send));
	CU_ASSERT_FALSE(wm_dispatch_next(dispatch, 0, &send));
	wm_dispatch_node_get_state(dispatch, 0, &state[0]);
	wm_dispatch_node_get_state(dispatch, 1, &state[1]);
	CU_ASSERT_EQUAL(state[0].in_flight + state[1].in_flight, 20);
	wm_dispatch_destroy(&dispatch);
}

/* ---- racks --------------------------------------------------------------------------- */

static struct rack_result result;

/* 2 ms of way at 1 Gbit/s: 31 batches are on it, and a port holds 30. */
static struct rack_config rack_of(uint32_t nodes, uint64_t extents)
{
	struct rack_config rack = { .seed = 1,
				    .nodes = nodes,
				    .extents_max = 48,
				    .in_flight_max = 4096,
				    .queue_target = 15,
				    .extents = extents,
				    .jobs = 2,
				    .no_drain = true,
				    .until_ns = 600 * S };

	for (uint32_t i = 0; i < nodes; i++) {
		rack.node[i] = rack_node();
		rack.node[i].link.delay_ns = 500 * US;
	}
	return rack;
}

static void run(const struct rack_config *config)
{
	rack_run(config, &result);
	CU_ASSERT_TRUE(result.finished);
	CU_ASSERT_EQUAL(result.done_twice, 0);
	CU_ASSERT_EQUAL(result.wrong_count, 0);
	CU_ASSERT_EQUAL(result.counters.results, result.batches);
	CU_ASSERT_FALSE(result.over_limit);
	printf("# %u nodes, %llu batches a job: first %llu us, %llu frames dropped; second %llu "
	       "us, "
	       "%llu dropped\n",
	       config->nodes, (unsigned long long)result.batches,
	       (unsigned long long)(result.job_ns[0] / US),
	       (unsigned long long)result.job_dropped[0],
	       (unsigned long long)(result.job_ns[1] / US),
	       (unsigned long long)result.job_dropped[1]);
}

/* Each node has some 77 batches in a job, 5.1 ms of its line. */
static void the_second_of_two_short_jobs_is_a_third_shorter(void)
{
	static const uint32_t nodes[] = { 1, 3, 12 };

	for (unsigned i = 0; i < 3; i++) {
		struct rack_config config = rack_of(nodes[i], nodes[i] * 7 / 3 + 1);

		run(&config);
		CU_ASSERT_TRUE(result.job_ns[1] * 3 < result.job_ns[0] * 2);
	}
}

/* The first doubles its window until a switch drops; the second has no need to. */
static void the_second_of_two_long_jobs_drops_nothing(void)
{
	static const uint32_t nodes[] = { 1, 3, 12 };

	for (unsigned i = 0; i < 3; i++) {
		struct rack_config config = rack_of(nodes[i], nodes[i] * 10 + 1);

		run(&config);
		CU_ASSERT_TRUE(result.job_dropped[0] > 0);
		CU_ASSERT_EQUAL(result.job_dropped[1], 0);
		CU_ASSERT_TRUE(result.job_ns[1] < result.job_ns[0]);
	}
}

static void with_another_kernel_it_is_not(void)
{
	struct rack_config config = rack_of(3, 8);

	config.other_kernels = true;
	run(&config);
	CU_ASSERT_TRUE(result.job_ns[1] * 10 > result.job_ns[0] * 9);
}

/* Three jobs, on links that lose, duplicate and reorder, with nodes that come and go. */
static void jobs_one_after_another_are_exact_whatever_happens(void)
{
	uint64_t stale = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct rack_config config = rack_of(5, 3);

		config.seed = seed;
		config.jobs = 3;
		config.no_drain = false;
		config.in_flight_max = 60;
		for (uint32_t i = 0; i < 5; i++) {
			config.node[i].loss = config.node[i].duplicate = 20000;
			config.node[i].reorder = 100000;
			config.node[i].reorder_ns = 20 * MS;
		}
		config.node[4].die_ns = (1 + seed % 20) * MS;
		config.node[4].back_ns = config.node[4].die_ns + 10 * MS;
		run(&config);
		stale += result.stale;
	}
	printf("# %llu results were of a job that was over\n", (unsigned long long)stale);
	CU_ASSERT_TRUE(stale > 0);
}

static const struct wm_test tests[] = {
	WM_TEST(sequences_go_on),
	WM_TEST(the_window_is_opened_by_answers_up_to_where_it_was),
	WM_TEST(a_small_window_stays_small),
	WM_TEST(a_job_that_is_over_before_the_window_is_open_forgets_nothing),
	WM_TEST(a_window_that_was_cut_for_a_look_at_the_base_comes_back),
	WM_TEST(loss_and_silence_end_the_opening),
	WM_TEST(the_window_is_of_bytes),
	WM_TEST(what_the_node_holds_bounds_it),
	WM_TEST(another_kernel_begins_with_a_small_window),
	WM_TEST(the_distance_of_what_comes_out_of_order_stays),
	WM_TEST(the_round_trip_is_measured_anew),
	WM_TEST(a_node_that_works_is_waited_for_in_its_job_only),
	WM_TEST(what_was_in_flight_is_forgotten_and_not_lost),
	WM_TEST(a_late_result_of_the_job_before_is_none_of_this_one),
	WM_TEST(silence_goes_on_until_the_node_is_heard_of),
	WM_TEST(a_node_that_could_not_compute_may_try_the_next_job),
	WM_TEST(a_node_that_comes_back_is_a_new_one),
	WM_TEST(a_result_of_the_job_before_does_no_batch_of_this_one),
	WM_TEST(a_beat_between_jobs_is_heard),
	WM_TEST(a_silent_node_gets_nothing_in_the_next_job_either),
	WM_TEST(learned_windows_fill_the_port_and_no_more),
	WM_TEST(the_second_of_two_short_jobs_is_a_third_shorter),
	WM_TEST(the_second_of_two_long_jobs_drops_nothing),
	WM_TEST(with_another_kernel_it_is_not),
	WM_TEST(jobs_one_after_another_are_exact_whatever_happens),
};

int main(void)
{
	return WM_TESTS_RUN("flow-jobs", tests);
}
