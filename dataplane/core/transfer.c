/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "round_trip.h"

enum entry_state { ENTRY_NONE, ENTRY_IN_FLIGHT, ENTRY_LOST };

#define REORDER_FIRST 3u /* RFC 5681's three duplicate ACKs */
#define REORDER_MAX 64u
#define WINDOW_FIRST 4u /* chunks */
#define WINDOW_MIN 2u

/* As flow.c: machines that share cores show gaps of 20 to 100 ms. */
#define TIMEOUT_FIRST_NS (500 * WM_NS_PER_MS)
#define TIMEOUT_MIN_NS (200 * WM_NS_PER_MS)
#define TIMEOUT_MAX_NS (1 * WM_NS_PER_S)
#define ASK_SHIFT_MAX 2u
/* Beyond round trips: what the order of frames, or a core that is shared, makes of a moment. */
#define MOMENT_NS (10 * WM_NS_PER_MS)

/* What a byte of batches and a nanosecond give, in thousandths of a byte: an eighth, and one
 * MB/s. */
#define SHARE_BATCH_BYTE (1000u / 8u)
#define SHARE_MAX (32u * 1024u * 1000u)

static_assert((WM_TRANSFER_RING & (WM_TRANSFER_RING - 1)) == 0, "sequences wrap around the ring");
static_assert((WM_TRANSFER_BLOCKS & (WM_TRANSFER_BLOCKS - 1)) == 0, "so do blocks");
static_assert(WM_OBJECT_BYTES_MAX / WM_CHUNK_BLOCK_BYTES < UINT32_MAX / 2, "blocks have 32 bits");

static struct wm_transfer_entry *entry_of(struct wm_transfer *transfer, uint32_t sequence)
{
	return &transfer->ring[sequence % WM_TRANSFER_RING];
}

