/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WM_CRC32C_H
#define WM_CRC32C_H

#include <assert.h>
#include <isa-l/crc.h>
#include <stddef.h>
#include <stdint.h>

/* CRC32C (RFC 3720 appendix B.4) of more bytes after those that gave `crc`; 0
 * begins. isa-l takes and returns the register, which is inverted at both ends. */
static inline uint32_t wm_crc32c(uint32_t crc, const void *bytes, size_t count)
{
	assert(count <= INT32_MAX);
	return ~crc32_iscsi((unsigned char *)bytes, (int)count, ~crc);
}

/*
 * CRCs of two pieces make that of both without reading them again, since CRC32C is
 * linear: it is shift(first) ^ second, where shift is what as many zeroes as the second
 * piece has bytes do to a CRC. One table for each byte of it.
 */
struct wm_crc32c_shift {
	uint32_t table[4][256];
};

static inline uint32_t wm_crc32c_zeroes(uint32_t crc, size_t count)
{
	static const uint8_t zeroes[4096];

	for (; count > sizeof(zeroes); count -= sizeof(zeroes))
		crc = wm_crc32c(crc, zeroes, sizeof(zeroes));
	return wm_crc32c(crc, zeroes, count);
}

/* For second pieces of so many bytes. */
static inline void wm_crc32c_shift_init(struct wm_crc32c_shift *shift, size_t count)
{
	uint32_t none = wm_crc32c_zeroes(0, count);

	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t *table = shift->table[bit / 8], value = 1u << bit % 8;
		uint32_t image = wm_crc32c_zeroes(1u << bit, count) ^ none;

		table[0] = 0;
		for (uint32_t lower = 0; lower < value; lower++)
			table[value | lower] = table[lower] ^ image;
	}
}

static inline uint32_t wm_crc32c_join(const struct wm_crc32c_shift *shift, uint32_t first,
				      uint32_t second)
{
	return shift->table[0][first & 0xff] ^ shift->table[1][first >> 8 & 0xff] ^
	       shift->table[2][first >> 16 & 0xff] ^ shift->table[3][first >> 24] ^ second;
}

#endif
