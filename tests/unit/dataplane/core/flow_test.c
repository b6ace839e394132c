/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include "clock.h"
#include "harness.h"
#include "seed.h"
#include "wiremill/limits.h"

#define QUEUE_TARGET 15u
#define MS WM_NS_PER_MS

static struct wm_seeds seeds;
static const struct wm_kernel kernel = { .name = "xor" };

static struct wm_flow flow_of(uint32_t window_max, uint32_t seed)
{
	struct wm_flow flow;

	wm_flow_init(&flow, seed);
	wm_flow_begin(&flow, window_max, QUEUE_TARGET, &kernel);
	return flow;
}

/* A flow whose window is open wide, with `count` batches in flight: tokens 1, 2, ... */
static struct wm_flow flow_with(uint32_t count, uint32_t seed)
{
	struct wm_flow flow = flow_of(WM_NODE_WINDOW_MAX, seed);

	flow.window = WM_NODE_WINDOW_MAX;
	for (uint32_t i = 0; i < count; i++) {
		CU_ASSERT_TRUE_FATAL(wm_flow_has_room(&flow));
		CU_ASSERT_EQUAL(wm_flow_send(&flow, i + 1, i), seed + i);
	}
	return flow;
}

static unsigned lost_count(struct wm_flow *flow)
{
	unsigned count = 0;

	while (wm_flow_next_lost(flow))
		count++;
	return count;
}

/* ---- sequences ------------------------------------------------------------------ */

static void an_answer_gives_back_the_token_of_its_sequence_once(void)
{
	struct wm_flow flow = flow_with(3, 100);

	CU_ASSERT_EQUAL(flow.in_flight, 3);
	CU_ASSERT_EQUAL(wm_flow_look(&flow, 101), 2);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, 101, 10), 2);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, 101, 11), 0);
	CU_ASSERT_EQUAL(wm_flow_look(&flow, 101), 0);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, 100, 12), 1);
	CU_ASSERT_EQUAL(flow.in_flight, 1);
	CU_ASSERT_EQUAL(flow.counters.answered, 2);
	CU_ASSERT_EQUAL(lost_count(&flow), 0);
}

static void sequences_never_sent_or_long_gone_give_nothing(void)
{
	static const uint32_t sequences[] = { 99, 103, 100 + WM_FLOW_RING, 100 - WM_FLOW_RING,
					      100 + (1u << 31) };
	struct wm_flow flow = flow_with(3, 100);

	for (unsigned i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(wm_flow_look(&flow, sequences[i]), 0);
		CU_ASSERT_EQUAL(wm_flow_accept(&flow, sequences[i], 10), 0);
	}
	CU_ASSERT_EQUAL(flow.in_flight, 3);
	CU_ASSERT_EQUAL(lost_count(&flow), 0);
}

static void sequences_wrap_around_in_silence(void)
{
	struct wm_flow flow = flow_of(8, UINT32_MAX - 5);

	for (uint64_t token = 1; token < 5000; token += 2) {
		uint32_t sequence = wm_flow_send(&flow, token, token);
		uint32_t other = wm_flow_send(&flow, token + 1, token);

		CU_ASSERT_EQUAL(other, sequence + 1);
		CU_ASSERT_EQUAL(wm_flow_accept(&flow, other, token + 1), token + 1);
		CU_ASSERT_EQUAL(wm_flow_accept(&flow, sequence, token + 1), token);
		CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
	}
	CU_ASSERT_EQUAL(flow.counters.lost, 0);
	CU_ASSERT_EQUAL(flow.in_flight, 0);
}

static void loss_is_seen_across_the_wrap(void)
{
	struct wm_flow flow = flow_with(6, UINT32_MAX - 2);

	for (uint32_t i = 1; i < 6; i++)
		wm_flow_accept(&flow, UINT32_MAX - 2 + i, 10);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 1);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
}

/* ---- loss --------------------------------------------------------------------- */

static void a_batch_three_behind_the_newest_answer_is_lost(void)
{
	struct wm_flow flow = flow_with(8, 7);

	wm_flow_accept(&flow, 8, 10);
	wm_flow_accept(&flow, 9, 10);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
	wm_flow_accept(&flow, 10, 10);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 1);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
	CU_ASSERT_EQUAL(flow.in_flight, 4);
	CU_ASSERT_EQUAL(flow.counters.lost, 1);
}

