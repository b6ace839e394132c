/* SPDX-License-Identifier: BSD-3-Clause */
#include "sequence.h"

#include <string.h>

#include "harness.h"
#include "seed.h"

#define WINDOW WM_SEQUENCE_WINDOW

static struct wm_sequence sequence;

static void receive_to(uint64_t end)
{
	for (uint64_t number = sequence.next; number < end; number++)
		CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, number), WM_SEQUENCE_IN_ORDER);
}

static void frames_in_order_lose_nothing(void)
{
	wm_sequence_init(&sequence, 0);
	receive_to(3 * WINDOW + 7);
	CU_ASSERT_EQUAL(sequence.in_order, 3 * WINDOW + 7);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, 3 * WINDOW + 7), 0);
	CU_ASSERT_EQUAL(sequence.reordered + sequence.duplicates + sequence.late, 0);
}

static void gaps_and_the_end_that_never_came_are_lost(void)
{
	wm_sequence_init(&sequence, 0);
	receive_to(10);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 13), WM_SEQUENCE_IN_ORDER);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, 14), 3);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, 20), 9);
}

static void a_flow_of_which_nothing_came_is_lost(void)
{
	wm_sequence_init(&sequence, 0);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, 1000), 1000);
}

static void a_smaller_number_than_the_next_is_reordered(void)
{
	wm_sequence_init(&sequence, 0);
	receive_to(10);
	wm_sequence_receive(&sequence, 12);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 10), WM_SEQUENCE_REORDERED);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 11), WM_SEQUENCE_REORDERED);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, 13), 0);
}

static void the_example_of_rfc_4737_has_one_reordered(void)
{
	/* Section 7.1, table 1: frame 4 comes behind 8; it alone is reordered. */
	static const uint64_t numbers[] = { 1, 2, 3, 5, 6, 7, 8, 4, 9, 10 };

	wm_sequence_init(&sequence, 1);
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, numbers[i]),
				numbers[i] == 4 ? WM_SEQUENCE_REORDERED : WM_SEQUENCE_IN_ORDER);
}

static void a_copy_is_a_duplicate_wherever_it_comes(void)
{
	wm_sequence_init(&sequence, 0);
	receive_to(100);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 99), WM_SEQUENCE_DUPLICATE);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 0), WM_SEQUENCE_DUPLICATE);
	wm_sequence_receive(&sequence, 105);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 102), WM_SEQUENCE_REORDERED);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 102), WM_SEQUENCE_DUPLICATE);
	CU_ASSERT_EQUAL(sequence.duplicates, 3);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, 106), 4);
}

static void the_window_is_exact_to_its_edge(void)
{
	wm_sequence_init(&sequence, 0);
	receive_to(5);
	wm_sequence_receive(&sequence, 5 + WINDOW);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 6), WM_SEQUENCE_REORDERED);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 6), WM_SEQUENCE_DUPLICATE);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, 5), WM_SEQUENCE_LATE);
	CU_ASSERT_EQUAL(sequence.late, 1);
}

static void jumps_of_any_length_forget_only_what_leaves_the_window(void)
{
	for (uint64_t jump = 1; jump < 200; jump++) {
		wm_sequence_init(&sequence, 0);
		receive_to(WINDOW + 63 + jump % 64);
		wm_sequence_receive(&sequence, sequence.next + jump - 1);
		for (uint64_t back = 0; back < 130; back++)
			CU_ASSERT_EQUAL(
				wm_sequence_receive(&sequence, sequence.next - WINDOW + back),
				WM_SEQUENCE_DUPLICATE);
		CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, sequence.next - WINDOW - 1),
				WM_SEQUENCE_LATE);
	}
}

static void a_jump_of_more_than_a_window_forgets_what_was_seen(void)
{
	wm_sequence_init(&sequence, 0);
	receive_to(2 * WINDOW);
	wm_sequence_receive(&sequence, 10ull * WINDOW);
	for (uint64_t number = 9ull * WINDOW + 1; number < 10ull * WINDOW; number++)
		CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, number), WM_SEQUENCE_REORDERED);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, 10ull * WINDOW + 1), 7 * WINDOW + 1);
}

static void counting_may_begin_anywhere(void)
{
	wm_sequence_init(&sequence, 1ull << 60);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, (1ull << 60) + 2), WM_SEQUENCE_IN_ORDER);
	CU_ASSERT_EQUAL(wm_sequence_receive(&sequence, (1ull << 60) - 1), WM_SEQUENCE_LATE);
	CU_ASSERT_EQUAL(wm_sequence_lost(&sequence, sequence.next - sequence.first), 2);
}

/* Every number seen, without a window: what the counts must be within it. */
struct model {
	uint8_t seen[1 << 20];
	uint64_t next, in_order, reordered, duplicates;
};

static struct model model;

static void model_receive(uint64_t number)
{
	if (model.seen[number])
		model.duplicates++;
	else if (number < model.next)
		model.reordered++;
	else
		model.in_order++;
	model.seen[number] = 1;
	if (number >= model.next)
		model.next = number + 1;
}

/* A network that loses, doubles and delays, by less than the window. */
static void run_random_flow(uint64_t seed)
{
	uint64_t position = 0;

	memset(&model, 0, sizeof(model));
	wm_sequence_init(&sequence, 0);
	while (position < sizeof(model.seen) - 4 * WINDOW) {
		uint64_t back, number;

		position += wm_random_below(&seed, 100) ? 1 : wm_random_below(&seed, 2 * WINDOW);
		back = wm_random_below(&seed, 10) ? 0 : wm_random_below(&seed, WINDOW);
		number = position > back ? position - back : 0;
		model_receive(number);
		wm_sequence_receive(&sequence, number);
	}
	CU_ASSERT_EQUAL(sequence.late, 0);
	CU_ASSERT_EQUAL(sequence.in_order, model.in_order);
	CU_ASSERT_EQUAL(sequence.reordered, model.reordered);
	CU_ASSERT_EQUAL(sequence.duplicates, model.duplicates);
}

static void random_flows_are_counted_as_by_a_list_of_all(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_random_flow(seed);
}

static const struct wm_test tests[] = {
	WM_TEST(frames_in_order_lose_nothing),
	WM_TEST(gaps_and_the_end_that_never_came_are_lost),
	WM_TEST(a_flow_of_which_nothing_came_is_lost),
	WM_TEST(a_smaller_number_than_the_next_is_reordered),
	WM_TEST(the_example_of_rfc_4737_has_one_reordered),
	WM_TEST(a_copy_is_a_duplicate_wherever_it_comes),
	WM_TEST(the_window_is_exact_to_its_edge),
	WM_TEST(jumps_of_any_length_forget_only_what_leaves_the_window),
	WM_TEST(a_jump_of_more_than_a_window_forgets_what_was_seen),
	WM_TEST(counting_may_begin_anywhere),
	WM_TEST(random_flows_are_counted_as_by_a_list_of_all),
};

int main(void)
{
	return WM_TESTS_RUN("sequence", tests);
}
