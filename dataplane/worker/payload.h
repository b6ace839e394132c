/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A received frame without its headers and its padding: the pieces of payload
 * where they lie in a port's memory. Pure; any thread.
 */
#ifndef WM_PAYLOAD_H
#define WM_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "port_xsk.h"
#include "tag.h"

struct wm_payload {
	struct wm_xsk_piece pieces[WM_UMEM_FRAME_CHUNKS];
	uint32_t count;
	uint32_t bytes;
};

/* False: the frame ends within its headers. */
bool wm_payload_read_header(const uint8_t *memory, const struct wm_xsk_frame *frame,
			    struct wm_wire_header *header);
/* The first `bytes` of the payload. The frame was found to be that long. */
struct wm_payload wm_payload_of(const struct wm_xsk_frame *frame, uint32_t bytes);

/* Checks the CRC and, with a key (else NULL), the tag behind those `bytes`. The
 * frame was found to be long enough for both. */
enum wm_drop wm_payload_check(const struct wm_xsk_frame *frame, uint32_t bytes,
			      const uint8_t *memory, const struct wm_wire_header *header,
			      const uint8_t *key);
/* Whether the GPU can work on the pieces where they lie. */
bool wm_payload_lies_well(const struct wm_payload *payload);
void wm_payload_copy(const struct wm_payload *payload, const uint8_t *memory, uint8_t *to);

#endif
