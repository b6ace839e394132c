/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A transfer: the sender's side of bringing one object to one other station. receiver.h is
 * the other side, object.h says what an object is, wiremill/wire.h draws the frames.
 *
 *    sender                                              receiver
 *      |  (a control message names hash and bytes; whoever wants it takes memory)
 *      |  CHUNK without data: what have you?               |
 *      | ------------------------------------------------> |
 *      |          CHUNK_ACK: all before X, and these blocks |
 *      | <------------------------------------------------ |
 *      |  CHUNK, CHUNK, CHUNK of what is missing            |
 *      | ------------------------------------------------> |  an ack for each
 *      |                              ...                  |
 *      |          CHUNK_ACK: done, the whole has its hash   |
 *      | <------------------------------------------------ |
 *
 * Blocks. An object is a row of blocks of WM_CHUNK_BLOCK_BYTES; a chunk is a run of them, as
 * long as fits. What is held and what is in flight is known for each block of the window, so
 * that chunks may change their size in the middle:
 *
 *      held ......   in flight, held, to send, lost ......   not yet
 *   ---+----+----+----+----+----+----+----+----+----+----+----+----> blocks
 *                     ^base                          ^base + WM_TRANSFER_BLOCKS
 *
 * What comes first and is neither held nor in flight is sent next: what is lost goes before
 * what is new, by itself.
 *
 * Every ack tells all that the receiver has from its first gap on, as far as the window goes.
 * So a lost ack costs nothing; and a sender that begins, whoever sent what is there, asks first
 * and sends the rest. An ack of another `life` says that the receiver has begun anew: then
 * only that counts, and all else goes again.
 *
 * Loss, round trip and timer are as in flow.h: each chunk has a sequence of its own, sent once;
 * one that is `reorder` or more behind the newest answered is lost, the distance grows where
 * that was wrong, and a timer is the backstop. When it fires, nothing but questions are sent
 * until one is answered, each after twice the time of the one before, up to 1 s.
 *
 * Window. In bytes: additive increase by a chunk a round trip, doubled at first, decrease by an
 * eighth after a round with a loss and a quarter after one that lost more than an eighth
 * (Chiu and Jain, 1989), never more than the receiver says, or the bitmap tells of.
 *
 * Yielding. The caller asks for the next chunk, with a budget: the bytes on the wire that it
 * may have now. While no job runs that is UINT32_MAX, and the window decides. While one runs,
 * batches go first and a transfer gets what struct wm_transfer_share says: an eighth of what
 * the batches to that port took since the last time, and no less than 1 MB/s, since a job may
 * be waiting for just this object. One share for all transfers through a port:
 *
 *     wm_transfer_share_add(&share, batch_bytes, elapsed_ns);
 *     while (wm_transfer_next(transfer, now_ns, wm_transfer_share_budget(&share), &chunk)) {
 *             ...send it...
 *             wm_transfer_share_take(&share, chunk.wire_bytes);
 *     }
 *
 * Giving up. With neither progress nor an end for `silence_ns` and at least
 * WM_TRANSFER_TRIES sendings: see wm_transfer_status.
 *
 * Pure: no clock, no I/O, no allocation; one thread. The object's bytes stay with the caller,
 * who is told which of them go. next and ack look at 8 KiB at most, however large the object.
 */
#ifndef WM_TRANSFER_H
#define WM_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "chunk.h"
#include "frame.h"
#include "object.h"

/* Blocks of a window: as many as an ack has bits for, 512 KiB: 4 Gb/s at 1 ms. */
#define WM_TRANSFER_BLOCKS (8u * WM_CHUNK_BITMAP_BYTES_MAX)
#define WM_TRANSFER_WINDOW_BYTES_MAX (WM_TRANSFER_BLOCKS * WM_CHUNK_BLOCK_BYTES)
/* Sendings remembered; half of them may be in flight, so that late acks are known. */
#define WM_TRANSFER_RING 1024u
/* How long without progress until it gives up, unless told otherwise: twice what membership
 * waits for a node, so that it is the session that ends first. */
#define WM_TRANSFER_SILENCE_NS 10000000000ull
#define WM_TRANSFER_TRIES 4u

struct wm_transfer_config {
	struct wm_object object;
	uint32_t session;
	uint32_t seed;		   /* first sequence; random, so that old acks do not fit */
	uint32_t body_bytes_max;   /* of a CHUNK on the way to this receiver; one block at least */
	uint32_t window_bytes_max; /* 0: WM_TRANSFER_WINDOW_BYTES_MAX */
	uint64_t silence_ns;	   /* 0: WM_TRANSFER_SILENCE_NS */
};

/* What is to be sent: header (without version, count and CRC: wm_frame_encode_control), body
 * (wm_chunk_encode, where chunk.data is the caller's to set), and what it takes of the budget. */
struct wm_transfer_chunk {
	struct wm_wire_header header;
	struct wm_chunk chunk;
	uint32_t wire_bytes;
};

