/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What arrives: a result checked and taken, to be kept or compared, and what has to be
 * done about it then. Owns no state of its own.
 */
#ifndef WM_STREAM_RESULT_H
#define WM_STREAM_RESULT_H

#include "frame.h"
#include "stream_state.h"

/* In two registers. */
struct stream_outcome {
	enum wm_drop drop;	      /* why it was of no use, if it was not */
	uint32_t wrong_node;	      /* that computed its batch wrong; or WM_LEDGER_NOBODY */
	struct stream_slot *complete; /* it was its extent's last: to be written; or NULL */
};

/* As wm_stream_result, of that job; NULL: of none that runs. Takes the frame over. */
struct stream_outcome stream_result_take(struct wm_stream *stream, struct stream_job *job,
					 void *frame, const struct wm_wire_header *header,
					 uint32_t frame_bytes, uint64_t now_ns);

#endif
