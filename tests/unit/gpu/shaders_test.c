/* SPDX-License-Identifier: BSD-3-Clause */
/* Every kernel that is built in, on the device that is here, against its reference. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rig.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"

/* Rows that lie apart, whatever a kernel's elements are: input, then output. */
#define ROWS 64u
#define ROW_BYTES (RIG_BYTES / ROWS)
#define HALF_BYTES (ROW_BYTES / 2)

static struct rig rig;

/* A place between units of the input, or one of its ends. */
static uint32_t random_end(uint32_t lowest, uint32_t bytes)
{
	uint32_t units = rig_random(&rig, lowest / WM_ROW_ALIGN_BYTES, bytes / WM_ROW_ALIGN_BYTES);

	return units * WM_ROW_ALIGN_BYTES;
}

/* Its pieces lie apart, by a little: a shader that goes on behind the end of one finds what is
 * not its input. */
static struct wm_row random_row(const struct wm_kernel *kernel, uint32_t place, uint32_t count)
{
	uint32_t at = place * ROW_BYTES;
	struct wm_row row = { .out = at + HALF_BYTES, .count = count };
	uint32_t bytes = rig_input_bytes(&row, kernel);

	row.in_end[0] = random_end(0, bytes);
	row.in_end[1] = random_end(row.in_end[0], bytes);
	row.in[0] = at;
	row.in[1] = at + row.in_end[0] + 2 * WM_ROW_ALIGN_BYTES;
	row.in[2] = at + row.in_end[1] + 5 * WM_ROW_ALIGN_BYTES;
	CU_ASSERT_FATAL(bytes + 6 * WM_ROW_ALIGN_BYTES < HALF_BYTES);
	CU_ASSERT_FATAL(count * kernel->out_bytes <= HALF_BYTES);
	return row;
}

static void expect(const struct wm_kernel *kernel, const struct wm_row *row)
{
	static uint8_t input[HALF_BYTES];

	rig_input(&rig, row, input, rig_input_bytes(row, kernel));
	wm_kernel_find_reference(kernel->name)
		->compute(rig.expected + row->out, input, row->count, NULL);
}

/* As many rows as lie in the region, each of its own count and pieces. */
static void compute_rows(const struct wm_kernel *kernel)
{
	struct wm_row *rows = wm_executor_rows(rig.executor), copies[ROWS];
	uint32_t count_max = wm_layout_batch_elements(kernel, WM_MTU_MAX);
	uint64_t ticket;

	CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
	rig_fill(&rig);
	for (uint32_t i = 0; i < ROWS; i++)
		copies[i] = random_row(kernel, i, rig_random(&rig, 1, count_max));
	memcpy(rows, copies, sizeof(copies));
	ticket = wm_executor_submit(rig.executor, ROWS);
	CU_ASSERT_FATAL(ticket > 0);
	CU_ASSERT_EQUAL_FATAL(wm_executor_wait(rig.executor, ticket, RIG_WAIT_NS), 0);
	for (uint32_t i = 0; i < ROWS; i++)
		expect(kernel, &copies[i]);
	CU_ASSERT(rig_is_as_expected(&rig));
}

static void every_shader_makes_what_its_reference_does(void)
{
	const struct wm_kernel *kernel;
	struct wm_error error = { "" };

	for (unsigned i = 0; (kernel = wm_kernel_at(i)) != NULL; i++) {
		printf("# %s\n", kernel->name);
		CU_ASSERT_EQUAL_FATAL(wm_executor_prepare(rig.executor, kernel, &error), 0);
		for (unsigned round = 0; round < 8; round++)
			compute_rows(kernel);
	}
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(every_shader_makes_what_its_reference_does),
};

WM_TESTS_ARGUMENTS(0, 1, "[INVOCATIONS]");

int main(int argc, char **argv)
{
	struct wm_error error = { "" };
	int ret = rig_init(&rig, argc > 1 ? argv[1] : NULL, &error);

	if (ret == -ENODEV || ret == -ENOTSUP)
		return wm_tests_skip(error.text);
	if (ret < 0) {
		printf("Bail out! %s\n", error.text);
		return EXIT_FAILURE;
	}
	ret = WM_TESTS_RUN("shaders", tests);
	rig_fini(&rig);
	return ret;
}
