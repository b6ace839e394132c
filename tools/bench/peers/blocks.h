/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of a peer: an input of 32-byte vectors, the XOR of each with the next
 * as its output. Both pass in blocks of 1 MiB, by io_uring and O_DIRECT, a few
 * dozen at once, so that a peer's figures are those of its network:
 *
 *   read ──▶ wm_blocks_take ──▶ (the peer fills block->out) ──▶ wm_blocks_give ──▶ written
 *
 * One thread. Errors: 0 or a negative errno; wm_error says what is wrong with a file.
 */
#ifndef WM_PEER_BLOCKS_H
#define WM_PEER_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"

#define WM_VECTOR_BYTES 32u
#define WM_BLOCK_BYTES (1024u * 1024u)
#define WM_BLOCK_VECTORS (WM_BLOCK_BYTES / WM_VECTOR_BYTES)
/* 64 MiB in and out: what reading ahead and writing behind need at 1 GB/s. */
#define WM_BLOCKS_MAX 32u

struct wm_block {
	uint64_t number; /* in the file */
	uint32_t slot;	 /* of WM_BLOCKS_MAX */
	uint32_t vectors;
	const uint8_t *in; /* vectors + 1 of them */
	uint8_t *out;
};

struct wm_blocks;

/* The input is a file of at least two vectors, and of whole ones; the output is made
 * anew. */
int wm_blocks_open(struct wm_blocks **blocks, const char *input, const char *output,
		   struct wm_error *error);
/* What has been read, NULL: nothing now. It is the caller's until it is given back. */
struct wm_block *wm_blocks_take(struct wm_blocks *blocks);
/* All of its output is there. */
void wm_blocks_give(struct wm_blocks *blocks, struct wm_block *block);
/* Looks at what the disk has done; to be called often. True: something has changed.
 * A negative errno: the disk failed. */
int wm_blocks_step(struct wm_blocks *blocks);
/* Becomes readable when step has something to do. */
int wm_blocks_fd(const struct wm_blocks *blocks);
/* All is written. */
bool wm_blocks_are_done(const struct wm_blocks *blocks);
uint64_t wm_blocks_input_bytes(const struct wm_blocks *blocks);
/* Blocks in the file. */
uint64_t wm_blocks_count(const struct wm_blocks *blocks);
/* Cuts the output to its size and makes it durable. */
int wm_blocks_finish(struct wm_blocks *blocks);
void wm_blocks_close(struct wm_blocks **blocks);

#endif