static void a_gap_reports_exactly_what_is_missing(void)
{
	struct wm_flow flow = flow_with(20, 0);

	wm_flow_accept(&flow, 0, 50);
	wm_flow_accept(&flow, 5, 50);
	wm_flow_accept(&flow, 12, 50);
	for (uint64_t token = 2; token <= 10; token++) {
		if (token != 6)
			CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), token);
	}
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
}

static void a_late_result_widens_the_distance_to_what_it_needed(void)
{
	struct wm_flow flow = flow_with(40, 0);

	for (uint32_t sequence = 1; sequence <= 10; sequence++)
		wm_flow_accept(&flow, sequence, 50);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 1);
	CU_ASSERT_EQUAL(wm_flow_look(&flow, 0), 1); /* its token is still known */
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, 0, 60), 0);
	CU_ASSERT_EQUAL(flow.counters.spurious, 1);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, 0, 60), 0); /* a duplicate of it */
	CU_ASSERT_EQUAL(flow.counters.spurious, 1);

	/* The same disorder again: 11 comes after 12 to 21. */
	for (uint32_t sequence = 12; sequence <= 21; sequence++)
		wm_flow_accept(&flow, sequence, 70);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, 11, 80), 12);
}

static void the_distance_stays_bounded(void)
{
	struct wm_flow flow = flow_with(128, 0);

	for (uint32_t sequence = 1; sequence < 120; sequence++)
		wm_flow_accept(&flow, sequence, 500);
	lost_count(&flow);
	wm_flow_accept(&flow, 0, 600);
	CU_ASSERT_TRUE(flow.reorder <= WM_NODE_WINDOW_MAX / 2);
}

static void results_that_were_only_late_teach_nothing_about_the_order(void)
{
	struct wm_flow flow = flow_with(30, 0);

	CU_ASSERT_TRUE(wm_flow_expire(&flow, 2000 * MS));
	CU_ASSERT_EQUAL(lost_count(&flow), 30);
	for (uint32_t sequence = 0; sequence < 30; sequence++)
		wm_flow_accept(&flow, sequence, 2100 * MS);
	CU_ASSERT_EQUAL(flow.counters.spurious, 30);
	CU_ASSERT_EQUAL(flow.reorder, 3);
	CU_ASSERT_FALSE(flow.silent);
}

/* ---- the timer ------------------------------------------------------------------ */

/* Milliseconds until a batch that is never answered is given up. */
static unsigned timeout_ms(uint64_t rtt_ns, unsigned samples)
{
	struct wm_flow flow = flow_of(8, 0);
	uint64_t now_ns = 0;
	unsigned ms = 0;

	for (unsigned i = 0; i < samples; i++) {
		uint32_t sequence = wm_flow_send(&flow, 1, now_ns);

		now_ns += rtt_ns;
		wm_flow_accept(&flow, sequence, now_ns);
	}
	wm_flow_send(&flow, 1, now_ns);
	while (!wm_flow_expire(&flow, now_ns + ms * MS) && ms < 10000)
		ms++;
	return ms;
}

static void the_timeout_follows_the_round_trip_within_its_bounds(void)
{
	CU_ASSERT_EQUAL(timeout_ms(0, 0), 500);		    /* nothing known */
	CU_ASSERT_EQUAL(timeout_ms(WM_NS_PER_US, 50), 200); /* the least */
	CU_ASSERT_EQUAL(timeout_ms(300 * MS, 50), 375);	    /* and a quarter at least */
	CU_ASSERT_EQUAL(timeout_ms(300 * MS, 1), 900);	    /* srtt + 4 * rtt / 2 */
	CU_ASSERT_EQUAL(timeout_ms(400 * MS, 1), 1200);	    /* more than a second */
	CU_ASSERT_EQUAL(timeout_ms(3000 * MS, 50), 3750);
}

