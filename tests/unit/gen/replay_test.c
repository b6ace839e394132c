/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include "clock.h"
#include "harness.h"

/* Three frames in 4 ms: the mean gap is 2 ms, so a pass lasts 6 ms. */
static struct wm_capture_frame frames[] = {
	{ .time_ns = 0, .offset = 0, .length = 60 },
	{ .time_ns = 3 * WM_NS_PER_MS, .offset = 60, .length = 1000 },
	{ .time_ns = 4 * WM_NS_PER_MS, .offset = 1060, .length = 60 },
};
static const struct wm_capture capture = { .frame_count = 3, .frames = frames };

static void expect_next(struct wm_replay *replay, uint64_t due_ns, unsigned frame)
{
	CU_ASSERT_FALSE_FATAL(wm_replay_is_over(replay));
	CU_ASSERT_EQUAL(wm_replay_due_ns(replay), due_ns);
	CU_ASSERT_PTR_EQUAL(wm_replay_frame(replay), &frames[frame]);
	wm_replay_advance(replay);
}

static void frames_are_due_when_they_came(void)
{
	struct wm_replay replay;

	wm_replay_init(&replay, &capture, WM_REPLAY_SPEED_ONE_PPM, 1);
	expect_next(&replay, 0, 0);
	expect_next(&replay, 3000000, 1);
	expect_next(&replay, 4000000, 2);
	CU_ASSERT(wm_replay_is_over(&replay));
}

static void a_speed_divides_the_times(void)
{
	struct wm_replay replay;

	wm_replay_init(&replay, &capture, 2 * WM_REPLAY_SPEED_ONE_PPM, 2);
	expect_next(&replay, 0, 0);
	expect_next(&replay, 1500000, 1);
	expect_next(&replay, 2000000, 2);
	expect_next(&replay, 3000000, 0);
	wm_replay_init(&replay, &capture, WM_REPLAY_SPEED_ONE_PPM / 4, 1);
	expect_next(&replay, 0, 0);
	expect_next(&replay, 12000000, 1);
}

static void a_pass_follows_after_the_mean_gap(void)
{
	struct wm_replay replay;

	wm_replay_init(&replay, &capture, WM_REPLAY_SPEED_ONE_PPM, 3);
	for (uint64_t pass = 0; pass < 3; pass++) {
		expect_next(&replay, pass * 6000000, 0);
		expect_next(&replay, pass * 6000000 + 3000000, 1);
		expect_next(&replay, pass * 6000000 + 4000000, 2);
	}
	CU_ASSERT(wm_replay_is_over(&replay));
}

static void without_a_number_of_passes_there_is_no_end(void)
{
	struct wm_replay replay;

	wm_replay_init(&replay, &capture, WM_REPLAY_SPEED_ONE_PPM, 0);
	for (unsigned i = 0; i < 3000; i++)
		wm_replay_advance(&replay);
	expect_next(&replay, 6000000000, 0);
}

static void one_frame_comes_over_and_over_at_once(void)
{
	const struct wm_capture single = { .frame_count = 1, .frames = frames };
	struct wm_replay replay;

	wm_replay_init(&replay, &single, WM_REPLAY_SPEED_ONE_PPM, 2);
	expect_next(&replay, 0, 0);
	expect_next(&replay, 0, 0);
	CU_ASSERT(wm_replay_is_over(&replay));
}

static void times_beyond_reason_are_never_due(void)
{
	struct wm_capture_frame ends[] = { { .time_ns = 0 }, { .time_ns = INT64_MAX } };
	const struct wm_capture odd = { .frame_count = 2, .frames = ends };
	struct wm_replay replay;

	wm_replay_init(&replay, &odd, 1000, 0);
	for (unsigned i = 0; i < 1001; i++)
		wm_replay_advance(&replay);
	CU_ASSERT_EQUAL(wm_replay_due_ns(&replay), INT64_MAX);
}

static void the_longest_pause_is_known(void)
{
	struct wm_replay replay;
	uint64_t before;

	wm_replay_init(&replay, &capture, WM_REPLAY_SPEED_ONE_PPM, 0);
	CU_ASSERT_EQUAL(wm_replay_pause_ns(&replay, &before), 3 * WM_NS_PER_MS);
	CU_ASSERT_EQUAL(before, 2);
	wm_replay_init(&replay, &capture, 3 * WM_REPLAY_SPEED_ONE_PPM, 1);
	CU_ASSERT_EQUAL(wm_replay_pause_ns(&replay, &before), WM_NS_PER_MS);
}

static const struct wm_test tests[] = {
	WM_TEST(frames_are_due_when_they_came),
	WM_TEST(a_speed_divides_the_times),
	WM_TEST(a_pass_follows_after_the_mean_gap),
	WM_TEST(the_longest_pause_is_known),
	WM_TEST(without_a_number_of_passes_there_is_no_end),
	WM_TEST(one_frame_comes_over_and_over_at_once),
	WM_TEST(times_beyond_reason_are_never_due),
};

int main(void)
{
	return WM_TESTS_RUN("replay", tests);
}
