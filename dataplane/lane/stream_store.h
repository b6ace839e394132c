/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extents to and from the disk: what is read ahead, written and journalled, and what
 * follows when that has ended. Owns readahead, and when a slot's state changes by I/O.
 */
#ifndef WM_STREAM_STORE_H
#define WM_STREAM_STORE_H

#include "stream_state.h"

/* Asks for as many extents as readahead.h says, into slots that are free. */
void stream_read_ahead(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns);
void stream_read_done(struct wm_stream *stream, struct stream_job *job, uint64_t extent,
		      uint64_t now_ns);

/* All results of the slot are there. */
void stream_write_extent(struct wm_stream *stream, struct stream_slot *slot);
void stream_write_done(struct wm_stream *stream, struct stream_job *job, uint64_t extent,
		       uint64_t now_ns);

/* The leader's. One fdatasync and one append for a group of extents. */
void stream_journal(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns);
void stream_journal_done(struct wm_stream *stream, struct stream_job *job);

#endif
