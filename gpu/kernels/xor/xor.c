/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xor: every vector of 32 bytes XOR the next one.
 *
 *	out[i] = in[i] ^ in[i + 1]	0 <= i < count
 *
 * So the XOR of all outputs of a batch telescopes to in[0] ^ in[count]: the invariant.
 * Any odd number of flips of one bit position shows; an even number within one batch does
 * not: that is what audits are for.
 */
#include <string.h>

#include "wiremill/kernel.h"

#define VECTOR_BYTES 32u
#define VECTOR_WORDS (VECTOR_BYTES / sizeof(uint64_t))

static void fold(uint64_t sum[VECTOR_WORDS], const uint8_t *vector)
{
	uint64_t words[VECTOR_WORDS];

	memcpy(words, vector, sizeof(words));
	for (unsigned i = 0; i < VECTOR_WORDS; i++)
		sum[i] ^= words[i];
}

static bool telescopes(const uint8_t *input, const uint8_t *output, uint32_t count)
{
	uint64_t sum[VECTOR_WORDS] = { 0 };

	for (uint32_t i = 0; i < count; i++)
		fold(sum, output + (size_t)i * VECTOR_BYTES);
	fold(sum, input);
	fold(sum, input + (size_t)count * VECTOR_BYTES);
	return (sum[0] | sum[1] | sum[2] | sum[3]) == 0;
}

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	(void)params;
	for (uint64_t i = 0; i < count * 32; i++)
		output[i] = input[i] ^ input[i + 32];
}

const struct wm_kernel_definition wm_kernel_definition_xor = {
	.shape = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.reference = { .in_bytes = 32, .out_bytes = 32, .halo = 1, .compute = compute },
	.invariant = telescopes,
};
