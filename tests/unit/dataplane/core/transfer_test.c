/* SPDX-License-Identifier: BSD-3-Clause */
/* A sender and a receiver with a line between them, step by step; what is lost, repeated or
 * late is named by each test. Chance is tests/sim/transfer's. */
#include "transfer.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* ---- loss, order, repetition ------------------------------------------------------------ */

/* Asks what is there, so that data may go. */
static void begin_asked(uint64_t bytes, uint32_t body_bytes)
{
	begin(bytes, body_bytes);
	CU_ASSERT_FATAL(exchange());
	CU_ASSERT_EQUAL(sender.counters.questions, 1);
}

static void nothing_but_one_question_goes_before_the_first_answer(void)
{
	struct sent sent;

	begin(BYTES_MAX, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	CU_ASSERT_EQUAL(sent.chunk.chunk.data_bytes, 0);
	CU_ASSERT_FALSE(send_next(&sent));
}

static void a_lost_chunk_goes_again_before_what_is_new(void)
{
	struct sent lost, sent;

	begin_asked(BYTES_MAX, SMALL);
	CU_ASSERT_FATAL(send_next(&lost));
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_EQUAL(sender.counters.lost, 0);
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_EQUAL(sender.counters.lost, 1);
	CU_ASSERT_FATAL(send_next(&sent));
	CU_ASSERT_EQUAL(sent.chunk.chunk.offset, lost.chunk.chunk.offset);
	CU_ASSERT_NOT_EQUAL(sent.chunk.header.sequence, lost.chunk.header.sequence);
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_NONE);
	run();
	check_complete(BYTES_MAX);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, BYTES_MAX + sent.chunk.chunk.data_bytes);
}

static void a_lost_last_chunk_is_found_without_the_timer(void)
{
	struct sent lost;

	begin_asked(3 * 1408 + 5, SMALL);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_TRUE(exchange());
	CU_ASSERT_FATAL(send_next(&lost));
	CU_ASSERT_EQUAL(lost.chunk.chunk.data_bytes, 5);
	CU_ASSERT_EQUAL(wm_receiver_status(&receiver), -EINPROGRESS);
	run();
	check_complete(3 * 1408 + 5);
	CU_ASSERT_EQUAL(sender.counters.timeouts, 0);
	CU_ASSERT_EQUAL(sender.counters.lost, 1);
}

static void lost_acks_cost_no_chunk(void)
{
	struct sent sent;

	begin_asked(8 * 1408, SMALL);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_FATAL(send_next(&sent));
		CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_NONE);
	}
	run();
	check_complete(8 * 1408);
	CU_ASSERT_EQUAL(sender.counters.lost, 0);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, 8 * 1408);
}

/* The second is missing, the third's ack is lost: the fourth's tells of both. */
static void an_ack_tells_of_what_is_there_beyond_a_gap(void)
{
	struct sent first, second, third;

	begin_asked(16 * 1408, SMALL);
	CU_ASSERT_FATAL(send_next(&first) && send_next(&second) && send_next(&third));
	arrive(&first);
	arrive(&third);
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_EQUAL(wm_transfer_received_bytes(&sender), 1408);
	run();
	check_complete(16 * 1408);
	CU_ASSERT_EQUAL(sender.counters.lost, 1);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, 17 * 1408);
}

static void chunks_in_reverse_order_arrive_whole(void)
{
	static struct sent sent[64];
	unsigned count;

	begin_asked(BYTES_MAX, SMALL);
	while (wm_transfer_status(&sender) == -EINPROGRESS) {
		for (count = 0; count < 64 && send_next(&sent[count]);)
			count++;
		if (count == 0)
			tick();
		now_ns += MOVE_NS;
		while (count > 0) {
			CU_ASSERT_EQUAL(arrive(&sent[--count]), WM_DROP_NONE);
			answer();
		}
		wm_receiver_hash(&receiver, UINT64_MAX);
		if (wm_receiver_status(&receiver) == 0)
			answer();
	}
	check_complete(BYTES_MAX);
	/* The distance has grown to what such a line needs. */
	CU_ASSERT(sender.counters.spurious > 0);
	CU_ASSERT(sender.reorder > 3);
	CU_ASSERT_EQUAL(sender.counters.timeouts, 0);
}

