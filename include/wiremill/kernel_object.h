/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel object: a compiled kernel as it is kept in the library, sent to nodes and cached
 * there. One run of bytes, little-endian, known by its hash:
 *
 *   0 u8[8]  "WMKERN\0\1"            60 u32  version, the author's
 *   8 u8[32] name, NUL padded        64 u32  bytes of the source
 *  40 u32    in bytes                68 u32  bytes of the settings
 *  44 u32    out bytes               72 u32  bytes of the code, a multiple of 4
 *  48 u32    halo before             76      code: SPIR-V, made on gpu/kernels/prelude.glsl
 *  52 u32    halo after               .      source: the author's file
 *  56 u32    object bytes             .      settings: "weight=0.25" lines, parameters that
 *                                            were not left at their default
 *
 * The hash is BLAKE2b-256 (RFC 7693) of all of it: another source, parameter or compiler is
 * another kernel.
 *
 * Pure; any thread.
 */
#ifndef WIREMILL_KERNEL_OBJECT_H
#define WIREMILL_KERNEL_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel.h"

#define WM_KERNEL_OBJECT_HEADER_BYTES 76u
#define WM_KERNEL_OBJECT_BYTES_MAX (8u * 1024u * 1024u)
/* Of the hash in hexadecimal, with the NUL. */
#define WM_KERNEL_HASH_TEXT_BYTES (2 * WM_KERNEL_HASH_BYTES + 1)

struct wm_kernel_object {
	struct wm_kernel kernel; /* with the hash */
	uint32_t version;
	/* Within the bytes it was decoded from. */
	const uint32_t *code;
	size_t code_bytes;
	const char *source, *settings; /* without a NUL at their end */
	size_t source_bytes, settings_bytes;
};

/* How many bytes encode makes of it. 0: more than WM_KERNEL_OBJECT_BYTES_MAX. */
size_t wm_kernel_object_bytes(const struct wm_kernel_object *object);
/* Writes so many, and the hash into object->kernel. */
void wm_kernel_object_encode(uint8_t *bytes, struct wm_kernel_object *object);

/* object points into bytes, aligned to 4, which the caller keeps. Whether the code is valid
 * SPIR-V is not looked at: the compiler did. -EBADMSG: no object, damaged, or values that no
 * kernel has; the error says which. */
int wm_kernel_object_decode(struct wm_kernel_object *object, const uint8_t *bytes,
			    size_t bytes_count, struct wm_error *error);

void wm_kernel_hash(uint8_t hash[WM_KERNEL_HASH_BYTES], const uint8_t *bytes, size_t bytes_count);
void wm_kernel_hash_text(char text[WM_KERNEL_HASH_TEXT_BYTES],
			 const uint8_t hash[WM_KERNEL_HASH_BYTES]);
/* 64 digits, nothing else. -EINVAL. */
int wm_kernel_hash_parse(uint8_t hash[WM_KERNEL_HASH_BYTES], const char *text);

#endif
