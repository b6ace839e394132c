/* SPDX-License-Identifier: BSD-3-Clause */
#include "receiver.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define WORD_BITS 64u

static bool has_block(const struct wm_receiver *receiver, uint32_t block)
{
	return receiver->config.bitmap[block / WORD_BITS] >> block % WORD_BITS & 1;
}

int wm_receiver_init(struct wm_receiver *receiver, const struct wm_receiver_config *config)
{
	assert((uintptr_t)receiver % _Alignof(struct wm_receiver) == 0);
	if (config->object.bytes > WM_OBJECT_BYTES_MAX)
		return -EFBIG;
	memset(receiver, 0, sizeof(*receiver));
	receiver->config = *config;
	receiver->blocks = wm_chunk_blocks(config->object.bytes);
	receiver->status = -EINPROGRESS;
	memset(config->bitmap, 0, WM_RECEIVER_WORDS(config->object.bytes) * sizeof(uint64_t));
	crypto_generichash_init(&receiver->hash, NULL, 0, WM_OBJECT_HASH_BYTES);
	wm_receiver_resume(receiver, config->session);
	return 0;
}

void wm_receiver_resume(struct wm_receiver *receiver, uint32_t session)
{
	receiver->config.session = session;
	receiver->id = wm_object_transfer_id(&receiver->config.object, session);
	receiver->sequence = 0;
}

/* ---- chunks --------------------------------------------------------------------------- */

/* What was here is not touched: it may be hashed. Returns whether it was not. */
static bool take_block(struct wm_receiver *receiver, const struct wm_chunk *chunk, uint32_t block)
{
	uint64_t bytes = receiver->config.object.bytes;
	uint64_t from = wm_chunk_block_offset(bytes, block);
	uint64_t to = wm_chunk_block_offset(bytes, block + 1);

	if (has_block(receiver, block))
		return false;
	memcpy(receiver->config.memory + from, chunk->data + (from - chunk->offset), to - from);
	receiver->config.bitmap[block / WORD_BITS] |= 1ull << block % WORD_BITS;
	return true;
}

static void take_data(struct wm_receiver *receiver, const struct wm_chunk *chunk)
{
	uint32_t first = (uint32_t)(chunk->offset / WM_CHUNK_BLOCK_BYTES);
	uint32_t end = first +
		       (chunk->data_bytes + WM_CHUNK_BLOCK_BYTES - 1) / WM_CHUNK_BLOCK_BYTES;
	uint32_t taken = 0;

	for (uint32_t block = first; block < end; block++)
		taken += take_block(receiver, chunk, block);
	receiver->counters.chunks++;
	receiver->counters.duplicates += taken == 0;
	if (receiver->beyond < end)
		receiver->beyond = end;
	while (receiver->received < receiver->beyond && has_block(receiver, receiver->received))
		receiver->received++;
}

enum wm_drop wm_receiver_take(struct wm_receiver *receiver, const struct wm_wire_header *header,
			      const uint8_t *body, size_t body_bytes)
{
	struct wm_chunk chunk;

	if (header->batch != receiver->id || header->session != receiver->config.session) {
		receiver->counters.foreign++;
		return WM_DROP_BATCH;
	}
	if (wm_chunk_decode(body, body_bytes, &chunk) < 0 ||
	    chunk.object_bytes != receiver->config.object.bytes) {
		receiver->counters.malformed++;
		return WM_DROP_BODY;
	}
	receiver->sequence = header->sequence;
	if (chunk.data_bytes == 0)
		receiver->counters.questions++;
	else
		take_data(receiver, &chunk);
	return WM_DROP_NONE;
}

/* ---- the hash -------------------------------------------------------------------------- */

static void finish(struct wm_receiver *receiver)
{
	uint8_t hash[WM_OBJECT_HASH_BYTES];

	crypto_generichash_final(&receiver->hash, hash, sizeof(hash));
	receiver->status =
		sodium_memcmp(hash, receiver->config.object.hash, sizeof(hash)) == 0 ? 0 : -EBADMSG;
}

bool wm_receiver_hash(struct wm_receiver *receiver, uint64_t bytes_max)
{
	uint64_t bytes = wm_receiver_received_bytes(receiver) - receiver->hashed_bytes;

	if (receiver->status != -EINPROGRESS)
		return false;
	if (bytes > bytes_max)
		bytes = bytes_max;
	if (bytes > 0)
		crypto_generichash_update(&receiver->hash,
					  receiver->config.memory + receiver->hashed_bytes, bytes);
	receiver->hashed_bytes += bytes;
	if (receiver->received < receiver->blocks ||
	    receiver->hashed_bytes < receiver->config.object.bytes)
		return false;
	finish(receiver);
	return true;
}

bool wm_receiver_has_work(const struct wm_receiver *receiver)
{
	return receiver->status == -EINPROGRESS &&
	       (receiver->hashed_bytes < wm_receiver_received_bytes(receiver) ||
		receiver->received == receiver->blocks);
}

int wm_receiver_status(const struct wm_receiver *receiver)
{
	return receiver->status;
}

uint64_t wm_receiver_received_bytes(const struct wm_receiver *receiver)
{
	return wm_chunk_block_offset(receiver->config.object.bytes, receiver->received);
}

/* ---- acks -------------------------------------------------------------------------------- */

static uint16_t wire_status(int status)
{
	if (status == -EINPROGRESS)
		return 0;
	return status == 0 ? WM_CHUNK_DONE : (uint16_t)-status;
}

static struct wm_wire_header answer(uint32_t session, uint64_t id, uint32_t sequence)
{
	return (struct wm_wire_header){
		.op = WM_OP_CHUNK_ACK, .session = session, .batch = id, .sequence = sequence
	};
}

/* The blocks from the first that is missing on, without zeros at the end. */
static void fill_bitmap(const struct wm_receiver *receiver, struct wm_chunk_ack *ack)
{
	for (uint32_t block = receiver->received; block < receiver->beyond; block++) {
		uint32_t i = block - receiver->received;

		if (i / 8 == WM_CHUNK_BITMAP_BYTES_MAX)
			return;
		if (!has_block(receiver, block))
			continue;
		ack->bitmap[i / 8] |= (uint8_t)(1u << i % 8);
		ack->bitmap_bytes = i / 8 + 1;
	}
}

void wm_receiver_ack(const struct wm_receiver *receiver, struct wm_wire_header *header,
		     struct wm_chunk_ack *ack)
{
	*header = answer(receiver->config.session, receiver->id, receiver->sequence);
	*ack = (struct wm_chunk_ack){
		.received_bytes = wm_receiver_received_bytes(receiver),
		.hashed_bytes = receiver->hashed_bytes,
		.life = receiver->config.life,
		.window_bytes = receiver->config.window_bytes,
		.status = wire_status(receiver->status),
	};
	fill_bitmap(receiver, ack);
}

void wm_receiver_refuse(const struct wm_wire_header *chunk, int error,
			struct wm_wire_header *header, struct wm_chunk_ack *ack)
{
	assert(error < 0 && error >= -(int)WM_CHUNK_ERROR_MAX);
	*header = answer(chunk->session, chunk->batch, chunk->sequence);
	*ack = (struct wm_chunk_ack){ .status = (uint16_t)-error };
}