static void a_chunk_that_comes_twice_is_counted_and_changes_nothing(void)
{
	struct sent sent;

	begin_asked(10000, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_NONE);
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_NONE);
	CU_ASSERT_EQUAL(receiver.counters.duplicates, 1);
	CU_ASSERT_EQUAL(wm_receiver_received_bytes(&receiver), 1408);
	CU_ASSERT_EQUAL(answer(), WM_DROP_NONE);
	CU_ASSERT_EQUAL(answer(), WM_DROP_NONE);
	CU_ASSERT_EQUAL(sender.in_flight, 0);
	run();
	check_complete(10000);
}

/* ---- the hash ------------------------------------------------------------------------------ */

static void what_is_here_is_never_written_again(void)
{
	struct sent sent;

	begin_asked(10000, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	arrive(&sent);
	wm_receiver_hash(&receiver, UINT64_MAX);
	sent.body[WM_CHUNK_PREAMBLE_BYTES] ^= 1;
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_NONE);
	answer();
	run();
	check_complete(10000);
}

static void an_object_with_a_wrong_hash_is_never_complete(void)
{
	struct sent sent;

	begin_asked(10000, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	sent.body[WM_CHUNK_PREAMBLE_BYTES + 77] ^= 0x10;
	arrive(&sent);
	answer();
	run();
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -EBADMSG);
	CU_ASSERT_EQUAL(wm_receiver_status(&receiver), -EBADMSG);
	/* It keeps to that: the right bytes come too late. */
	sent.body[WM_CHUNK_PREAMBLE_BYTES + 77] ^= 0x10;
	arrive(&sent);
	CU_ASSERT_FALSE(wm_receiver_hash(&receiver, UINT64_MAX));
	CU_ASSERT_EQUAL(wm_receiver_status(&receiver), -EBADMSG);
	/* Until both begin anew. */
	begin(10000, SMALL);
	run();
	check_complete(10000);
}

static void a_receiver_without_the_last_block_is_not_complete(void)
{
	struct sent sent;

	begin_asked(129, SMALL);
	sender.data_bytes_max = 128;
	CU_ASSERT_FATAL(send_next(&sent));
	arrive(&sent);
	CU_ASSERT_FALSE(wm_receiver_hash(&receiver, UINT64_MAX));
	CU_ASSERT_FALSE(wm_receiver_has_work(&receiver));
	CU_ASSERT_EQUAL(wm_receiver_status(&receiver), -EINPROGRESS);
}

static void hashing_takes_no_more_than_it_is_given(void)
{
	struct sent sent;
	unsigned steps = 0;

	begin_asked(8832, JUMBO);
	CU_ASSERT_FATAL(send_next(&sent));
	arrive(&sent);
	CU_ASSERT_EQUAL(receiver.hashed_bytes, 0);
	while (wm_receiver_has_work(&receiver)) {
		uint64_t before = receiver.hashed_bytes;
		bool over = wm_receiver_hash(&receiver, 1000);

		CU_ASSERT(receiver.hashed_bytes - before <= 1000);
		CU_ASSERT_EQUAL(over, receiver.hashed_bytes == 8832);
		steps++;
	}
	CU_ASSERT_EQUAL(steps, 9);
	answer();
	check_complete(8832);
}

/* ---- others' chunks ---------------------------------------------------------------------- */

static void the_id_of_a_transfer_is_of_hash_and_bytes_and_session(void)
{
	struct wm_object object = { .bytes = 1000 }, other = object;

	other.hash[31] ^= 1;
	CU_ASSERT_NOT_EQUAL(wm_object_transfer_id(&object, 1), wm_object_transfer_id(&other, 1));
	CU_ASSERT_NOT_EQUAL(wm_object_transfer_id(&object, 1), wm_object_transfer_id(&object, 2));
	other = object;
	CU_ASSERT_EQUAL(wm_object_transfer_id(&object, 1), wm_object_transfer_id(&other, 1));
	other.bytes++;
	CU_ASSERT_NOT_EQUAL(wm_object_transfer_id(&object, 1), wm_object_transfer_id(&other, 1));
}

static void chunks_of_another_object_or_session_are_counted_and_not_taken(void)
{
	struct sent sent;

	begin_asked(10000, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	sent.chunk.header.batch++;
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_BATCH);
	sent.chunk.header.batch--;
	sent.chunk.header.session++;
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_BATCH);
	CU_ASSERT_EQUAL(receiver.counters.foreign, 2);
	CU_ASSERT_EQUAL(receiver.counters.chunks, 0);
	CU_ASSERT_EQUAL(memory[0], 0xee);
}

