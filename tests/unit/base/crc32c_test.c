/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "crc32c.h"
#include "harness.h"

#define BYTES 20000u

static uint8_t bytes[BYTES];

static void fill(void)
{
	srand(1);
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)rand();
}

static void crc_of_the_standard_check_bytes_is_the_standard_one(void)
{
	CU_ASSERT_EQUAL(wm_crc32c(0, "123456789", 9), 0xe3069283);
}

static void zeroes_count_as_bytes(void)
{
	static const uint8_t none[10000];

	CU_ASSERT_EQUAL(wm_crc32c_zeroes(0x12345678, 0), 0x12345678);
	CU_ASSERT_EQUAL(wm_crc32c_zeroes(0x12345678, 4096), wm_crc32c(0x12345678, none, 4096));
	CU_ASSERT_EQUAL(wm_crc32c_zeroes(0x12345678, sizeof(none)),
			wm_crc32c(0x12345678, none, sizeof(none)));
}

static void joined_crcs_are_that_of_both_pieces(void)
{
	static const size_t seconds[] = { 0, 1, 22, 1440, 4096, 4097, 8192, 12289 };
	struct wm_crc32c_shift shift;

	fill();
	for (unsigned i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		wm_crc32c_shift_init(&shift, seconds[i]);
		for (size_t first = 0; first + seconds[i] <= BYTES; first += 997)
			CU_ASSERT_EQUAL(wm_crc32c_join(&shift, wm_crc32c(0, bytes, first),
						       wm_crc32c(0, bytes + first, seconds[i])),
					wm_crc32c(0, bytes, first + seconds[i]));
	}
}

static void joining_the_crc_of_both_gives_that_of_the_second(void)
{
	struct wm_crc32c_shift shift;

	fill();
	wm_crc32c_shift_init(&shift, 8192);
	CU_ASSERT_EQUAL(
		wm_crc32c_join(&shift, wm_crc32c(0, bytes, 28), wm_crc32c(0, bytes, 28 + 8192)),
		wm_crc32c(0, bytes + 28, 8192));
}

static const struct wm_test tests[] = {
	WM_TEST(crc_of_the_standard_check_bytes_is_the_standard_one),
	WM_TEST(zeroes_count_as_bytes),
	WM_TEST(joined_crcs_are_that_of_both_pieces),
	WM_TEST(joining_the_crc_of_both_gives_that_of_the_second),
};

int main(void)
{
	return WM_TESTS_RUN("crc32c", tests);
}
