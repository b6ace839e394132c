/* SPDX-License-Identifier: BSD-3-Clause */
/* What threshold.glsl is to make, by a plain loop. */
#include "wiremill/kernel.h"

extern const char wm_kernel_source_threshold[];

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	for (uint64_t i = 0; i < count; i++) {
		output[i] = 0;
		for (unsigned c = 0; c < 8; c++)
			output[i] |= (uint8_t)((input[i * 8 + c] >= params[0]) << c);
	}
}

const struct wm_kernel_shipped wm_kernel_shipped_threshold = {
	.name = "threshold",
	.source = wm_kernel_source_threshold,
	.reference = { .in_bytes = 8, .out_bytes = 1, .halo = 0, .compute = compute },
};
