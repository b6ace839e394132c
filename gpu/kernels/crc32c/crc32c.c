/* SPDX-License-Identifier: BSD-3-Clause */
/* What crc32c.glsl is to make, by a plain loop. */
#include <string.h>

#include "wiremill/kernel.h"

extern const char wm_kernel_source_crc32c[];

/* Bit by bit, as RFC 3720 defines it. */
static uint32_t crc32c(const uint8_t *bytes)
{
	uint32_t crc = UINT32_MAX;

	for (unsigned i = 0; i < 32 * 8; i++) {
		uint32_t bit = (crc ^ bytes[i / 8] >> i % 8) & 1;

		crc = crc >> 1 ^ (bit ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void compute(uint8_t *output, const uint8_t *input, uint64_t count, const double *params)
{
	(void)params;
	for (uint64_t i = 0; i < count; i++) {
		uint32_t crc = crc32c(input + i * 32);

		memcpy(output + i * 4, &crc, sizeof(crc));
	}
}

const struct wm_kernel_shipped wm_kernel_shipped_crc32c = {
	.name = "crc32c",
	.source = wm_kernel_source_crc32c,
	.reference = { .in_bytes = 32, .out_bytes = 4, .halo = 0, .compute = compute },
};