static void a_chunk_of_another_size_of_object_makes_no_sense(void)
{
	struct sent sent;

	begin_asked(10000, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	sent.body[0] ^= 1;
	CU_ASSERT_EQUAL(arrive(&sent), WM_DROP_BODY);
	CU_ASSERT_EQUAL(receiver.counters.malformed, 1);
	CU_ASSERT_EQUAL(memory[0], 0xee);
}

static void a_sender_that_is_refused_ends_with_the_reason(void)
{
	struct wm_wire_header header;
	struct wm_chunk_ack ack;
	struct sent sent;

	begin_asked(10000, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	wm_receiver_refuse(&sent.chunk.header, -ENOENT, &header, &ack);
	CU_ASSERT_EQUAL(answer_by(&header, &ack), WM_DROP_NONE);
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -ENOENT);
	CU_ASSERT_FALSE(send_next(&sent));
	CU_ASSERT_STRING_NOT_EQUAL(wm_transfer_reason(-ENOENT), wm_transfer_reason(-EPERM));
}

static void acks_that_cannot_be_are_not_taken(void)
{
	struct wm_wire_header header;
	struct wm_chunk_ack ack, bad;
	struct sent sent;

	begin_asked(10000, SMALL);
	CU_ASSERT_FATAL(send_next(&sent));
	arrive(&sent);
	wm_receiver_ack(&receiver, &header, &ack);
	bad = ack;
	bad.received_bytes = 10000 + 112; /* a block, and past the end */
	CU_ASSERT_EQUAL(answer_by(&header, &bad), WM_DROP_BODY);
	bad.received_bytes = 100;
	CU_ASSERT_EQUAL(answer_by(&header, &bad), WM_DROP_BODY);
	bad = ack;
	bad.status = WM_CHUNK_DONE;
	CU_ASSERT_EQUAL(answer_by(&header, &bad), WM_DROP_BODY);
	bad = ack;
	bad.bitmap_bytes = 10;
	bad.bitmap[9] = 1;
	CU_ASSERT_EQUAL(answer_by(&header, &bad), WM_DROP_BODY);
	header.batch++;
	CU_ASSERT_EQUAL(answer_by(&header, &ack), WM_DROP_BATCH);
	header.batch--;
	header.sequence++;
	CU_ASSERT_EQUAL(answer_by(&header, &ack), WM_DROP_DUPLICATE);
	header.sequence = 0xfffffff0 - 1; /* before its first */
	CU_ASSERT_EQUAL(answer_by(&header, &ack), WM_DROP_DUPLICATE);
	CU_ASSERT_EQUAL(sender.counters.stale, 2);
	CU_ASSERT_EQUAL(wm_transfer_received_bytes(&sender), 0);
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -EINPROGRESS);
	run();
	check_complete(10000);
}

/* ---- again, elsewhere, otherwise ----------------------------------------------------------- */

static void a_new_sender_sends_only_what_is_missing(void)
{
	struct sent sent;

	begin_asked(40 * 1408, SMALL);
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_FATAL(send_next(&sent)); /* lost */
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_FATAL(send_next(&sent)); /* arrives after the sender has gone */
	sender_begin(&sender.object, JUMBO, 12345);
	arrive(&sent);
	CU_ASSERT_EQUAL(answer(), WM_DROP_DUPLICATE);
	run();
	check_complete(40 * 1408);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, 37 * 1408);
	CU_ASSERT_EQUAL(receiver.counters.duplicates, 0);
}

static void a_receiver_that_has_it_all_gets_no_data_again(void)
{
	begin(10000, SMALL);
	run();
	sender_begin(&sender.object, SMALL, 99);
	run();
	check_complete(10000);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, 0);
	CU_ASSERT_EQUAL(sender.counters.questions, 1);
}

static void in_a_new_session_what_is_here_counts(void)
{
	struct wm_transfer_config config;

	begin_asked(20 * 1408, SMALL);
	CU_ASSERT_TRUE(exchange());
	config = (struct wm_transfer_config){ .object = sender.object,
					      .session = SESSION + 1,
					      .body_bytes_max = SMALL };
	CU_ASSERT_EQUAL(wm_transfer_init(&sender, &config), 0);
	wm_receiver_resume(&receiver, SESSION + 1);
	run();
	check_complete(20 * 1408);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, 19 * 1408);
}

