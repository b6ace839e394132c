/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as the body of a CHUNK and of a CHUNK_ACK. What is accepted must be the same bytes
 * when it is encoded again, and lie in its object.
 */
#include <stdlib.h>
#include <string.h>

#include "chunk.h"

#define BODY_BYTES_MAX 9000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_chunk(const uint8_t *body, size_t size)
{
	uint8_t again[BODY_BYTES_MAX];
	struct wm_chunk chunk;

	if (wm_chunk_decode(body, size, &chunk) < 0)
		return;
	if (chunk.data != body + WM_CHUNK_PREAMBLE_BYTES ||
	    chunk.data_bytes != size - WM_CHUNK_PREAMBLE_BYTES ||
	    chunk.object_bytes > WM_OBJECT_BYTES_MAX || chunk.offset > chunk.object_bytes ||
	    chunk.data_bytes > chunk.object_bytes - chunk.offset)
		abort();
	if (wm_chunk_encode(again, sizeof(again), &chunk) != size || memcmp(again, body, size) != 0)
		abort();
}

static void try_ack(const uint8_t *body, size_t size)
{
	uint8_t again[WM_CHUNK_ACK_BYTES + WM_CHUNK_BITMAP_BYTES_MAX];
	struct wm_chunk_ack ack;

	if (wm_chunk_ack_decode(body, size, &ack) < 0)
		return;
	if (ack.hashed_bytes > ack.received_bytes || ack.received_bytes > WM_OBJECT_BYTES_MAX)
		abort();
	if (wm_chunk_ack_encode(again, sizeof(again), &ack) != size ||
	    memcmp(again, body, size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > BODY_BYTES_MAX)
		return 0;
	try_chunk(data, size);
	try_ack(data, size);
	return 0;
}
