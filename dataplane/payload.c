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

enum wm_drop wm_payload_check_crc(const struct wm_payload *payload, const uint8_t *memory,
				  const struct wm_wire_header *header)
{
	uint32_t crc = wm_frame_crc(header);

	for (uint32_t i = 0; i < payload->count; i++)
		crc = wm_frame_crc_add(crc, memory + payload->pieces[i].offset,
				       payload->pieces[i].bytes);
	return crc == header->crc32c ? WM_DROP_NONE : WM_DROP_CRC;
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
