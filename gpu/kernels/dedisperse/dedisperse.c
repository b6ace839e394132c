/* SPDX-License-Identifier: BSD-3-Clause */
/* What dedisperse.glsl is to make, by a plain loop. */
#include <string.h>

#include "wiremill/kernel.h"

extern const char wm_kernel_source_dedisperse[];

/* Moments by which channel c comes later than channel 0: its share of the whole delay, in
 * 1024ths, by the frequency in MHz. */
static uint64_t delay_of(unsigned channel, uint64_t delay)
{
	double f = 1500 - 20.0 * channel;
	double share = (1500 * 1500 / (f * f) - 1) / (1500.0 * 1500 / (1200 * 1200) - 1);

	return (delay * (uint64_t)(share * 1024 + 0.5) + 512) / 1024;
}

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	uint64_t delay = (uint64_t)params[0];

	for (uint64_t i = 0; i < count; i++) {
		uint32_t sum = 0;

		for (unsigned c = 0; c < 16; c++)
			sum += input[(i + delay_of(c, delay)) * 16 + c];
		memcpy(output + i * 4, &sum, sizeof(sum));
	}
}

const struct wm_kernel_shipped wm_kernel_shipped_dedisperse = {
	.name = "dedisperse",
	.source = wm_kernel_source_dedisperse,
	.reference = { .in_bytes = 16, .out_bytes = 4, .halo = 60, .compute = compute },
};
