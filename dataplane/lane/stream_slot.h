/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slots: an extent each, from its read until it is written, and the results that are
 * kept in them until then. Owns the frames that are kept: each is freed here.
 */
#ifndef WM_STREAM_SLOT_H
#define WM_STREAM_SLOT_H

#include "stream_state.h"

/* A free slot is that extent's from now on: it is being read. */
void stream_slot_take(struct wm_stream *stream, struct stream_job *job, struct stream_slot *slot,
		      uint64_t extent, uint64_t now_ns);
/* It is no longer one of those that were read ahead. */
void stream_slot_used(struct stream_slot *slot);
/* Frees what is kept in it. Again: nothing. */
void stream_slot_release(struct wm_stream *stream, struct stream_slot *slot);
void stream_slots_release(struct wm_stream *stream, struct stream_job *job);
/* Of an extent in that state: there is one. */
struct stream_slot *stream_slot_find(struct wm_stream *stream, struct stream_job *job,
				     uint64_t extent, enum slot_state state);

/* Keeps a result until its extent is written; takes the frame over. */
void stream_keep(struct wm_stream *stream, struct stream_job *job, const struct kept *result,
		 const struct wm_ledger_batch *batch);
const uint8_t *stream_kept(const struct wm_stream *stream, const struct wm_ledger_batch *batch);
void stream_forget(struct wm_stream *stream, const struct wm_ledger_batch *batch);

/* All results are kept: in order in stream->parts; neighbours in memory become one part.
 * Returns how many. */
uint32_t stream_slot_gather(struct wm_stream *stream, const struct stream_slot *slot);
/* Of its output. */
uint32_t stream_slot_crc(const struct stream_slot *slot);

#endif
