/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "cores.h"
#include "harness.h"

static struct wm_cores cores;
static struct wm_error said;

/* Cores 0 to 9 of a set, as digits. */
static cpu_set_t set_of(const char *digits)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (; *digits; digits++)
		CPU_SET(*digits - '0', &set);
	return set;
}

static void lcore_is_on(unsigned lcore, const char *digits)
{
	cpu_set_t set = set_of(digits);

	CU_ASSERT(CPU_EQUAL(&cores.on[lcore], &set));
}

static int check(const char *text, uint32_t lanes, const char *allowed)
{
	cpu_set_t set = set_of(allowed);

	CU_ASSERT_EQUAL_FATAL(wm_cores_parse(&cores, text), 0);
	said.text[0] = '\0';
	return wm_cores_check(&cores, text, lanes, &set, &said);
}

static void a_list_is_one_lcore_for_each_core(void)
{
	CU_ASSERT_EQUAL(wm_cores_parse(&cores, "0,2"), 0);
	CU_ASSERT_EQUAL(cores.count, 2);
	lcore_is_on(0, "0");
	lcore_is_on(1, "");
	lcore_is_on(2, "2");
	CU_ASSERT_EQUAL(wm_cores_parse(&cores, "3-1"), 0);
	CU_ASSERT_EQUAL(cores.count, 3);
	lcore_is_on(2, "2");
}

static void lcores_may_float_over_several_cores(void)
{
	CU_ASSERT_EQUAL(wm_cores_parse(&cores, "0@(0-1),1@(0-1)"), 0);
	CU_ASSERT_EQUAL(cores.count, 2);
	lcore_is_on(0, "01");
	lcore_is_on(1, "01");
	CU_ASSERT_EQUAL(wm_cores_parse(&cores, "1,2@(5-7),(3-5)@(0,2),(0,6),7-8"), 0);
	CU_ASSERT_EQUAL(cores.count, 9);
	lcore_is_on(2, "567");
	lcore_is_on(4, "02");
	lcore_is_on(0, "06");
	lcore_is_on(6, "06");
	lcore_is_on(8, "8");
}

static void the_lcore_that_is_named_first_controls(void)
{
	CU_ASSERT_EQUAL(wm_cores_parse(&cores, "3,1,2"), 0);
	CU_ASSERT_EQUAL(cores.first, 3);
	CU_ASSERT_EQUAL(wm_cores_of_lane(&cores, 0), 1);
	CU_ASSERT_EQUAL(wm_cores_of_lane(&cores, 1), 2);
	CU_ASSERT_EQUAL(wm_cores_of_lane(&cores, 2), -1);
}

static void anything_else_is_refused(void)
{
	static const char *const texts[] = {
		"",
		"banana",
		"0,",
		",0",
		"0-",
		"-1",
		"0@",
		"0@(",
		"0@(1",
		"(0",
		"0)",
		"0@1@2",
		"0x1",
		"128",
		"0@1024",
		"0;1",
		"0,,1",
		"1e3",
		"(,)",
		"0-1-2",
		"4294967296",
		"0@()",
		"99999999999999999999",
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(wm_cores_parse(&cores, texts[i]), -EINVAL);
}

static void too_few_are_told_how_many(void)
{
	CU_ASSERT_EQUAL(check("0,1", 1, "01"), 0);
	CU_ASSERT_EQUAL(check("0", 1, "01"), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "such as --lcores 0-1"));
	CU_ASSERT_EQUAL(check("0,1", 2, "0123"), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "2 ports"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "such as --lcores 0-2"));
}

static void a_core_that_may_not_be_used_is_named_and_others_offered(void)
{
	CU_ASSERT_EQUAL(check("0,7", 1, "0236"), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "core 7 of --lcores 0,7"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "it may use 0,2-3,6"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "try --lcores 0,2"));
	CU_ASSERT_EQUAL(check("0@(0-1),1@(0-1)", 1, "02"), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "core 1 of"));
}

static void where_nothing_is_said_the_first_that_may_be_used_are_taken(void)
{
	cpu_set_t allowed = set_of("0257");
	char text[WM_CORES_TEXT_BYTES];

	CU_ASSERT_EQUAL(wm_cores_choose(text, 1, &allowed, &said), 0);
	CU_ASSERT_STRING_EQUAL(text, "0,2");
	CU_ASSERT_EQUAL(wm_cores_choose(text, 3, &allowed, &said), 0);
	CU_ASSERT_STRING_EQUAL(text, "0,2,5,7");
	allowed = set_of("3");
	CU_ASSERT_EQUAL(wm_cores_choose(text, 1, &allowed, &said), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "--lcores '(0-1)@(3)'"));
	/* What it advises is taken. */
	CU_ASSERT_EQUAL(check("(0-1)@(3)", 1, "3"), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(a_list_is_one_lcore_for_each_core),
	WM_TEST(lcores_may_float_over_several_cores),
	WM_TEST(the_lcore_that_is_named_first_controls),
	WM_TEST(anything_else_is_refused),
	WM_TEST(too_few_are_told_how_many),
	WM_TEST(a_core_that_may_not_be_used_is_named_and_others_offered),
	WM_TEST(where_nothing_is_said_the_first_that_may_be_used_are_taken),
};

int main(void)
{
	return WM_TESTS_RUN("cores", tests);
}
