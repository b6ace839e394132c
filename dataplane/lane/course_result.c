/* SPDX-License-Identifier: BSD-3-Clause */
/* What arrives: results checked, taken and kept. */
#include "course_private.h"

#include <errno.h>
#include <string.h>

/* Nodes that may fail at a batch before the job does: one that fails again and again is
 * one opinion, and the job waits for others. */
#define FAILED_NODES_MAX 3u

/* ---- kept until written --------------------------------------------------------- */

static struct kept *place_of(const struct wm_course *course, const struct wm_ledger_batch *batch)
{
	return &course->slots[batch->slot].kept[batch->place];
}

const uint8_t *course_kept(const struct wm_course *course, const struct wm_ledger_batch *batch)
{
	return place_of(course, batch)->payload;
}

void course_kept_free(struct wm_course *course, struct kept *kept)
{
	if (kept->frame)
		course->kept_frames--;
	course_free(course, kept->frame);
	*kept = (struct kept){ 0 };
}

void course_forget(struct wm_course *course, const struct wm_ledger_batch *batch)
{
	course_kept_free(course, place_of(course, batch));
}

/* Batches of a job may be smaller than those that the pool was made for, and so more. */
static bool can_keep(const struct wm_course *course, const uint8_t *payload)
{
	return course->kept_frames < course->config.keep_frames_max &&
	       course->keep_align_bytes > 0 && (uintptr_t)payload % course->keep_align_bytes == 0;
}

/* The frame itself stays until its extent is written, or its payload is copied to
 * where that write can take it from. */
void course_keep(struct wm_course *course, const struct kept *result,
		 const struct wm_ledger_batch *batch)
{
	const struct wm_layout *layout = &course->job->layout;
	uint32_t bytes = wm_frame_result_bytes(&layout->kernel, batch->count);
	struct kept *kept = place_of(course, batch);

	course->counters.receive_payload_bytes += bytes;
	if (can_keep(course, result->payload)) {
		*kept = *result;
		course->kept_frames++;
		return;
	}
	kept->crc32c = result->crc32c;
	kept->payload = course->slots[batch->slot].output +
			(size_t)batch->place * layout->batch_elements * layout->kernel.out_bytes;
	memcpy(kept->payload, result->payload, bytes);
	course->counters.receive_copied_bytes += bytes;
	course_free(course, result->frame);
}

/* ---- checked --------------------------------------------------------------------- */

/* The one that has this session, or NULL. */
static const struct course_node *node_of(const struct wm_course *course, uint32_t session)
{
	uint32_t index = session & WM_SESSION_NODE_MASK;
	const struct course_node *node = &course->nodes[index];

	if (session == 0 || index >= course->config.dispatch.nodes_max || node->session != session)
		return NULL;
	return node;
}

/* Everything about a RESULT that does not need the ledger. */
static enum wm_drop check_result(const struct wm_course *course,
				 const struct wm_wire_header *header, uint32_t frame_bytes)
{
	uint32_t tag_bytes = course->config.auth == WM_WIRE_AEAD ? WM_WIRE_TAG_BYTES : 0;
	const uint8_t *payload = (const uint8_t *)(header + 1);
	const struct wm_layout *layout;
	const struct course_node *node;
	struct wm_tag_payload sealed;
	enum wm_drop drop;
	uint32_t bytes;

	if (course->state != WM_COURSE_RUNNING || header->job != course->job->id)
		return WM_DROP_JOB;
	layout = &course->job->layout;
	if (header->count > layout->batch_elements)
		return WM_DROP_LENGTH;
	bytes = wm_frame_result_bytes(&layout->kernel, header->count);
	if (wm_frame_check_length(frame_bytes, bytes + tag_bytes) != WM_DROP_NONE)
		return WM_DROP_LENGTH;
	/* The key is the session's. */
	node = node_of(course, header->session);
	if (!node)
		return WM_DROP_SESSION;
	sealed = (struct wm_tag_payload){ { { (void *)(uintptr_t)payload, bytes } }, 1 };
	drop = wm_tag_check(header, &sealed, course_key(course, node), payload + bytes);
	if (drop != WM_DROP_NONE)
		return drop;
	return header->batch < layout->batches ? WM_DROP_NONE : WM_DROP_BATCH;
}

/* What a frame of header h and payload p has is join(h, p), and h is short: p follows.
 * With a tag behind it, it is taken anew. */
