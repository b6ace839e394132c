/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Authentication of control frames by a key that the whole cluster shares.
 *
 * Who has the cluster key is in; who has it not can listen, drop and repeat
 * frames, but cannot join, end a session, or change what a member is told. MAP and
 * RESULT carry a CRC only, which anybody on the wire can make, unless the rack runs
 * with aead: then each has a tag by the session's frame key (wiremill/wire.h).
 *
 * A keyed control frame carries a trailer behind its body; the header's count
 * covers both:
 *
 *   +--------+----------------+--------------------+-------------------------+
 *   | header | body (msgpack) | u64 sequence       | u8[16] tag              |
 *   +--------+----------------+--------------------+-------------------------+
 *
 *   tag = BLAKE2b-128(key; sender, header with crc32c = 0, body, sequence)
 *
 * The cluster key never tags a frame. It makes keys that are good for one thing
 * each, from everything that this thing depends on (struct wm_auth_bond):
 *
 *   use       sent by     bound to
 *   HELLO     node        the node's address
 *   WELCOME   controller  the node's address and nonce
 *   REFUSAL   controller  the same: a BYE that answers a HELLO
 *   UNKNOWN   controller  both addresses, the session, and the tag of the BEAT
 *                         that it answers: a BYE to a session that it has not
 *   SESSION   both        both addresses and nonces, the session: all the rest
 *   FRAMES    both        the same: MAP and RESULT, with aead
 *
 * so that no frame means anything in another place: not under another address
 * (a node sees too little of the Ethernet header to check one otherwise), not
 * in another session, not to another question. Within a key the tag covers who
 * sent it, against reflection, and a sequence that has to grow, against
 * repetition. Both nonces are 64 random bits, so that no session key ever comes
 * back. The 22 random bits of a session's number tell its frames apart and keep
 * nobody out: with a key, that is the session key's doing.
 *
 * A HELLO proves that its node had the key once: it may be a recording. The
 * controller answers it with a candidate, and only a frame under the candidate's
 * session key, for which one must have the cluster key now, makes it the session
 * (membership.h).
 *
 * libsodium: BLAKE2b (RFC 7693), comparison in constant time, random numbers
 * (randombytes_set_implementation makes those of a simulation repeatable).
 * Any thread, one at a time for each struct wm_auth; nothing is allocated.
 */
#ifndef WM_AUTH_H
#define WM_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/limits.h"
#include "wiremill/wire.h"

#define WM_KEY_BYTES 32u
#define WM_AUTH_TAG_BYTES 16u
#define WM_AUTH_TRAILER_BYTES (8u + WM_AUTH_TAG_BYTES)
/* What a body may have, so that its trailer fits too. */
#define WM_AUTH_BODY_BYTES_MAX (WM_MESSAGE_BYTES_MAX - WM_AUTH_TRAILER_BYTES)

/* The cluster's: key.h reads it. */
struct wm_key {
	uint8_t bytes[WM_KEY_BYTES];
};

enum wm_auth_use {
	WM_AUTH_HELLO = 1,
	WM_AUTH_WELCOME = 2,
	WM_AUTH_REFUSAL = 3,
	WM_AUTH_UNKNOWN = 4,
	WM_AUTH_SESSION = 5,
	WM_AUTH_FRAMES = 6,
};

enum wm_auth_sender { WM_AUTH_NODE = 1, WM_AUTH_CONTROLLER = 2 };

/* What a key is bound to; what the use does not name is zero. */
struct wm_auth_bond {
	enum wm_auth_use use;
	uint8_t node[WM_ETHER_ADDR_BYTES];
	uint8_t controller[WM_ETHER_ADDR_BYTES];
	uint64_t node_nonce, controller_nonce;
	uint32_t session;
	uint8_t answers[WM_AUTH_TAG_BYTES];
};

/* A key, and how far both directions have got with it. */
struct wm_auth {
	uint8_t key[WM_KEY_BYTES];
	uint64_t sent, received; /* the highest sequence each way */
};

/* Control frames that were ignored, by reason. */
struct wm_auth_counts {
	uint64_t forged;   /* no tag, or not by this key for this place */
	uint64_t replayed; /* good, and seen before */
	uint64_t unkeyed;  /* one side has a key and the other has none */
};

void wm_auth_begin(struct wm_auth *auth, const struct wm_key *key, const struct wm_auth_bond *bond);
/* Wipes the key. */
void wm_auth_end(struct wm_auth *auth);

/* The key of WM_AUTH_FRAMES: no sequence goes with it. */
void wm_auth_frame_key(uint8_t frame_key[WM_KEY_BYTES], const struct wm_key *key,
		       const struct wm_auth_bond *session);

/* Appends the trailer to the body, which has room for it: body_bytes at most
 * WM_AUTH_BODY_BYTES_MAX. Returns the length of both. */
size_t wm_auth_seal(struct wm_auth *auth, enum wm_auth_sender sender,
		    const struct wm_wire_header *header, uint8_t *body, size_t body_bytes);
/* Checks a frame as it came, body and trailer being header->count bytes. Returns
 * the length of the body alone; -EACCES: forged; -EALREADY: replayed. */
int wm_auth_open(struct wm_auth *auth, enum wm_auth_sender sender,
		 const struct wm_wire_header *header, const uint8_t *body);
/* The tag of a sealed body, for WM_AUTH_UNKNOWN. body_bytes: with the trailer. */
void wm_auth_tag(uint8_t tag[WM_AUTH_TAG_BYTES], const uint8_t *body, size_t body_bytes);

/* Counts what wm_auth_open failed with. */
void wm_auth_count(struct wm_auth_counts *counts, int error);

/* From the system's source; never fails. */
void wm_auth_random(void *bytes, size_t count);

#endif
