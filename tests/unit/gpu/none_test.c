/* SPDX-License-Identifier: BSD-3-Clause */
/* The executor without compute: needs no device, and keeps every promise of
 * executor.h but that of the result. */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "rig.h"

#define ROWS_MAX 4u
#define VECTOR_BYTES 32u
#define OUT (1024u * 1024u)
#define COUNT 3u

static struct wm_executor *executor;
static uint8_t *memory;

static void set_up(void)
{
	struct wm_executor_config config = { .memory_bytes = RIG_BYTES, .no_compute = true };
	struct wm_error error;

	memory = rig_map(RIG_BYTES);
	memset(memory, 0xee, RIG_BYTES);
	config.memory = memory;
	config.rows_max = ROWS_MAX;
	CU_ASSERT_EQUAL_FATAL(wm_executor_create(&executor, &config, &error), 0);
}

static void tear_down(void)
{
	wm_executor_destroy(&executor);
	rig_unmap(memory, RIG_BYTES);
}

static void set_up_and_prepare(void)
{
	struct wm_error error;

	set_up();
	CU_ASSERT_EQUAL_FATAL(wm_executor_prepare(executor, wm_kernel_find("xor"), &error), 0);
}

static uint64_t submit_at(uint32_t out)
{
	const uint32_t bytes = (COUNT + 1) * VECTOR_BYTES;
	struct wm_row *rows = wm_executor_rows(executor);

	CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
	*rows = (struct wm_row){ .in_end = { bytes, bytes }, .out = out, .count = COUNT };
	return wm_executor_submit(executor, 1);
}

static void row_is_answered_with_zeroes_and_nothing_else_is_touched(void)
{
	set_up_and_prepare();
	CU_ASSERT_FATAL(submit_at(OUT) > 0);
	CU_ASSERT_EQUAL(memory[OUT - 1], 0xee);
	for (uint32_t i = 0; i < COUNT * VECTOR_BYTES; i++)
		CU_ASSERT_EQUAL(memory[OUT + i], 0);
	CU_ASSERT_EQUAL(memory[OUT + COUNT * VECTOR_BYTES], 0xee);
	tear_down();
}

static void ticket_is_complete_at_once(void)
{
	uint64_t ticket;

	set_up_and_prepare();
	ticket = submit_at(OUT);
	CU_ASSERT_EQUAL(wm_executor_completed(executor), ticket);
	CU_ASSERT_EQUAL(wm_executor_wait(executor, ticket, 0), 0);
	CU_ASSERT_EQUAL(submit_at(OUT), ticket + 1);
	tear_down();
}

static void row_outside_the_region_is_refused(void)
{
	set_up_and_prepare();
	CU_ASSERT_EQUAL(submit_at(RIG_BYTES - VECTOR_BYTES), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
	tear_down();
}

static void nothing_is_answered_before_a_kernel_is_prepared(void)
{
	set_up();
	CU_ASSERT_EQUAL(submit_at(OUT), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(memory[OUT], 0xee);
	tear_down();
}

static void unknown_kernel_is_refused(void)
{
	struct wm_kernel kernel = *wm_kernel_find("xor");
	struct wm_error error;

	set_up();
	kernel.out_bytes *= 2;
	CU_ASSERT_EQUAL(wm_executor_prepare(executor, &kernel, &error), -ENOENT);
	tear_down();
}

static void it_says_that_it_computes_nothing(void)
{
	struct wm_executor_obtained obtained;

	set_up();
	wm_executor_get_obtained(executor, &obtained);
	CU_ASSERT_PTR_NOT_NULL(strstr(obtained.device, "none"));
	CU_ASSERT(obtained.software);
	tear_down();
}

static const struct wm_test tests[] = {
	WM_TEST(row_is_answered_with_zeroes_and_nothing_else_is_touched),
	WM_TEST(ticket_is_complete_at_once),
	WM_TEST(row_outside_the_region_is_refused),
	WM_TEST(nothing_is_answered_before_a_kernel_is_prepared),
	WM_TEST(unknown_kernel_is_refused),
	WM_TEST(it_says_that_it_computes_nothing),
};

int main(void)
{
	return WM_TESTS_RUN("none", tests);
}