static uint32_t payload_crc(const struct wm_course *course, const struct wm_wire_header *header)
{
	const struct wm_layout *layout = &course->job->layout;

	if (header->count != layout->batch_elements)
		return 0; /* wanted of full batches only */
	if (course->config.auth == WM_WIRE_AEAD)
		return wm_crc32c(0, header + 1,
				 wm_frame_result_bytes(&layout->kernel, header->count));
	return wm_crc32c_join(&course->batch_shift, wm_frame_crc(header), header->crc32c);
}

/* Count 0: the node could not. Another may; three that cannot are no accident. */
static enum wm_drop take_failure(struct wm_course *course, const struct wm_wire_header *header,
				 uint32_t node, uint64_t now_ns)
{
	struct wm_dispatch_receipt receipt;

	if (wm_dispatch_failed(course->dispatch, node, header->batch, header->stamp, now_ns,
			       &receipt) >= FAILED_NODES_MAX)
		course_stop(course, -EILSEQ, WM_LANE_FAILED_COMPUTE, header->batch);
	return WM_DROP_FAILED;
}

/* Can this be the result? Only a batch that is open has its input at hand. */
static enum wm_drop check_content(struct wm_course *course, const struct wm_wire_header *header,
				  uint32_t node)
{
	const struct wm_layout *layout = &course->job->layout;
	struct wm_ledger_batch expected;
	const uint8_t *input;

	if (!wm_dispatch_expect(course->dispatch, node, header->batch, header->stamp, &expected))
		return WM_DROP_NONE; /* the ledger will say what it is */
	if (expected.count != header->count)
		return WM_DROP_BATCH;
	input = course->slots[expected.slot].input +
		(size_t)expected.place * layout->batch_elements * layout->kernel.in_bytes;
	if (!course->invariant ||
	    course->invariant(input, (const uint8_t *)(header + 1), header->count))
		return WM_DROP_NONE;
	course_quarantine(course, node, header->batch);
	return WM_DROP_WRONG;
}

/* ---- taken ------------------------------------------------------------------------ */

static void batch_done(struct wm_course *course, const struct wm_dispatch_receipt *receipt)
{
	course->job_counters.batches_done++;
	if (receipt->extent_done)
		course_write_extent(course, &course->slots[receipt->batch.slot]);
}

static void add_part(struct wm_course *course, const struct wm_ledger_batch *batch, uint32_t node)
{
	course->slots[batch->slot].nodes |= wm_journal_node_bit(course->nodes[node].mac);
}

static enum wm_drop take_result(struct wm_course *course, const struct kept *result,
				const struct wm_wire_header *header, uint32_t node, uint64_t now_ns)
{
	struct wm_dispatch_receipt receipt;
	enum wm_ledger_verdict verdict = wm_dispatch_result(course->dispatch, node, header->batch,
							    header->stamp, now_ns, &receipt);

	switch (verdict) {
	case WM_LEDGER_NEW:
	case WM_LEDGER_HELD:
		add_part(course, &receipt.batch, node);
		course_keep(course, result, &receipt.batch);
		if (verdict == WM_LEDGER_NEW)
			batch_done(course, &receipt);
		return WM_DROP_NONE;
	case WM_LEDGER_COMPARE:
		add_part(course, &receipt.batch, node);
		if (course_audit(course, result, node, &receipt))
			batch_done(course, &receipt);
		/* Only now: an extent that this batch completed is on its way to disk. */
		if (receipt.wrong_node != WM_LEDGER_NOBODY)
			course_quarantine(course, receipt.wrong_node, receipt.batch.batch);
		return WM_DROP_NONE;
	case WM_LEDGER_DUPLICATE:
		course_free(course, result->frame);
		return WM_DROP_DUPLICATE;
	case WM_LEDGER_UNKNOWN:
		break;
	}
	course_free(course, result->frame);
	return WM_DROP_BATCH;
}

enum wm_drop wm_course_result(struct wm_course *course, void *frame,
			      const struct wm_wire_header *header, uint32_t frame_bytes,
			      uint64_t now_ns)
{
	struct kept result = { .frame = frame, .payload = (uint8_t *)(uintptr_t)(header + 1) };
	uint32_t node = header->session & WM_SESSION_NODE_MASK;
	enum wm_drop drop = check_result(course, header, frame_bytes);

	if (drop == WM_DROP_NONE && header->count == 0)
		drop = take_failure(course, header, node, now_ns);
	else if (drop == WM_DROP_NONE)
		drop = check_content(course, header, node);
	if (drop == WM_DROP_NONE) {
		result.crc32c = payload_crc(course, header);
		return take_result(course, &result, header, node, now_ns);
	}
	course_free(course, frame);
	return drop;
}
