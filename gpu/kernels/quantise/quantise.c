/* SPDX-License-Identifier: BSD-3-Clause */
/* What quantise.glsl is to make, by a plain loop. */
#include <math.h>
#include <string.h>

#include "wiremill/kernel.h"

extern const char wm_kernel_source_quantise[];

static uint8_t quantise(float value, float scale, float offset)
{
	float level = floorf(value * scale + offset + 0.5f);

	if (isnan(value) || !(level > 0))
		return 0;
	return level < 255 ? (uint8_t)level : 255;
}

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	for (uint64_t i = 0; i < count; i++) {
		float value;

		memcpy(&value, input + i * 4, sizeof(value));
		output[i] = quantise(value, (float)params[0], (float)params[1]);
	}
}

const struct wm_kernel_shipped wm_kernel_shipped_quantise = {
	.name = "quantise",
	.source = wm_kernel_source_quantise,
	.reference = { .in_bytes = 4, .out_bytes = 1, .halo = 0, .compute = compute },
};
