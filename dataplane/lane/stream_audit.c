/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_audit.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "stream_lanes.h"
#include "stream_slot.h"

/* ---- results that are held for a third opinion --------------------------------- */

static struct dispute *find_dispute(struct stream_job *job, uint64_t token)
{
	for (uint32_t i = 0; i < job->dispute_count; i++) {
		if (job->disputes[i].token == token)
			return &job->disputes[i];
	}
	return NULL;
}

/* Forgets a dispute; its frame is the caller's. */
static struct kept take_dispute(struct stream_job *job, uint64_t token)
{
	struct dispute *dispute = find_dispute(job, token);
	struct kept second = { 0 };

	if (!dispute)
		return second;
	second = dispute->second;
	*dispute = job->disputes[--job->dispute_count];
	return second;
}

static void drop_dispute(struct wm_stream *stream, struct stream_job *job, uint64_t token)
{
	stream_free(stream, take_dispute(job, token).frame);
}

void stream_audit_clear(struct wm_stream *stream, struct stream_job *job)
{
	while (job->dispute_count > 0)
		stream_free(stream, job->disputes[--job->dispute_count].second.frame);
}

/* ---- comparing -------------------------------------------------------------------- */

static enum wm_opinion compare(struct wm_stream *stream, struct stream_job *job,
			       const struct wm_ledger_batch *batch, const struct kept *result)
{
	uint32_t bytes = wm_frame_result_bytes(&job->lane->layout.kernel, batch->count);
	struct dispute *dispute = find_dispute(job, batch->token);

	if (memcmp(stream_kept(stream, batch), result->payload, bytes) == 0)
		return WM_OPINION_FIRST;
	if (dispute && memcmp(dispute->second.payload, result->payload, bytes) == 0)
		return WM_OPINION_SECOND;
	return WM_OPINION_NEITHER;
}

/* The one that was held second is right: it takes the first one's place. */
static void prefer_second(struct wm_stream *stream, struct stream_job *job,
			  const struct wm_ledger_batch *batch)
{
	struct kept second = take_dispute(job, batch->token);

	stream_forget(stream, batch);
	stream_keep(stream, job, &second, batch);
}

static void hold_second(struct stream_job *job, const struct kept *result, uint64_t token)
{
	assert(job->dispute_count < WM_DISPATCH_DISPUTES_MAX); /* dispatch sees to it */
	job->disputes[job->dispute_count++] = (struct dispute){ token, *result };
}

bool stream_audit(struct wm_stream *stream, struct stream_job *job, const struct kept *result,
		  uint32_t node, struct wm_dispatch_receipt *receipt)
{
	const struct wm_ledger_batch *batch = &receipt->batch;
	enum wm_opinion opinion = compare(stream, job, batch, result);
	enum wm_ledger_verdict verdict =
		wm_dispatch_opinion(stream->dispatch, node, opinion, receipt);

	if (verdict == WM_LEDGER_HELD) {
		hold_second(job, result, batch->token);
		return false;
	}
	if (verdict == WM_LEDGER_NEW && opinion == WM_OPINION_SECOND)
		prefer_second(stream, job, batch);
	else
		drop_dispute(stream, job, batch->token);
	stream_free(stream, result->frame);
	/* No two of three agree, so nobody knows which node to trust. */
	if (verdict == WM_LEDGER_UNKNOWN)
		stream_stop(stream, job,
			    &(struct wm_lane_ending){ .result = -EILSEQ,
						      .failed_op = WM_LANE_FAILED_AUDIT,
						      .batch = batch->batch });
	return verdict == WM_LEDGER_NEW;
}

/* ---- a node that computes wrong ------------------------------------------------------ */

static void invalidate_open(struct wm_stream *stream, struct stream_job *job, uint32_t node)
{
	struct wm_ledger_batch batch;
	uint32_t cursor = 0;

	while (wm_dispatch_invalidate_next(stream->dispatch, node, &cursor, &batch)) {
		stream_forget(stream, &batch);
		drop_dispute(stream, job, batch.token);
	}
}

/* Extents that are open keep its bit: it may be another node's as well. */
static void invalidate_writing(struct wm_stream *stream, struct stream_job *job, uint64_t bit)
{
	for (uint32_t i = 0; i < stream->config.dispatch.extents_max; i++) {
		struct stream_slot *slot = &stream->slots[i];

		if (slot->job == job && slot->state == SLOT_WRITING && slot->nodes & bit)
			slot->is_invalid = true;
	}
}

void stream_invalidate_node(struct wm_stream *stream, struct stream_job *job, uint32_t node,
			    uint64_t bit)
{
	/* Nothing more of it is taken, whatever the control thread does. It may have left
	 * since: what it did before is wrong nevertheless. */
	stream->nodes[node].session = 0;
	wm_dispatch_node_remove(stream->dispatch, node);
	invalidate_open(stream, job, node);
	invalidate_writing(stream, job, bit);
}

void stream_quarantine(struct wm_stream *stream, struct stream_job *job, uint32_t node,
		       uint64_t batch)
{
	uint64_t bit = wm_journal_node_bit(stream->nodes[node].mac);
	struct wm_lane_event event = {
		.op = WM_LANE_NODE_WRONG,
		.job = job->lane->id,
		.node_wrong = { .node = node, .batch = batch },
	};

	stream_invalidate_node(stream, job, node, bit);
	/* What is durable already is found through the journal, by the control
	 * thread; until that is done the job does not end. */
	stream_send_wrong(stream, job, node, bit);
	stream->config.calls.raise(stream->config.context, &event);
}
