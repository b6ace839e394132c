/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "hugepages.h"
#include "tree.h"

#define POOL "hugepages-2048kB"

static const char *root;
static struct wm_error said;
static struct wm_hugepages needed;

static void counters(const char *folder, unsigned all, unsigned unused)
{
	char text[16];

	snprintf(text, sizeof(text), "%u\n", all);
	tree_file(text, "%s/" POOL "/nr_hugepages", folder);
	snprintf(text, sizeof(text), "%u\n", unused);
	tree_file(text, "%s/" POOL "/free_hugepages", folder);
}

/* So many free pages at each of two nodes, of 200. */
static void two_nodes(unsigned first, unsigned second)
{
	root = tree_make();
	counters("/sys/kernel/mm/hugepages", 400, first + second);
	counters("/sys/devices/system/node/node0/hugepages", 200, first);
	counters("/sys/devices/system/node/node1/hugepages", 200, second);
}

static void one_node(unsigned all, unsigned unused)
{
	root = tree_make();
	counters("/sys/kernel/mm/hugepages", all, unused);
	counters("/sys/devices/system/node/node0/hugepages", all, unused);
}

static int place(int node, uint32_t pages)
{
	needed = (struct wm_hugepages){ 0 };
	wm_hugepages_add(&needed, node, pages);
	said.text[0] = '\0';
	return wm_hugepages_place(root, &needed, &said);
}

static void what_is_free_suffices(void)
{
	one_node(126, 126);
	CU_ASSERT_EQUAL(place(-1, 126), 0);
	CU_ASSERT_EQUAL(needed.on[0], 126);
	tree_remove();
}

static void what_is_missing_is_added_to_what_there_is(void)
{
	one_node(200, 100);
	CU_ASSERT_EQUAL(place(0, 126), -ENOMEM);
	CU_ASSERT_STRING_EQUAL(said.text,
			       "126 free hugepages of 2 MiB are needed, there are 100: run 'echo "
			       "226 > /sys/kernel/mm/hugepages/" POOL "/nr_hugepages' as root");
	tree_remove();
}

static void pages_that_are_promised_to_others_are_not_free(void)
{
	one_node(200, 200);
	tree_file("100\n", "/sys/kernel/mm/hugepages/" POOL "/resv_hugepages");
	CU_ASSERT_EQUAL(place(0, 126), -ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "there are 100"));
	tree_remove();
}

static void those_of_another_node_do_not_count(void)
{
	two_nodes(200, 3);
	CU_ASSERT_EQUAL(place(1, 126), -ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "on NUMA node 1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		said.text, "echo 323 > /sys/devices/system/node/node1/hugepages/" POOL "/nr_"));
	CU_ASSERT_EQUAL(place(0, 126), 0);
	tree_remove();
}

static void each_node_has_its_own_sum(void)
{
	two_nodes(200, 200);
	needed = (struct wm_hugepages){ 0 };
	wm_hugepages_add(&needed, 0, 126);
	wm_hugepages_add(&needed, 1, 126);
	CU_ASSERT_EQUAL(wm_hugepages_sum(&needed), 252);
	CU_ASSERT_EQUAL(wm_hugepages_place(root, &needed, &said), 0);
	needed = (struct wm_hugepages){ 0 };
	wm_hugepages_add(&needed, 1, 126);
	wm_hugepages_add(&needed, 1, 126);
	CU_ASSERT_EQUAL(wm_hugepages_place(root, &needed, &said), -ENOMEM);
	tree_remove();
}

static void the_main_core_has_some_of_its_own_where_no_port_is(void)
{
	two_nodes(1, 200);
	needed = (struct wm_hugepages){ 0 };
	wm_hugepages_add(&needed, 1, 126);
	wm_hugepages_add_main(&needed, 1);
	CU_ASSERT_EQUAL(wm_hugepages_sum(&needed), 126);
	wm_hugepages_add_main(&needed, 0);
	CU_ASSERT_EQUAL(wm_hugepages_sum(&needed), 128);
	CU_ASSERT_EQUAL(wm_hugepages_place(root, &needed, &said), -ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "2 free hugepages of 2 MiB are needed on NUMA "
						 "node 0, where the main core (--lcores) is, "
						 "there are 1"));
	tree_remove();
}

static void who_is_at_no_node_goes_where_there_is_room(void)
{
	two_nodes(3, 200);
	CU_ASSERT_EQUAL(place(-1, 126), 0);
	CU_ASSERT_EQUAL(needed.on[0], 0);
	CU_ASSERT_EQUAL(needed.on[1], 126);
	tree_remove();
}

static void a_node_that_is_not_here_is_no_place(void)
{
	one_node(200, 200);
	CU_ASSERT_EQUAL(place(1, 126), 0);
	CU_ASSERT_EQUAL(needed.on[0], 126);
	CU_ASSERT_EQUAL(needed.on[1], 0);
	tree_remove();
}

/* Whatever size is the default: /proc/sys/vm/nr_hugepages counts that. */
static void the_default_size_does_not_matter(void)
{
	one_node(0, 0);
	tree_file("4\n", "/proc/sys/vm/nr_hugepages");
	tree_file("4\n", "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");
	CU_ASSERT_EQUAL(place(0, 126), -ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(said.text, "echo 126 > /sys/kernel/mm/hugepages/" POOL "/nr_hugepages"));
	tree_remove();
}

static void a_machine_that_does_not_tell_has_not_no_hugepages(void)
{
	one_node(200, 200);
	tree_drop("/sys/kernel/mm");
	CU_ASSERT_EQUAL(place(0, 126), -ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "kernel has no hugepages"));
	tree_file("200\n", "/proc/sys/vm/nr_hugepages");
	CU_ASSERT_EQUAL(place(0, 126), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "what hides them"));
	tree_folder("/sys/kernel/mm/hugepages/" POOL);
	CU_ASSERT_EQUAL(place(0, 126), -ENOENT);
	tree_drop("/sys");
	CU_ASSERT_EQUAL(place(0, 126), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "/sys is not mounted"));
	tree_folder("/sys/kernel");
	tree_drop("/proc");
	CU_ASSERT_EQUAL(place(0, 126), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "/proc is not mounted"));
	tree_remove();
}

static const struct wm_test tests[] = {
	WM_TEST(what_is_free_suffices),
	WM_TEST(what_is_missing_is_added_to_what_there_is),
	WM_TEST(pages_that_are_promised_to_others_are_not_free),
	WM_TEST(those_of_another_node_do_not_count),
	WM_TEST(each_node_has_its_own_sum),
	WM_TEST(the_main_core_has_some_of_its_own_where_no_port_is),
	WM_TEST(who_is_at_no_node_goes_where_there_is_room),
	WM_TEST(a_node_that_is_not_here_is_no_place),
	WM_TEST(the_default_size_does_not_matter),
	WM_TEST(a_machine_that_does_not_tell_has_not_no_hugepages),
};

int main(void)
{
	return WM_TESTS_RUN("hugepages", tests);
}
