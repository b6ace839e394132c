/* SPDX-License-Identifier: BSD-3-Clause */
#include "harness.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_SKIPPED 77

#define EXIT_USAGE 2

static unsigned test_number;

/* A misspelt --seed would else run the seeds of always, and pass. Constructors get what main
 * gets (ELF, glibc). */
__attribute__((constructor)) static void check_arguments(int argc, char **argv)
{
	static const struct wm_tests_arguments none = { 0, 0, "" };
	const struct wm_tests_arguments *taken = &wm_tests_arguments;
	bool is_help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

	if (!taken)
		taken = &none;
	if (!is_help && argc - 1 >= taken->min && argc - 1 <= taken->max)
		return;
	fprintf(is_help ? stdout : stderr, "usage: %s%s%s\n", argv[0], *taken->usage ? " " : "",
		taken->usage);
	exit(is_help ? EXIT_SUCCESS : EXIT_USAGE);
}

static void print_result(const CU_pTest test, const CU_pSuite suite,
			 const CU_pFailureRecord failure)
{
	printf("%s %u - %s: %s\n", failure ? "not ok" : "ok", ++test_number, suite->pName,
	       test->pName);
	for (CU_pFailureRecord f = failure; f; f = f->pNext)
		printf("# %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
	fflush(stdout);
}

int wm_tests_run(const char *suite_name, const struct wm_test *tests, unsigned count)
{
	unsigned failed;
	CU_pSuite suite;

	printf("1..%u\n", count);
	(void)fflush(stdout); /* a test that forks would print it again */
	if (CU_initialize_registry() != CUE_SUCCESS)
		abort();
	suite = CU_add_suite(suite_name, NULL, NULL);
	for (unsigned i = 0; i < count; i++) {
		if (!CU_add_test(suite, tests[i].name, tests[i].run))
			abort();
	}
	CU_set_test_complete_handler(print_result);
	CU_run_all_tests();
	failed = CU_get_number_of_tests_failed();
	CU_cleanup_registry();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int wm_tests_skip(const char *missing)
{
	printf("1..0 # SKIP %s\n", missing);
	return EXIT_SKIPPED;
}