static void a_receiver_that_begins_anew_gets_everything_again(void)
{
	struct wm_wire_header header;
	struct wm_chunk_ack old;

	begin_asked(40 * 1408, SMALL);
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_TRUE(exchange());
	wm_receiver_ack(&receiver, &header, &old);
	receiver_begin(&sender.object);
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_EQUAL(sender.counters.restarts, 1);
	CU_ASSERT_EQUAL(wm_transfer_received_bytes(&sender), 0);
	/* What the life before had to say counts no more. */
	CU_ASSERT_EQUAL(answer_by(&header, &old), WM_DROP_DUPLICATE);
	CU_ASSERT_EQUAL(wm_transfer_received_bytes(&sender), 0);
	run();
	check_complete(40 * 1408);
	CU_ASSERT_EQUAL(sender.counters.lost, 0);
}

static void chunks_may_change_their_size_in_the_middle(void)
{
	struct sent large, small;

	begin_asked(BYTES_MAX, JUMBO);
	CU_ASSERT_TRUE(exchange());
	CU_ASSERT_FATAL(send_next(&large));
	CU_ASSERT_EQUAL(wm_transfer_resize(&sender, WM_CHUNK_PREAMBLE_BYTES + 127), -EMSGSIZE);
	CU_ASSERT_EQUAL(wm_transfer_resize(&sender, SMALL), 0);
	CU_ASSERT_FATAL(send_next(&small));
	CU_ASSERT_EQUAL(small.chunk.chunk.data_bytes, 1408);
	/* The large one does not arrive: it goes again in small ones. */
	arrive(&small);
	answer();
	run();
	check_complete(BYTES_MAX);
	CU_ASSERT_EQUAL(sender.counters.lost, 1);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, BYTES_MAX + large.chunk.chunk.data_bytes);
}

static void what_cannot_be_sent_is_refused_at_once(void)
{
	struct wm_transfer_config config = { .object.bytes = WM_OBJECT_BYTES_MAX + 1ull,
					     .body_bytes_max = SMALL };
	struct wm_receiver_config theirs = { .object.bytes = WM_OBJECT_BYTES_MAX + 1ull };

	CU_ASSERT_EQUAL(wm_transfer_init(&sender, &config), -EFBIG);
	CU_ASSERT_EQUAL(wm_receiver_init(&receiver, &theirs), -EFBIG);
	config.object.bytes = 1;
	config.body_bytes_max = WM_CHUNK_PREAMBLE_BYTES + WM_CHUNK_BLOCK_BYTES - 1;
	CU_ASSERT_EQUAL(wm_transfer_init(&sender, &config), -EMSGSIZE);
}

/* ---- giving up --------------------------------------------------------------------------------
 */

/* All that is sent is lost, for so long. */
static void lose_all(uint64_t for_ns)
{
	uint64_t until_ns = now_ns + for_ns;
	struct sent sent;

	while (now_ns < until_ns && wm_transfer_status(&sender) == -EINPROGRESS) {
		while (send_next(&sent))
			;
		tick();
	}
}

static void a_receiver_that_is_gone_is_given_up_after_the_silence(void)
{
	begin_asked(BYTES_MAX, SMALL);
	CU_ASSERT_TRUE(exchange());
	lose_all(WM_TRANSFER_SILENCE_NS - 40 * WM_NS_PER_MS);
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -EINPROGRESS);
	CU_ASSERT(sender.counters.questions < 20);
	lose_all(1 * WM_NS_PER_S);
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -ETIMEDOUT);
}

static void one_that_answers_a_question_and_dies_is_gone_too(void)
{
	begin_asked(BYTES_MAX, SMALL);
	lose_all(WM_TRANSFER_SILENCE_NS + 1 * WM_NS_PER_S);
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -ETIMEDOUT);
}

static void one_that_comes_back_in_time_gets_the_rest(void)
{
	begin_asked(BYTES_MAX, SMALL);
	CU_ASSERT_TRUE(exchange());
	lose_all(WM_TRANSFER_SILENCE_NS / 2);
	run();
	check_complete(BYTES_MAX);
}

static void a_sender_that_gets_no_budget_does_not_give_up(void)
{
	struct wm_transfer_chunk chunk;

	begin_asked(BYTES_MAX, SMALL);
	for (unsigned i = 0; i < 2000; i++) {
		CU_ASSERT_FALSE(wm_transfer_next(&sender, now_ns, 59, &chunk));
		tick();
	}
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -EINPROGRESS);
	run();
	check_complete(BYTES_MAX);
}

