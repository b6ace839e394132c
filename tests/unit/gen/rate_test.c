/* SPDX-License-Identifier: BSD-3-Clause */
#include "rate.h"

#include <errno.h>
#include <string.h>

#include "harness.h"

#define LINE 10000000000ull

static void rates_are_read_in_frames_and_bits(void)
{
	static const struct {
		const char *text;
		struct wm_rate rate;
	} cases[] = {
		{ "1pps", { WM_RATE_FRAMES, 1 } },
		{ "2000pps", { WM_RATE_FRAMES, 2000 } },
		{ "1.5Mpps", { WM_RATE_FRAMES, 1500000 } },
		{ "14.880952Mpps", { WM_RATE_FRAMES, 14880952 } },
		{ "0.000000001Gpps", { WM_RATE_FRAMES, 1 } },
		{ "900mbit", { WM_RATE_BITS_L1, 900000000 } },
		{ "900Mbit/l1", { WM_RATE_BITS_L1, 900000000 } },
		{ "2.5Gbit/L2", { WM_RATE_BITS_L2, 2500000000 } },
		{ "100%", { WM_RATE_BITS_L1, LINE } },
		{ "99.5%", { WM_RATE_BITS_L1, 9950000000 } },
		{ "33.333333333%", { WM_RATE_BITS_L1, 3333333333 } },
		{ "1000Gbit", { WM_RATE_BITS_L1, WM_RATE_PER_S_MAX } },
		{ "max", { WM_RATE_MAX, 0 } },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wm_rate rate = { 0 };

		CU_ASSERT_EQUAL(wm_rate_parse(cases[i].text, LINE, &rate, NULL), 0);
		CU_ASSERT_EQUAL(rate.unit, cases[i].rate.unit);
		CU_ASSERT_EQUAL(rate.per_s, cases[i].rate.per_s);
	}
}

static void what_is_no_rate_is_refused_and_named(void)
{
	static const char *const texts[] = { "",
					     "x",
					     "1",
					     "1.pps",
					     ".5pps",
					     "-1pps",
					     "0pps",
					     "0%",
					     "100.1%",
					     "101%",
					     "1 pps",
					     "1xpps",
					     "1kkbit",
					     "1e3pps",
					     "1001Gbit",
					     "1bit/l3",
					     "0.0001pps",
					     "1bits",
					     "1pps ",
					     "maximal",
					     "9999999999999Gbit",
					     "99999999999999pps",
					     "0.1234567890pps" };
	struct wm_rate rate = { WM_RATE_FRAMES, 7 };

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct wm_error error = { "" };

		CU_ASSERT_EQUAL(wm_rate_parse(texts[i], LINE, &rate, &error), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, texts[i]));
		CU_ASSERT_EQUAL(rate.per_s, 7);
	}
}

static void a_share_of_an_unknown_line_is_refused(void)
{
	struct wm_error error = { "" };
	struct wm_rate rate;

	CU_ASSERT_EQUAL(wm_rate_parse("50%", 0, &rate, &error), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "not known"));
}

static void rates_are_shown_with_three_digits(void)
{
	char text[48];

	CU_ASSERT_STRING_EQUAL(
		wm_rate_format(text, sizeof(text), (struct wm_rate){ WM_RATE_MAX, 0 }), "max");
	CU_ASSERT_STRING_EQUAL(
		wm_rate_format(text, sizeof(text), (struct wm_rate){ WM_RATE_FRAMES, 999 }),
		"999 pps");
	CU_ASSERT_STRING_EQUAL(
		wm_rate_format(text, sizeof(text), (struct wm_rate){ WM_RATE_FRAMES, 14880952 }),
		"14.9 Mpps");
	CU_ASSERT_STRING_EQUAL(
		wm_rate_format(text, sizeof(text), (struct wm_rate){ WM_RATE_BITS_L2, 900000000 }),
		"900 Mbit/s of layer 2");
	CU_ASSERT_STRING_EQUAL(
		wm_rate_format(text, sizeof(text),
			       (struct wm_rate){ WM_RATE_BITS_L1, WM_RATE_PER_S_MAX }),
		"1.00 Tbit/s");
	CU_ASSERT_STRING_EQUAL(
		wm_rate_format(text, sizeof(text), (struct wm_rate){ WM_RATE_RECORDED, 2500000 }),
		"2.5 x recorded");
}

static void line_rate_of_10_gigabit_is_known_frames(void)
{
	/* RFC 5180 appendix A.1 */
	CU_ASSERT_EQUAL(LINE / wm_rate_cost(WM_RATE_BITS_L1, 64), 14880952);
	CU_ASSERT_EQUAL(LINE / wm_rate_cost(WM_RATE_BITS_L1, 1518), 812743);
}

static void layers_differ_by_preamble_and_gap(void)
{
	CU_ASSERT_EQUAL(wm_rate_cost(WM_RATE_BITS_L2, 64), 512);
	CU_ASSERT_EQUAL(wm_rate_cost(WM_RATE_BITS_L1, 64), 672);
	CU_ASSERT_EQUAL(wm_rate_cost(WM_RATE_FRAMES, 64), 1);
}

static void sizes_are_with_the_fcs_and_buffers_without(void)
{
	CU_ASSERT_EQUAL(wm_rate_buffer_bytes(64), 60);
	CU_ASSERT_EQUAL(wm_rate_frame_bytes(60), 64);
	CU_ASSERT_EQUAL(wm_rate_frame_bytes(42), 64);
	CU_ASSERT_EQUAL(wm_rate_frame_bytes_max(1500), 1518);
	CU_ASSERT_EQUAL(wm_rate_frame_bytes(9014), wm_rate_frame_bytes_max(9000));
}

static const struct wm_test tests[] = {
	WM_TEST(rates_are_read_in_frames_and_bits),
	WM_TEST(what_is_no_rate_is_refused_and_named),
	WM_TEST(a_share_of_an_unknown_line_is_refused),
	WM_TEST(rates_are_shown_with_three_digits),
	WM_TEST(line_rate_of_10_gigabit_is_known_frames),
	WM_TEST(layers_differ_by_preamble_and_gap),
	WM_TEST(sizes_are_with_the_fcs_and_buffers_without),
};

int main(void)
{
	return WM_TESTS_RUN("rate", tests);
}
