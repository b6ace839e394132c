/* SPDX-License-Identifier: BSD-3-Clause */
#include "plot.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "sample.h"

static enum wm_plot_kind kind;

static int write_script(const struct wm_result *result, FILE *stream)
{
	return wm_plot_write_script(result, kind, WM_PLOT_SVG, "it's.svg", stream);
}

static char *script_of(enum wm_plot_kind wanted)
{
	struct wm_result result;
	char *text;

	kind = wanted;
	wm_sample_result(&result);
	text = wm_sample_text(write_script, &result);
	wm_result_fini(&result);
	return text;
}

static void an_empty_result_has_nothing_to_draw(void)
{
	struct wm_error error = { "" };
	struct wm_result result;
	unsigned drawn = 7;

	wm_result_init(&result);
	for (unsigned i = 0; i < WM_PLOT_KINDS; i++)
		CU_ASSERT_FALSE(wm_plot_has(&result, i));
	CU_ASSERT_EQUAL(wm_plot_save(&result, WM_PLOT_SVG, "/nowhere/x", &drawn, &error), 0);
	CU_ASSERT_EQUAL(drawn, 0);
}

static void rows_of_nodes_are_left_out(void)
{
	struct wm_result result;

	wm_sample_result(&result);
	for (unsigned i = 0; i < result.row_count; i++)
		result.rows[i].scope = WM_RESULT_NODE;
	for (unsigned i = 0; i < WM_PLOT_KINDS; i++)
		CU_ASSERT_FALSE(wm_plot_has(&result, i));
	wm_result_fini(&result);
}

static void rates_have_a_point_for_each_size_of_a_test(void)
{
	char *script = script_of(WM_PLOT_RATE);

	CU_ASSERT_PTR_NOT_NULL(strstr(script, "$data1 << EOD\n64.0 \"64\" 10 0.00672\n"
					      "1518.0 \"1518\" 10 0.12304\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(script, "362.0 \"imix\" 10 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(script, "title 'transmit: frames/s'"));
	CU_ASSERT_PTR_NULL(strstr(script, "$data2 "));
	free(script);
}

static void latencies_leave_out_what_measured_none(void)
{
	char *script = script_of(WM_PLOT_LATENCY);

	CU_ASSERT_PTR_NULL(strstr(script, "transmit"));
	CU_ASSERT_PTR_NOT_NULL(strstr(script, "title 'echo: p99.99'"));
	free(script);
}

static void a_distribution_begins_with_every_frame(void)
{
	char *script = script_of(WM_PLOT_DISTRIBUTION);

	CU_ASSERT_PTR_NOT_NULL(strstr(script, "$data1 << EOD\n20."));
	CU_ASSERT_PTR_NOT_NULL(strstr(script, " 1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(script, "title 'echo imix'"));
	free(script);
}

static void a_quote_in_a_name_does_not_end_it(void)
{
	char *script = script_of(WM_PLOT_RATE);

	CU_ASSERT_PTR_NOT_NULL(strstr(script, "set output 'it''s.svg'\n"));
	free(script);
}

static void a_place_that_is_not_there_is_named(void)
{
	struct wm_error error = { "" };
	struct wm_result result;
	unsigned drawn;

	wm_sample_result(&result);
	CU_ASSERT(wm_plot_save(&result, WM_PLOT_SVG, "/nowhere/x", &drawn, &error) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/nowhere/x-rate.gp"));
	wm_result_fini(&result);
}

static const struct wm_test tests[] = {
	WM_TEST(an_empty_result_has_nothing_to_draw),
	WM_TEST(rows_of_nodes_are_left_out),
	WM_TEST(rates_have_a_point_for_each_size_of_a_test),
	WM_TEST(latencies_leave_out_what_measured_none),
	WM_TEST(a_distribution_begins_with_every_frame),
	WM_TEST(a_quote_in_a_name_does_not_end_it),
	WM_TEST(a_place_that_is_not_there_is_named),
};

int main(void)
{
	return WM_TESTS_RUN("plot", tests);
}
