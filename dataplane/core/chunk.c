/* SPDX-License-Identifier: BSD-3-Clause */
#include "chunk.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

uint32_t wm_chunk_data_bytes(uint32_t body_bytes_max)
{
	if (body_bytes_max < WM_CHUNK_PREAMBLE_BYTES)
		return 0;
	return (body_bytes_max - WM_CHUNK_PREAMBLE_BYTES) / WM_CHUNK_BLOCK_BYTES *
	       WM_CHUNK_BLOCK_BYTES;
}

size_t wm_chunk_encode(uint8_t *body, size_t body_bytes_max, const struct wm_chunk *chunk)
{
	const struct wm_wire_chunk wire = { .object_bytes = chunk->object_bytes,
					    .offset = chunk->offset };
	size_t bytes = sizeof(wire) + chunk->data_bytes;

	if (bytes > body_bytes_max)
		return 0;
	memcpy(body, &wire, sizeof(wire));
	if (chunk->data && chunk->data_bytes > 0)
		memcpy(body + sizeof(wire), chunk->data, chunk->data_bytes);
	return bytes;
}

/* The offset is looked at before anything is added to it: it may be any number. */
static bool is_chunk(const struct wm_chunk *chunk)
{
	if (chunk->object_bytes > WM_OBJECT_BYTES_MAX || chunk->offset > chunk->object_bytes ||
	    chunk->offset % WM_CHUNK_BLOCK_BYTES != 0 ||
	    chunk->data_bytes > chunk->object_bytes - chunk->offset)
		return false;
	return chunk->data_bytes % WM_CHUNK_BLOCK_BYTES == 0 ||
	       chunk->offset + chunk->data_bytes == chunk->object_bytes;
}

int wm_chunk_decode(const uint8_t *body, size_t body_bytes, struct wm_chunk *chunk)
{
	struct wm_wire_chunk wire;

	if (body_bytes < sizeof(wire) || body_bytes > UINT16_MAX)
		return -EBADMSG;
	memcpy(&wire, body, sizeof(wire));
	*chunk = (struct wm_chunk){
		.object_bytes = wire.object_bytes,
		.offset = wire.offset,
		.data_bytes = (uint32_t)(body_bytes - sizeof(wire)),
		.data = body + sizeof(wire),
	};
	return is_chunk(chunk) ? 0 : -EBADMSG;
}

size_t wm_chunk_ack_encode(uint8_t *body, size_t body_bytes_max, const struct wm_chunk_ack *ack)
{
	const struct wm_wire_chunk_ack wire = {
		.received = ack->received_bytes,
		.hashed = ack->hashed_bytes,
		.life = ack->life,
		.window = ack->window_bytes,
		.status = ack->status,
	};
	size_t bytes = sizeof(wire) + ack->bitmap_bytes;

	if (bytes > body_bytes_max)
		return 0;
	memcpy(body, &wire, sizeof(wire));
	memcpy(body + sizeof(wire), ack->bitmap, ack->bitmap_bytes);
	return bytes;
}

/* Where the object ends within a block, all of it is there: nothing comes after it. */
static bool is_bitmap(const struct wm_chunk_ack *ack)
{
	if (ack->bitmap_bytes == 0)
		return true;
	return ack->received_bytes % WM_CHUNK_BLOCK_BYTES == 0 && !(ack->bitmap[0] & 1) &&
	       ack->bitmap[ack->bitmap_bytes - 1] != 0;
}

static bool is_ack(const struct wm_chunk_ack *ack)
{
	if (ack->received_bytes > WM_OBJECT_BYTES_MAX || ack->hashed_bytes > ack->received_bytes)
		return false;
	if (ack->status > WM_CHUNK_ERROR_MAX && ack->status != WM_CHUNK_DONE)
		return false;
	return is_bitmap(ack);
}

int wm_chunk_ack_decode(const uint8_t *body, size_t body_bytes, struct wm_chunk_ack *ack)
{
	struct wm_wire_chunk_ack wire;

	if (body_bytes < sizeof(wire) || body_bytes - sizeof(wire) > WM_CHUNK_BITMAP_BYTES_MAX)
		return -EBADMSG;
	memcpy(&wire, body, sizeof(wire));
	if (wire.zero != 0)
		return -EBADMSG;
	*ack = (struct wm_chunk_ack){
		.received_bytes = wire.received,
		.hashed_bytes = wire.hashed,
		.life = wire.life,
		.window_bytes = wire.window,
		.status = wire.status,
		.bitmap_bytes = (uint32_t)(body_bytes - sizeof(wire)),
	};
	memcpy(ack->bitmap, body + sizeof(wire), ack->bitmap_bytes);
	return is_ack(ack) ? 0 : -EBADMSG;
}
