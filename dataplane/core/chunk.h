/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bodies of CHUNK and CHUNK_ACK, drawn in wiremill/wire.h: what may stand in them,
 * whatever object they are of. Which object that is, transfer.h and receiver.h say.
 *
 * Pure; any thread. Nothing is kept: a decoded chunk points into its body.
 */
#ifndef WM_CHUNK_H
#define WM_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/limits.h"
#include "wiremill/wire.h"

/* The largest errno that a status may be. */
#define WM_CHUNK_ERROR_MAX 4095u

struct wm_chunk {
	uint64_t object_bytes; /* 0 .. WM_OBJECT_BYTES_MAX */
	uint64_t offset;       /* a multiple of WM_CHUNK_BLOCK_BYTES */
	uint32_t data_bytes;   /* whole blocks, or to the object's end; 0: a question */
	const uint8_t *data;
};

struct wm_chunk_ack {
	uint64_t received_bytes, hashed_bytes;
	uint32_t life, window_bytes;
	uint16_t status; /* 0, WM_CHUNK_DONE or an errno */
	uint32_t bitmap_bytes;
	uint8_t bitmap[WM_CHUNK_BITMAP_BYTES_MAX];
};

/* Blocks of an object; its end may lie within the last. */
static inline uint32_t wm_chunk_blocks(uint64_t bytes)
{
	return (uint32_t)((bytes + WM_CHUNK_BLOCK_BYTES - 1) / WM_CHUNK_BLOCK_BYTES);
}

/* Where a block of an object of so many bytes begins; of one past its end: that end. */
static inline uint64_t wm_chunk_block_offset(uint64_t object_bytes, uint32_t block)
{
	uint64_t offset = (uint64_t)block * WM_CHUNK_BLOCK_BYTES;

	return offset < object_bytes ? offset : object_bytes;
}

/* Data that a body of so many bytes at most has room for, in whole blocks. */
uint32_t wm_chunk_data_bytes(uint32_t body_bytes_max);

/* Writes a body; returns its bytes, 0 if it does not fit. Without data (NULL) their place
 * stays as it is, for the caller to fill: WM_CHUNK_PREAMBLE_BYTES from the start. */
size_t wm_chunk_encode(uint8_t *body, size_t body_bytes_max, const struct wm_chunk *chunk);
/* 0, or -EBADMSG: it makes no sense. */
int wm_chunk_decode(const uint8_t *body, size_t body_bytes, struct wm_chunk *chunk);

size_t wm_chunk_ack_encode(uint8_t *body, size_t body_bytes_max, const struct wm_chunk_ack *ack);
/* What is beyond the bitmap that came is zero in the one given. */
int wm_chunk_ack_decode(const uint8_t *body, size_t body_bytes, struct wm_chunk_ack *ack);

#endif
