/* SPDX-License-Identifier: BSD-3-Clause */
#include "tag.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* Drawn in wire.h; little-endian. */
struct __attribute__((packed)) nonce_bytes {
	uint8_t op;
	uint16_t count;
	uint64_t batch;
	uint32_t job;
	uint32_t sequence;
	uint32_t inner;
	uint8_t zero;
};

static_assert(sizeof(struct nonce_bytes) == crypto_stream_xchacha20_NONCEBYTES, "XChaCha20");
static_assert(WM_TAG_KEY_BYTES == crypto_stream_xchacha20_KEYBYTES, "XChaCha20");
static_assert(WM_WIRE_TAG_BYTES == crypto_onetimeauth_poly1305_BYTES, "Poly1305");

static uint32_t inner_crc(const struct wm_wire_header *header, const struct wm_tag_payload *payload)
{
	uint32_t crc = wm_frame_crc(header);

	for (uint32_t i = 0; i < payload->count; i++)
		crc = wm_frame_crc_add(crc, payload->pieces[i].iov_base,
				       payload->pieces[i].iov_len);
	return crc;
}

static void make_frame_key(uint8_t frame_key[crypto_onetimeauth_poly1305_KEYBYTES],
			   const struct wm_wire_header *header, uint32_t inner, const uint8_t *key)
{
	const struct nonce_bytes nonce = {
		.op = header->op,
		.count = header->count,
		.batch = header->batch,
		.job = header->job,
		.sequence = header->sequence,
		.inner = inner,
	};

	crypto_stream_xchacha20(frame_key, crypto_onetimeauth_poly1305_KEYBYTES,
				(const uint8_t *)&nonce, key);
}

static void make_tag(uint8_t tag[WM_WIRE_TAG_BYTES], const struct wm_wire_header *header,
		     const struct wm_tag_payload *payload, uint32_t inner, const uint8_t *key)
{
	uint8_t frame_key[crypto_onetimeauth_poly1305_KEYBYTES];
	crypto_onetimeauth_poly1305_state state;
	struct wm_wire_header bound = *header;

	bound.crc32c = 0;
	make_frame_key(frame_key, header, inner, key);
	crypto_onetimeauth_poly1305_init(&state, frame_key);
	crypto_onetimeauth_poly1305_update(&state, (const uint8_t *)&bound, sizeof(bound));
	for (uint32_t i = 0; i < payload->count; i++)
		crypto_onetimeauth_poly1305_update(&state, payload->pieces[i].iov_base,
						   payload->pieces[i].iov_len);
	crypto_onetimeauth_poly1305_final(&state, tag);
	sodium_memzero(frame_key, sizeof(frame_key));
}

void wm_tag_seal(struct wm_wire_header *header, const struct wm_tag_payload *payload,
		 const uint8_t key[WM_TAG_KEY_BYTES], uint8_t tag[WM_WIRE_TAG_BYTES])
{
	header->crc32c = inner_crc(header, payload);
	if (!key)
		return;
	make_tag(tag, header, payload, header->crc32c, key);
	header->crc32c = wm_frame_crc_add(header->crc32c, tag, WM_WIRE_TAG_BYTES);
}

enum wm_drop wm_tag_check(const struct wm_wire_header *header, const struct wm_tag_payload *payload,
			  const uint8_t key[WM_TAG_KEY_BYTES], const uint8_t tag[WM_WIRE_TAG_BYTES])
{
	uint8_t expected[WM_WIRE_TAG_BYTES];
	uint32_t inner = inner_crc(header, payload);
	uint32_t crc = key ? wm_frame_crc_add(inner, tag, WM_WIRE_TAG_BYTES) : inner;

	if (crc != header->crc32c)
		return WM_DROP_CRC;
	if (!key)
		return WM_DROP_NONE;
	make_tag(expected, header, payload, inner, key);
	return sodium_memcmp(expected, tag, sizeof(expected)) == 0 ? WM_DROP_NONE : WM_DROP_AUTH;
}