static void a_way_that_carries_only_questions_is_named(void)
{
	struct sent sent;

	begin_asked(BYTES_MAX, JUMBO);
	while (wm_transfer_status(&sender) == -EINPROGRESS) {
		while (send_next(&sent)) {
			if (sent.chunk.chunk.data_bytes > 0)
				continue;
			arrive(&sent);
			answer();
		}
		tick();
	}
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -EMSGSIZE);
}

static void a_receiver_without_room_is_asked_and_then_given_up(void)
{
	begin(BYTES_MAX, SMALL);
	receiver.config.window_bytes = 0;
	run();
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -ENOBUFS);
	CU_ASSERT_EQUAL(sender.counters.data_bytes, 0);
}

static void a_receiver_that_does_not_hash_is_given_up(void)
{
	struct sent sent;

	begin(10000, SMALL);
	while (wm_transfer_status(&sender) == -EINPROGRESS) {
		while (send_next(&sent)) {
			arrive(&sent);
			answer();
		}
		tick();
	}
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), -ETIME);
}

/* A minute for 60 steps, each of them progress. */
static void one_that_hashes_slowly_is_not(void)
{
	struct sent sent;

	begin(60 * 1408, SMALL);
	while (wm_transfer_status(&sender) == -EINPROGRESS) {
		while (send_next(&sent)) {
			arrive(&sent);
			answer();
		}
		tick();
		if (now_ns / WM_NS_PER_S != (now_ns - 20 * WM_NS_PER_MS) / WM_NS_PER_S)
			wm_receiver_hash(&receiver, 1408);
	}
	check_complete(60 * 1408);
}

static void every_end_has_its_reason(void)
{
	static const int ends[] = { 0,	    -EINPROGRESS, -ETIMEDOUT, -EMSGSIZE, -ENOBUFS,
				    -ETIME, -EBADMSG,	  -ENOENT,    -ENOMEM,	 -EPERM };

	for (unsigned a = 0; a < sizeof(ends) / sizeof(ends[0]); a++) {
		for (unsigned b = 0; b < a; b++)
			CU_ASSERT_STRING_NOT_EQUAL(wm_transfer_reason(ends[a]),
						   wm_transfer_reason(ends[b]));
	}
}

/* ---- window and share --------------------------------------------------------------------------
 */

/* As many as go now; they are on their way. */
static uint32_t send_all(struct sent *sent, uint32_t count_max)
{
	uint32_t count = 0;

	while (count < count_max && send_next(&sent[count]))
		count++;
	return count;
}

static void deliver(const struct sent *sent, uint32_t count)
{
	now_ns += MOVE_NS;
	for (uint32_t i = 0; i < count; i++) {
		arrive(&sent[i]);
		answer();
	}
}

static void the_window_doubles_until_something_is_lost(void)
{
	static struct sent sent[512];
	uint32_t count, before = 0;

	begin_asked(BYTES_MAX, SMALL);
	for (unsigned round = 0; round < 4; round++) {
		count = send_all(sent, 512);
		CU_ASSERT(round == 0 ? count == 4 : count >= 3 * before / 2);
		before = count;
		deliver(sent, count);
	}
	count = send_all(sent, 512);
	deliver(sent + 1, count - 1);
	before = sender.window_bytes;
	deliver(sent, send_all(sent, 512));
	CU_ASSERT(sender.window_bytes < before);
	CU_ASSERT_FALSE(sender.slow_start);
	run();
	check_complete(BYTES_MAX);
}

static void no_more_is_on_its_way_than_the_receiver_holds(void)
{
	static struct sent sent[512];

	begin(BYTES_MAX, SMALL);
	receiver.config.window_bytes = 10000;
	CU_ASSERT_TRUE(exchange());
	for (unsigned round = 0; round < 20; round++) {
		uint32_t count = send_all(sent, 512);

		CU_ASSERT(sender.in_flight_bytes <= 10000);
		deliver(sent, count);
	}
	run();
	check_complete(BYTES_MAX);
}