/* A kernel of three seconds a batch: the first is given up, and teaches all the same. */
static void a_result_that_comes_too_late_teaches_how_long_to_wait(void)
{
	struct wm_flow flow = flow_of(8, 0);
	uint64_t now_ns = 3000 * MS;
	uint32_t sequence = wm_flow_send(&flow, 1, 0);

	CU_ASSERT_TRUE(wm_flow_expire(&flow, 600 * MS));
	lost_count(&flow);
	CU_ASSERT_FALSE(wm_flow_answers(&flow));
	wm_flow_beat(&flow, false, 1000 * MS);
	CU_ASSERT_FALSE(wm_flow_answers(&flow)); /* a beat is no answer */
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, sequence, now_ns), 0);
	CU_ASSERT_TRUE(wm_flow_answers(&flow));
	for (unsigned i = 0; i < 20; i++) {
		sequence = wm_flow_send(&flow, 1, now_ns);
		now_ns += 3000 * MS;
		CU_ASSERT_FALSE(wm_flow_expire(&flow, now_ns));
		CU_ASSERT_EQUAL(wm_flow_accept(&flow, sequence, now_ns), 1);
	}
	CU_ASSERT_EQUAL(flow.counters.timeouts, 1);
	/* Dead, it is noticed within well under three times that. */
	wm_flow_send(&flow, 1, now_ns);
	CU_ASSERT_TRUE(wm_flow_expire(&flow, now_ns + 2 * 3000 * MS));
}

/* It says so by each beat; a minute later nobody believes it any more. */
static void a_node_that_works_on_its_first_batches_is_waited_for(void)
{
	struct wm_flow flow = flow_with(4, 0);
	uint64_t now_ns = 600 * MS;

	CU_ASSERT_TRUE(wm_flow_expire(&flow, now_ns));
	lost_count(&flow);
	wm_flow_beat(&flow, true, now_ns);
	CU_ASSERT_TRUE(wm_flow_answers(&flow));
	wm_flow_send(&flow, 9, now_ns);
	for (unsigned i = 0; i < 59; i++) {
		now_ns += 1000 * MS;
		CU_ASSERT_FALSE(wm_flow_expire(&flow, now_ns));
		wm_flow_beat(&flow, true, now_ns);
	}
	CU_ASSERT_TRUE(wm_flow_expire(&flow, now_ns + 2000 * MS));
}

static void one_that_stops_saying_so_is_not(void)
{
	struct wm_flow flow = flow_with(4, 0);

	wm_flow_beat(&flow, true, 400 * MS);
	CU_ASSERT_FALSE(wm_flow_expire(&flow, 2000 * MS));
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 3000 * MS));

	flow = flow_with(4, 0);
	wm_flow_beat(&flow, true, 400 * MS);
	wm_flow_beat(&flow, false, 1400 * MS); /* it has nothing: it was lost on the way */
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 1500 * MS));
}

static void a_node_that_answers_nothing_falls_silent_and_loses_all(void)
{
	struct wm_flow flow = flow_with(5, 0);

	CU_ASSERT_FALSE(wm_flow_expire(&flow, 499 * MS));
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 501 * MS));
	CU_ASSERT_EQUAL(lost_count(&flow), 5);
	CU_ASSERT_EQUAL(flow.in_flight, 0);
	CU_ASSERT_TRUE(flow.silent);
	CU_ASSERT_FALSE(wm_flow_has_room(&flow));
	CU_ASSERT_FALSE(wm_flow_expire(&flow, 5000 * MS)); /* only once */
	CU_ASSERT_EQUAL(flow.counters.timeouts, 1);
}

static void a_node_without_work_never_falls_silent(void)
{
	struct wm_flow flow = flow_with(1, 0);

	wm_flow_accept(&flow, 0, 10);
	CU_ASSERT_FALSE(wm_flow_expire(&flow, 100 * WM_NS_PER_S));
	CU_ASSERT_TRUE(wm_flow_has_room(&flow));
}

static void an_overdue_batch_of_an_answering_node_is_lost_alone(void)
{
	struct wm_flow flow = flow_of(8, 0);

	wm_flow_send(&flow, 1, 0);
	wm_flow_send(&flow, 2, 0);
	wm_flow_send(&flow, 3, 400 * MS);
	CU_ASSERT_EQUAL(wm_flow_accept(&flow, 1, 1 * MS), 2);
	CU_ASSERT_FALSE(wm_flow_expire(&flow, 450 * MS));
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 1);
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 0);
	CU_ASSERT_FALSE(flow.silent);
	CU_ASSERT_EQUAL(flow.in_flight, 1);
	CU_ASSERT_TRUE(wm_flow_expire(&flow, 700 * MS)); /* now it answers nothing */
	CU_ASSERT_EQUAL(wm_flow_next_lost(&flow), 3);
}

