/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity.h"

#include <string.h>

#define XOR_WORDS 4u /* of 8 bytes in a vector of 32 */

static void fold(uint64_t sum[XOR_WORDS], const uint8_t *vector)
{
	uint64_t words[XOR_WORDS];

	memcpy(words, vector, sizeof(words));
	for (unsigned i = 0; i < XOR_WORDS; i++)
		sum[i] ^= words[i];
}

static bool xor_telescopes(const uint8_t *input, const uint8_t *output, uint32_t count)
{
	const size_t vector_bytes = XOR_WORDS * sizeof(uint64_t);
	uint64_t sum[XOR_WORDS] = { 0 };

	for (uint32_t i = 0; i < count; i++)
		fold(sum, output + i * vector_bytes);
	fold(sum, input);
	fold(sum, input + count * vector_bytes);
	return (sum[0] | sum[1] | sum[2] | sum[3]) == 0;
}

wm_identity *wm_identity_find(const char *kernel_name)
{
	return strcmp(kernel_name, "xor") == 0 ? xor_telescopes : NULL;
}
