/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A MAP frame on a node, with and without a key, in pieces as chunks of an AF_XDP
 * port hold it. Input: two words of 16 bits that say where the frame is cut, one byte
 * each that says what is changed on the way and what the padding is, then the payload.
 * Wherever it is cut it must be judged as in one piece: believed as it was sealed, and
 * not with a bit changed.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "payload.h"

#define INPUT_HEADER_BYTES 6u
#define PAYLOAD_BYTES_MAX 8224u
#define PADDING_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct received {
	struct wm_xsk_frame frame;
	uint8_t *memory; /* has the pieces */
};

static const uint8_t key[WM_TAG_KEY_BYTES] = "a key of 32 bytes for a fuzzer..";

/* The frame without what the XDP program trims: rest of the address, header, payload, tag,
 * padding. Returns its bytes. */
static size_t seal(uint8_t *wire, const uint8_t *payload, uint32_t bytes, const uint8_t *with,
		   uint32_t padding)
{
	struct wm_wire_header header = { .version = WM_WIRE_VERSION, .op = WM_OP_MAP, .count = 1 };
	const struct wm_tag_payload sealed = { { { (void *)(uintptr_t)payload, bytes } }, 1 };
	uint8_t tag[WM_WIRE_TAG_BYTES];
	size_t used = WM_XSK_PIECE_PAYLOAD;

	memset(wire, 0, WM_XSK_PIECE_HEADER);
	wm_tag_seal(&header, &sealed, with, tag);
	memcpy(wire + WM_XSK_PIECE_HEADER, &header, sizeof(header));
	memcpy(wire + used, payload, bytes);
	used += bytes;
	memcpy(wire + used, tag, wm_tag_bytes(with));
	used += wm_tag_bytes(with);
	memset(wire + used, 0xa5, padding);
	return used + padding;
}

/* In up to three pieces, the first of which holds the headers. A byte between two belongs to
 * neither; the last ends where the heap does. */
static struct received cut(const uint8_t *wire, size_t bytes, const uint16_t at[2])
{
	size_t first = WM_XSK_PIECE_PAYLOAD + at[0] % (bytes - WM_XSK_PIECE_PAYLOAD + 1);
	size_t second = first + at[1] % (bytes - first + 1);
	const size_t ends[WM_UMEM_FRAME_CHUNKS] = { first, second, bytes };
	struct received received = { .memory = calloc(1, bytes + WM_UMEM_FRAME_CHUNKS - 1) };
	size_t from = 0;

	if (!received.memory)
		abort();
	for (uint32_t i = 0; i < WM_UMEM_FRAME_CHUNKS; i++) {
		received.frame.pieces[i] = (struct wm_xsk_piece){
			.offset = (uint32_t)from + i,
			.bytes = (uint32_t)(ends[i] - from),
		};
		memcpy(received.memory + from + i, wire + from, ends[i] - from);
		from = ends[i];
	}
	received.frame.count = WM_UMEM_FRAME_CHUNKS;
	received.frame.bytes = (uint32_t)bytes + WM_XDP_TRIM_BYTES;
	return received;
}

static enum wm_drop judge(const uint8_t *wire, size_t wire_bytes, uint32_t bytes,
			  const uint8_t *with, const uint16_t at[2])
{
	struct received received = cut(wire, wire_bytes, at);
	struct wm_wire_header header;
	struct wm_payload payload;
	uint8_t joined[PAYLOAD_BYTES_MAX];
	enum wm_drop drop;

	if (!wm_payload_read_header(received.memory, &received.frame, &header))
		abort();
	payload = wm_payload_of(&received.frame, bytes);
	wm_payload_copy(&payload, received.memory, joined);
	if (memcmp(joined, wire + WM_XSK_PIECE_PAYLOAD, bytes) != 0)
		abort();
	drop = wm_payload_check(&received.frame, bytes, received.memory, &header, with);
	free(received.memory);
	return drop;
}

static void try_one(const uint8_t *payload, uint32_t bytes, const uint8_t *with,
		    const uint16_t at[2], uint8_t change, uint8_t padding)
{
	uint8_t wire[WM_XSK_PIECE_PAYLOAD + PAYLOAD_BYTES_MAX + WM_WIRE_TAG_BYTES + PADDING_MAX];
	size_t used = seal(wire, payload, bytes, with, padding % PADDING_MAX);
	/* Of payload and tag: what the header has in it, others check before. */
	size_t sealed = bytes + wm_tag_bytes(with);

	if (judge(wire, used, bytes, with, at) != WM_DROP_NONE)
		abort();
	if (sealed == 0)
		return;
	wire[WM_XSK_PIECE_PAYLOAD + (at[0] ^ at[1]) % sealed] ^= (uint8_t)(1 << change % 8);
	if (judge(wire, used, bytes, with, at) == WM_DROP_NONE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t at[2];

	if (size < INPUT_HEADER_BYTES || size > INPUT_HEADER_BYTES + PAYLOAD_BYTES_MAX)
		return 0;
	if (sodium_init() < 0)
		abort();
	memcpy(at, data, sizeof(at));
	try_one(data + INPUT_HEADER_BYTES, (uint32_t)(size - INPUT_HEADER_BYTES), NULL, at, data[4],
		data[5]);
	try_one(data + INPUT_HEADER_BYTES, (uint32_t)(size - INPUT_HEADER_BYTES), key, at, data[4],
		data[5]);
	return 0;
}
