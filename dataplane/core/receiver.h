/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receiver's side of a transfer (transfer.h): takes the chunks of one object, in any order
 * and of any size, and says what it has.
 *
 *      hashed .......   received ....    beyond: some blocks are here
 *   ---+----+----+----+----+----+----+----+----+----+----+----> object
 *                     ^hashed        ^first block that is missing
 *
 * Who wants an object knows its hash and its bytes from a message that it trusts, takes memory
 * for it, and only then takes chunks: nothing from the wire decides how much that is. A chunk
 * is of this object if its transfer id is; one of another is counted and dropped, and whoever
 * sends it is told that it is not expected (wm_receiver_refuse).
 *
 * A block that is here is never written again: what was hashed is what stays. When all are
 * here and hashed, the object is compared with its name; it is complete only if it has it. If
 * not, the receiver keeps to that (-EBADMSG) until it is begun anew, by wm_receiver_init.
 *
 * Hashing goes along with what is received, in steps of the caller's: wm_receiver_hash after
 * each round of frames, with as many bytes as the thread may take (64 KiB are about 100 us).
 *
 * A new session, or a sender that starts again: wm_receiver_resume, and what is here counts.
 *
 * Memory is the caller's: the object's bytes, and a bit for each block. Pure: no clock, no I/O,
 * no allocation; one thread. A chunk costs as much as it has bytes, an ack 512 bytes.
 */
#ifndef WM_RECEIVER_H
#define WM_RECEIVER_H

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>

#include "chunk.h"
#include "frame.h"
#include "object.h"

/* Words of the bitmap of an object of so many bytes; one more than none. */
#define WM_RECEIVER_WORDS(object_bytes) ((object_bytes) / (WM_CHUNK_BLOCK_BYTES * 64u) + 1)

struct wm_receiver_config {
	struct wm_object object;
	uint32_t session;
	uint32_t life;	       /* of this memory for this object: random, or counted */
	uint32_t window_bytes; /* what may be on its way here at once: receive rings */
	uint8_t *memory;       /* object.bytes */
	uint64_t *bitmap;      /* WM_RECEIVER_WORDS(object.bytes) */
};

struct wm_receiver_counters {
	uint64_t chunks, questions;
	uint64_t duplicates; /* chunks of which everything was here */
	uint64_t foreign;    /* of another object, or another session */
	uint64_t malformed;  /* bodies that make no sense */
};

/* Aligned to 64 bytes, as its hash is: static, or by aligned_alloc. */
struct wm_receiver {
	crypto_generichash_state hash;
	struct wm_receiver_config config;
	uint64_t id;
	uint32_t blocks;   /* of the object */
	uint32_t received; /* blocks from the start that are here */
	uint32_t beyond;   /* first block of which no later one is here */
	uint64_t hashed_bytes;
	uint32_t sequence; /* of the last chunk taken: what an ack echoes */
	int status;
	struct wm_receiver_counters counters;
};

/* Empty. 0, or -EFBIG: the object is larger than WM_OBJECT_BYTES_MAX. */
int wm_receiver_init(struct wm_receiver *receiver, const struct wm_receiver_config *config);
/* The same object goes on in another session; what is here stays. */
void wm_receiver_resume(struct wm_receiver *receiver, uint32_t session);

/* A CHUNK whose frame was good, its body without the trailer. WM_DROP_NONE: taken, or known
 * already: an ack is due. WM_DROP_BATCH: of another object. WM_DROP_BODY: it makes no sense. */
enum wm_drop wm_receiver_take(struct wm_receiver *receiver, const struct wm_wire_header *header,
			      const uint8_t *body, size_t body_bytes);
/* Hashes up to so many bytes of what came. True: the status has changed, an ack is due. */
bool wm_receiver_hash(struct wm_receiver *receiver, uint64_t bytes_max);
/* Whether there is something to hash. */
bool wm_receiver_has_work(const struct wm_receiver *receiver);

/* -EINPROGRESS; 0: complete, and verified; -EBADMSG: all came, and it is not the object. */
int wm_receiver_status(const struct wm_receiver *receiver);
uint64_t wm_receiver_received_bytes(const struct wm_receiver *receiver);

/* The ack that is due: header (without version, count and CRC) and what its body says. */
void wm_receiver_ack(const struct wm_receiver *receiver, struct wm_wire_header *header,
		     struct wm_chunk_ack *ack);
/* The ack to a chunk that nobody here takes: -ENOENT: not expected; -ENOSPC, -ENOMEM: it is,
 * and there is no room for it; ... */
void wm_receiver_refuse(const struct wm_wire_header *chunk, int error,
			struct wm_wire_header *header, struct wm_chunk_ack *ack);

#endif