static void a_beat_ends_the_first_silence_at_once(void)
{
	struct wm_flow flow = flow_with(5, 0);

	wm_flow_expire(&flow, 600 * MS);
	lost_count(&flow);
	wm_flow_beat(&flow, false, 600 * MS);
	CU_ASSERT_TRUE(wm_flow_has_room(&flow));
}

static void an_answer_ends_any_silence(void)
{
	struct wm_flow flow = flow_with(5, 0);

	wm_flow_expire(&flow, 600 * MS);
	lost_count(&flow);
	wm_flow_accept(&flow, 4, 601 * MS);
	CU_ASSERT_TRUE(wm_flow_has_room(&flow));
	CU_ASSERT_EQUAL(flow.timeouts_in_row, 0);
}

/* Seconds from falling silent until a beat, one each second, ends it. */
static unsigned silence_s(struct wm_flow *flow, uint64_t *now_ns)
{
	unsigned seconds = 0;

	wm_flow_send(flow, 1, *now_ns);
	*now_ns += 2 * WM_NS_PER_S;
	CU_ASSERT_TRUE(wm_flow_expire(flow, *now_ns));
	lost_count(flow);
	for (;;) {
		wm_flow_beat(flow, false, *now_ns);
		if (!flow->silent)
			return seconds;
		*now_ns += WM_NS_PER_S;
		seconds++;
	}
}

static void a_node_that_beats_but_never_answers_gets_ever_less(void)
{
	static const unsigned expected[] = { 0, 2, 4, 8, 16, 16, 16 };
	struct wm_flow flow = flow_of(8, 0);
	uint64_t now_ns = 0;

	for (unsigned i = 0; i < 7; i++)
		CU_ASSERT_EQUAL(silence_s(&flow, &now_ns), expected[i]);
	wm_flow_accept(&flow, wm_flow_send(&flow, 1, now_ns), now_ns + MS);
	CU_ASSERT_EQUAL(silence_s(&flow, &now_ns), 0); /* forgiven */
}

static void giving_up_loses_everything_in_flight(void)
{
	struct wm_flow flow = flow_with(9, 0);

	wm_flow_accept(&flow, 4, 10);
	wm_flow_give_up(&flow);
	CU_ASSERT_EQUAL(lost_count(&flow), 8);
	CU_ASSERT_EQUAL(flow.in_flight, 0);
}

/* ---- the window, against a link in virtual time ------------------------------------ */

#define ANSWERS_MAX (2 * WM_NODE_WINDOW_MAX)

/* One queue at `frame_ns` a frame, `delay_ns` for the rest of the way. */
struct link {
	struct wm_flow flow;
	uint64_t frame_ns, delay_ns, now_ns, free_ns, tick_ns;
	uint64_t random;
	uint32_t loss; /* in a million */
	struct {
		uint32_t sequence;
		uint64_t at_ns;
	} answers[ANSWERS_MAX];
	uint32_t head, tail;
	uint64_t sent, answered;
	uint32_t window_least, window_most, in_flight_most;
};

static void link_init(struct link *link, uint64_t frame_ns, uint64_t delay_ns, uint32_t window_max)
{
	memset(link, 0, sizeof(*link));
	link->frame_ns = frame_ns;
	link->delay_ns = delay_ns;
	link->random = 1;
	wm_flow_init(&link->flow, 12345);
	wm_flow_begin(&link->flow, window_max, QUEUE_TARGET, &kernel);
}

