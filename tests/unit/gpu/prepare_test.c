/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel that is made beside the one that computes, by drivers that are slow, fail, or do
 * not come back (gpu_compile.h). */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "gpu_compile.h"
#include "gpu_reset.h"
#include "harness.h"
#include "rig.h"

#define COUNT 64u
#define OUT_AT (1024u * 1024u)

static const uint32_t wave_code[] =
#include "wave.comp.inc"
	;
static const struct wm_kernel wave = {
	.name = "wave",
	.in_bytes = 4,
	.out_bytes = 8,
	.halo_before = 2,
	.halo_after = 1,
	.hash = { 1 },
};

static struct rig rig;
static struct wm_error error;

static struct wm_kernel other(uint8_t hash)
{
	struct wm_kernel kernel = wave;

	kernel.hash[0] = hash;
	return kernel;
}

static int begin(const struct wm_kernel *kernel)
{
	return wm_executor_prepare_begin(rig.executor, kernel, wave_code, sizeof(wave_code),
					 &error);
}

/* It is with a driver that does not come back. */
static void begin_held(const struct wm_kernel *kernel)
{
	uint32_t before = gpu_compile_held();

	CU_ASSERT_EQUAL_FATAL(begin(kernel), 0);
	while (gpu_compile_held() == before)
		sched_yield();
	CU_ASSERT_EQUAL(wm_executor_prepare_poll(rig.executor, &error), -EINPROGRESS);
}

static int begin_xor(void)
{
	return wm_executor_prepare_begin(rig.executor, wm_kernel_find("xor"), NULL, 0, &error);
}

static int poll(void)
{
	return wm_executor_prepare_poll(rig.executor, &error);
}

/* Until there is something else to say. */
static int poll_until(int not_yet)
{
	int ret = poll();

	while (ret == not_yet) {
		sched_yield();
		ret = poll();
	}
	return ret;
}

static void take(void)
{
	CU_ASSERT_EQUAL_FATAL(poll_until(-EINPROGRESS), -EBUSY);
	CU_ASSERT_EQUAL_FATAL(wm_executor_prepare_take(rig.executor, &error), 0);
	CU_ASSERT_EQUAL_FATAL(poll_until(-EINPROGRESS), 0);
}

static struct wm_row row_of(const struct wm_kernel *kernel)
{
	uint32_t bytes = (kernel->halo_before + COUNT + kernel->halo_after) * kernel->in_bytes;

	return (struct wm_row){ .in_end = { bytes, bytes }, .out = OUT_AT, .count = COUNT };
}

static uint64_t submit(const struct wm_kernel *kernel)
{
	struct wm_row *table = wm_executor_rows(rig.executor);

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	*table = row_of(kernel);
	return wm_executor_submit(rig.executor, 1);
}

static void finish(uint64_t ticket)
{
	CU_ASSERT_FATAL(ticket > 0);
	CU_ASSERT_EQUAL_FATAL(wm_executor_wait(rig.executor, ticket, RIG_WAIT_NS), 0);
	CU_ASSERT(rig_is_as_expected(&rig));
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
}

static void expect_xor(void)
{
	for (uint32_t i = 0; i < COUNT * 32; i++)
		rig.expected[OUT_AT + i] = rig.expected[i] ^ rig.expected[i + 32];
}

static void expect_wave(void)
{
	const uint32_t *in = (const uint32_t *)(const void *)rig.expected;
	uint32_t *out = (uint32_t *)(void *)(rig.expected + OUT_AT);

	for (uint32_t i = 0; i < COUNT; i++) {
		out[2 * i] = in[i] + 3 * in[i + 2];
		out[2 * i + 1] = in[i + 3];
	}
}

static void xor_computes(void)
{
	rig_fill(&rig);
	expect_xor();
	finish(submit(wm_kernel_find("xor")));
}

static void wave_computes(void)
{
	rig_fill(&rig);
	expect_wave();
	finish(submit(&wave));
}

static void back_to_xor(void)
{
	CU_ASSERT_EQUAL_FATAL(begin_xor(), 0);
	take();
	xor_computes();
}

static void the_kernel_before_computes_until_it_is_taken(void)
{
	uint64_t ticket;

	gpu_compile_hold(1);
	begin_held(&wave);
	xor_computes();
	CU_ASSERT_EQUAL(poll(), -EINPROGRESS);
	gpu_compile_let_go();
	CU_ASSERT_EQUAL(poll_until(-EINPROGRESS), -EBUSY);

	rig_fill(&rig);
	expect_xor();
	ticket = submit(wm_kernel_find("xor"));
	finish(ticket);
	take();
	wave_computes();
	back_to_xor();
}

