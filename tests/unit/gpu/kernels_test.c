/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What holds for every kernel that is built in, without a device.
 *
 * usage: kernels_test FOLDER, where each kernel has its own
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness.h"
#include "wiremill/kernel.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"

static const char *folder;

static bool is_folder(const char *name)
{
	char path[4096];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return name[0] != '.' && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A folder that came after the build was configured is not in it. */
static void each_folder_is_a_kernel_of_that_name(void)
{
	unsigned folders = 0, kernels = 0;
	const struct dirent *entry;
	DIR *all = opendir(folder);

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	while ((entry = readdir(all)) != NULL) {
		if (!is_folder(entry->d_name))
			continue;
		folders++;
		if (!wm_kernel_find(entry->d_name) && !wm_kernel_shipped_find(entry->d_name)) {
			printf("# %s/%s is not in this build: meson setup --reconfigure BUILD\n",
			       folder, entry->d_name);
			CU_FAIL("a folder without its kernel");
		}
	}
	closedir(all);
	for (unsigned i = 0; wm_kernel_at(i); i++)
		kernels++;
	for (unsigned i = 0; wm_kernel_shipped_at(i); i++)
		kernels++;
	CU_ASSERT_EQUAL(kernels, folders);
}

static void what_has_no_folder_is_no_kernel(void)
{
	CU_ASSERT_PTR_NULL(wm_kernel_find(""));
	CU_ASSERT_PTR_NULL(wm_kernel_find("prelude.glsl"));
	CU_ASSERT_PTR_NULL(wm_kernel_find_reference("no-such-kernel"));
}

static void each_name_is_one_that_wire_and_journal_take(void)
{
	const struct wm_kernel *kernel;

	for (unsigned i = 0; (kernel = wm_kernel_at(i)) != NULL; i++) {
		size_t length = strnlen(kernel->name, sizeof(kernel->name));

		CU_ASSERT_FATAL(length > 0 && length < sizeof(kernel->name));
		for (size_t at = 0; at < length; at++)
			CU_ASSERT(islower(kernel->name[at]) || isdigit(kernel->name[at]) ||
				  kernel->name[at] == '-');
		CU_ASSERT_PTR_EQUAL(wm_kernel_find(kernel->name), kernel);
	}
}

static void a_reference_says_the_same_of_sizes_as_the_shape(void)
{
	const struct wm_kernel *kernel;

	for (unsigned i = 0; (kernel = wm_kernel_at(i)) != NULL; i++) {
		const struct wm_kernel_reference *reference =
			wm_kernel_find_reference(kernel->name);

		CU_ASSERT_PTR_NOT_NULL_FATAL(reference);
		CU_ASSERT_PTR_NOT_NULL(reference->compute);
		CU_ASSERT_EQUAL(reference->in_bytes, kernel->in_bytes);
		CU_ASSERT_EQUAL(reference->out_bytes, kernel->out_bytes);
		CU_ASSERT_EQUAL(reference->halo, kernel->halo_before + kernel->halo_after);
	}
}

static void each_kernel_can_be_cut_for_the_usual_links(void)
{
	static const uint32_t mtus[] = { 1500, 3506, WM_MTU_MAX };
	const struct wm_kernel *kernel;
	struct wm_layout layout;
	struct wm_error error;

	for (unsigned i = 0; (kernel = wm_kernel_at(i)) != NULL; i++) {
		uint64_t elements = 100000 + kernel->halo_before + kernel->halo_after;

		for (unsigned m = 0; m < sizeof(mtus) / sizeof(mtus[0]); m++)
			CU_ASSERT_EQUAL(wm_layout_init(&layout, kernel, elements * kernel->in_bytes,
						       mtus[m], &error),
					0);
		CU_ASSERT_EQUAL(layout.elements, 100000);
	}
}

/* Of random input, at odd addresses, as in a frame behind its headers. */
static bool holds_for(const struct wm_kernel *kernel, uint32_t count)
{
	const struct wm_kernel_reference *reference = wm_kernel_find_reference(kernel->name);
	uint32_t in_bytes = (count + reference->halo) * reference->in_bytes;
	uint32_t out_bytes = count * reference->out_bytes;
	uint8_t *input = malloc(in_bytes + 1), *output = malloc(out_bytes + 1);
	bool holds;

	CU_ASSERT_FATAL(input && output);
	for (uint32_t p = 1; p <= in_bytes; p++)
		input[p] = (uint8_t)random();
	reference->compute(output + 1, input + 1, count, NULL);
	holds = wm_kernel_find_invariant(kernel)(input + 1, output + 1, count);
	free(output);
	free(input);
	return holds;
}

static void an_invariant_holds_for_what_is_right(void)
{
	const struct wm_kernel *kernel;

	for (unsigned i = 0; (kernel = wm_kernel_at(i)) != NULL; i++) {
		if (!wm_kernel_find_invariant(kernel))
			continue;
		for (uint32_t count = 1; count <= WM_BATCH_ELEMENTS_MAX; count++)
			CU_ASSERT(holds_for(kernel, count));
	}
}

static const struct wm_test tests[] = {
	WM_TEST(each_folder_is_a_kernel_of_that_name),
	WM_TEST(what_has_no_folder_is_no_kernel),
	WM_TEST(each_name_is_one_that_wire_and_journal_take),
	WM_TEST(a_reference_says_the_same_of_sizes_as_the_shape),
	WM_TEST(each_kernel_can_be_cut_for_the_usual_links),
	WM_TEST(an_invariant_holds_for_what_is_right),
};

WM_TESTS_ARGUMENTS(1, 1, "FOLDER");

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: kernels_test FOLDER\n");
		return EXIT_FAILURE;
	}
	folder = argv[1];
	return WM_TESTS_RUN("kernels", tests);
}
