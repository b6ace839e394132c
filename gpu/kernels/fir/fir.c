/* SPDX-License-Identifier: BSD-3-Clause */
/* What fir.glsl is to make, by a plain loop. */
#include <math.h>
#include <string.h>

#include "wiremill/kernel.h"

extern const char wm_kernel_source_fir[];

static float load_f32(const uint8_t *at)
{
	float value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Every NaN as one: nobody says which one comes out of a sum. */
static void store_f32(uint8_t *at, float value)
{
	const uint32_t nan = 0x7fc00000;

	if (isnan(value))
		memcpy(at, &nan, sizeof(nan));
	else
		memcpy(at, &value, sizeof(value));
}

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *middle = input + (i + 8) * 4;
		float sum = (float)params[8] *
			    (load_f32(middle - 8 * 4) + load_f32(middle + 8 * 4));

		for (int tap = 7; tap > 0; tap--)
			sum += (float)params[tap] *
			       (load_f32(middle - tap * 4) + load_f32(middle + tap * 4));
		sum += (float)params[0] * load_f32(middle);
		store_f32(output + i * 4, sum);
	}
}

const struct wm_kernel_shipped wm_kernel_shipped_fir = {
	.name = "fir",
	.source = wm_kernel_source_fir,
	.reference = { .in_bytes = 4, .out_bytes = 4, .halo = 16, .compute = compute },
};
