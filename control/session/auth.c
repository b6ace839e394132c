/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static_assert(WM_KEY_BYTES == crypto_generichash_KEYBYTES, "a key of BLAKE2b");
static_assert(WM_AUTH_TAG_BYTES >= crypto_generichash_BYTES_MIN, "a length that BLAKE2b has");

/* The bond as it is hashed: little-endian, no padding. */
struct __attribute__((packed)) bond_bytes {
	char label[8];
	uint8_t use;
	uint8_t node[WM_ETHER_ADDR_BYTES];
	uint8_t controller[WM_ETHER_ADDR_BYTES];
	uint64_t node_nonce, controller_nonce;
	uint32_t session;
	uint8_t answers[WM_AUTH_TAG_BYTES];
};

static_assert(sizeof(struct bond_bytes) == 8 + 1 + 6 + 6 + 8 + 8 + 4 + 16, "no padding");

static void make_key(uint8_t made[WM_KEY_BYTES], const struct wm_key *key,
		     const struct wm_auth_bond *bond)
{
	struct bond_bytes bytes = {
		.label = { 'w', 'm', '-', 'a', 'u', 't', 'h', '1' },
		.use = (uint8_t)bond->use,
		.node_nonce = bond->node_nonce,
		.controller_nonce = bond->controller_nonce,
		.session = bond->session,
	};

	memcpy(bytes.node, bond->node, sizeof(bytes.node));
	memcpy(bytes.controller, bond->controller, sizeof(bytes.controller));
	memcpy(bytes.answers, bond->answers, sizeof(bytes.answers));
	crypto_generichash(made, WM_KEY_BYTES, (const uint8_t *)&bytes, sizeof(bytes), key->bytes,
			   sizeof(key->bytes));
}

void wm_auth_begin(struct wm_auth *auth, const struct wm_key *key, const struct wm_auth_bond *bond)
{
	auth->sent = auth->received = 0;
	make_key(auth->key, key, bond);
}

void wm_auth_frame_key(uint8_t frame_key[WM_KEY_BYTES], const struct wm_key *key,
		       const struct wm_auth_bond *session)
{
	struct wm_auth_bond bond = *session;

	bond.use = WM_AUTH_FRAMES;
	make_key(frame_key, key, &bond);
}

void wm_auth_end(struct wm_auth *auth)
{
	sodium_memzero(auth, sizeof(*auth));
}

static void make_tag(uint8_t tag[WM_AUTH_TAG_BYTES], const struct wm_auth *auth,
		     enum wm_auth_sender sender, const struct wm_wire_header *header,
		     const uint8_t *body, size_t body_bytes, uint64_t sequence)
{
	struct wm_wire_header bound = *header;
	uint8_t by = (uint8_t)sender;
	crypto_generichash_state state;

	/* As it is on the wire; the CRC is taken last and covers the tag. */
	bound.version = WM_WIRE_VERSION;
	bound.count = (uint16_t)(body_bytes + WM_AUTH_TRAILER_BYTES);
	bound.crc32c = 0;
	crypto_generichash_init(&state, auth->key, sizeof(auth->key), WM_AUTH_TAG_BYTES);
	crypto_generichash_update(&state, &by, sizeof(by));
	crypto_generichash_update(&state, (const uint8_t *)&bound, sizeof(bound));
	crypto_generichash_update(&state, body, body_bytes);
	crypto_generichash_update(&state, (const uint8_t *)&sequence, sizeof(sequence));
	crypto_generichash_final(&state, tag, WM_AUTH_TAG_BYTES);
	sodium_memzero(&state, sizeof(state));
}

size_t wm_auth_seal(struct wm_auth *auth, enum wm_auth_sender sender,
		    const struct wm_wire_header *header, uint8_t *body, size_t body_bytes)
{
	uint8_t *trailer = body + body_bytes;

	assert(body_bytes <= WM_AUTH_BODY_BYTES_MAX);
	auth->sent++;
	make_tag(trailer + sizeof(auth->sent), auth, sender, header, body, body_bytes, auth->sent);
	memcpy(trailer, &auth->sent, sizeof(auth->sent));
	return body_bytes + WM_AUTH_TRAILER_BYTES;
}

int wm_auth_open(struct wm_auth *auth, enum wm_auth_sender sender,
		 const struct wm_wire_header *header, const uint8_t *body)
{
	uint8_t tag[WM_AUTH_TAG_BYTES];
	uint64_t sequence;
	size_t body_bytes;

	if (header->count < WM_AUTH_TRAILER_BYTES)
		return -EACCES;
	body_bytes = header->count - WM_AUTH_TRAILER_BYTES;
	memcpy(&sequence, body + body_bytes, sizeof(sequence));
	make_tag(tag, auth, sender, header, body, body_bytes, sequence);
	if (sodium_memcmp(tag, body + body_bytes + sizeof(sequence), sizeof(tag)) != 0)
		return -EACCES;
	if (sequence <= auth->received)
		return -EALREADY;
	auth->received = sequence;
	return (int)body_bytes;
}

void wm_auth_tag(uint8_t tag[WM_AUTH_TAG_BYTES], const uint8_t *body, size_t body_bytes)
{
	assert(body_bytes >= WM_AUTH_TAG_BYTES);
	memcpy(tag, body + body_bytes - WM_AUTH_TAG_BYTES, WM_AUTH_TAG_BYTES);
}

void wm_auth_count(struct wm_auth_counts *counts, int error)
{
	if (error == -EALREADY)
		counts->replayed++;
	else
		counts->forged++;
}

void wm_auth_random(void *bytes, size_t count)
{
	/* Fails only where the kernel has no random numbers at all. */
	if (sodium_init() < 0)
		abort();
	randombytes_buf(bytes, count);
}
