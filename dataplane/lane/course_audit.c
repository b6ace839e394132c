/* SPDX-License-Identifier: BSD-3-Clause */
/* Doubts: results compared, nodes that compute wrong, what is invalid then. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "course_private.h"

/* ---- results that are held for a third opinion --------------------------------- */

static struct dispute *find_dispute(struct wm_course *course, uint64_t token)
{
	for (uint32_t i = 0; i < course->dispute_count; i++) {
		if (course->disputes[i].token == token)
			return &course->disputes[i];
	}
	return NULL;
}

/* Forgets a dispute; its frame is the caller's. */
static struct kept take_dispute(struct wm_course *course, uint64_t token)
{
	struct dispute *dispute = find_dispute(course, token);
	struct kept second = { 0 };

	if (!dispute)
		return second;
	second = dispute->second;
	*dispute = course->disputes[--course->dispute_count];
	return second;
}

static void drop_dispute(struct wm_course *course, uint64_t token)
{
	course_free(course, take_dispute(course, token).frame);
}

void course_audit_clear(struct wm_course *course)
{
	while (course->dispute_count > 0)
		course_free(course, course->disputes[--course->dispute_count].second.frame);
}

/* ---- comparing -------------------------------------------------------------------- */

static enum wm_opinion compare(struct wm_course *course, const struct wm_ledger_batch *batch,
			       const struct kept *result)
{
	uint32_t bytes = wm_frame_result_bytes(&course->job->layout.kernel, batch->count);
	struct dispute *dispute = find_dispute(course, batch->token);

	if (memcmp(course_kept(course, batch), result->payload, bytes) == 0)
		return WM_OPINION_FIRST;
	if (dispute && memcmp(dispute->second.payload, result->payload, bytes) == 0)
		return WM_OPINION_SECOND;
	return WM_OPINION_NEITHER;
}

/* The one that was held second is right: it takes the first one's place. */
static void prefer_second(struct wm_course *course, const struct wm_ledger_batch *batch)
{
	struct kept second = take_dispute(course, batch->token);

	course_forget(course, batch);
	course_keep(course, &second, batch);
}

static void hold_second(struct wm_course *course, const struct kept *result, uint64_t token)
{
	assert(course->dispute_count < WM_DISPATCH_DISPUTES_MAX); /* dispatch sees to it */
	course->disputes[course->dispute_count++] = (struct dispute){ token, *result };
}

bool course_audit(struct wm_course *course, const struct kept *result, uint32_t node,
		  struct wm_dispatch_receipt *receipt)
{
	const struct wm_ledger_batch *batch = &receipt->batch;
	enum wm_opinion opinion = compare(course, batch, result);
	enum wm_ledger_verdict verdict =
		wm_dispatch_opinion(course->dispatch, node, opinion, receipt);

	if (verdict == WM_LEDGER_HELD) {
		hold_second(course, result, batch->token);
		return false;
	}
	if (verdict == WM_LEDGER_NEW && opinion == WM_OPINION_SECOND)
		prefer_second(course, batch);
	else
		drop_dispute(course, batch->token);
	course_free(course, result->frame);
	/* No two of three agree, so nobody knows which node to trust. */
	if (verdict == WM_LEDGER_UNKNOWN)
		course_stop(course, -EILSEQ, WM_LANE_FAILED_AUDIT, batch->batch);
	return verdict == WM_LEDGER_NEW;
}

/* ---- a node that computes wrong ------------------------------------------------------ */

static void invalidate_open(struct wm_course *course, uint32_t node)
{
	struct wm_ledger_batch batch;
	uint32_t cursor = 0;

	while (wm_dispatch_invalid_next(course->dispatch, node, &cursor, &batch)) {
		course_forget(course, &batch);
		drop_dispute(course, batch.token);
	}
}

/* Extents that are open keep its bit: it may be another node's as well. */
static void invalidate_writing(struct wm_course *course, uint64_t bit)
{
	for (uint32_t i = 0; i < course->config.dispatch.extents_max; i++) {
		struct slot *slot = &course->slots[i];

		if (slot->state == SLOT_WRITING && slot->nodes & bit)
			slot->is_invalid = true;
	}
}

void course_invalidate_node(struct wm_course *course, uint32_t node, uint64_t bit)
{
	/* Nothing more of it is taken, whatever the control thread does. It may have left
	 * since: what it did before is wrong nevertheless. */
	course->nodes[node].session = 0;
	wm_dispatch_node_remove(course->dispatch, node);
	invalidate_open(course, node);
	invalidate_writing(course, bit);
}

void course_quarantine(struct wm_course *course, uint32_t node, uint64_t batch)
{
	uint64_t bit = wm_journal_node_bit(course->nodes[node].mac);
	struct wm_lane_event event = {
		.op = WM_LANE_NODE_WRONG,
		.job = course->job->id,
		.node = node,
		.extent = batch,
	};

	course_invalidate_node(course, node, bit);
	/* What is durable already is found through the journal, by the control
	 * thread; until that is done the job does not end. */
	course_tell_wrong(course, node, bit);
	course->config.calls.raise(course->config.context, &event);
}
