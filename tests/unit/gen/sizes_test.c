/* SPDX-License-Identifier: BSD-3-Clause */
#include "sizes.h"

#include <errno.h>
#include <string.h>

#include "harness.h"

static struct wm_sizes sizes;
static struct wm_size_cycle cycle, again;

static void expect_point(unsigned index, const char *name, uint32_t first, uint32_t last,
			 uint32_t step)
{
	const struct wm_size_point *point = &sizes.points[index];

	CU_ASSERT_STRING_EQUAL(point->name, name);
	CU_ASSERT(point->first == first && point->last == last && point->step == step);
}

static void a_list_gives_points_in_its_order(void)
{
	CU_ASSERT_EQUAL(wm_sizes_parse("1518,64,64-1518,64-1500:64,jumbo,imix", 9000, &sizes, NULL),
			0);
	CU_ASSERT_EQUAL(sizes.count, 6);
	expect_point(0, "1518", 1518, 1518, 1);
	expect_point(1, "64", 64, 64, 1);
	expect_point(2, "64-1518", 64, 1518, 1);
	expect_point(3, "64-1500:64", 64, 1500, 64);
	expect_point(4, "jumbo", 9018, 9018, 1);
	expect_point(5, "imix", 64, 1518, 1);
	CU_ASSERT(sizes.points[5].imix && !sizes.points[4].imix);
}

static void the_sizes_of_rfc_2544_have_a_name(void)
{
	CU_ASSERT_EQUAL(wm_sizes_parse("rfc2544,jumbo", 1500, &sizes, NULL), 0);
	CU_ASSERT_EQUAL(sizes.count, 8);
	expect_point(0, "64", 64, 64, 1);
	expect_point(5, "1280", 1280, 1280, 1);
	expect_point(6, "1518", 1518, 1518, 1);
	expect_point(7, "jumbo", 1518, 1518, 1);
}

static void what_is_no_size_is_refused_with_a_reason(void)
{
	static const char *const texts[] = {
		"",
		"64,",
		",64",
		"63",
		"1519",
		"64-",
		"-64",
		"x",
		"64-63",
		"100-99",
		"64-1519",
		"64-100:0",
		"64-99:",
		"64:2",
		"imx",
		"64 ,65",
		"64--70",
		"64-100:-1",
		"+64",
		"0x40",
		"64-70:2:2",
		"IMIX",
		"jumbo-",
		"rfc2544-x",
		"64-100:99999",
		"00000000000000000000000064",
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct wm_error error = { "" };

		CU_ASSERT_EQUAL(wm_sizes_parse(texts[i], 1500, &sizes, &error), -EINVAL);
		CU_ASSERT(error.text[0] != '\0');
	}
}

static void a_mixture_that_the_mtu_does_not_carry_is_refused(void)
{
	CU_ASSERT_EQUAL(wm_sizes_parse("imix", 1499, &sizes, NULL), -EINVAL);
	CU_ASSERT_EQUAL(wm_sizes_parse("imix", 1500, &sizes, NULL), 0);
	CU_ASSERT_EQUAL(wm_sizes_parse("rfc2544", 1400, &sizes, NULL), -EINVAL);
}

static void a_list_longer_than_there_is_room_for_is_refused(void)
{
	char text[3 * (WM_SIZES_POINTS_MAX + 1)];

	for (unsigned i = 0; i <= WM_SIZES_POINTS_MAX; i++)
		memcpy(text + i * 3, "64,", 3);
	text[3 * WM_SIZES_POINTS_MAX - 1] = '\0';
	CU_ASSERT_EQUAL(wm_sizes_parse(text, 1500, &sizes, NULL), 0);
	CU_ASSERT_EQUAL(sizes.count, WM_SIZES_POINTS_MAX);
	text[3 * WM_SIZES_POINTS_MAX - 1] = ',';
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_EQUAL(wm_sizes_parse(text, 1500, &sizes, NULL), -EINVAL);
}

static void begin(const char *text, uint64_t seed)
{
	CU_ASSERT_EQUAL_FATAL(wm_sizes_parse(text, 9000, &sizes, NULL), 0);
	wm_size_cycle_init(&cycle, &sizes.points[0], seed);
}

/* Of one cycle. */
static uint64_t total_bytes(void)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < cycle.count; i++)
		total += cycle.bytes[i];
	return total;
}

static void one_size_is_always_the_same(void)
{
	begin("1518", 1);
	CU_ASSERT(cycle.count == 1 && total_bytes() == 1518);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(wm_size_cycle_next(&cycle), 1518);
}

static void imix_has_its_shares_in_every_cycle(void)
{
	begin("imix", 42);
	CU_ASSERT_EQUAL(total_bytes(), 7 * 64 + 4 * 594 + 1518);
	for (unsigned round = 0; round < 3; round++) {
		unsigned small = 0, middle = 0, large = 0;

		for (unsigned i = 0; i < 12; i++) {
			uint32_t bytes = wm_size_cycle_next(&cycle);

			small += bytes == 64, middle += bytes == 594, large += bytes == 1518;
		}
		CU_ASSERT(small == 7 && middle == 4 && large == 1);
	}
}

static void a_range_has_every_size_once_a_cycle(void)
{
	static uint8_t seen[10000];

	begin("64-9018", 42);
	CU_ASSERT_EQUAL(cycle.count, 9018 - 64 + 1);
	for (unsigned i = 0; i < cycle.count; i++)
		seen[wm_size_cycle_next(&cycle)]++;
	for (unsigned bytes = 0; bytes < sizeof(seen); bytes++)
		CU_ASSERT_EQUAL(seen[bytes], bytes >= 64 && bytes <= 9018);
}

static void a_step_ends_before_what_is_beyond_the_range(void)
{
	begin("64-200:64", 1);
	CU_ASSERT(cycle.count == 3 && total_bytes() == 64 + 128 + 192);
}

static void the_order_follows_from_the_seed(void)
{
	begin("64-1518", 7);
	again = cycle;
	begin("64-1518", 7);
	CU_ASSERT_EQUAL(memcmp(&cycle, &again, sizeof(cycle)), 0);
	begin("64-1518", 8);
	CU_ASSERT_NOT_EQUAL(memcmp(&cycle, &again, sizeof(cycle)), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(a_list_gives_points_in_its_order),
	WM_TEST(the_sizes_of_rfc_2544_have_a_name),
	WM_TEST(what_is_no_size_is_refused_with_a_reason),
	WM_TEST(a_mixture_that_the_mtu_does_not_carry_is_refused),
	WM_TEST(a_list_longer_than_there_is_room_for_is_refused),
	WM_TEST(one_size_is_always_the_same),
	WM_TEST(imix_has_its_shares_in_every_cycle),
	WM_TEST(a_range_has_every_size_once_a_cycle),
	WM_TEST(a_step_ends_before_what_is_beyond_the_range),
	WM_TEST(the_order_follows_from_the_seed),
};

int main(void)
{
	return WM_TESTS_RUN("sizes", tests);
}
