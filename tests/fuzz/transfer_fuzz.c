/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of a transfer, between which somebody has the session and says anything. Input:
 * records of two bytes, what happens and how many bytes follow, and those bytes: the body of a
 * CHUNK to the receiver, or of a CHUNK_ACK to the sender behind the place of its sequence among
 * those sent. Between them both do what they do. Whatever is said, neither leaves its memory,
 * what the sender knows adds up, and what is complete is the object.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "receiver.h"
#include "transfer.h"

#define OBJECT_BYTES 3000u
#define BODY_BYTES (WM_CHUNK_PREAMBLE_BYTES + 512u)
#define RECORD_BYTES 2u
#define INPUT_BYTES_MAX 1024u

enum { SAY_CHUNK, SAY_ACK, EXCHANGE, LOSE, TIME, HASH, ANEW, KINDS };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wm_object object;
static struct wm_transfer transfer;
static struct wm_receiver receiver;
static uint8_t source[OBJECT_BYTES], *memory;
static uint64_t bitmap[WM_RECEIVER_WORDS(OBJECT_BYTES)], now_ns;

static void check(void)
{
	uint32_t in_flight = 0;

	for (uint32_t i = transfer.first; i != transfer.next; i++)
		in_flight += transfer.ring[i % WM_TRANSFER_RING].state == 1;
	if (in_flight != transfer.in_flight || transfer.in_flight_bytes > OBJECT_BYTES ||
	    transfer.base + transfer.held_beyond > transfer.blocks ||
	    transfer.next - transfer.first > WM_TRANSFER_RING)
		abort();
	if (receiver.hashed_bytes > wm_receiver_received_bytes(&receiver) ||
	    receiver.received > receiver.blocks || receiver.beyond > receiver.blocks)
		abort();
	if (wm_receiver_status(&receiver) == 0 && memcmp(memory, source, OBJECT_BYTES) != 0)
		abort();
}

static void receiver_begin(uint32_t life)
{
	const struct wm_receiver_config config = {
		.object = object,
		.session = 1,
		.life = life,
		.window_bytes = 2048,
		.memory = memory,
		.bitmap = bitmap,
	};

	if (wm_receiver_init(&receiver, &config) < 0)
		abort();
}

static void begin(void)
{
	const struct wm_transfer_config config = {
		.object = object,
		.session = 1,
		.seed = 0xfffffff8,
		.body_bytes_max = BODY_BYTES,
	};

	now_ns = WM_NS_PER_S;
	receiver_begin(1);
	if (wm_transfer_init(&transfer, &config) < 0)
		abort();
}

static void answer(void)
{
	uint8_t body[WM_CHUNK_ACK_BYTES + WM_CHUNK_BITMAP_BYTES_MAX];
	struct wm_wire_header header;
	struct wm_chunk_ack ack;
	size_t bytes;

	wm_receiver_ack(&receiver, &header, &ack);
	bytes = wm_chunk_ack_encode(body, sizeof(body), &ack);
	wm_transfer_ack(&transfer, &header, body, bytes, now_ns);
}

static void exchange(bool lose)
{
	struct wm_transfer_chunk sent;
	uint8_t body[BODY_BYTES];
	size_t bytes;

	if (!wm_transfer_next(&transfer, now_ns, UINT32_MAX, &sent) || lose)
		return;
	sent.chunk.data = source + sent.chunk.offset;
	bytes = wm_chunk_encode(body, sizeof(body), &sent.chunk);
	if (wm_receiver_take(&receiver, &sent.header, body, bytes) != WM_DROP_NONE)
		abort();
	answer();
}

/* In a buffer of just that size, so that ASan sees a read beyond. */
static void say(bool chunk, const uint8_t *bytes, size_t count)
{
	struct wm_wire_header header = { .session = 1, .batch = transfer.id };
	uint8_t *body;

	if (!chunk && count > 0) {
		header.sequence = transfer.next - *bytes++;
		count--;
	}
	body = malloc(count ? count : 1);
	memcpy(body, bytes, count);
	if (chunk)
		wm_receiver_take(&receiver, &header, body, count);
	else
		wm_transfer_ack(&transfer, &header, body, count, now_ns);
	free(body);
}

static size_t run_record(const uint8_t *record, size_t left)
{
	unsigned kind = record[0] % KINDS;
	size_t bytes = 0;

	if (kind == SAY_CHUNK || kind == SAY_ACK)
		bytes = record[1] <= left - RECORD_BYTES ? record[1] : left - RECORD_BYTES;
	now_ns += 1 * WM_NS_PER_MS;
	if (kind == SAY_CHUNK || kind == SAY_ACK)
		say(kind == SAY_CHUNK, record + RECORD_BYTES, bytes);
	else if (kind == EXCHANGE || kind == LOSE)
		exchange(kind == LOSE);
	else if (kind == TIME)
		now_ns += record[1] * 20 * WM_NS_PER_MS;
	else if (kind == HASH)
		wm_receiver_hash(&receiver, record[1] * 16u);
	else
		receiver_begin(record[1]);
	wm_transfer_expire(&transfer, now_ns);
	check();
	return RECORD_BYTES + bytes;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	memory = malloc(OBJECT_BYTES);
	if (sodium_init() < 0 || !memory)
		abort();
	for (uint32_t i = 0; i < OBJECT_BYTES; i++)
		source[i] = (uint8_t)(i * 7 + i / 256);
	wm_object_name(&object, source, OBJECT_BYTES);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_BYTES_MAX)
		return 0;
	begin();
	while (size >= RECORD_BYTES) {
		size_t used = run_record(data, size);

		data += used;
		size -= used;
	}
	return 0;
}
