/* SPDX-License-Identifier: BSD-3-Clause */
#include "payload.h"

#include <assert.h>
#include <string.h>

#include "wiremill/executor.h"

/* The first piece holds the headers whole: chunks are far larger. */
bool wm_payload_read_header(const uint8_t *memory, const struct wm_xsk_frame *frame,
			    struct wm_wire_header *header)
{
	const struct wm_xsk_piece *first = &frame->pieces[0];

	if (frame->count == 0 || first->bytes < WM_XSK_PIECE_PAYLOAD)
		return false;
	memcpy(header, memory + first->offset + WM_XSK_PIECE_HEADER, sizeof(*header));
	return true;
}

struct wm_payload wm_payload_of(const struct wm_xsk_frame *frame, uint32_t bytes)
{
	struct wm_payload payload = { .bytes = bytes };
	uint32_t skip = WM_XSK_PIECE_PAYLOAD;

	for (uint32_t i = 0; i < frame->count && bytes > 0; i++) {
		struct wm_xsk_piece piece = frame->pieces[i];

		piece.offset += skip;
		piece.bytes -= skip;
		skip = 0;
		if (piece.bytes > bytes)
			piece.bytes = bytes;
		bytes -= piece.bytes;
		payload.pieces[payload.count++] = piece;
	}
	assert(bytes == 0);
	return payload;
}

/* It may begin in one chunk and end in the next. */
static void read_tag(uint8_t tag[WM_WIRE_TAG_BYTES], const struct wm_xsk_frame *frame,
		     uint32_t bytes, const uint8_t *memory)
{
	struct wm_payload payload = wm_payload_of(frame, bytes + WM_WIRE_TAG_BYTES);
	uint32_t skip = bytes;

	for (uint32_t i = 0; i < payload.count; i++) {
		const struct wm_xsk_piece *piece = &payload.pieces[i];
		uint32_t before = skip < piece->bytes ? skip : piece->bytes;

		memcpy(tag, memory + piece->offset + before, piece->bytes - before);
		tag += piece->bytes - before;
		skip -= before;
	}
}

enum wm_drop wm_payload_check(const struct wm_xsk_frame *frame, uint32_t bytes,
			      const uint8_t *memory, const struct wm_wire_header *header,
			      const uint8_t *key)
{
	struct wm_payload payload = wm_payload_of(frame, bytes);
	struct wm_tag_payload pieces = { .count = payload.count };
	uint8_t tag[WM_WIRE_TAG_BYTES];

	for (uint32_t i = 0; i < payload.count; i++)
		pieces.pieces[i] = (struct iovec){
			.iov_base = (void *)(uintptr_t)(memory + payload.pieces[i].offset),
			.iov_len = payload.pieces[i].bytes,
		};
	if (key)
		read_tag(tag, frame, bytes, memory);
	return wm_tag_check(header, &pieces, key, tag);
}

bool wm_payload_lies_well(const struct wm_payload *payload)
{
	for (uint32_t i = 0; i < payload->count; i++) {
		bool last = i + 1 == payload->count;

		if (payload->pieces[i].offset % WM_ROW_ALIGN_BYTES != 0 ||
		    (!last && payload->pieces[i].bytes % WM_ROW_ALIGN_BYTES != 0))
			return false;
	}
	return true;
}

void wm_payload_copy(const struct wm_payload *payload, const uint8_t *memory, uint8_t *to)
{
	for (uint32_t i = 0; i < payload->count; i++) {
		memcpy(to, memory + payload->pieces[i].offset, payload->pieces[i].bytes);
		to += payload->pieces[i].bytes;
	}
}