struct wm_transfer_entry {
	uint64_t sent_ns;
	uint32_t block;
	uint16_t blocks; /* 0: a question */
	uint8_t state;
};

struct wm_transfer_counters {
	uint64_t chunks, data_bytes; /* sent; what is beyond the object's bytes was sent again */
	uint64_t questions;
	uint64_t acks, lost, spurious, timeouts;
	uint64_t stale;	   /* acks of a sequence or a life that is over */
	uint64_t restarts; /* times the receiver had begun anew */
};

struct wm_transfer {
	struct wm_object object;
	uint64_t id;
	uint32_t session;
	int status;
	struct wm_transfer_entry ring[WM_TRANSFER_RING];
	uint32_t first;	      /* oldest sequence not settled */
	uint32_t next;	      /* sequence of the next chunk */
	uint32_t newest;      /* newest answered */
	uint32_t lost_before; /* sequences before this are lost if not answered */
	uint32_t reorder;

	/* blocks, by number modulo WM_TRANSFER_BLOCKS */
	uint64_t held[WM_TRANSFER_BLOCKS / 64], sent[WM_TRANSFER_BLOCKS / 64];
	uint32_t blocks; /* of the object */
	uint32_t base;	 /* all before it are held */
	uint32_t scan;	 /* none before it is to be sent */
	uint32_t held_beyond;
	uint64_t hashed_bytes;
	uint32_t life;
	bool alive; /* life is known */

	uint32_t data_bytes_max;
	uint32_t window_bytes, window_bytes_max, window_bytes_theirs;
	uint32_t in_flight_bytes, in_flight;
	bool slow_start, limited;
	uint32_t round_end, round_answers, round_losses;

	uint64_t srtt_ns, rttvar_ns, timeout_ns;
	bool asking;	 /* nothing but questions until one is answered */
	uint64_t ask_ns; /* when the next may go */
	uint32_t ask_shift;

	uint64_t silence_ns,
		since_ns;     /* since_ns: first sending after the last progress; 0: none */
	uint32_t tries;	      /* sendings since then */
	uint64_t answered_ns; /* the last ack */
	struct wm_transfer_counters counters;
};

/* 0; -EFBIG: the object is larger than WM_OBJECT_BYTES_MAX; -EMSGSIZE: body_bytes_max has no
 * room for a block. */
int wm_transfer_init(struct wm_transfer *transfer, const struct wm_transfer_config *config);
/* What reaches the receiver has changed: chunks have another size from now on. -EMSGSIZE: as
 * above, and nothing changes. */
int wm_transfer_resize(struct wm_transfer *transfer, uint32_t body_bytes_max);

/* The next chunk that may be sent now, if there is one within the budget; it counts as sent. */
bool wm_transfer_next(struct wm_transfer *transfer, uint64_t now_ns, uint32_t budget_bytes,
		      struct wm_transfer_chunk *out);
/* A CHUNK_ACK whose frame was good, its body without the trailer. WM_DROP_NONE: taken;
 * WM_DROP_BATCH: of another transfer; WM_DROP_BODY: it makes no sense; WM_DROP_DUPLICATE: it
 * answers nothing that is still known. */
enum wm_drop wm_transfer_ack(struct wm_transfer *transfer, const struct wm_wire_header *header,
			     const uint8_t *body, size_t body_bytes, uint64_t now_ns);
/* The backstop; to be called every few milliseconds, after all acks that arrived. */
void wm_transfer_expire(struct wm_transfer *transfer, uint64_t now_ns);

/* -EINPROGRESS; 0: the receiver has it, and has verified it; else it is over:
 *   -ETIMEDOUT  nothing is answered, for half of silence_ns at least
 *   -EMSGSIZE   questions are answered, and no chunk with data arrives: too large on the way?
 *   -ENOBUFS    the receiver says that it has no room, all the time
 *   -ETIME      it has everything, and does not get on with checking it
 *   -EBADMSG    what it has is not the object, by its hash
 *   or what the receiver says: -ENOENT: it does not expect this object; ... */
int wm_transfer_status(const struct wm_transfer *transfer);
/* A line for a person: why it is over. */
const char *wm_transfer_reason(int status);
/* What the receiver has from the start on. */
uint64_t wm_transfer_received_bytes(const struct wm_transfer *transfer);

/* ---- beside batches ------------------------------------------------------------- */

struct wm_transfer_share {
	uint64_t credit; /* thousandths of a byte, of 32 KiB at most */
};

/* Bytes on the wire that batches took, and the time that passed, since the last time. */
void wm_transfer_share_add(struct wm_transfer_share *share, uint64_t batch_bytes,
			   uint64_t elapsed_ns);
uint32_t wm_transfer_share_budget(const struct wm_transfer_share *share);
void wm_transfer_share_take(struct wm_transfer_share *share, uint32_t wire_bytes);

#endif
