/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_result.h"

#include <errno.h>

#include "stream_audit.h"
#include "stream_lanes.h"
#include "stream_slot.h"

/* Nodes that may fail at a batch before the job does: one that fails again and again is
 * one opinion, and the job waits for others. */
#define FAILED_NODES_MAX 3u

/* ---- checked --------------------------------------------------------------------- */

/* The one that has this session, or NULL. */
static const struct stream_node *node_of(const struct wm_stream *stream, uint32_t session)
{
	uint32_t index = session & WM_SESSION_NODE_MASK;
	const struct stream_node *node = &stream->nodes[index];

	if (session == 0 || index >= stream->config.dispatch.nodes_max || node->session != session)
		return NULL;
	return node;
}

/* Everything about a RESULT that does not need the ledger. */
static enum wm_drop check_result(const struct wm_stream *stream, const struct stream_job *job,
				 const struct wm_wire_header *header, uint32_t frame_bytes)
{
	uint32_t tag_bytes = stream->config.auth == WM_WIRE_AEAD ? WM_WIRE_TAG_BYTES : 0;
	const uint8_t *payload = (const uint8_t *)(header + 1);
	const struct wm_layout *layout;
	const struct stream_node *node;
	struct wm_tag_payload sealed;
	enum wm_drop drop;
	uint32_t bytes;

	if (!job)
		return WM_DROP_JOB;
	layout = &job->lane->layout;
	if (header->count > layout->batch_elements)
		return WM_DROP_LENGTH;
	bytes = wm_frame_result_bytes(&layout->kernel, header->count);
	if (wm_frame_check_length(frame_bytes, bytes + tag_bytes) != WM_DROP_NONE)
		return WM_DROP_LENGTH;
	/* The key is the session's. */
	node = node_of(stream, header->session);
	if (!node)
		return WM_DROP_SESSION;
	sealed = (struct wm_tag_payload){ { { (void *)(uintptr_t)payload, bytes } }, 1 };
	drop = wm_tag_check(header, &sealed, stream_key(stream, node), payload + bytes);
	if (drop != WM_DROP_NONE)
		return drop;
	return header->batch < layout->batches ? WM_DROP_NONE : WM_DROP_BATCH;
}

/* What a frame of header h and payload p has is join(h, p), and h is short: p follows.
 * With a tag behind it, it is taken anew. */
static uint32_t payload_crc(const struct wm_stream *stream, const struct stream_job *job,
			    const struct wm_wire_header *header)
{
	const struct wm_layout *layout = &job->lane->layout;

	if (header->count != layout->batch_elements)
		return 0; /* wanted of full batches only */
	if (stream->config.auth == WM_WIRE_AEAD)
		return wm_crc32c(0, header + 1,
				 wm_frame_result_bytes(&layout->kernel, header->count));
	return wm_crc32c_join(&job->batch_shift, wm_frame_crc(header), header->crc32c);
}

/* Count 0: the node could not. Another may; three that cannot are no accident. */
static enum wm_drop take_failure(struct wm_stream *stream, struct stream_job *job,
				 const struct wm_wire_header *header, uint32_t node,
				 uint64_t now_ns)
{
	struct wm_dispatch_receipt receipt;

	if (wm_dispatch_failed(stream->dispatch, node, header->batch, header->sequence, now_ns,
			       &receipt) >= FAILED_NODES_MAX)
		stream_stop(stream, job,
			    &(struct wm_lane_ending){ .result = -EILSEQ,
						      .failed_op = WM_LANE_FAILED_COMPUTE,
						      .batch = header->batch });
	return WM_DROP_FAILED;
}

/* Can this be the result? Only a batch that is open has its input at hand. */
static enum wm_drop check_content(const struct wm_stream *stream, const struct stream_job *job,
				  const struct wm_wire_header *header, uint32_t node)
{
	const struct wm_layout *layout = &job->lane->layout;
	struct wm_ledger_batch expected;
	const uint8_t *input;

	if (!wm_dispatch_expect(stream->dispatch, node, header->batch, header->sequence, &expected))
		return WM_DROP_NONE; /* the ledger will say what it is */
	if (expected.count != header->count)
		return WM_DROP_BATCH;
	input = stream->slots[expected.slot].input +
		(size_t)expected.place * layout->batch_elements * layout->kernel.in_bytes;
	if (!job->invariant || job->invariant(input, (const uint8_t *)(header + 1), header->count))
		return WM_DROP_NONE;
	return WM_DROP_WRONG;
}

/* ---- taken ------------------------------------------------------------------------ */

static void batch_done(struct wm_stream *stream, struct stream_job *job,
		       const struct wm_dispatch_receipt *receipt, struct stream_outcome *outcome)
{
	job->counters.batches_done++;
	if (receipt->extent_done)
		outcome->complete = &stream->slots[receipt->batch.slot];
}

static void add_part(struct wm_stream *stream, const struct wm_ledger_batch *batch, uint32_t node)
{
	stream->slots[batch->slot].nodes |= wm_journal_node_bit(stream->nodes[node].mac);
}

static struct stream_outcome take_result(struct wm_stream *stream, struct stream_job *job,
					 const struct kept *result,
					 const struct wm_wire_header *header, uint32_t node,
					 uint64_t now_ns)
{
	struct stream_outcome outcome = { .wrong_node = WM_LEDGER_NOBODY };
	struct wm_dispatch_receipt receipt;
	enum wm_ledger_verdict verdict = wm_dispatch_result(stream->dispatch, node, header->batch,
							    header->sequence, now_ns, &receipt);

	switch (verdict) {
	case WM_LEDGER_NEW:
	case WM_LEDGER_HELD:
		add_part(stream, &receipt.batch, node);
		stream_keep(stream, job, result, &receipt.batch);
		if (verdict == WM_LEDGER_NEW)
			batch_done(stream, job, &receipt, &outcome);
		return outcome;
	case WM_LEDGER_COMPARE:
		add_part(stream, &receipt.batch, node);
		if (stream_audit(stream, job, result, node, &receipt))
			batch_done(stream, job, &receipt, &outcome);
		outcome.wrong_node = receipt.wrong_node;
		return outcome;
	case WM_LEDGER_DUPLICATE:
		outcome.drop = WM_DROP_DUPLICATE;
		break;
	case WM_LEDGER_UNKNOWN:
		outcome.drop = WM_DROP_BATCH;
		break;
	}
	stream_free(stream, result->frame);
	return outcome;
}

struct stream_outcome stream_result_take(struct wm_stream *stream, struct stream_job *job,
					 void *frame, const struct wm_wire_header *header,
					 uint32_t frame_bytes, uint64_t now_ns)
{
	struct kept result = { .frame = frame, .payload = (uint8_t *)(uintptr_t)(header + 1) };
	uint32_t node = header->session & WM_SESSION_NODE_MASK;
	enum wm_drop drop = check_result(stream, job, header, frame_bytes);

	if (drop == WM_DROP_NONE && header->count == 0)
		drop = take_failure(stream, job, header, node, now_ns);
	else if (drop == WM_DROP_NONE)
		drop = check_content(stream, job, header, node);
	if (drop == WM_DROP_NONE) {
		result.crc32c = payload_crc(stream, job, header);
		return take_result(stream, job, &result, header, node, now_ns);
	}
	stream_free(stream, frame);
	return (struct stream_outcome){
		.drop = drop,
		.wrong_node = drop == WM_DROP_WRONG ? node : WM_LEDGER_NOBODY,
	};
}