/* Sequences wrap; they are compared by distance. */
static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t greater(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* ---- blocks -------------------------------------------------------------------------- */

static bool has_bit(const uint64_t *bits, uint32_t block)
{
	block %= WM_TRANSFER_BLOCKS;
	return bits[block / 64] >> block % 64 & 1;
}

static void set_bit(uint64_t *bits, uint32_t block)
{
	block %= WM_TRANSFER_BLOCKS;
	bits[block / 64] |= 1ull << block % 64;
}

static void clear_bit(uint64_t *bits, uint32_t block)
{
	block %= WM_TRANSFER_BLOCKS;
	bits[block / 64] &= ~(1ull << block % 64);
}

/* Past the last block that may be sent now. */
static uint32_t blocks_end(const struct wm_transfer *transfer)
{
	return lesser(transfer->blocks, transfer->base + WM_TRANSFER_BLOCKS);
}

static bool is_to_send(const struct wm_transfer *transfer, uint32_t block)
{
	return !has_bit(transfer->held, block) && !has_bit(transfer->sent, block);
}

static bool has_everything(const struct wm_transfer *transfer)
{
	return transfer->base + transfer->held_beyond == transfer->blocks;
}

static uint32_t run_bytes(const struct wm_transfer *transfer, uint32_t block, uint32_t blocks)
{
	uint64_t bytes = transfer->object.bytes;

	return (uint32_t)(wm_chunk_block_offset(bytes, block + blocks) -
			  wm_chunk_block_offset(bytes, block));
}

/* The first run that is to be sent, as long as a chunk has room; 0: there is none. */
static uint32_t find_run(struct wm_transfer *transfer, uint32_t *block)
{
	uint32_t most = transfer->data_bytes_max / WM_CHUNK_BLOCK_BYTES;
	uint32_t end = blocks_end(transfer), blocks = 0;

	while (transfer->scan < end && !is_to_send(transfer, transfer->scan))
		transfer->scan++;
	*block = transfer->scan;
	while (blocks < most && *block + blocks < end && is_to_send(transfer, *block + blocks))
		blocks++;
	return blocks;
}

/* ---- the window ------------------------------------------------------------------------ */

static void round_begin(struct wm_transfer *transfer)
{
	transfer->round_end = transfer->next;
	transfer->round_answers = transfer->round_losses = 0;
	transfer->limited = false;
}

static uint32_t window_now(const struct wm_transfer *transfer)
{
	return lesser(transfer->window_bytes,
		      lesser(transfer->window_bytes_max, transfer->window_bytes_theirs));
}

/* One chunk may always be on its way, where they take any at all. */
static bool has_room(const struct wm_transfer *transfer, uint32_t bytes)
{
	uint32_t window = window_now(transfer);

	if (window == 0 || transfer->next - transfer->first >= WM_TRANSFER_RING / 2)
		return false;
	return transfer->in_flight_bytes == 0 || transfer->in_flight_bytes + bytes <= window;
}

static void window_set(struct wm_transfer *transfer, uint32_t bytes)
{
	uint32_t least = WINDOW_MIN * transfer->data_bytes_max;

	transfer->window_bytes = lesser(greater(bytes, least), transfer->window_bytes_max);
}

static void window_adapt(struct wm_transfer *transfer)
{
	uint32_t sent = transfer->round_answers + transfer->round_losses;
	uint32_t window = transfer->window_bytes;

	if (transfer->round_losses > 0)
		transfer->slow_start = false;
	if (transfer->round_losses > 1 && transfer->round_losses * 8 > sent)
		window_set(transfer, window - window / 4);
	else if (transfer->round_losses > 0)
		window_set(transfer, window - window / 8);
	else if (transfer->limited)
		window_set(transfer,
			   transfer->slow_start ? 2 * window : window + transfer->data_bytes_max);
	round_begin(transfer);
}

/* ---- sending ----------------------------------------------------------------------------- */

static void block_bits(struct wm_transfer *transfer, const struct wm_transfer_entry *entry,
		       bool sent)
{
	for (uint32_t i = 0; i < entry->blocks; i++) {
		uint32_t block = entry->block + i;

		/* What is before the base has given its bit to another. */
		if (block < transfer->base)
			continue;
		if (sent)
			set_bit(transfer->sent, block);
		else
			clear_bit(transfer->sent, block);
	}
}

static void send_run(struct wm_transfer *transfer, uint64_t now_ns, uint32_t block, uint32_t blocks,
		     struct wm_transfer_chunk *out)
{
	uint32_t sequence = transfer->next++, bytes = run_bytes(transfer, block, blocks);
	struct wm_transfer_entry *entry = entry_of(transfer, sequence);

	*entry = (struct wm_transfer_entry){ .sent_ns = now_ns,
					     .block = block,
					     .blocks = (uint16_t)blocks,
					     .state = ENTRY_IN_FLIGHT };
	block_bits(transfer, entry, true);
	transfer->in_flight++;
	transfer->in_flight_bytes += bytes;
	transfer->counters.chunks += blocks > 0;
	transfer->counters.questions += blocks == 0;
	transfer->counters.data_bytes += bytes;
	if (blocks > 0) {
		transfer->ask_ns = now_ns + 2 * transfer->srtt_ns + MOMENT_NS;
		transfer->ask_shift = 0;
	}
	if (transfer->since_ns == 0)
		transfer->since_ns = now_ns;
	transfer->tries++;
	*out = (struct wm_transfer_chunk){
		.header = { .op = WM_OP_CHUNK,
			    .session = transfer->session,
			    .batch = transfer->id,
			    .sequence = sequence },
		.chunk = { .object_bytes = transfer->object.bytes,
			   .offset = (uint64_t)block * WM_CHUNK_BLOCK_BYTES,
			   .data_bytes = bytes },
		.wire_bytes = WM_FRAME_HEADER_BYTES + WM_CHUNK_PREAMBLE_BYTES + bytes,
	};
}

/* Twice as long after each, so that nobody who is gone is flooded. */
static bool ask(struct wm_transfer *transfer, uint64_t now_ns, uint32_t budget_bytes,
		struct wm_transfer_chunk *out)
{
	if (now_ns < transfer->ask_ns || budget_bytes < WM_FRAME_BYTES_MIN ||
	    transfer->next - transfer->first >= WM_TRANSFER_RING / 2)
		return false;
	transfer->ask_ns = now_ns + (transfer->timeout_ns << transfer->ask_shift);
	if (transfer->ask_ns > now_ns + TIMEOUT_MAX_NS)
		transfer->ask_ns = now_ns + TIMEOUT_MAX_NS;
	transfer->ask_shift = lesser(transfer->ask_shift + 1, ASK_SHIFT_MAX);
	send_run(transfer, now_ns, 0, 0, out);
	return true;
}

/* Nothing may be sent that would be answered. Of the last chunks, too: the answer to what goes
 * after them says which of them are lost, long before the timer. */
static bool has_to_ask(const struct wm_transfer *transfer, uint32_t blocks)
{
	return transfer->asking || blocks == 0 ||
	       (transfer->in_flight == 0 && window_now(transfer) == 0);
}

bool wm_transfer_next(struct wm_transfer *transfer, uint64_t now_ns, uint32_t budget_bytes,
		      struct wm_transfer_chunk *out)
{
	uint32_t block = 0, blocks, bytes;

	if (transfer->status != -EINPROGRESS)
		return false;
	blocks = find_run(transfer, &block);
	if (has_to_ask(transfer, blocks))
		return ask(transfer, now_ns, budget_bytes, out);
	bytes = run_bytes(transfer, block, blocks);
	if (!has_room(transfer, bytes)) {
		transfer->limited = true;
		return false;
	}
	if (bytes + WM_FRAME_HEADER_BYTES + WM_CHUNK_PREAMBLE_BYTES > budget_bytes)
		return false;
	send_run(transfer, now_ns, block, blocks, out);
	return true;
}

/* ---- what is settled ------------------------------------------------------------------------ */

static bool is_held(const struct wm_transfer *transfer, const struct wm_transfer_entry *entry)
{
	for (uint32_t i = 0; i < entry->blocks; i++) {
		uint32_t block = entry->block + i;

		if (block >= transfer->base && !has_bit(transfer->held, block))
			return false;
	}
	return true;
}

/* Its blocks are to be sent again, unless the receiver holds them. */
static void settle(struct wm_transfer *transfer, struct wm_transfer_entry *entry,
		   enum entry_state state)
{
	entry->state = (uint8_t)state;
	block_bits(transfer, entry, false);
	if (!is_held(transfer, entry) && entry->block < transfer->scan)
		transfer->scan = greater(entry->block, transfer->base);
	transfer->in_flight--;
	transfer->in_flight_bytes -= run_bytes(transfer, entry->block, entry->blocks);
}

/* Up to lost_before nothing is waited for any more. Where the receiver holds the blocks it
 * was only the ack that was lost. */
static void settle_lost(struct wm_transfer *transfer)
{
	while (is_before(transfer->first, transfer->lost_before)) {
		struct wm_transfer_entry *entry = entry_of(transfer, transfer->first++);

		if (entry->state != ENTRY_IN_FLIGHT)
			continue;
		if (is_held(transfer, entry)) {
			settle(transfer, entry, ENTRY_NONE);
			continue;
		}
		settle(transfer, entry, ENTRY_LOST);
		transfer->round_losses++;
		transfer->counters.lost++;
	}
}

static void settle_answered(struct wm_transfer *transfer)
{
	while (transfer->first != transfer->next &&
	       entry_of(transfer, transfer->first)->state != ENTRY_IN_FLIGHT)
		transfer->first++;
	if (is_before(transfer->lost_before, transfer->first))
		transfer->lost_before = transfer->first;
}

static void measure_round_trip(struct wm_transfer *transfer, uint64_t rtt_ns)
{
	uint64_t wait_ns = wm_round_trip_add(&transfer->srtt_ns, &transfer->rttvar_ns, rtt_ns);

	if (wait_ns < TIMEOUT_MIN_NS)
		wait_ns = TIMEOUT_MIN_NS;
	transfer->timeout_ns = wait_ns > TIMEOUT_MAX_NS ? TIMEOUT_MAX_NS : wait_ns;
}

/* One that was declared lost in error: from now on wait as long as would have helped. */
static void accept_late(struct wm_transfer *transfer, uint32_t sequence)
{
	uint32_t distance = transfer->newest - sequence + 1;

	transfer->counters.spurious++;
	if (is_before(sequence, transfer->newest) && distance > transfer->reorder)
		transfer->reorder = lesser(distance, REORDER_MAX);
}

/* By order: `reorder` behind the newest. By time: what went a round trip and a moment before
 * it, which is what shows of the last chunks. */
static void accept_newest(struct wm_transfer *transfer, uint32_t sequence)
{
	uint64_t since_ns = entry_of(transfer, sequence)->sent_ns;

	transfer->newest = sequence;
	if (is_before(transfer->lost_before, sequence - transfer->reorder + 1))
		transfer->lost_before = sequence - transfer->reorder + 1;
	while (is_before(transfer->lost_before, sequence) &&
	       entry_of(transfer, transfer->lost_before)->sent_ns + transfer->srtt_ns + MOMENT_NS <=
		       since_ns)
		transfer->lost_before++;
}

static void accept_sequence(struct wm_transfer *transfer, uint32_t sequence, uint64_t now_ns)
{
	struct wm_transfer_entry *entry = entry_of(transfer, sequence);

	if (entry->state == ENTRY_LOST)
		accept_late(transfer, sequence);
	if (entry->state != ENTRY_NONE)
		measure_round_trip(transfer, now_ns - entry->sent_ns);
	if (entry->state == ENTRY_IN_FLIGHT) {
		settle(transfer, entry, ENTRY_NONE);
		transfer->round_answers++;
	}
	entry->state = ENTRY_NONE;
	if (is_before(transfer->newest, sequence))
		accept_newest(transfer, sequence);
}

/* ---- what the receiver has --------------------------------------------------------------------
 */

static void base_advance(struct wm_transfer *transfer, uint32_t block)
{
	while (transfer->base < block) {
		transfer->held_beyond -= has_bit(transfer->held, transfer->base);
		clear_bit(transfer->held, transfer->base);
		clear_bit(transfer->sent, transfer->base);
		transfer->base++;
	}
	if (transfer->scan < transfer->base)
		transfer->scan = transfer->base;
}

static void hold(struct wm_transfer *transfer, uint32_t block)
{
	if (block < transfer->base || block >= blocks_end(transfer) ||
	    has_bit(transfer->held, block))
		return;
	set_bit(transfer->held, block);
	transfer->held_beyond++;
}

static void take_blocks(struct wm_transfer *transfer, const struct wm_chunk_ack *ack)
{
	uint32_t first = wm_chunk_blocks(ack->received_bytes);

	base_advance(transfer, first);
	for (uint32_t i = 0; i < ack->bitmap_bytes; i++) {
		for (uint32_t byte = ack->bitmap[i]; byte != 0; byte &= byte - 1)
			hold(transfer, first + 8 * i + (uint32_t)__builtin_ctz(byte));
	}
}

static bool fits_object(const struct wm_transfer *transfer, const struct wm_chunk_ack *ack)
{
	if (ack->received_bytes > transfer->object.bytes)
		return false;
	if (ack->received_bytes % WM_CHUNK_BLOCK_BYTES != 0 &&
	    ack->received_bytes != transfer->object.bytes)
		return false;
	if (ack->bitmap_bytes > 0 &&
	    wm_chunk_blocks(ack->received_bytes) + 8 * (ack->bitmap_bytes - 1) >= transfer->blocks)
		return false;
	return ack->status != WM_CHUNK_DONE || ack->hashed_bytes == transfer->object.bytes;
}

/* The receiver has begun anew: nothing that was known of it holds, nor is anything on its way
 * to it any more that counts. */
static void forget(struct wm_transfer *transfer)
{
	memset(transfer->ring, 0, sizeof(transfer->ring));
	memset(transfer->held, 0, sizeof(transfer->held));
	memset(transfer->sent, 0, sizeof(transfer->sent));
	transfer->first = transfer->lost_before = transfer->next;
	transfer->base = transfer->scan = transfer->held_beyond = 0;
	transfer->in_flight = transfer->in_flight_bytes = 0;
	transfer->hashed_bytes = 0;
	round_begin(transfer);
}

/* Of another life counts only what answers something newer than all that was answered. */
static bool take_life(struct wm_transfer *transfer, uint32_t sequence, uint32_t life)
{
	if (transfer->alive && life == transfer->life)
		return true;
	if (transfer->alive && !is_before(transfer->newest, sequence))
		return false;
	if (transfer->alive) {
		forget(transfer);
		transfer->newest = sequence;
		transfer->counters.restarts++;
	}
	transfer->alive = true;
	transfer->life = life;
	return true;
}

static void make_progress(struct wm_transfer *transfer)
{
	transfer->since_ns = 0;
	transfer->tries = 0;
}

static void take_state(struct wm_transfer *transfer, const struct wm_chunk_ack *ack)
{
	uint32_t held = transfer->base + transfer->held_beyond;

	take_blocks(transfer, ack);
	transfer->window_bytes_theirs = ack->window_bytes;
	if (transfer->base + transfer->held_beyond > held ||
	    ack->hashed_bytes > transfer->hashed_bytes)
		make_progress(transfer);
	if (ack->hashed_bytes > transfer->hashed_bytes)
		transfer->hashed_bytes = ack->hashed_bytes;
	if (ack->status == WM_CHUNK_DONE)
		transfer->status = 0;
	else if (ack->status != 0)
		transfer->status = -(int)ack->status;
}

static bool is_remembered(const struct wm_transfer *transfer, uint32_t sequence)
{
	uint32_t age = transfer->next - sequence;
	uint64_t sent = transfer->counters.chunks + transfer->counters.questions;

	return age > 0 && age <= WM_TRANSFER_RING && age <= sent;
}

enum wm_drop wm_transfer_ack(struct wm_transfer *transfer, const struct wm_wire_header *header,
			     const uint8_t *body, size_t body_bytes, uint64_t now_ns)
{
	struct wm_chunk_ack ack;

	if (header->batch != transfer->id || header->session != transfer->session)
		return WM_DROP_BATCH;
	if (wm_chunk_ack_decode(body, body_bytes, &ack) < 0 || !fits_object(transfer, &ack))
		return WM_DROP_BODY;
	if (transfer->status != -EINPROGRESS || !is_remembered(transfer, header->sequence) ||
	    !take_life(transfer, header->sequence, ack.life)) {
		transfer->counters.stale++;
		return WM_DROP_DUPLICATE;
	}
	transfer->counters.acks++;
	transfer->answered_ns = now_ns;
	transfer->asking = false;
	take_state(transfer, &ack);
	accept_sequence(transfer, header->sequence, now_ns);
	settle_lost(transfer);
	settle_answered(transfer);
	if (!is_before(header->sequence, transfer->round_end))
		window_adapt(transfer);
	return WM_DROP_NONE;
}

/* ---- the timer ----------------------------------------------------------------------------- */

static bool is_overdue(struct wm_transfer *transfer, uint32_t sequence, uint64_t now_ns)
{
	return now_ns - entry_of(transfer, sequence)->sent_ns >= transfer->timeout_ns;
}

/* Who answered at first and then no more is gone, too. */
static int give_up_reason(const struct wm_transfer *transfer, uint64_t now_ns)
{
	if (now_ns - transfer->answered_ns >= transfer->silence_ns / 2)
		return -ETIMEDOUT;
	if (has_everything(transfer))
		return -ETIME;
	return transfer->window_bytes_theirs == 0 ? -ENOBUFS : -EMSGSIZE;
}

static bool is_given_up(const struct wm_transfer *transfer, uint64_t now_ns)
{
	return transfer->since_ns != 0 && transfer->tries >= WM_TRANSFER_TRIES &&
	       now_ns - transfer->since_ns >= transfer->silence_ns;
}

/* Nothing that is on its way is answered: begin again with a question. */
static void fall_silent(struct wm_transfer *transfer, uint64_t now_ns)
{
	transfer->lost_before = transfer->next;
	settle_lost(transfer);
	if (transfer->asking)
		return;
	transfer->counters.timeouts++;
	transfer->asking = true;
	transfer->ask_ns = now_ns;
	transfer->ask_shift = 0;
	transfer->slow_start = true;
	window_set(transfer, 0);
	round_begin(transfer);
}

void wm_transfer_expire(struct wm_transfer *transfer, uint64_t now_ns)
{
	if (transfer->status != -EINPROGRESS)
		return;
	if (is_given_up(transfer, now_ns)) {
		transfer->status = give_up_reason(transfer, now_ns);
		return;
	}
	settle_answered(transfer);
	if (transfer->in_flight == 0 || !is_overdue(transfer, transfer->first, now_ns))
		return;
	if (!is_before(transfer->first, transfer->newest)) {
		fall_silent(transfer, now_ns);
		return;
	}
	/* One that answers what was sent later is not silent. */
	while (is_before(transfer->lost_before, transfer->newest) &&
	       is_overdue(transfer, transfer->lost_before, now_ns))
		transfer->lost_before++;
	settle_lost(transfer);
}

/* ---- begin and end ----------------------------------------------------------------------------
 */

int wm_transfer_resize(struct wm_transfer *transfer, uint32_t body_bytes_max)
{
	uint32_t data_bytes = wm_chunk_data_bytes(lesser(body_bytes_max, UINT16_MAX));

	if (data_bytes == 0)
		return -EMSGSIZE;
	transfer->data_bytes_max = data_bytes;
	return 0;
}

int wm_transfer_init(struct wm_transfer *transfer, const struct wm_transfer_config *config)
{
	uint32_t window = config->window_bytes_max;

	if (config->object.bytes > WM_OBJECT_BYTES_MAX)
		return -EFBIG;
	memset(transfer, 0, sizeof(*transfer));
	if (wm_transfer_resize(transfer, config->body_bytes_max) < 0)
		return -EMSGSIZE;
	transfer->object = config->object;
	transfer->session = config->session;
	transfer->id = wm_object_transfer_id(&config->object, config->session);
	transfer->status = -EINPROGRESS;
	transfer->first = transfer->next = transfer->lost_before = config->seed;
	transfer->newest = config->seed - 1;
	transfer->reorder = REORDER_FIRST;
	transfer->blocks = wm_chunk_blocks(config->object.bytes);
	if (window == 0 || window > WM_TRANSFER_WINDOW_BYTES_MAX)
		window = WM_TRANSFER_WINDOW_BYTES_MAX;
	transfer->window_bytes_max = window;
	window_set(transfer, WINDOW_FIRST * transfer->data_bytes_max);
	transfer->slow_start = true;
	transfer->timeout_ns = TIMEOUT_FIRST_NS;
	transfer->asking = true;
	transfer->silence_ns = config->silence_ns ? config->silence_ns : WM_TRANSFER_SILENCE_NS;
	round_begin(transfer);
	return 0;
}

int wm_transfer_status(const struct wm_transfer *transfer)
{
	return transfer->status;
}

uint64_t wm_transfer_received_bytes(const struct wm_transfer *transfer)
{
	return wm_chunk_block_offset(transfer->object.bytes, transfer->base);
}

const char *wm_transfer_reason(int status)
{
	switch (status) {
	case 0:
		return "complete";
	case -EINPROGRESS:
		return "goes on";
	case -ETIMEDOUT:
		return "no answer to any chunk: is the receiver gone?";
	case -EMSGSIZE:
		return "small frames are answered and chunks are not: a smaller MTU on the way?";
	case -ENOBUFS:
		return "the receiver has had no room for a chunk all the time";
	case -ETIME:
		return "the receiver has it all and does not get on with checking it";
	case -EBADMSG:
		return "what arrived has not the object's hash: did the object change meanwhile?";
	case -ENOENT:
		return "the receiver does not expect this object";
	case -ENOMEM:
	case -ENOSPC:
		return "the receiver has no memory for this object";
	default:
		return "the receiver refuses it";
	}
}

/* ---- beside batches ----------------------------------------------------------------------------
 */

void wm_transfer_share_add(struct wm_transfer_share *share, uint64_t batch_bytes,
			   uint64_t elapsed_ns)
{
	if (batch_bytes > SHARE_MAX)
		batch_bytes = SHARE_MAX;
	if (elapsed_ns > SHARE_MAX)
		elapsed_ns = SHARE_MAX;
	share->credit += batch_bytes * SHARE_BATCH_BYTE + elapsed_ns;
	if (share->credit > SHARE_MAX)
		share->credit = SHARE_MAX;
}

uint32_t wm_transfer_share_budget(const struct wm_transfer_share *share)
{
	return (uint32_t)(share->credit / 1000);
}

void wm_transfer_share_take(struct wm_transfer_share *share, uint32_t wire_bytes)
{
	uint64_t taken = (uint64_t)wire_bytes * 1000;

	share->credit = share->credit > taken ? share->credit - taken : 0;
}
