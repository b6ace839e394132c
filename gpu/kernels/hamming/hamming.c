/* SPDX-License-Identifier: BSD-3-Clause */
/* What hamming.glsl is to make, by a plain loop. */
#include <string.h>

#include "wiremill/kernel.h"

extern const char wm_kernel_source_hamming[];

static void store_u32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	(void)params;
	for (uint64_t i = 0; i < count; i++) {
		uint32_t bits = 0;

		for (unsigned b = 0; b < 32; b++) {
			uint8_t differs = input[i * 32 + b] ^ input[i * 32 + 32 + b];

			for (; differs; differs &= differs - 1)
				bits++;
		}
		store_u32(output + i * 4, bits);
	}
}

const struct wm_kernel_shipped wm_kernel_shipped_hamming = {
	.name = "hamming",
	.source = wm_kernel_source_hamming,
	.reference = { .in_bytes = 32, .out_bytes = 4, .halo = 1, .compute = compute },
};