static void nothing_goes_beyond_what_an_ack_can_tell(void)
{
	static struct sent sent[512], lost;
	uint64_t end = 0;

	begin_asked(BYTES_MAX, JUMBO);
	CU_ASSERT_FATAL(send_next(&lost));
	sender.reorder = 10000; /* it is waited for */
	for (unsigned round = 0; round < 8; round++) {
		uint32_t count = send_all(sent, 512);

		for (uint32_t i = 0; i < count; i++) {
			const struct wm_chunk *chunk = &sent[i].chunk.chunk;

			if (chunk->offset + chunk->data_bytes > end)
				end = chunk->offset + chunk->data_bytes;
		}
		deliver(sent, count);
	}
	CU_ASSERT_EQUAL(end, WM_TRANSFER_WINDOW_BYTES_MAX);
	arrive(&lost);
	answer();
	run();
	check_complete(BYTES_MAX);
}

static void a_chunk_that_is_beyond_the_budget_waits(void)
{
	struct wm_transfer_chunk chunk;

	begin_asked(BYTES_MAX, SMALL);
	CU_ASSERT_FALSE(wm_transfer_next(&sender, now_ns, 1408 + 57, &chunk));
	CU_ASSERT_EQUAL(sender.counters.chunks, 0);
	CU_ASSERT_TRUE(wm_transfer_next(&sender, now_ns, 1408 + 58, &chunk));
	CU_ASSERT_EQUAL(chunk.wire_bytes, 1408 + 58);
}

static void a_share_is_an_eighth_of_batches_and_never_nothing(void)
{
	struct wm_transfer_share share = { 0 };

	CU_ASSERT_EQUAL(wm_transfer_share_budget(&share), 0);
	wm_transfer_share_add(&share, 80000, 0);
	CU_ASSERT_EQUAL(wm_transfer_share_budget(&share), 10000);
	wm_transfer_share_take(&share, 9999);
	CU_ASSERT_EQUAL(wm_transfer_share_budget(&share), 1);
	wm_transfer_share_take(&share, 9000);
	CU_ASSERT_EQUAL(wm_transfer_share_budget(&share), 0);
	/* 1 MB/s, however often it is asked. */
	for (unsigned i = 0; i < 10000; i++)
		wm_transfer_share_add(&share, 0, 100);
	CU_ASSERT_EQUAL(wm_transfer_share_budget(&share), 1000);
	/* What was not used is not saved up. */
	wm_transfer_share_add(&share, UINT64_MAX, UINT64_MAX);
	CU_ASSERT_EQUAL(wm_transfer_share_budget(&share), 32768);
}

/* ---- the largest
 * ---------------------------------------------------------------------------------- */

#define PATTERN_BYTES (WM_CHUNK_BLOCK_BYTES * 8191ull)

/* A GiB that repeats a pattern: its bytes lie in memory once only, a chunk's in one piece. The
 * hash is hashlib's: blake2b(digest_size=32) of 1 GiB of the words below. */
static const uint8_t pattern_hash[WM_OBJECT_HASH_BYTES] = {
	0xff, 0xd4, 0xc7, 0x17, 0x4a, 0x15, 0xcd, 0x31, 0x61, 0x2b, 0x15,
	0xcf, 0x85, 0x8a, 0x19, 0x06, 0x45, 0x9d, 0x14, 0x25, 0xf4, 0x05,
	0x0b, 0x79, 0xbe, 0x71, 0xb3, 0xb2, 0x80, 0xb1, 0x06, 0x4a
};

static void send_pattern(const uint8_t *pattern)
{
	struct sent sent;
	unsigned count = 0;

	while (wm_transfer_status(&sender) == -EINPROGRESS) {
		if (!wm_transfer_next(&sender, now_ns, UINT32_MAX, &sent.chunk)) {
			tick();
			continue;
		}
		sent.chunk.chunk.data = pattern + sent.chunk.chunk.offset % PATTERN_BYTES;
		sent.bytes = wm_chunk_encode(sent.body, sizeof(sent.body), &sent.chunk.chunk);
		now_ns += 10 * WM_NS_PER_US;
		if (++count % 1000 == 0)
			continue; /* lost */
		arrive(&sent);
		wm_receiver_hash(&receiver, 64 * 1024);
		answer();
	}
}

