/* SPDX-License-Identifier: BSD-3-Clause */
/* What copy.glsl is to make, by a plain loop. */
#include <string.h>

#include "wiremill/kernel.h"

extern const char wm_kernel_source_copy[];

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	(void)params;
	memcpy(output, input, count * 32);
}

const struct wm_kernel_shipped wm_kernel_shipped_copy = {
	.name = "copy",
	.source = wm_kernel_source_copy,
	.reference = { .in_bytes = 32, .out_bytes = 32, .halo = 0, .compute = compute },
};
