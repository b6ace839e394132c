/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames: encoding, decoding, checking, and the reasons to drop one.
 *
 * Pure; any thread. A payload may lie in several pieces (the chunks of an
 * AF_XDP frame, the segments of an mbuf), so the CRC is taken piece by piece:
 *
 *   crc = wm_frame_crc(header);
 *   crc = wm_frame_crc_add(crc, piece, piece_bytes);   ... in order
 *   header->crc32c = crc;                  or compare with it
 */
#ifndef WM_FRAME_H
#define WM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/kernel.h"
#include "wiremill/wire.h"

/* Why a frame is dropped, and the word for it in logs and JSON. */
#define WM_DROPS(DROP)                                                                   \
	DROP(NONE, "none")	     /* not a drop: the frame is good */                 \
	DROP(SHORT, "short")	     /* ends within the header */                        \
	DROP(VERSION, "version")     /* not WM_WIRE_VERSION */                           \
	DROP(OP, "op")		     /* unknown, or not for this side */                 \
	DROP(LENGTH, "length")	     /* not the length that op and count say */          \
	DROP(CRC, "crc")	     /* damaged on the way */                            \
	DROP(SESSION, "session")     /* unknown or ended session */                      \
	DROP(JOB, "job")	     /* a job that is not running here */                \
	DROP(BATCH, "batch")	     /* no such batch, or not its count */               \
	DROP(DUPLICATE, "duplicate") /* a result that was there already */               \
	DROP(BODY, "body")	     /* a control message that makes no sense */         \
	DROP(AUTH, "auth")	     /* forged, or a control message that is repeated */ \
	DROP(FULL, "full")	     /* no room: more came than the window allows */     \
	DROP(FAILED, "failed")	     /* the node says it could not compute it */         \
	DROP(WRONG, "wrong")	     /* it cannot be the result: the node computes wrong */

#define WM_DROP_REASON(reason, word) WM_DROP_##reason,
enum wm_drop {
	WM_DROPS(WM_DROP_REASON) WM_DROP_REASONS,
};
#undef WM_DROP_REASON

struct wm_drops {
	uint64_t count[WM_DROP_REASONS]; /* count[WM_DROP_NONE]: good frames */
};

/* "crc", "length", ...: as in logs and JSON. */
const char *wm_drop_name(enum wm_drop reason);

/* CRC32C of the header with its crc32c taken as 0: the start for _crc_add. */
uint32_t wm_frame_crc(const struct wm_wire_header *header);
uint32_t wm_frame_crc_add(uint32_t crc, const void *piece, size_t piece_bytes);

void wm_frame_ether(struct wm_ether_header *ether, const uint8_t destination[WM_ETHER_ADDR_BYTES],
		    const uint8_t source[WM_ETHER_ADDR_BYTES]);

/* Payload bytes of a MAP or RESULT frame of `count` elements. */
static inline uint32_t wm_frame_map_bytes(const struct wm_kernel *kernel, uint32_t count)
{
	return (kernel->halo_before + count + kernel->halo_after) * kernel->in_bytes;
}

static inline uint32_t wm_frame_result_bytes(const struct wm_kernel *kernel, uint32_t count)
{
	return count * kernel->out_bytes;
}

/*
 * Checks of one frame of frame_bytes (Ethernet header included), cheapest first.
 * wm_frame_check_header needs WM_FRAME_HEADER_BYTES readable only if frame_bytes
 * says so. wm_frame_check_length allows for the padding of short frames.
 */
enum wm_drop wm_frame_check_header(const struct wm_wire_header *header, size_t frame_bytes);
enum wm_drop wm_frame_check_length(size_t frame_bytes, size_t payload_bytes);
/* A payload in one piece. */
enum wm_drop wm_frame_check_crc(const struct wm_wire_header *header, const void *payload,
				size_t payload_bytes);

/*
 * A whole control frame: checks header, length (count = bytes of the body) and
 * CRC. On WM_DROP_NONE *body points into the frame, header->count bytes long.
 */
enum wm_drop wm_frame_decode_control(const void *frame, size_t frame_bytes,
				     struct wm_wire_header *header, const uint8_t **body);
/*
 * Writes a control frame: Ethernet header, `header` with version, count and CRC
 * filled in, body, padding to WM_FRAME_BYTES_MIN. Returns its length, 0 if it
 * does not fit in frame_bytes_max.
 */
size_t wm_frame_encode_control(void *frame, size_t frame_bytes_max,
			       const uint8_t destination[WM_ETHER_ADDR_BYTES],
			       const uint8_t source[WM_ETHER_ADDR_BYTES],
			       const struct wm_wire_header *header, const void *body,
			       size_t body_bytes);

#endif
