/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lanes say to each other is acted on here: the leader grants extents, stops who
 * follows and hears who was found wrong; who follows asks, and gives back what it has no
 * node for. Owns what the leader knows of its followers.
 */
#ifndef WM_STREAM_EXCHANGE_H
#define WM_STREAM_EXCHANGE_H

#include "stream_state.h"

/* Of several lanes: a round of messages; what to do about nodes that come and go. */
void stream_exchange(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns);
void stream_look_for_nodes(struct wm_stream *stream, struct stream_job *job);

#endif
