/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of all programs of control/: what each must hold for its program to be told. */
#include "cli.h"
#include "daemon_options.h"
#include "harness.h"
#include "node_options.h"
#include "option_check.h"

static void table_of_wiremilld_holds(void)
{
	option_check(&wm_daemon_schema);
}

static void table_of_wiremill_node_holds(void)
{
	option_check(&wm_node_schema);
}

static void tables_of_all_verbs_hold(void)
{
	for (const struct wm_verb *const *verb = wm_verbs; *verb; verb++)
		option_check(&(*verb)->schema);
}

static const struct wm_test tests[] = {
	WM_TEST(table_of_wiremilld_holds),
	WM_TEST(table_of_wiremill_node_holds),
	WM_TEST(tables_of_all_verbs_hold),
};

int main(void)
{
	return WM_TESTS_RUN("option tables", tests);
}