static void link_send(struct link *link)
{
	while (wm_flow_has_room(&link->flow)) {
		uint32_t sequence = wm_flow_send(&link->flow, ++link->sent, link->now_ns);

		if (link->loss && wm_random_below(&link->random, 1000000) < link->loss)
			continue;
		if (link->free_ns < link->now_ns)
			link->free_ns = link->now_ns;
		link->free_ns += link->frame_ns;
		link->answers[link->tail % ANSWERS_MAX].sequence = sequence;
		link->answers[link->tail++ % ANSWERS_MAX].at_ns = link->free_ns + link->delay_ns;
	}
	if (link->flow.in_flight > link->in_flight_most)
		link->in_flight_most = link->flow.in_flight;
}

static void link_tick(struct link *link)
{
	link->now_ns = link->tick_ns;
	link->tick_ns += 5 * MS;
	wm_flow_expire(&link->flow, link->now_ns);
	wm_flow_beat(&link->flow, false, link->now_ns);
	lost_count(&link->flow);
}

static void link_answer(struct link *link)
{
	link->now_ns = link->answers[link->head % ANSWERS_MAX].at_ns;
	link->answered += wm_flow_accept(&link->flow,
					 link->answers[link->head++ % ANSWERS_MAX].sequence,
					 link->now_ns) != 0;
	lost_count(&link->flow);
}

/* Runs for so long, and counts from zero again. */
static void link_run(struct link *link, uint64_t ns)
{
	uint64_t end_ns = link->now_ns + ns;

	link->sent = link->answered = 0;
	link->in_flight_most = link->window_most = 0;
	link->window_least = UINT32_MAX;
	while (link->now_ns < end_ns) {
		link_send(link);
		if (link->head != link->tail &&
		    link->answers[link->head % ANSWERS_MAX].at_ns <= link->tick_ns)
			link_answer(link);
		else
			link_tick(link);
		if (link->flow.base_window)
			continue;
		if (link->flow.window < link->window_least)
			link->window_least = link->flow.window;
		if (link->flow.window > link->window_most)
			link->window_most = link->flow.window;
	}
}

/* Part of what the link could have carried in that time, in thousands. */
static uint64_t link_used(const struct link *link, uint64_t ns)
{
	return link->answered * link->frame_ns * 1000 / ns;
}

static void check_window_settles(uint64_t frame_ns, uint64_t delay_ns)
{
	uint64_t product = (frame_ns + delay_ns) / frame_ns;
	struct link link;

	link_init(&link, frame_ns, delay_ns, WM_NODE_WINDOW_MAX);
	link_run(&link, 200 * MS);
	CU_ASSERT_TRUE(link.window_most <= 2 * product + QUEUE_TARGET);
	link_run(&link, WM_NS_PER_S);
	CU_ASSERT_TRUE(link.window_least >= product + QUEUE_TARGET / 2);
	CU_ASSERT_TRUE(link.window_most <= product + QUEUE_TARGET + 3);
	CU_ASSERT_TRUE(link_used(&link, WM_NS_PER_S) >= 999);
	CU_ASSERT_EQUAL(link.flow.counters.lost, 0);
}

static void the_window_settles_at_the_pipe_and_a_queue_of_the_target(void)
{
	check_window_settles(66320, 200 * WM_NS_PER_US);  /* 1 Gbit/s at 8290 bytes */
	check_window_settles(66320, 3000 * WM_NS_PER_US); /* a long way */
	check_window_settles(663200, 300 * WM_NS_PER_US); /* 100 Mbit/s */
	check_window_settles(12304, 800 * WM_NS_PER_US);  /* 1 Gbit/s at 1538 bytes */
}

/* 10 Mbit/s: the target would wait for 100 ms. */
static void on_a_slow_link_what_waits_is_bounded_in_time(void)
{
	struct link link;

	link_init(&link, 6632 * WM_NS_PER_US, 300 * WM_NS_PER_US, WM_NODE_WINDOW_MAX);
	link_run(&link, 2 * WM_NS_PER_S);
	link_run(&link, 5 * WM_NS_PER_S);
	CU_ASSERT_TRUE(link.flow.srtt_ns < 40 * MS);
	CU_ASSERT_TRUE(link.window_least >= 2);
	CU_ASSERT_TRUE(link_used(&link, 5 * WM_NS_PER_S) >= 990);
}