static void a_gib_arrives_whole(void)
{
	uint64_t bytes = WM_OBJECT_BYTES_MAX, words = WM_RECEIVER_WORDS(bytes), seed = 1;
	uint8_t *pattern = malloc(PATTERN_BYTES + JUMBO), *large;
	uint64_t *bits = malloc(words * sizeof(*bits));
	struct wm_object object = { .bytes = bytes };

	/* 8 bytes at a time, then its start once more, for a chunk across its end. */
	for (uint64_t at = 0; at < PATTERN_BYTES; at += 8) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		memcpy(pattern + at, &seed, sizeof(seed));
	}
	memcpy(pattern + PATTERN_BYTES, pattern, JUMBO);
	large = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_NOT_EQUAL_FATAL(large, MAP_FAILED);
	madvise(large, bytes, MADV_HUGEPAGE); /* quicker where there are some */
	memcpy(object.hash, pattern_hash, sizeof(object.hash));
	sender_begin(&object, JUMBO, 5);
	CU_ASSERT_EQUAL_FATAL(
		wm_receiver_init(&receiver, &(struct wm_receiver_config){ .object = object,
									  .session = SESSION,
									  .life = ++life,
									  .window_bytes = WINDOW,
									  .memory = large,
									  .bitmap = bits }),
		0);
	send_pattern(pattern);
	CU_ASSERT_EQUAL(wm_transfer_status(&sender), 0);
	CU_ASSERT_EQUAL(wm_receiver_status(&receiver), 0);
	CU_ASSERT(sender.counters.lost > 100);
	CU_ASSERT_EQUAL(receiver.counters.duplicates, 0);
	munmap(large, bytes);
	free(pattern);
	free(bits);
}

static const struct wm_test tests[] = {
	WM_TEST(objects_of_all_sizes_arrive_whole),
	WM_TEST(nothing_but_one_question_goes_before_the_first_answer),
	WM_TEST(a_lost_chunk_goes_again_before_what_is_new),
	WM_TEST(a_lost_last_chunk_is_found_without_the_timer),
	WM_TEST(lost_acks_cost_no_chunk),
	WM_TEST(an_ack_tells_of_what_is_there_beyond_a_gap),
	WM_TEST(chunks_in_reverse_order_arrive_whole),
	WM_TEST(a_chunk_that_comes_twice_is_counted_and_changes_nothing),
	WM_TEST(what_is_here_is_never_written_again),
	WM_TEST(an_object_with_a_wrong_hash_is_never_complete),
	WM_TEST(a_receiver_without_the_last_block_is_not_complete),
	WM_TEST(hashing_takes_no_more_than_it_is_given),
	WM_TEST(the_id_of_a_transfer_is_of_hash_and_bytes_and_session),
	WM_TEST(chunks_of_another_object_or_session_are_counted_and_not_taken),
	WM_TEST(a_chunk_of_another_size_of_object_makes_no_sense),
	WM_TEST(a_sender_that_is_refused_ends_with_the_reason),
	WM_TEST(acks_that_cannot_be_are_not_taken),
	WM_TEST(a_new_sender_sends_only_what_is_missing),
	WM_TEST(a_receiver_that_has_it_all_gets_no_data_again),
	WM_TEST(in_a_new_session_what_is_here_counts),
	WM_TEST(a_receiver_that_begins_anew_gets_everything_again),
	WM_TEST(chunks_may_change_their_size_in_the_middle),
	WM_TEST(what_cannot_be_sent_is_refused_at_once),
	WM_TEST(a_receiver_that_is_gone_is_given_up_after_the_silence),
	WM_TEST(one_that_answers_a_question_and_dies_is_gone_too),
	WM_TEST(one_that_comes_back_in_time_gets_the_rest),
	WM_TEST(a_sender_that_gets_no_budget_does_not_give_up),
	WM_TEST(a_way_that_carries_only_questions_is_named),
	WM_TEST(a_receiver_without_room_is_asked_and_then_given_up),
	WM_TEST(a_receiver_that_does_not_hash_is_given_up),
	WM_TEST(one_that_hashes_slowly_is_not),
	WM_TEST(every_end_has_its_reason),
	WM_TEST(the_window_doubles_until_something_is_lost),
	WM_TEST(no_more_is_on_its_way_than_the_receiver_holds),
	WM_TEST(nothing_goes_beyond_what_an_ack_can_tell),
	WM_TEST(a_chunk_that_is_beyond_the_budget_waits),
	WM_TEST(a_share_is_an_eighth_of_batches_and_never_nothing),
	WM_TEST(a_gib_arrives_whole),
};

int main(void)
{
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	return WM_TESTS_RUN("transfer", tests);
}
