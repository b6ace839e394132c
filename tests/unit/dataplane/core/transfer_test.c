/* SPDX-License-Identifier: BSD-3-Clause */
/* A sender and a receiver with a line between them, step by step; what is lost, repeated or
 * late is named by each test. Chance is tests/sim/transfer's. */
#include "transfer.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "harness.h"
#include "receiver.h"

#define SESSION 0x5e551071u
#define JUMBO 8956u /* body at MTU 9000, less the trailer of a key */
#define SMALL 1448u
#define WINDOW (1024u * 1024u)
#define BYTES_MAX (1024u * 1024u)
#define MOVE_NS (1 * WM_NS_PER_MS)

static struct wm_transfer sender;
static struct wm_receiver receiver;
static uint8_t source[BYTES_MAX], memory[BYTES_MAX];
static uint64_t bitmap[WM_RECEIVER_WORDS(BYTES_MAX)];
static uint64_t now_ns;
static uint32_t life = 7;

struct sent {
	struct wm_transfer_chunk chunk;
	uint8_t body[JUMBO];
	size_t bytes;
};

static void sender_begin(const struct wm_object *object, uint32_t body_bytes, uint32_t seed)
{
	const struct wm_transfer_config config = {
		.object = *object,
		.session = SESSION,
		.seed = seed,
		.body_bytes_max = body_bytes,
	};

	CU_ASSERT_EQUAL_FATAL(wm_transfer_init(&sender, &config), 0);
}

static void receiver_begin(const struct wm_object *object)
{
	const struct wm_receiver_config config = {
		.object = *object,
		.session = SESSION,
		.life = ++life,
		.window_bytes = WINDOW,
		.memory = memory,
		.bitmap = bitmap,
	};

	memset(memory, 0xee, sizeof(memory));
	CU_ASSERT_EQUAL_FATAL(wm_receiver_init(&receiver, &config), 0);
}

/* Both ends of an object of so many bytes, each of another kind. */
static void begin(uint64_t bytes, uint32_t body_bytes)
{
	struct wm_object object;

	for (uint64_t i = 0; i < bytes; i++)
		source[i] = (uint8_t)(i * 31 + i / 251 + bytes);
	wm_object_name(&object, source, bytes);
	now_ns = 100 * WM_NS_PER_S;
	sender_begin(&object, body_bytes, 0xfffffff0);
	receiver_begin(&object);
}

static bool send_next(struct sent *sent)
{
	if (!wm_transfer_next(&sender, now_ns, UINT32_MAX, &sent->chunk))
		return false;
	sent->chunk.chunk.data = source + sent->chunk.chunk.offset;
	sent->bytes = wm_chunk_encode(sent->body, sizeof(sent->body), &sent->chunk.chunk);
	CU_ASSERT_FATAL(sent->bytes > 0);
	return true;
}

static enum wm_drop arrive(const struct sent *sent)
{
	return wm_receiver_take(&receiver, &sent->chunk.header, sent->body, sent->bytes);
}

static enum wm_drop answer_by(const struct wm_wire_header *header, const struct wm_chunk_ack *ack)
{
	uint8_t body[WM_CHUNK_ACK_BYTES + WM_CHUNK_BITMAP_BYTES_MAX];
	size_t bytes = wm_chunk_ack_encode(body, sizeof(body), ack);

	return wm_transfer_ack(&sender, header, body, bytes, now_ns);
}

static enum wm_drop answer(void)
{
	struct wm_wire_header header;
	struct wm_chunk_ack ack;

	wm_receiver_ack(&receiver, &header, &ack);
	return answer_by(&header, &ack);
}

/* One chunk goes, arrives, is hashed and answered. False: none may go. */
static bool exchange(void)
{
	struct sent sent;

	if (!send_next(&sent))
		return false;
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_NONE);
	now_ns += MOVE_NS;
	wm_receiver_hash(&receiver, UINT64_MAX);
	CU_ASSERT_EQUAL(answer(), WM_DROP_NONE);
	return true;
}

static void tick(void)
{
	now_ns += 20 * WM_NS_PER_MS;
	wm_transfer_expire(&sender, now_ns);
}

/* Until the sender knows how it ended. */
static void run(void)
{
	for (unsigned i = 0; i < 100000 && wm_transfer_status(&sender) == -EINPROGRESS; i++) {
		if (!exchange())
			tick();
	}
}

static void check_complete(uint64_t bytes)
{
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), 0);
	CU_ASSERT_EQUAL(wm_receiver_status(&receiver), 0);
	CU_ASSERT_EQUAL(wm_receiver_received_bytes(&receiver), bytes);
	CU_ASSERT_EQUAL(memcmp(memory, source, bytes), 0);
	CU_ASSERT(bytes == BYTES_MAX || memory[bytes] == 0xee);
}

/* ---- sizes --------------------------------------------------------------------------- */

static void objects_of_all_sizes_arrive_whole(void)
{
	static const uint64_t sizes[] = { 0,	    1,	   127,	  128,	      129,
					  1407,	    1408,  1409,  8832,	      8833,
					  17664,    65536, 99999, 128 * 4096, 128 * 4096 + 1,
					  BYTES_MAX };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin(sizes[i], i % 2 ? SMALL : JUMBO);
		run();
		check_complete(sizes[i]);
		CU_ASSERT_EQUAL(sender.counters.data_bytes, sizes[i]);
		CU_ASSERT_EQUAL(receiver.counters.duplicates, 0);
	}
}

static const struct wm_test tests[] = {
	WM_TEST(objects_of_all_sizes_arrive_whole),
};

int main(void)
{
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	return WM_TESTS_RUN("transfer", tests);
}
