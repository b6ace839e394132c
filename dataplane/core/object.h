/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An object: bytes that are carried from one station to another (transfer.h), such as a
 * compiled kernel. Its name is its hash, so that equal objects are one, and whoever has an
 * object's name from somebody it trusts need not trust who brings the bytes.
 *
 * The hash is BLAKE2b-256 (RFC 7693, libsodium's crypto_generichash without a key); whoever
 * calls has called sodium_init(). Pure; any thread.
 */
#ifndef WM_OBJECT_H
#define WM_OBJECT_H

#include <stdint.h>

#include "wiremill/limits.h"

#define WM_OBJECT_HASH_BYTES 32u

struct wm_object {
	uint8_t hash[WM_OBJECT_HASH_BYTES];
	uint64_t bytes; /* 0 .. WM_OBJECT_BYTES_MAX */
};

/* Of bytes that lie in memory. Takes a second for each GiB: not for a thread that polls. */
void wm_object_name(struct wm_object *object, const void *memory, uint64_t bytes);

/* The id of its transfers in a session: 64 bits of a hash of hash, bytes and session, so that
 * a chunk can belong to no other object, and to none of another session. */
uint64_t wm_object_transfer_id(const struct wm_object *object, uint32_t session);

#endif
