/* SPDX-License-Identifier: BSD-3-Clause */
/* What xor-lag.glsl is to make, by a plain loop. */
#include "wiremill/kernel.h"

extern const char wm_kernel_source_xor_lag[];

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	uint64_t lag = (uint64_t)params[0];

	for (uint64_t i = 0; i < count * 32; i++)
		output[i] = input[i] ^ input[i + lag * 32];
}

const struct wm_kernel_shipped wm_kernel_shipped_xor_lag = {
	.name = "xor-lag",
	.source = wm_kernel_source_xor_lag,
	.reference = { .in_bytes = 32, .out_bytes = 32, .halo = 16, .compute = compute },
};
