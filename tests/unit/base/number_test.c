/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdint.h>

#include "harness.h"
#include "number.h"

#define UNTOUCHED 12345u

static int parse(const char *text, uint64_t *number)
{
	*number = UNTOUCHED;
	return wm_number_parse(text, 0, UINT64_MAX, number);
}

static int parse_bytes(const char *text, uint64_t *bytes)
{
	*bytes = UNTOUCHED;
	return wm_number_parse_bytes(text, 0, UINT64_MAX, bytes);
}

static void whole_decimal_numbers_are_accepted(void)
{
	uint64_t number;

	CU_ASSERT(parse("0", &number) == 0 && number == 0);
	CU_ASSERT(parse("9000", &number) == 0 && number == 9000);
	CU_ASSERT(parse("0012", &number) == 0 && number == 12);
	CU_ASSERT(parse("18446744073709551615", &number) == 0 && number == UINT64_MAX);
}

static void anything_beside_digits_is_refused_and_leaves_the_number(void)
{
	static const char *const texts[] = { "",    " ",   "-1",  "+1",	 " 1",	"1 ",  "0x10",
					     "1e3", "1.5", "1,5", "ten", "1K",	"5\n", "\t7",
					     "--1", "1-",  "NaN", "inf", "1_0", "a1",  "-0" };
	uint64_t number;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CU_ASSERT_EQUAL(parse(texts[i], &number), -EINVAL);
		CU_ASSERT_EQUAL(number, UNTOUCHED);
	}
}

static void a_number_past_64_bits_is_out_of_range(void)
{
	uint64_t number;

	CU_ASSERT_EQUAL(parse("18446744073709551616", &number), -ERANGE);
	CU_ASSERT_EQUAL(parse("99999999999999999999999999", &number), -ERANGE);
	CU_ASSERT_EQUAL(number, UNTOUCHED);
}

static void bounds_are_inclusive(void)
{
	uint64_t number = 0;

	CU_ASSERT_EQUAL(wm_number_parse("9", 10, 20, &number), -ERANGE);
	CU_ASSERT_EQUAL(wm_number_parse("10", 10, 20, &number), 0);
	CU_ASSERT_EQUAL(wm_number_parse("20", 10, 20, &number), 0);
	CU_ASSERT_EQUAL(wm_number_parse("21", 10, 20, &number), -ERANGE);
	CU_ASSERT_EQUAL(number, 20);
}

static void suffixes_are_powers_of_1024(void)
{
	uint64_t bytes;

	CU_ASSERT(parse_bytes("7", &bytes) == 0 && bytes == 7);
	CU_ASSERT(parse_bytes("1K", &bytes) == 0 && bytes == 1024);
	CU_ASSERT(parse_bytes("3M", &bytes) == 0 && bytes == 3u << 20);
	CU_ASSERT(parse_bytes("2G", &bytes) == 0 && bytes == 2ull << 30);
	CU_ASSERT(parse_bytes("12T", &bytes) == 0 && bytes == 12ull << 40);
	CU_ASSERT(parse_bytes("0T", &bytes) == 0 && bytes == 0);
}

static void other_suffixes_are_refused(void)
{
	static const char *const texts[] = { "1KB", "1k", "1KiB", "1 K", "K",	 "1P",
					     "1KK", "1B", "",	  "-1K", "1.5G", "0x1K" };
	uint64_t bytes;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CU_ASSERT_EQUAL(parse_bytes(texts[i], &bytes), -EINVAL);
		CU_ASSERT_EQUAL(bytes, UNTOUCHED);
	}
}

static void a_suffix_that_overflows_is_out_of_range(void)
{
	uint64_t bytes;

	CU_ASSERT(parse_bytes("16777215T", &bytes) == 0 && bytes == 16777215ull << 40);
	CU_ASSERT_EQUAL(parse_bytes("16777216T", &bytes), -ERANGE);
	CU_ASSERT_EQUAL(parse_bytes("18446744073709551615K", &bytes), -ERANGE);
	CU_ASSERT_EQUAL(wm_number_parse_bytes("1K", 0, 1023, &bytes), -ERANGE);
	CU_ASSERT_EQUAL(wm_number_parse_bytes("1K", 1025, 9999, &bytes), -ERANGE);
}

static void counts_are_shown_with_what_they_count(void)
{
	static const struct {
		uint64_t count;
		const char *one, *text;
	} cases[] = {
		{ 0, "node", "0 nodes" },      { 1, "node", "1 node" },
		{ 2, "job", "2 jobs" },	       { 1, "batch", "1 batch" },
		{ 12, "batch", "12 batches" }, { UINT64_MAX, "byte", "18446744073709551615 bytes" },
	};
	char text[WM_COUNT_BYTES];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wm_number_format_count(text, sizeof(text), cases[i].count, cases[i].one);
		CU_ASSERT_STRING_EQUAL(text, cases[i].text);
	}
}

static void bytes_are_shown_with_three_digits(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1.00 kB" },
		{ 1500, "1.50 kB" },
		{ 9994, "9.99 kB" },
		{ 9996, "10.0 kB" },
		{ 99960, "100 kB" },
		{ 999499, "999 kB" },
		{ 999500, "1.00 MB" },
		{ 840000000, "840 MB" },
		{ 12000000000000ull, "12.0 TB" },
		{ UINT64_MAX, "18.4 EB" },
	};
	char text[32];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wm_number_format_bytes(text, sizeof(text), cases[i].bytes);
		CU_ASSERT_STRING_EQUAL(text, cases[i].text);
	}
}

static void seconds_are_shown_in_the_two_largest_units(void)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{ 0, "0 s" },
		{ -5, "0 s" },
		{ 0.4, "0 s" },
		{ 59.4, "59 s" },
		{ 59.5, "1 min 00 s" },
		{ 125, "2 min 05 s" },
		{ 3599.6, "1 h 00 min" },
		{ 4320, "1 h 12 min" },
		{ 360000, "100 h 00 min" },
	};
	char text[48];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wm_number_format_seconds(text, sizeof(text), cases[i].seconds);
		CU_ASSERT_STRING_EQUAL(text, cases[i].text);
	}
}

static void endless_and_impossible_seconds_do_not_overflow(void)
{
	char text[48], bound[48];

	wm_number_format_seconds(bound, sizeof(bound), 1e15);
	CU_ASSERT_STRING_EQUAL(wm_number_format_seconds(text, sizeof(text), 1e30), bound);
	CU_ASSERT_STRING_EQUAL(wm_number_format_seconds(text, sizeof(text), INFINITY), bound);
	CU_ASSERT_STRING_EQUAL(wm_number_format_seconds(text, sizeof(text), NAN), "0 s");
}

static const struct wm_test tests[] = {
	WM_TEST(whole_decimal_numbers_are_accepted),
	WM_TEST(anything_beside_digits_is_refused_and_leaves_the_number),
	WM_TEST(a_number_past_64_bits_is_out_of_range),
	WM_TEST(bounds_are_inclusive),
	WM_TEST(suffixes_are_powers_of_1024),
	WM_TEST(other_suffixes_are_refused),
	WM_TEST(a_suffix_that_overflows_is_out_of_range),
	WM_TEST(counts_are_shown_with_what_they_count),
	WM_TEST(bytes_are_shown_with_three_digits),
	WM_TEST(seconds_are_shown_in_the_two_largest_units),
	WM_TEST(endless_and_impossible_seconds_do_not_overflow),
};

int main(void)
{
	return WM_TESTS_RUN("number", tests);
}