static void the_window_follows_a_rate_that_changes(void)
{
	struct link link;

	link_init(&link, 66320, 2 * MS, WM_NODE_WINDOW_MAX); /* 31 in the pipe */
	link_run(&link, 500 * MS);
	link.frame_ns *= 10; /* 4 in the pipe */
	link_run(&link, 2 * WM_NS_PER_S);
	CU_ASSERT_TRUE(link.flow.window <= 4 + QUEUE_TARGET + 4);
	link.frame_ns /= 10;
	link_run(&link, WM_NS_PER_S);
	link_run(&link, WM_NS_PER_S);
	CU_ASSERT_TRUE(link_used(&link, WM_NS_PER_S) >= 990);
}

static void the_window_doubles_every_other_round_trip_at_first(void)
{
	struct link link;

	link_init(&link, 100, 10 * MS, 128);
	link_run(&link, 135 * MS); /* 4, 8, 16, 32, 64, 128 and the rounds between */
	CU_ASSERT_EQUAL(link.flow.window, 128);

	link_init(&link, 100, 10 * MS, WM_NODE_WINDOW_MAX);
	link_run(&link, 175 * MS); /* 256, 512 */
	CU_ASSERT_EQUAL(link.flow.window, WM_NODE_WINDOW_MAX);
}

static void the_window_does_not_grow_while_nothing_is_held_back(void)
{
	struct wm_flow flow = flow_of(WM_NODE_WINDOW_MAX, 0);

	for (uint64_t i = 0; i < 1000; i++)
		wm_flow_accept(&flow, wm_flow_send(&flow, 1, i * MS), i * MS + 1000);
	CU_ASSERT_EQUAL(flow.window, 4);
}

