/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What wm_executor_create says when it cannot. Each attempt runs in a child, so
 * that the loader reads an environment of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "rig.h"

#define SOFTWARE_DEVICE "llvmpipe"

struct attempt {
	const char *variable; /* of the environment, or NULL */
	const char *value;
	struct wm_executor_config config; /* memory: offset from an aligned one */
};

struct outcome {
	int ret;
	struct wm_executor_obtained obtained;
	struct wm_error error;
};

static const struct wm_executor_config usual = { .memory_bytes = RIG_BYTES, .rows_max = 4 };

static struct outcome attempt_here(const struct attempt *attempt)
{
	struct wm_executor_config config = attempt->config;
	struct wm_executor *executor = NULL;
	struct outcome outcome = { 0 };

	if (attempt->variable)
		setenv(attempt->variable, attempt->value, 1);
	config.memory = rig_map(RIG_BYTES) + (uintptr_t)config.memory;
	outcome.ret = wm_executor_create(&executor, &config, &outcome.error);
	if (outcome.ret == 0)
		wm_executor_get_obtained(executor, &outcome.obtained);
	wm_executor_destroy(&executor);
	return outcome;
}

static struct outcome try_to_create(const struct attempt *attempt)
{
	struct outcome outcome;
	int ends[2], status;
	pid_t child;

	if (pipe(ends) < 0)
		abort();
	child = fork();
	if (child == 0) {
		outcome = attempt_here(attempt);
		_exit(write(ends[1], &outcome, sizeof(outcome)) != sizeof(outcome));
	}
	if (child < 0 || read(ends[0], &outcome, sizeof(outcome)) != sizeof(outcome))
		abort();
	waitpid(child, &status, 0);
	close(ends[0]);
	close(ends[1]);
	return outcome;
}

static void expect(const struct attempt *attempt, int ret, const char *words)
{
	struct outcome outcome = try_to_create(attempt);

	CU_ASSERT_EQUAL(outcome.ret, ret);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.error.text, words));
	CU_ASSERT_PTR_NULL(strchr(outcome.error.text, '\n'));
	if (outcome.ret != ret || !strstr(outcome.error.text, words))
		printf("# %d: %s\n", outcome.ret, outcome.error.text);
}

static void no_driver_is_no_device(void)
{
	struct attempt attempt = { "VK_DRIVER_FILES", "/nonexistent/icd.json", usual };

	expect(&attempt, -ENODEV, "mesa-vulkan-drivers");
	expect(&attempt, -ENODEV, "VK_DRIVER_FILES=/nonexistent/icd.json");
	attempt.variable = "VK_ICD_FILENAMES";
	expect(&attempt, -ENODEV, "mesa-vulkan-drivers");
	expect(&attempt, -ENODEV, "VK_ICD_FILENAMES=/nonexistent/icd.json");
}

static void name_that_matches_nothing_lists_what_is_here(void)
{
	struct attempt attempt = { .config = usual };

	attempt.config.device = "no such device";
	expect(&attempt, -ENODEV, "'no such device'");
	expect(&attempt, -ENODEV, SOFTWARE_DEVICE);
}

static void part_of_the_name_is_enough(void)
{
	struct attempt attempt = { .config = usual };
	struct outcome outcome;

	attempt.config.device = "LLVMPipe";
	outcome = try_to_create(&attempt);
	CU_ASSERT_EQUAL(outcome.ret, 0);
	CU_ASSERT(outcome.obtained.software);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.obtained.device, SOFTWARE_DEVICE));
}

static void required_gpu_is_not_a_software_one(void)
{
	struct attempt attempt = { .config = usual };

	attempt.config.device = SOFTWARE_DEVICE;
	attempt.config.require_gpu = true;
	expect(&attempt, -ENODEV, "a GPU is required");
}

static void missing_validation_layer_is_named(void)
{
	struct attempt attempt = { "VK_LAYER_PATH", "/nonexistent", usual };

	attempt.config.validate = true;
	expect(&attempt, -ENOTSUP, "vulkan-validationlayers");
}

static void memory_is_aligned_and_of_whole_huge_pages(void)
{
	struct attempt attempt = { .config = usual };

	attempt.config.memory = (void *)4096;
	attempt.config.memory_bytes = RIG_BYTES / 2;
	expect(&attempt, -EINVAL, "aligned to 2 MiB");
	attempt.config = usual;
	attempt.config.memory_bytes = 4096;
	expect(&attempt, -EINVAL, "multiple of 2 MiB");
	attempt.config.memory_bytes = 0;
	expect(&attempt, -EINVAL, "multiple of 2 MiB");
	attempt.config.memory_bytes = 130u * 1024 * 1024;
	expect(&attempt, -EINVAL, "128 MiB");
}

static void invocations_are_within_the_devices_workgroup(void)
{
	struct attempt attempt = { .config = usual };

	attempt.config.invocations = UINT32_MAX;
	expect(&attempt, -EINVAL, "takes for one row");
}

static void rows_max_is_within_the_devices_grid(void)
{
	struct attempt attempt = { .config = usual };

	attempt.config.rows_max = 0;
	expect(&attempt, -EINVAL, "rows_max");
	attempt.config.rows_max = UINT32_MAX;
	expect(&attempt, -EINVAL, "in one submission");
}

static const struct wm_test tests[] = {
	WM_TEST(no_driver_is_no_device),
	WM_TEST(name_that_matches_nothing_lists_what_is_here),
	WM_TEST(part_of_the_name_is_enough),
	WM_TEST(required_gpu_is_not_a_software_one),
	WM_TEST(missing_validation_layer_is_named),
	WM_TEST(memory_is_aligned_and_of_whole_huge_pages),
	WM_TEST(invocations_are_within_the_devices_workgroup),
	WM_TEST(rows_max_is_within_the_devices_grid),
};

int main(void)
{
	struct attempt attempt = { .config = usual };
	struct outcome outcome;

	attempt.config.device = SOFTWARE_DEVICE;
	outcome = try_to_create(&attempt);
	if (outcome.ret < 0)
		return wm_tests_skip(outcome.error.text);
	return WM_TESTS_RUN("bring-up", tests);
}
