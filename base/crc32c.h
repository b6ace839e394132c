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

#endif
