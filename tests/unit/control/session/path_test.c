/* SPDX-License-Identifier: BSD-3-Clause */
/* The path to a node, with a switch that lets pass what a test says. */
#include "clock.h"
#include "harness.h"
#include "path.h"
#include "seed.h"
#include "wiremill/limits.h"

#define MS WM_NS_PER_MS
#define S WM_NS_PER_S

static uint64_t now_ns, random_state;

/* Ticks for so long through a switch of this MTU (0: nothing passes) that loses a share of
 * a million frames, each way. Returns how many frames were sent. */
static uint32_t pass(struct wm_path *path, uint32_t mtu, uint32_t loss, uint64_t for_ns)
{
	uint64_t end_ns = now_ns + for_ns;
	uint32_t sizes[WM_PATH_SIZES_MAX], sent = 0;

	for (; now_ns < end_ns; now_ns += 20 * MS) {
		uint32_t count = wm_path_tick(path, now_ns, sizes), id = path->id;

		sent += count;
		for (uint32_t i = 0; i < count; i++) {
			if (sizes[i] <= mtu && wm_random(&random_state) % 1000000 >= loss &&
			    wm_random(&random_state) % 1000000 >= loss)
				wm_path_receive_echo(path, id, sizes[i], now_ns + MS);
		}
	}
	return sent;
}

static struct wm_path look(uint32_t most)
{
	struct wm_path path = { 0 };

	now_ns = 5 * S;
	random_state = 1;
	wm_path_look(&path, most, now_ns);
	return path;
}

static void one_frame_is_enough_for_a_good_path(void)
{
	struct wm_path path = look(9000);

	CU_ASSERT_TRUE(wm_path_is_open(&path, now_ns));
	CU_ASSERT_EQUAL(pass(&path, 9000, 0, 60 * S), 1);
	CU_ASSERT_EQUAL(path.mtu, 9000);
	CU_ASSERT_FALSE(wm_path_is_open(&path, now_ns));
}

static void the_largest_size_that_passes_is_found(void)
{
	static const uint32_t expected[][2] = { { 1500, 1500 }, { 1499, 1400 }, { 4096, 4000 },
						{ 8999, 8000 }, { 2048, 2000 }, { 1280, 1280 } };

	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct wm_path path = look(9000);

		pass(&path, expected[i][0], 0, 1500 * MS);
		CU_ASSERT_EQUAL(path.mtu, expected[i][1]);
		CU_ASSERT_FALSE(wm_path_is_open(&path, now_ns));
	}
}

static void links_of_1500_ask_for_no_more(void)
{
	struct wm_path path = look(1500);

	pass(&path, 9000, 0, 1 * S);
	CU_ASSERT_EQUAL(path.mtu, 1500);
}

static void a_lossy_path_is_no_narrow_one(void)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct wm_path path = look(9000);

		random_state = i + 1;
		pass(&path, 9000, 200000, 3 * S);
		wrong += path.mtu != 9000;
	}
	CU_ASSERT_TRUE(wrong < 40);
}

static void a_dead_path_tells_nothing_and_is_looked_at_again(void)
{
	struct wm_path path = look(9000);

	CU_ASSERT_TRUE(pass(&path, 0, 0, 4 * S) < 100);
	CU_ASSERT_EQUAL(path.mtu, 0);
	CU_ASSERT_FALSE(wm_path_is_open(&path, now_ns)); /* no job waits for it */
	pass(&path, 9000, 0, 10 * S);
	CU_ASSERT_EQUAL(path.mtu, 9000);
}

static void a_narrow_path_that_is_mended_is_noticed(void)
{
	struct wm_path path = look(9000);

	pass(&path, 1500, 0, 30 * S);
	CU_ASSERT_EQUAL(path.mtu, 1500);
	pass(&path, 9000, 0, 12 * S);
	CU_ASSERT_EQUAL(path.mtu, 9000);
	CU_ASSERT_EQUAL(pass(&path, 9000, 0, 60 * S), 0);
}

static void what_is_known_stays_until_there_is_another_answer(void)
{
	struct wm_path path = look(9000);

	pass(&path, 9000, 0, 1 * S);
	wm_path_look(&path, 9000, now_ns);
	CU_ASSERT_EQUAL(path.mtu, 9000);
	CU_ASSERT_FALSE(wm_path_is_open(&path, now_ns));
	pass(&path, 0, 0, 5 * S);
	CU_ASSERT_EQUAL(path.mtu, 9000);
	wm_path_look(&path, 9000, now_ns);
	pass(&path, 1500, 0, 2 * S);
	CU_ASSERT_EQUAL(path.mtu, 1500);
}

static void nonsense_changes_nothing(void)
{
	struct wm_path path = look(4000);

	pass(&path, 1500, 0, 20 * MS);
	wm_path_receive_echo(&path, path.id + 1, 4000, now_ns);
	wm_path_receive_echo(&path, path.id, 9000, now_ns);
	CU_ASSERT_EQUAL(path.found, 0);
	pass(&path, 1500, 0, 2 * S);
	wm_path_receive_echo(&path, path.id, 2000, now_ns); /* late, and less than all */
	CU_ASSERT_EQUAL(path.mtu, 1500);
}

static const struct wm_test tests[] = {
	WM_TEST(one_frame_is_enough_for_a_good_path),
	WM_TEST(the_largest_size_that_passes_is_found),
	WM_TEST(links_of_1500_ask_for_no_more),
	WM_TEST(a_lossy_path_is_no_narrow_one),
	WM_TEST(a_dead_path_tells_nothing_and_is_looked_at_again),
	WM_TEST(a_narrow_path_that_is_mended_is_noticed),
	WM_TEST(what_is_known_stays_until_there_is_another_answer),
	WM_TEST(nonsense_changes_nothing),
};

int main(void)
{
	return WM_TESTS_RUN("path", tests);
}
