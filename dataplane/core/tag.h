/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What makes a MAP or RESULT frame believed: its CRC and, with a key, its tag
 * (drawn in wiremill/wire.h).
 *
 * Poly1305 (RFC 8439 section 2.5) takes a key that must never serve for two
 * different messages. Each frame has its own: the start of an XChaCha20 stream
 * (draft-irtf-cfrg-xchacha-03) under the session's frame key. Its nonce is the
 * whole header but for version and session, with the CRC of header and payload in
 * it, so two frames of one session share a nonce only if
 *
 *   - they are the same frame: a repetition, which has the same tag anyhow; or
 *   - the same op, job, batch and sequence came twice, with different payloads of the
 *     same CRC. What a batch's payload is follows from its place, as long as the
 *     input stays as it is and the node computes right; so that takes such a
 *     failure, on a batch that is sent twice under one sequence, and a CRC of 32 bits
 *     that meets by chance. What could be forged then is that one frame.
 *
 * Another session has another key, since its key comes from two fresh nonces of 64
 * bits. Nothing counts up over a session, so nothing has to be bounded or stored.
 *
 * A frame that is repeated holds: that its batch is not taken twice is the ledger's
 * doing, that it is of this session the key's.
 *
 * libsodium; whoever made the key has called sodium_init(). The key stays where the
 * caller has it. Pure; any thread.
 */
#ifndef WM_TAG_H
#define WM_TAG_H

#include <stdint.h>
#include <sys/uio.h>

#include "frame.h"
#include "wiremill/wire.h"

#define WM_TAG_KEY_BYTES 32u

/* A payload, in order; pieces of any length. */
struct wm_tag_payload {
	struct iovec pieces[4];
	uint32_t count;
};

/* What a payload is longer by with that key. */
static inline uint32_t wm_tag_bytes(const uint8_t *key)
{
	return key ? WM_WIRE_TAG_BYTES : 0;
}

/* Fills in header->crc32c and, with a key, the tag. Without one (NULL) the tag is
 * not looked at, here and below. */
void wm_tag_seal(struct wm_wire_header *header, const struct wm_tag_payload *payload,
		 const uint8_t key[WM_TAG_KEY_BYTES], uint8_t tag[WM_WIRE_TAG_BYTES]);
/* WM_DROP_NONE; WM_DROP_CRC: damaged; WM_DROP_AUTH: whole, and not by this key. */
enum wm_drop wm_tag_check(const struct wm_wire_header *header, const struct wm_tag_payload *payload,
			  const uint8_t key[WM_TAG_KEY_BYTES],
			  const uint8_t tag[WM_WIRE_TAG_BYTES]);

#endif
