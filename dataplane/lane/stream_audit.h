/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Doubts: results compared, nodes that compute wrong, what is invalid then. Owns the
 * disputes: the frames of results that wait for a third opinion.
 */
#ifndef WM_STREAM_AUDIT_H
#define WM_STREAM_AUDIT_H

#include "stream_state.h"

/* Compares a result with the one kept. Takes the frame over. True: the batch is done. */
bool stream_audit(struct wm_stream *stream, struct stream_job *job, const struct kept *result,
		  uint32_t node, struct wm_dispatch_receipt *receipt);
/* The node computed this batch wrong: nothing of it is taken any more, and what
 * rests on it is invalid. */
void stream_quarantine(struct wm_stream *stream, struct stream_job *job, uint32_t node,
		       uint64_t batch);
/* Likewise; but it was found out before, or elsewhere. */
void stream_invalidate_node(struct wm_stream *stream, struct stream_job *job, uint32_t node,
			    uint64_t bit);
void stream_audit_clear(struct wm_stream *stream, struct stream_job *job);

#endif
