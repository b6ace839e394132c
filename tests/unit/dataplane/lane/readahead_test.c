/* SPDX-License-Identifier: BSD-3-Clause */
#include "readahead.h"

#include "clock.h"
#include "harness.h"

#define MS WM_NS_PER_MS
#define DEPTH_MAX 48u

static struct wm_readahead readahead;

static void begin(void)
{
	wm_readahead_init(&readahead, DEPTH_MAX);
}

/* So many extents at that pace, each read in that time. */
static void run(unsigned count, uint64_t interval_ns, uint64_t latency_ns)
{
	uint64_t now_ns = readahead.used_ns ? readahead.used_ns : MS;

	for (unsigned i = 0; i < count; i++) {
		wm_readahead_arrived(&readahead, latency_ns);
		wm_readahead_used(&readahead, now_ns += interval_ns);
	}
}

static void all_there_is_room_for_until_both_figures_are_known(void)
{
	begin();
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), DEPTH_MAX);
	wm_readahead_arrived(&readahead, MS);
	wm_readahead_used(&readahead, 5 * MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), DEPTH_MAX);
	wm_readahead_used(&readahead, 6 * MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), 4);
}

static void twice_what_is_used_up_while_one_is_read_and_two(void)
{
	begin();
	run(100, MS, 5 * MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), 12);
	run(100, MS, 10 * MS);
	CU_ASSERT_TRUE(wm_readahead_depth(&readahead) >= 21);
	CU_ASSERT_TRUE(wm_readahead_depth(&readahead) <= 22);
	run(100, MS, 100 * MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), DEPTH_MAX);
	run(100, 20 * MS, MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), 4);
}

/* A disk that takes 10 ms for each, however many: too few at once look like a slow lane. */
static void it_grows_out_of_a_wait_for_the_disk(void)
{
	begin();
	run(100, 50 * MS, MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), 4);
	for (unsigned i = 0; i < 200; i++)
		run(1, 10 * MS / wm_readahead_depth(&readahead), 10 * MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), DEPTH_MAX);
}

static void a_pause_is_soon_forgotten(void)
{
	begin();
	run(100, MS, 10 * MS);
	run(1, 3600 * WM_NS_PER_S, 10 * MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), 4);
	run(50, MS, 10 * MS);
	CU_ASSERT_TRUE(wm_readahead_depth(&readahead) >= 18);
}

static void no_more_than_there_is_room_for(void)
{
	wm_readahead_init(&readahead, 3);
	run(100, MS, MS);
	CU_ASSERT_EQUAL(wm_readahead_depth(&readahead), 3);
}

static const struct wm_test tests[] = {
	WM_TEST(all_there_is_room_for_until_both_figures_are_known),
	WM_TEST(twice_what_is_used_up_while_one_is_read_and_two),
	WM_TEST(it_grows_out_of_a_wait_for_the_disk),
	WM_TEST(a_pause_is_soon_forgotten),
	WM_TEST(no_more_than_there_is_room_for),
};

int main(void)
{
	return WM_TESTS_RUN("readahead", tests);
}
