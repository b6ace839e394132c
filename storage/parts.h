/* SPDX-License-Identifier: BSD-3-Clause */
/* The pieces of memory that an extent is written from. Pure. */
#ifndef WM_PARTS_H
#define WM_PARTS_H

#include "wiremill/limits.h"
#include "wiremill/store.h"

/* One part a batch, and one of them cut where the tail begins. */
#define WM_PARTS_MAX (WM_EXTENT_BATCHES_MAX + 1)

uint32_t wm_parts_bytes(const struct iovec *parts, uint32_t count);
/* Do they lie well in memory, and all but the last of the output in the file, too? */
bool wm_parts_fit(const struct wm_sink *sink, const struct wm_span *span, const struct iovec *parts,
		  uint32_t count);
/* Bytes of the extent that go the direct way, or the only way. */
uint32_t wm_parts_head_bytes(const struct wm_sink *sink, const struct wm_span *span);
/* Copies the array, cutting the part that the tail begins in; *tail_first: the first of the
 * tail. Returns how many there are, WM_PARTS_MAX at most. */
uint32_t wm_parts_cut(struct iovec *to, uint32_t *tail_first, const struct iovec *parts,
		      uint32_t count, size_t head);

#endif
