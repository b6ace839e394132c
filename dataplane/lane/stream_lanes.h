/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a stream gets its extents from, and whom it tells: the leader, which is its own in
 * lane 0, and which the other lanes follow by messages (leader.h). Owns the follower, and
 * every message that goes out.
 */
#ifndef WM_STREAM_LANES_H
#define WM_STREAM_LANES_H

#include "stream_state.h"

void stream_lanes_start(struct wm_stream *stream, struct stream_job *job);
/* An extent to make; it was not made after all; it is written. */
bool stream_extent_open(struct wm_stream *stream, struct stream_job *job, uint64_t *extent);
void stream_extent_return(struct wm_stream *stream, struct stream_job *job, uint64_t extent);
void stream_extent_written(struct wm_stream *stream, struct stream_job *job,
			   const struct wm_progress_extent *extent, uint64_t now_ns);
/* No extent is to come for now. */
bool stream_is_draining(const struct wm_stream *stream, const struct stream_job *job);

void stream_send_to_lane(struct wm_stream *stream, uint32_t lane,
			 const struct wm_leader_message *message);
void stream_send_to_leader(struct wm_stream *stream, const struct wm_leader_message *message);
/* A node computed wrong: all lanes hear of it, but the one that said so (0: none did). */
void stream_send_invalidation(struct wm_stream *stream, struct stream_job *job, uint32_t node,
			      uint64_t bit, uint32_t but_lane);
void stream_send_wrong(struct wm_stream *stream, struct stream_job *job, uint32_t node,
		       uint64_t bit);
void stream_send_ended(struct wm_stream *stream, struct stream_job *job);

/* The job ends with this as soon as no I/O is in flight. A failure is told to the leader. */
void stream_stop(struct wm_stream *stream, struct stream_job *job,
		 const struct wm_lane_ending *ending);
/* Those that follow have ended; or, of who follows: the leader has said so. */
bool stream_lanes_ended(const struct wm_stream *stream, const struct stream_job *job);

#endif