static void answers_in_the_instant_of_their_sending_are_taken(void)
{
	struct wm_flow flow = flow_of(WM_NODE_WINDOW_MAX, 0);

	for (uint64_t i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(wm_flow_accept(&flow, wm_flow_send(&flow, 1 + i, MS), MS), 1 + i);
	CU_ASSERT_EQUAL(flow.in_flight, 0);
}

static void never_more_than_window_max_is_in_flight(void)
{
	static const uint32_t window_max[] = { 1, 2, 3, 7, 128 };

	for (unsigned i = 0; i < 5; i++) {
		struct link link;

		link_init(&link, 1000, 30 * MS, window_max[i]);
		link_run(&link, WM_NS_PER_S);
		CU_ASSERT_EQUAL(link.in_flight_most, window_max[i]);
	}
}

static void a_window_of_one_works_and_survives_loss(void)
{
	struct link link;

	link_init(&link, 66320, MS, 1);
	link.loss = 10000;
	link_run(&link, 60 * WM_NS_PER_S);
	CU_ASSERT_EQUAL(link.in_flight_most, 1);
	CU_ASSERT_TRUE(link.flow.counters.lost > 0);
	CU_ASSERT_TRUE(link.answered > 1000);
}

/* A bad cable is no congestion, wherever the queue stands. */
static void random_loss_of_one_in_a_hundred_does_not_collapse_the_window(void)
{
	static const uint64_t delays_ns[] = { 200 * WM_NS_PER_US, MS, 3 * MS };

	for (unsigned i = 0; i < 3; i++) {
		struct link link;
		uint64_t clean;

		link_init(&link, 66320, delays_ns[i], WM_NODE_WINDOW_MAX);
		link_run(&link, 20 * WM_NS_PER_S);
		clean = link.answered;
		link.loss = 10000;
		link_run(&link, 20 * WM_NS_PER_S);
		CU_ASSERT_TRUE(link.answered * 100 >= clean * 97);
		CU_ASSERT_EQUAL(link.flow.counters.timeouts, 0);
	}
}

static void heavy_loss_shrinks_the_window(void)
{
	struct link link;
	uint32_t before;

	link_init(&link, 66320, 3 * MS, WM_NODE_WINDOW_MAX);
	link_run(&link, WM_NS_PER_S);
	before = link.flow.window;
	link.loss = 300000;
	link_run(&link, WM_NS_PER_S);
	CU_ASSERT_TRUE(link.flow.window < before / 3);
}

static void the_base_is_looked_for_and_the_window_comes_back(void)
{
	struct link link;
	uint32_t window;
	unsigned probes = 0;

	link_init(&link, 66320, MS, WM_NODE_WINDOW_MAX);
	link_run(&link, 9 * WM_NS_PER_S);
	window = link.flow.window;
	for (unsigned i = 0; i < 4000; i++) {
		bool probing = link.flow.base_window != 0;

		link_run(&link, MS / 2);
		if (link.flow.base_window == 0)
			CU_ASSERT_TRUE(link.flow.window + 3 >= window);
		if (link.flow.base_window)
			CU_ASSERT_TRUE(link.flow.window <= window / 8);
		probes += probing && !link.flow.base_window;
	}
	CU_ASSERT_EQUAL(probes, 1);
}

/* A way that became longer for good is no queue for ever. */
static void a_longer_way_becomes_the_base_within_two_periods(void)
{
	struct link link;

	link_init(&link, 66320, MS / 2, WM_NODE_WINDOW_MAX);
	link_run(&link, 9900 * MS);
	link.delay_ns = 3 * MS; /* just before a period ends */
	link_run(&link, 9 * WM_NS_PER_S);
	CU_ASSERT_TRUE(link.flow.window <= 2 * QUEUE_TARGET); /* still taken for a queue */
	link_run(&link, 9 * WM_NS_PER_S);
	link_run(&link, WM_NS_PER_S);
	CU_ASSERT_TRUE(link_used(&link, WM_NS_PER_S) >= 990);
	CU_ASSERT_TRUE(link.flow.window >= 46 + QUEUE_TARGET / 2);
}

/* Two flows in one queue, the second of which never saw it empty: what the looking
 * at the same instant is for. */
static void flows_that_share_a_queue_look_for_the_base_at_the_same_instant(void)
{
	struct link first, second;

	link_init(&first, 66320, MS, WM_NODE_WINDOW_MAX);
	link_init(&second, 50000, MS / 3, WM_NODE_WINDOW_MAX);
	second.now_ns = second.tick_ns = 3210 * MS; /* joins later */
	link_run(&first, 9 * WM_NS_PER_S);
	link_run(&second, 6 * WM_NS_PER_S);
	CU_ASSERT_EQUAL(first.flow.base_renew_ns, second.flow.base_renew_ns);
}

/* ---- at random ---------------------------------------------------------------------- */

struct chaos {
	struct wm_flow flow;
	uint64_t random, now_ns, next_token, accepted, lost, forgotten;
	uint32_t window_max;
};

static void chaos_next_job(struct chaos *chaos)
{
	static const struct wm_kernel other = { .name = "other" };
	bool same = wm_random_below(&chaos->random, 4) > 0;

	chaos->forgotten += chaos->flow.in_flight;
	wm_flow_begin(&chaos->flow, chaos->window_max, 1 + wm_random_below(&chaos->random, 90),
		      same ? &kernel : &other);
}

static void chaos_step(struct chaos *chaos)
{
	struct wm_flow *flow = &chaos->flow;

	chaos->now_ns += wm_random_below(&chaos->random, (uint32_t)MS);
	switch (wm_random_below(&chaos->random, 16)) {
	case 0:
		chaos->now_ns += wm_random_below(&chaos->random, 300) * MS;
		wm_flow_expire(flow, chaos->now_ns);
		break;
	case 1:
		wm_flow_beat(flow, chaos->now_ns % 3 == 0, chaos->now_ns);
		break;
	case 2:
		wm_flow_accept(flow, (uint32_t)wm_random(&chaos->random), chaos->now_ns);
		break;
	case 3:
		if (wm_random_below(&chaos->random, 50) == 0)
			chaos_next_job(chaos);
		break;
	default:
		if (wm_flow_has_room(flow) && wm_random_below(&chaos->random, 2))
			wm_flow_send(flow, chaos->next_token++, chaos->now_ns);
		else if (wm_flow_accept(flow, flow->next - 1 - wm_random_below(&chaos->random, 200),
					chaos->now_ns))
			chaos->accepted++;
	}
	chaos->lost += lost_count(flow);
}

static void every_token_is_answered_or_lost_exactly_once_whatever_happens(void)
{
	for (uint64_t i = 0; i < seeds.count; i++) {
		struct chaos chaos = { .random = seeds.first + i, .next_token = 1 };
		unsigned failures = CU_get_number_of_failures();
		uint32_t window_max = chaos.window_max =
			1 + wm_random_below(&chaos.random, WM_NODE_WINDOW_MAX);

		wm_flow_init(&chaos.flow, (uint32_t)wm_random(&chaos.random));
		wm_flow_begin(&chaos.flow, window_max, QUEUE_TARGET, &kernel);
		for (unsigned step = 0; step < 3000; step++) {
			chaos_step(&chaos);
			CU_ASSERT_EQUAL(chaos.accepted + chaos.lost + chaos.forgotten +
						chaos.flow.in_flight,
					chaos.next_token - 1);
			CU_ASSERT_TRUE(chaos.flow.window >= 1 && chaos.flow.window <= window_max);
			CU_ASSERT_TRUE(chaos.flow.in_flight <= window_max);
		}
		/* It does not get stuck: after a beat there is room again. */
		wm_flow_give_up(&chaos.flow);
		lost_count(&chaos.flow);
		wm_flow_beat(&chaos.flow, false, UINT64_MAX);
		CU_ASSERT_TRUE(wm_flow_has_room(&chaos.flow));
		if (CU_get_number_of_failures() != failures) {
			printf("# failed with --seed %llu\n",
			       (unsigned long long)(seeds.first + i));
			return;
		}
	}
}

static const struct wm_test tests[] = {
	WM_TEST(an_answer_gives_back_the_token_of_its_sequence_once),
	WM_TEST(sequences_never_sent_or_long_gone_give_nothing),
	WM_TEST(sequences_wrap_around_in_silence),
	WM_TEST(loss_is_seen_across_the_wrap),
	WM_TEST(a_batch_three_behind_the_newest_answer_is_lost),
	WM_TEST(a_gap_reports_exactly_what_is_missing),
	WM_TEST(a_late_result_widens_the_distance_to_what_it_needed),
	WM_TEST(the_distance_stays_bounded),
	WM_TEST(results_that_were_only_late_teach_nothing_about_the_order),
	WM_TEST(the_timeout_follows_the_round_trip_within_its_bounds),
	WM_TEST(a_result_that_comes_too_late_teaches_how_long_to_wait),
	WM_TEST(a_node_that_works_on_its_first_batches_is_waited_for),
	WM_TEST(one_that_stops_saying_so_is_not),
	WM_TEST(a_node_that_answers_nothing_falls_silent_and_loses_all),
	WM_TEST(a_node_without_work_never_falls_silent),
	WM_TEST(an_overdue_batch_of_an_answering_node_is_lost_alone),
	WM_TEST(a_beat_ends_the_first_silence_at_once),
	WM_TEST(an_answer_ends_any_silence),
	WM_TEST(a_node_that_beats_but_never_answers_gets_ever_less),
	WM_TEST(giving_up_loses_everything_in_flight),
	WM_TEST(the_window_settles_at_the_pipe_and_a_queue_of_the_target),
	WM_TEST(on_a_slow_link_what_waits_is_bounded_in_time),
	WM_TEST(the_window_follows_a_rate_that_changes),
	WM_TEST(the_window_doubles_every_other_round_trip_at_first),
	WM_TEST(the_window_does_not_grow_while_nothing_is_held_back),
	WM_TEST(answers_in_the_instant_of_their_sending_are_taken),
	WM_TEST(never_more_than_window_max_is_in_flight),
	WM_TEST(a_window_of_one_works_and_survives_loss),
	WM_TEST(random_loss_of_one_in_a_hundred_does_not_collapse_the_window),
	WM_TEST(heavy_loss_shrinks_the_window),
	WM_TEST(the_base_is_looked_for_and_the_window_comes_back),
	WM_TEST(a_longer_way_becomes_the_base_within_two_periods),
	WM_TEST(flows_that_share_a_queue_look_for_the_base_at_the_same_instant),
	WM_TEST(every_token_is_answered_or_lost_exactly_once_whatever_happens),
};

WM_TESTS_ARGUMENTS(0, 2, WM_SEED_USAGE);

int main(int argc, char **argv)
{
	seeds = wm_seeds_choose(argc, argv, 200);
	return WM_TESTS_RUN("flow", tests);
}
