/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that is lost in the middle (gpu_reset.h): nothing that it did not compute is
 * ever taken for computed, and the one that is made after it computes. */
#include <errno.h>
#include <string.h>

#include "gpu_reset.h"
#include "harness.h"
#include "rig.h"

#define COUNT 64u
#define ROW_BYTES 8192u

static struct rig rig;

static struct wm_row row_at(uint32_t place)
{
	uint32_t bytes = (COUNT + 1) * 32;

	return (struct wm_row){
		.in = { 2 * place * ROW_BYTES, 0, 0 },
		.in_end = { bytes, bytes },
		.out = (2 * place + 1) * ROW_BYTES,
		.count = COUNT,
	};
}

static uint64_t submit(uint32_t place)
{
	struct wm_row *table = wm_executor_rows(rig.executor);

	if (table)
		*table = row_at(place);
	return wm_executor_submit(rig.executor, 1);
}

static void expect_xor(uint32_t place)
{
	const struct wm_row row = row_at(place);

	for (uint32_t i = 0; i < COUNT * 32; i++)
		rig.expected[row.out + i] = rig.expected[row.in[0] + i] ^
					    rig.expected[row.in[0] + i + 32];
}

/* Until the timeline has come so far, by force or not: `completed` is asked meanwhile. */
static bool is_found_lost(void)
{
	for (uint32_t i = 0; i < 100000000 && !wm_executor_is_lost(rig.executor); i++)
		(void)wm_executor_completed(rig.executor);
	return wm_executor_is_lost(rig.executor);
}

static void it_computes(void)
{
	uint64_t ticket = submit(3);

	CU_ASSERT_FATAL(ticket > 0);
	CU_ASSERT_EQUAL_FATAL(wm_executor_wait(rig.executor, ticket, RIG_WAIT_NS), 0);
	expect_xor(3);
	CU_ASSERT(rig_is_as_expected(&rig));
}

static uint64_t losses(void)
{
	struct wm_executor_counters counters;

	wm_executor_get_counters(rig.executor, &counters);
	return counters.losses;
}

static void it_is_made_anew(void)
{
	struct wm_error error = { "" };
	uint64_t before = losses();

	CU_ASSERT_EQUAL_FATAL(wm_executor_rebuild(rig.executor, &error), 0);
	CU_ASSERT_FALSE(wm_executor_is_lost(rig.executor));
	CU_ASSERT_EQUAL(losses(), before + 1);
	it_computes();
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
}

static void look_at_the_counter(bool silently)
{
	uint64_t ticket;

	rig_fill(&rig);
	gpu_reset_next(silently);
	ticket = submit(0);
	CU_ASSERT_FATAL(ticket > 0);
	CU_ASSERT_TRUE_FATAL(is_found_lost());
	CU_ASSERT(wm_executor_completed(rig.executor) < ticket);
	CU_ASSERT(rig_is_as_expected(&rig)); /* nothing was computed */
	it_is_made_anew();
}

static void a_counter_that_a_reset_advanced_is_not_believed(void)
{
	look_at_the_counter(false);
}

static void not_even_where_the_driver_notices_nothing(void)
{
	look_at_the_counter(true);
}

static void wait_for_it(bool silently)
{
	uint64_t ticket;

	rig_fill(&rig);
	gpu_reset_next(silently);
	ticket = submit(0);
	CU_ASSERT_EQUAL(wm_executor_wait(rig.executor, ticket, RIG_WAIT_NS), -EIO);
	CU_ASSERT_EQUAL(wm_executor_wait(rig.executor, ticket, RIG_WAIT_NS), -EIO);
	CU_ASSERT(wm_executor_completed(rig.executor) < ticket);
	it_is_made_anew();
}

static void a_wait_that_a_reset_ended_fails(void)
{
	wait_for_it(false);
	wait_for_it(true);
}

/* Three in flight, the second is hit: it and the third never complete. */
static void nothing_completes_after_a_loss(void)
{
	uint64_t first, second;

	rig_fill(&rig);
	first = submit(0);
	CU_ASSERT_EQUAL_FATAL(wm_executor_wait(rig.executor, first, RIG_WAIT_NS), 0);
	expect_xor(0);
	gpu_reset_next(true);
	second = submit(1);
	CU_ASSERT_EQUAL(second, first + 1);
	CU_ASSERT_EQUAL(submit(2), first + 2);
	CU_ASSERT_EQUAL(wm_executor_wait(rig.executor, first + 2, RIG_WAIT_NS), -EIO);
	CU_ASSERT_EQUAL(wm_executor_completed(rig.executor), first);
	CU_ASSERT(rig_is_as_expected(&rig));
	it_is_made_anew();
}

static void a_lost_device_takes_nothing(void)
{
	struct wm_error error = { "" };

	rig_fill(&rig);
	gpu_reset_next(false);
	CU_ASSERT(submit(0) > 0);
	CU_ASSERT_EQUAL(submit(1), 0); /* which asks the device */
	CU_ASSERT_EQUAL(errno, EIO);
	CU_ASSERT_TRUE(wm_executor_is_lost(rig.executor));
	CU_ASSERT_EQUAL(wm_executor_prepare(rig.executor, wm_kernel_find("xor"), &error), -EIO);
	it_is_made_anew();
}

static void a_device_that_does_not_come_back_at_once_is_asked_again(void)
{
	struct wm_error error = { "" };

	rig_fill(&rig);
	gpu_reset_next(false);
	CU_ASSERT(submit(0) > 0);
	CU_ASSERT_TRUE(is_found_lost());
	gpu_reset_refuse(2);
	CU_ASSERT(wm_executor_rebuild(rig.executor, &error) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "vkCreateDevice"));
	CU_ASSERT_TRUE(wm_executor_is_lost(rig.executor));
	CU_ASSERT_EQUAL(submit(0), 0);
	CU_ASSERT(wm_executor_rebuild(rig.executor, &error) < 0);
	it_is_made_anew();
}

static const struct wm_test tests[] = {
	WM_TEST(a_counter_that_a_reset_advanced_is_not_believed),
	WM_TEST(not_even_where_the_driver_notices_nothing),
	WM_TEST(a_wait_that_a_reset_ended_fails),
	WM_TEST(nothing_completes_after_a_loss),
	WM_TEST(a_lost_device_takes_nothing),
	WM_TEST(a_device_that_does_not_come_back_at_once_is_asked_again),
};

int main(void)
{
	return rig_run(&rig, NULL, "loss", tests, sizeof(tests) / sizeof(tests[0]));
}
