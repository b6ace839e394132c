/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"

#define HUGE_BYTES (2u * 1024u * 1024u)

uint8_t *rig_map(size_t bytes)
{
	uint8_t *raw = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (raw == MAP_FAILED)
		abort();
	before = -(uintptr_t)raw % HUGE_BYTES;
	if (before)
		munmap(raw, before);
	munmap(raw + before + bytes, HUGE_BYTES - before);
	return raw + before;
}

void rig_unmap(uint8_t *memory, size_t bytes)
{
	munmap(memory, bytes);
}

static uint64_t seed(void)
{
	const char *text = getenv("WM_TEST_SEED");
	uint64_t value = text ? strtoull(text, NULL, 0) : wm_clock_ns();

	printf("# seed: WM_TEST_SEED=%" PRIu64 "\n", value);
	return value | 1; /* xorshift never leaves 0 */
}

/* The software driver keeps 128 bytes for good that only it points to. Unloaded
 * with the instance, it would leave a leak that has no owner, nor a name by
 * which to suppress it. */
static void keep_driver_loaded(void)
{
	dlopen("libvulkan_lvp.so", RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

int rig_init(struct rig *rig, const char *invocations, struct wm_error *error)
{
	struct wm_executor_config config = {
		.memory_bytes = RIG_BYTES,
		.rows_max = RIG_ROWS_MAX,
		.invocations = invocations ? (uint32_t)strtoul(invocations, NULL, 10) : 0,
		.validate = true,
	};
	int ret;

	*rig = (struct rig){
		.memory = rig_map(RIG_BYTES),
		.expected = rig_map(RIG_BYTES),
		.random = seed(),
	};
	config.memory = rig->memory;
	ret = wm_executor_create(&rig->executor, &config, error);
	if (ret < 0) {
		rig_fini(rig);
		return ret;
	}
	keep_driver_loaded();
	return 0;
}

void rig_fini(struct rig *rig)
{
	wm_executor_destroy(&rig->executor);
	rig_unmap(rig->memory, RIG_BYTES);
	rig_unmap(rig->expected, RIG_BYTES);
}

static uint64_t next_random(struct rig *rig)
{
	rig->random ^= rig->random << 13;
	rig->random ^= rig->random >> 7;
	rig->random ^= rig->random << 17;
	return rig->random;
}

uint32_t rig_random(struct rig *rig, uint32_t lowest, uint32_t highest)
{
	return lowest + (uint32_t)((next_random(rig) >> 16) % (highest - lowest + 1ull));
}

void rig_fill(struct rig *rig)
{
	for (size_t i = 0; i < RIG_BYTES; i += sizeof(uint64_t)) {
		uint64_t value = next_random(rig);

		memcpy(rig->expected + i, &value, sizeof(value));
	}
	memcpy(rig->memory, rig->expected, RIG_BYTES);
}

uint32_t rig_input_bytes(const struct wm_row *row, const struct wm_kernel *kernel)
{
	return (kernel->halo_before + row->count + kernel->halo_after) * kernel->in_bytes;
}

void rig_input(const struct rig *rig, const struct wm_row *row, uint8_t *input,
	       uint32_t input_bytes)
{
	for (uint32_t p = 0; p < input_bytes; p++) {
		uint32_t at = p < row->in_end[0]   ? row->in[0] + p
			      : p < row->in_end[1] ? row->in[1] + p - row->in_end[0]
						   : row->in[2] + p - row->in_end[1];

		input[p] = rig->expected[at];
	}
}

bool rig_is_as_expected(const struct rig *rig)
{
	for (size_t i = 0; i < RIG_BYTES; i++) {
		if (rig->memory[i] != rig->expected[i]) {
			printf("# first difference at %zu: %02x, expected %02x\n", i,
			       rig->memory[i], rig->expected[i]);
			return false;
		}
	}
	return true;
}

uint64_t rig_messages(const struct rig *rig)
{
	struct wm_executor_counters counters;

	wm_executor_get_counters(rig->executor, &counters);
	return counters.validation_messages;
}

int rig_run(struct rig *rig, const char *invocations, const char *suite,
	    const struct wm_test *tests, unsigned count)
{
	struct wm_error error = { "" };
	int ret = rig_init(rig, invocations, &error);

	if (ret == -ENODEV || ret == -ENOTSUP)
		return wm_tests_skip(error.text);
	if (ret == 0)
		ret = wm_executor_prepare(rig->executor, wm_kernel_find("xor"), &error);
	if (ret < 0) {
		printf("Bail out! %s\n", error.text);
		return EXIT_FAILURE;
	}
	ret = wm_tests_run(suite, tests, count);
	rig_fini(rig);
	return ret;
}
