/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUnit suites that print TAP (testanything.org), which tools/test counts.
 *
 *   static void gap_reports_exactly_the_missing_range(void) { CU_ASSERT(...); }
 *
 *   static const struct wm_test tests[] = {
 *           WM_TEST(gap_reports_exactly_the_missing_range),
 *   };
 *   int main(void) { return WM_TESTS_RUN("ledger", tests); }
 */
#ifndef WM_HARNESS_H
#define WM_HARNESS_H

#include <CUnit/CUnit.h>

struct wm_test {
	const char *name;
	void (*run)(void);
};

/* What a test program takes on its line, between min and max words; without it, none. That it
 * got so many is checked before main, where --help is answered as well. */
struct wm_tests_arguments {
	int min, max;
	const char *usage;
};
extern const struct wm_tests_arguments wm_tests_arguments __attribute__((weak));

#define WM_TESTS_ARGUMENTS(min, max, usage) \
	const struct wm_tests_arguments wm_tests_arguments = { min, max, usage }

#define WM_TEST(function)           \
	{                           \
#function, function \
	}
#define WM_TESTS_RUN(suite, tests) wm_tests_run(suite, tests, sizeof(tests) / sizeof((tests)[0]))

/* Exit status of a test program: 0, or 1 if any test failed. */
int wm_tests_run(const char *suite, const struct wm_test *tests, unsigned count);
/* What a program that lacks its hardware returns from main: prints the TAP line
 * that skips it whole and says what was missing. */
int wm_tests_skip(const char *missing);

#endif
