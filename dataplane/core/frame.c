/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <string.h>

#include "crc32c.h"

#define NAME(reason, word) [WM_DROP_##reason] = word,
static const char *const drop_names[WM_DROP_REASONS] = { WM_DROPS(NAME) };

const char *wm_drop_name(enum wm_drop reason)
{
	return (unsigned)reason < WM_DROP_REASONS ? drop_names[reason] : "unknown";
}

uint32_t wm_frame_crc_add(uint32_t crc, const void *piece, size_t piece_bytes)
{
	return wm_crc32c(crc, piece, piece_bytes);
}

uint32_t wm_frame_crc(const struct wm_wire_header *header)
{
	struct wm_wire_header copy = *header;

	copy.crc32c = 0;
	return wm_frame_crc_add(0, &copy, sizeof(copy));
}

void wm_frame_ether(struct wm_ether_header *ether, const uint8_t destination[WM_ETHER_ADDR_BYTES],
		    const uint8_t source[WM_ETHER_ADDR_BYTES])
{
	memcpy(ether->destination, destination, WM_ETHER_ADDR_BYTES);
	memcpy(ether->source, source, WM_ETHER_ADDR_BYTES);
	ether->ethertype[0] = WM_ETHERTYPE >> 8;
	ether->ethertype[1] = WM_ETHERTYPE & 0xff;
}

static bool op_is_known(uint8_t op)
{
	return (op >= WM_OP_MAP && op <= WM_OP_ECHO) ||
	       (op >= WM_OP_HELLO && op <= WM_OP_CHUNK_ACK);
}

enum wm_drop wm_frame_check_header(const struct wm_wire_header *header, size_t frame_bytes)
{
	if (frame_bytes < WM_FRAME_HEADER_BYTES)
		return WM_DROP_SHORT;
	if (header->version != WM_WIRE_VERSION)
		return WM_DROP_VERSION;
	if (!op_is_known(header->op))
		return WM_DROP_OP;
	return WM_DROP_NONE;
}

enum wm_drop wm_frame_check_length(size_t frame_bytes, size_t payload_bytes)
{
	size_t expected = WM_FRAME_HEADER_BYTES + payload_bytes;

	if (frame_bytes == expected)
		return WM_DROP_NONE;
	return expected < frame_bytes && frame_bytes <= WM_FRAME_BYTES_MIN ? WM_DROP_NONE
									   : WM_DROP_LENGTH;
}

enum wm_drop wm_frame_check_crc(const struct wm_wire_header *header, const void *payload,
				size_t payload_bytes)
{
	uint32_t crc = wm_frame_crc_add(wm_frame_crc(header), payload, payload_bytes);

	return crc == header->crc32c ? WM_DROP_NONE : WM_DROP_CRC;
}

enum wm_drop wm_frame_decode_control(const void *frame, size_t frame_bytes,
				     struct wm_wire_header *header, const uint8_t **body)
{
	const uint8_t *bytes = frame;
	enum wm_drop drop;

	if (frame_bytes < WM_FRAME_HEADER_BYTES)
		return WM_DROP_SHORT;
	memcpy(header, bytes + WM_ETHER_HEADER_BYTES, sizeof(*header));
	drop = wm_frame_check_header(header, frame_bytes);
	if (drop == WM_DROP_NONE && header->op < WM_OP_HELLO)
		drop = WM_DROP_OP;
	if (drop == WM_DROP_NONE)
		drop = wm_frame_check_length(frame_bytes, header->count);
	if (drop == WM_DROP_NONE)
		drop = wm_frame_check_crc(header, bytes + WM_FRAME_HEADER_BYTES, header->count);
	if (drop == WM_DROP_NONE)
		*body = bytes + WM_FRAME_HEADER_BYTES;
	return drop;
}

size_t wm_frame_encode_control(void *frame, size_t frame_bytes_max,
			       const uint8_t destination[WM_ETHER_ADDR_BYTES],
			       const uint8_t source[WM_ETHER_ADDR_BYTES],
			       const struct wm_wire_header *header, const void *body,
			       size_t body_bytes)
{
	size_t used = WM_FRAME_HEADER_BYTES + body_bytes;
	size_t padded = used < WM_FRAME_BYTES_MIN ? WM_FRAME_BYTES_MIN : used;
	struct wm_wire_header sent = *header;
	uint8_t *bytes = frame;

	if (padded > frame_bytes_max || body_bytes > UINT16_MAX)
		return 0;
	sent.version = WM_WIRE_VERSION;
	sent.count = (uint16_t)body_bytes;
	sent.crc32c = wm_frame_crc_add(wm_frame_crc(&sent), body, body_bytes);

	wm_frame_ether((struct wm_ether_header *)bytes, destination, source);
	memcpy(bytes + WM_ETHER_HEADER_BYTES, &sent, sizeof(sent));
	if (body_bytes > 0)
		memcpy(bytes + WM_FRAME_HEADER_BYTES, body, body_bytes);
	memset(bytes + used, 0, padded - used);
	return padded;
}
