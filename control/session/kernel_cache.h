/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel objects that a node has, by their hash, and the one that is on its way to it.
 *
 *   find ─ not here ─▶ expect ──▶ take, take, ... ──▶ whole, and its hash is right: kept
 *
 * What was not used for longest makes room (WM_KERNEL_CACHE_ENTRIES, _BYTES_MAX). What is on
 * its way stays over a session's end, and goes on in the next one. Nothing from the wire but
 * a KERNEL message of the controller decides what is expected, and how much memory that takes.
 *
 * Memory is taken as objects come; one thread. A disk that keeps them too is told of what came
 * and went (kernel_store.h).
 */
#ifndef WM_KERNEL_CACHE_H
#define WM_KERNEL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "receiver.h"
#include "wiremill/kernel_object.h"
#include "wiremill/limits.h"

struct wm_kernel_cache_entry {
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	uint8_t *bytes; /* NULL: a free entry */
	size_t bytes_count;
	uint64_t used;
};

/* Zeroed at first. */
struct wm_kernel_cache {
	struct wm_kernel_cache_entry entries[WM_KERNEL_CACHE_ENTRIES];
	uint64_t uses;
	size_t bytes_count;
	/* On its way. */
	struct wm_receiver *receiver; /* NULL: nothing was expected yet */
	uint8_t *arriving;	      /* its bytes; NULL: they are an entry's, or nobody's */
	uint64_t *bitmap;
	uint32_t life;
	/* Both may be NULL. */
	void (*kept)(void *context, const struct wm_kernel_cache_entry *entry);
	void (*dropped)(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES]);
	void *context;
};

void wm_kernel_cache_fini(struct wm_kernel_cache *cache);

/* Until the next add or take; NULL: it is not here. Aligned for wm_kernel_object_decode. */
const uint8_t *wm_kernel_cache_find(struct wm_kernel_cache *cache,
				    const uint8_t hash[WM_KERNEL_HASH_BYTES], size_t *bytes_count);
/* Bytes from malloc that have this hash, at most WM_KERNEL_OBJECT_BYTES_MAX; they are the
 * cache's then. Whoever calls tells the disk. */
void wm_kernel_cache_add(struct wm_kernel_cache *cache, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			 uint8_t *bytes, size_t bytes_count);

/* The object that comes next, in that session: a different one takes the place of what is on
 * its way. -EFBIG: larger than any object; -ENOMEM. */
int wm_kernel_cache_expect(struct wm_kernel_cache *cache, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			   uint32_t bytes_count, uint32_t session);
/* A CHUNK of that session, its body without a trailer. WM_DROP_NONE: header and ack are to be
 * sent back; else it made no sense. */
enum wm_drop wm_kernel_cache_take(struct wm_kernel_cache *cache, const struct wm_wire_header *chunk,
				  const uint8_t *body, size_t body_bytes,
				  struct wm_wire_header *header, struct wm_chunk_ack *ack);

#endif
