/* SPDX-License-Identifier: BSD-3-Clause */
/* The invariant of xor: what it finds, and what it cannot. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "seed.h"
#include "wiremill/kernel.h"

#define VECTOR 32u
#define COUNT_MAX 256u

/* At odd addresses, as in a frame behind its headers. */
static uint8_t memory[2][(COUNT_MAX + 1) * VECTOR + 1];
static uint8_t *const input = memory[0] + 1, *const output = memory[1] + 1;
static struct wm_seeds seeds;

static void compute(uint64_t *random, uint32_t count)
{
	for (uint32_t i = 0; i < (count + 1) * VECTOR; i++)
		input[i] = (uint8_t)wm_random(random);
	for (uint32_t i = 0; i < count * VECTOR; i++)
		output[i] = input[i] ^ input[i + VECTOR];
}

static void what_is_right_holds_for_every_size(void)
{
	wm_kernel_invariant *holds = wm_kernel_find_invariant(wm_kernel_find("xor"));
	uint64_t random = seeds.first;

	CU_ASSERT_PTR_NOT_NULL_FATAL(holds);
	for (uint32_t count = 1; count <= COUNT_MAX; count++) {
		compute(&random, count);
		CU_ASSERT_TRUE(holds(input, output, count));
	}
}

static void any_single_bit_that_is_wrong_shows(void)
{
	wm_kernel_invariant *holds = wm_kernel_find_invariant(wm_kernel_find("xor"));
	uint64_t random = seeds.first;

	compute(&random, COUNT_MAX);
	for (uint32_t bit = 0; bit < COUNT_MAX * VECTOR * 8; bit++) {
		output[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_FALSE(holds(input, output, COUNT_MAX));
		output[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_TRUE(holds(input, output, COUNT_MAX));
}

/* Rubbish of any kind: 256 bits must agree by chance. */
static void a_batch_of_rubbish_shows(void)
{
	wm_kernel_invariant *holds = wm_kernel_find_invariant(wm_kernel_find("xor"));

	for (uint64_t i = 0; i < seeds.count; i++) {
		uint64_t random = seeds.first + i;
		uint32_t count = 1 + wm_random_below(&random, COUNT_MAX);
		uint32_t from = wm_random_below(&random, count * VECTOR);

		compute(&random, count);
		for (uint32_t p = from; p < count * VECTOR; p++)
			output[p] = (uint8_t)wm_random(&random);
		CU_ASSERT_FALSE(from + 8 < count * VECTOR && holds(input, output, count));
	}
}

static void zeroes_and_the_input_itself_show(void)
{
	wm_kernel_invariant *holds = wm_kernel_find_invariant(wm_kernel_find("xor"));
	uint64_t random = seeds.first;

	compute(&random, COUNT_MAX);
	memset(output, 0, COUNT_MAX * VECTOR);
	CU_ASSERT_FALSE(holds(input, output, COUNT_MAX));
	memcpy(output, input, COUNT_MAX * VECTOR);
	CU_ASSERT_FALSE(holds(input, output, COUNT_MAX));
}

/* Right results of another batch, or of one element less. */
static void a_result_in_the_wrong_place_shows(void)
{
	wm_kernel_invariant *holds = wm_kernel_find_invariant(wm_kernel_find("xor"));
	uint64_t random = seeds.first;

	compute(&random, COUNT_MAX);
	CU_ASSERT_FALSE(holds(input + VECTOR, output, COUNT_MAX - 1));
	CU_ASSERT_FALSE(holds(input, output + VECTOR, COUNT_MAX - 1));
	CU_ASSERT_TRUE(holds(input + VECTOR, output + VECTOR, COUNT_MAX - 1));
}

/* Its known limit, for which there are audits. */
static void the_same_bit_wrong_twice_does_not_show(void)
{
	wm_kernel_invariant *holds = wm_kernel_find_invariant(wm_kernel_find("xor"));
	uint64_t random = seeds.first;

	compute(&random, COUNT_MAX);
	output[3 * VECTOR + 5] ^= 0x40;
	output[9 * VECTOR + 5] ^= 0x40;
	CU_ASSERT_TRUE(holds(input, output, COUNT_MAX));
	output[11 * VECTOR + 5] ^= 0x40;
	CU_ASSERT_FALSE(holds(input, output, COUNT_MAX));
}

static void a_kernel_that_has_none_has_none(void)
{
	static const char *const names[] = { "xo", "xor2", "", "no-such-kernel" };
	struct wm_kernel kernel = *wm_kernel_find("xor");

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(kernel.name, sizeof(kernel.name), "%s", names[i]);
		CU_ASSERT_PTR_NULL(wm_kernel_find_invariant(&kernel));
	}
}

static void a_users_kernel_of_that_name_has_not_ours(void)
{
	struct wm_kernel kernel = *wm_kernel_find("xor");

	kernel.hash[31] = 1;
	CU_ASSERT_PTR_NULL(wm_kernel_find_invariant(&kernel));
}

static const struct wm_test tests[] = {
	WM_TEST(what_is_right_holds_for_every_size),
	WM_TEST(any_single_bit_that_is_wrong_shows),
	WM_TEST(a_batch_of_rubbish_shows),
	WM_TEST(zeroes_and_the_input_itself_show),
	WM_TEST(a_result_in_the_wrong_place_shows),
	WM_TEST(the_same_bit_wrong_twice_does_not_show),
	WM_TEST(a_kernel_that_has_none_has_none),
	WM_TEST(a_users_kernel_of_that_name_has_not_ours),
};

WM_TESTS_ARGUMENTS(0, 2, WM_SEED_USAGE);

int main(int argc, char **argv)
{
	seeds = wm_seeds_choose(argc, argv, 500);
	return WM_TESTS_RUN("kernel-xor", tests);
}
