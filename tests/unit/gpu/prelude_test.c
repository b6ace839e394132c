/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The prelude, seen by a kernel of another shape than xor's: words, a halo on
 * both sides, and lengths that end within a unit. The kernel is linked in
 * instead of the built-in ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rig.h"
#include "shader.h"
#include "wiremill/limits.h"

#define INPUT_WORDS_MAX (WM_BATCH_ELEMENTS_MAX + 3)

static const uint32_t wave_code[] =
#include "wave.comp.inc"
	;
static const struct wm_shader wave_shader = { "wave", wave_code, sizeof(wave_code) };
static const struct wm_kernel wave = {
	.name = "wave", .in_bytes = 4, .out_bytes = 8, .halo_before = 2, .halo_after = 1
};

static struct rig rig;

const struct wm_shader *wm_shader_find(const struct wm_kernel *kernel)
{
	return strcmp(kernel->name, wave.name) == 0 ? &wave_shader : NULL;
}

static void expect_wave(const struct wm_row *row)
{
	uint32_t input[INPUT_WORDS_MAX], output[2 * WM_BATCH_ELEMENTS_MAX];

	rig_input(&rig, row, (uint8_t *)input, rig_input_bytes(row, &wave));
	for (uint32_t i = 0; i < row->count; i++) {
		output[2 * i] = input[i] + 3 * input[i + 2];
		output[2 * i + 1] = input[i + 3];
	}
	memcpy(rig.expected + row->out, output, row->count * wave.out_bytes);
}

static void compute(const struct wm_row *rows, uint32_t count)
{
	struct wm_row *table = wm_executor_rows(rig.executor);
	uint64_t ticket;

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	memcpy(table, rows, count * sizeof(*rows));
	ticket = wm_executor_submit(rig.executor, count);
	CU_ASSERT_FATAL(ticket > 0);
	CU_ASSERT_EQUAL_FATAL(wm_executor_wait(rig.executor, ticket, RIG_WAIT_NS), 0);
	for (uint32_t i = 0; i < count; i++)
		expect_wave(&rows[i]);
	CU_ASSERT(rig_is_as_expected(&rig));
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
}

static void every_count_is_exact_in_one_piece(void)
{
	struct wm_row rows[WM_BATCH_ELEMENTS_MAX];

	for (uint32_t i = 0; i < WM_BATCH_ELEMENTS_MAX; i++) {
		rows[i] = (struct wm_row){
			.in = { i * 2048 },
			.out = RIG_BYTES / 2 + i * 2048,
			.count = i + 1,
		};
		rows[i].in_end[0] = rows[i].in_end[1] = rig_input_bytes(&rows[i], &wave);
	}
	rig_fill(&rig);
	compute(rows, WM_BATCH_ELEMENTS_MAX);
}

/* 101 words of input, so that the last piece ends within a unit. */
static struct wm_row split_row(uint32_t index, uint32_t end0, uint32_t end1)
{
	uint32_t at = index * 8192;

	return (struct wm_row){
		.in = { at, at + 2048, at + 4096 },
		.in_end = { end0, end1 },
		.out = at + 6144,
		.count = 98,
	};
}

static void every_end_of_the_pieces_is_exact(void)
{
	struct wm_row rows[34];

	for (uint32_t i = 0; i < 17; i++) {
		rows[2 * i] = split_row(2 * i, i * 16, 256);
		rows[2 * i + 1] = split_row(2 * i + 1, i * 16, 404);
	}
	rig_fill(&rig);
	compute(rows, 34);
}

static const struct wm_test tests[] = {
	WM_TEST(every_count_is_exact_in_one_piece),
	WM_TEST(every_end_of_the_pieces_is_exact),
};

WM_TESTS_ARGUMENTS(0, 1, "[INVOCATIONS]");

int main(int argc, char **argv)
{
	struct wm_error error = { "" };
	int ret = rig_init(&rig, argc > 1 ? argv[1] : NULL, &error);

	if (ret == -ENODEV || ret == -ENOTSUP)
		return wm_tests_skip(error.text);
	if (ret == 0)
		ret = wm_executor_prepare(rig.executor, &wave, &error);
	if (ret < 0) {
		printf("Bail out! %s\n", error.text);
		return EXIT_FAILURE;
	}
	ret = WM_TESTS_RUN("prelude", tests);
	rig_fini(&rig);
	return ret;
}
