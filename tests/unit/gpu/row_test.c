/* SPDX-License-Identifier: BSD-3-Clause */
#include "row.h"

#include "harness.h"

#define REGION (2u * 1024u * 1024u)

static const struct wm_kernel xor_shape = {
	.name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1
};
static const struct wm_kernel word_shape = {
	.name = "word", .in_bytes = 4, .out_bytes = 4, .halo_before = 1
};

/* 257 vectors in pieces of 3808, 3840 and 576 bytes. */
static const struct wm_row good = {
	.in = { 288, 4096 + 256, 8192 + 256 },
	.in_end = { 3808, 7648 },
	.out = 12288,
	.count = 256,
};

static bool is_valid(struct wm_row row)
{
	return wm_row_is_valid(&row, &xor_shape, REGION);
}

static void good_row_is_valid(void)
{
	CU_ASSERT(is_valid(good));
}

static void count_is_1_to_256(void)
{
	struct wm_row row = good;

	row.in_end[0] = row.in_end[1] = 32;
	row.count = 0;
	CU_ASSERT(!is_valid(row));
	row.count = 1;
	CU_ASSERT(is_valid(row));
	row = good;
	row.count = 257;
	CU_ASSERT(!is_valid(row));
	row.count = UINT32_MAX;
	CU_ASSERT(!is_valid(row));
}

static void each_offset_is_aligned(void)
{
	for (uint32_t off = 1; off < WM_ROW_ALIGN_BYTES; off++) {
		for (uint32_t piece = 0; piece < WM_ROW_PIECES; piece++) {
			struct wm_row row = good;

			row.in[piece] += off;
			CU_ASSERT(!is_valid(row));
		}
		struct wm_row row = good;

		row.out += off;
		CU_ASSERT(!is_valid(row));
	}
}

static void each_offset_keeps_its_piece_inside(void)
{
	static const uint32_t piece_bytes[] = { 3808, 3840, 576 };

	for (uint32_t piece = 0; piece < WM_ROW_PIECES; piece++) {
		struct wm_row row = good;

		row.in[piece] = REGION - piece_bytes[piece];
		CU_ASSERT(is_valid(row));
		row.in[piece] += 16;
		CU_ASSERT(!is_valid(row));
		row.in[piece] = REGION;
		CU_ASSERT(!is_valid(row));
		row.in[piece] = UINT32_MAX & ~15u;
		CU_ASSERT(!is_valid(row));
	}
}

static void output_stays_inside(void)
{
	struct wm_row row = good;

	row.out = REGION - 8192;
	CU_ASSERT(is_valid(row));
	row.out += 16;
	CU_ASSERT(!is_valid(row));
	row.out = UINT32_MAX & ~15u;
	CU_ASSERT(!is_valid(row));
}

static void ends_are_ordered_aligned_and_within_the_input(void)
{
	struct wm_row row = good;

	row.in_end[0] = 7664;
	CU_ASSERT(!is_valid(row));
	row = good;
	row.in_end[0] -= 8;
	CU_ASSERT(!is_valid(row));
	row = good;
	row.in_end[1] += 4;
	CU_ASSERT(!is_valid(row));
	row = good;
	row.in_end[1] = 8224;
	CU_ASSERT(is_valid(row));
	row.in_end[1] = 8240;
	CU_ASSERT(!is_valid(row));
	row.in_end[1] = UINT32_MAX & ~15u;
	CU_ASSERT(!is_valid(row));
}

static void piece_without_bytes_may_point_anywhere(void)
{
	struct wm_row row = good;

	row.in_end[0] = row.in_end[1] = 8224;
	row.in[1] = row.in[2] = UINT32_MAX;
	CU_ASSERT(is_valid(row));
	row.in_end[0] = 0;
	row.in[0] = UINT32_MAX;
	row.in[1] = 0;
	CU_ASSERT(is_valid(row));
}

static void spare_word_is_zero(void)
{
	struct wm_row row = good;

	row.zero = 1;
	CU_ASSERT(!is_valid(row));
}

static void last_piece_may_end_within_a_unit(void)
{
	/* 1 + 6 words of input are 28 bytes. */
	struct wm_row row = { .in_end = { 28, 28 }, .out = 32, .count = 6 };

	CU_ASSERT(wm_row_is_valid(&row, &word_shape, REGION));
	row.in_end[0] = 16;
	CU_ASSERT(wm_row_is_valid(&row, &word_shape, REGION));
	row.in_end[0] = 24;
	CU_ASSERT(!wm_row_is_valid(&row, &word_shape, REGION));
	row.in_end[0] = row.in_end[1] = 32;
	CU_ASSERT(!wm_row_is_valid(&row, &word_shape, REGION));
}

/* Its last word is written whole. */
static void output_of_bytes_needs_room_for_its_last_word(void)
{
	const struct wm_kernel bytes = { .name = "bytes", .in_bytes = 1, .out_bytes = 1 };
	struct wm_row row = { .in_end = { 13, 13 }, .out = REGION - 16, .count = 13 };

	CU_ASSERT(wm_row_is_valid(&row, &bytes, REGION));
	row.count = 17;
	row.in_end[0] = row.in_end[1] = 17;
	CU_ASSERT_FALSE(wm_row_is_valid(&row, &bytes, REGION));
}

static const struct wm_test tests[] = {
	WM_TEST(good_row_is_valid),
	WM_TEST(output_of_bytes_needs_room_for_its_last_word),
	WM_TEST(count_is_1_to_256),
	WM_TEST(each_offset_is_aligned),
	WM_TEST(each_offset_keeps_its_piece_inside),
	WM_TEST(output_stays_inside),
	WM_TEST(ends_are_ordered_aligned_and_within_the_input),
	WM_TEST(piece_without_bytes_may_point_anywhere),
	WM_TEST(spare_word_is_zero),
	WM_TEST(last_piece_may_end_within_a_unit),
};

int main(void)
{
	return WM_TESTS_RUN("row", tests);
}