static void no_table_is_free_while_a_kernel_runs_for_the_first_time(void)
{
	CU_ASSERT_EQUAL_FATAL(begin(&wave), 0);
	CU_ASSERT_EQUAL_FATAL(poll_until(-EINPROGRESS), -EBUSY);
	CU_ASSERT_EQUAL_FATAL(wm_executor_prepare_take(rig.executor, &error), 0);
	CU_ASSERT_PTR_NULL(wm_executor_rows(rig.executor));
	CU_ASSERT_EQUAL(wm_executor_submit(rig.executor, 1), 0);
	CU_ASSERT_EQUAL(errno, EBUSY);
	CU_ASSERT_EQUAL(poll_until(-EINPROGRESS), 0);
	wave_computes();
	back_to_xor();
}

static void what_is_made_or_prepared_is_not_made_again(void)
{
	gpu_compile_hold(1);
	CU_ASSERT_EQUAL(begin(&wave), 0);
	CU_ASSERT_EQUAL(begin(&wave), 0); /* or the second would go through at once */
	CU_ASSERT_EQUAL(poll(), -EINPROGRESS);
	gpu_compile_let_go();
	take();
	gpu_compile_fail(); /* the next that is compiled */
	CU_ASSERT_EQUAL(begin(&wave), 0);
	CU_ASSERT_EQUAL(poll(), 0);
	CU_ASSERT_EQUAL_FATAL(begin_xor(), 0);
	CU_ASSERT_EQUAL(poll_until(-EINPROGRESS), -ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "vkCreateComputePipelines"));
	wave_computes(); /* it is there still */
	back_to_xor();
}

static void another_takes_the_place_of_what_is_being_made(void)
{
	const struct wm_kernel second = other(2);

	gpu_compile_hold(1);
	begin_held(&second);
	CU_ASSERT_EQUAL(begin(&wave), 0);
	take();
	wave_computes();
	gpu_compile_let_go(); /* and nobody takes it */
	CU_ASSERT_EQUAL(poll(), 0);
	back_to_xor();
}

static void what_was_left_for_the_kernel_that_is_there_does_not_come(void)
{
	gpu_compile_hold(1);
	begin_held(&wave);
	CU_ASSERT_EQUAL(begin_xor(), 0);
	CU_ASSERT_EQUAL(poll(), 0);
	gpu_compile_let_go();
	CU_ASSERT_EQUAL(poll(), 0);
	xor_computes();
}

static void a_driver_that_does_not_come_back_leaves_room_for_a_few(void)
{
	gpu_compile_hold(4);
	for (uint8_t hash = 10; hash < 14; hash++) {
		const struct wm_kernel hung = other(hash);

		begin_held(&hung);
	}
	CU_ASSERT_EQUAL(begin(&wave), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the driver has not come back"));
	xor_computes();
	for (unsigned i = 0; i < 4; i++)
		gpu_compile_let_go();
	while (begin(&wave) == -EBUSY)
		sched_yield();
	take();
	wave_computes();
	back_to_xor();
}

static void a_device_is_not_given_up_under_a_driver_that_compiles(void)
{
	gpu_compile_hold(1);
	begin_held(&wave);
	CU_ASSERT_EQUAL(wm_executor_rebuild(rig.executor, &error), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "wave"));
	CU_ASSERT_TRUE(wm_executor_is_lost(rig.executor));
	CU_ASSERT_EQUAL(poll(), -EIO);
	gpu_compile_let_go();
	while (wm_executor_rebuild(rig.executor, &error) == -EBUSY)
		sched_yield();
	CU_ASSERT_EQUAL(poll(), -EIO); /* it was made for the device before */
	xor_computes();
	CU_ASSERT_EQUAL(begin(&wave), 0);
	take();
	wave_computes();
	back_to_xor();
}

static void a_loss_in_the_first_run_is_no_prepared_kernel(void)
{
	CU_ASSERT_EQUAL(begin(&wave), 0);
	CU_ASSERT_EQUAL_FATAL(poll_until(-EINPROGRESS), -EBUSY);
	gpu_reset_next(true);
	CU_ASSERT_EQUAL(wm_executor_prepare_take(rig.executor, &error), 0);
	CU_ASSERT_EQUAL(poll_until(-EINPROGRESS), -EIO);
	CU_ASSERT_TRUE(wm_executor_is_lost(rig.executor));
	CU_ASSERT_EQUAL(begin(&wave), -EIO);
	CU_ASSERT_EQUAL_FATAL(wm_executor_rebuild(rig.executor, &error), 0);
	wave_computes();
	back_to_xor();
}

static const struct wm_test tests[] = {
	WM_TEST(the_kernel_before_computes_until_it_is_taken),
	WM_TEST(no_table_is_free_while_a_kernel_runs_for_the_first_time),
	WM_TEST(what_is_made_or_prepared_is_not_made_again),
	WM_TEST(another_takes_the_place_of_what_is_being_made),
	WM_TEST(what_was_left_for_the_kernel_that_is_there_does_not_come),
	WM_TEST(a_driver_that_does_not_come_back_leaves_room_for_a_few),
	WM_TEST(a_device_is_not_given_up_under_a_driver_that_compiles),
	WM_TEST(a_loss_in_the_first_run_is_no_prepared_kernel),
};

int main(void)
{
	return rig_run(&rig, NULL, "prepare", tests, sizeof(tests) / sizeof(tests[0]));
}
