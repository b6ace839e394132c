/* SPDX-License-Identifier: BSD-3-Clause */
/* A lane's doubts: results compared, nodes that compute wrong, what is void then. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lane_private.h"

/* ---- results that are held for a third opinion --------------------------------- */

static struct lane_dispute *find_dispute(struct wm_lane *lane, uint64_t token)
{
	for (uint32_t i = 0; i < lane->dispute_count; i++) {
		if (lane->disputes[i].token == token)
			return &lane->disputes[i];
	}
	return NULL;
}

/* Forgets a dispute; its frame is the caller's. */
static struct rte_mbuf *take_dispute(struct wm_lane *lane, uint64_t token)
{
	struct lane_dispute *dispute = find_dispute(lane, token);
	struct rte_mbuf *frame;

	if (!dispute)
		return NULL;
	frame = dispute->frame;
	*dispute = lane->disputes[--lane->dispute_count];
	return frame;
}

void wm_lane_audit_clear(struct wm_lane *lane)
{
	while (lane->dispute_count > 0)
		rte_pktmbuf_free(lane->disputes[--lane->dispute_count].frame);
}

/* ---- comparing -------------------------------------------------------------------- */

static enum wm_opinion compare(struct wm_lane *lane, const struct wm_ledger_batch *batch,
			       struct rte_mbuf *frame)
{
	uint32_t bytes = wm_frame_result_bytes(&lane->job->layout.kernel, batch->count);
	struct lane_dispute *dispute = find_dispute(lane, batch->token);
	const uint8_t *payload = wm_lane_payload(frame);

	if (memcmp(wm_lane_kept(lane, batch), payload, bytes) == 0)
		return WM_OPINION_FIRST;
	if (dispute && memcmp(wm_lane_payload(dispute->frame), payload, bytes) == 0)
		return WM_OPINION_SECOND;
	return WM_OPINION_NEITHER;
}

/* The one that was held second is right: it takes the first one's place. */
static void prefer_second(struct wm_lane *lane, const struct wm_ledger_batch *batch)
{
	wm_lane_forget(lane, batch);
	wm_lane_keep(lane, take_dispute(lane, batch->token), batch);
}

static void hold_second(struct wm_lane *lane, struct rte_mbuf *frame, uint64_t token)
{
	assert(lane->dispute_count < WM_DISPATCH_DISPUTES_MAX); /* dispatch sees to it */
	lane->disputes[lane->dispute_count++] = (struct lane_dispute){ token, frame };
}

/* No two of three agree, so nobody knows which node to trust. */
static void give_up(struct wm_lane *lane, uint64_t batch)
{
	lane->ending.failed_op = WM_LANE_FAILED_AUDIT;
	lane->ending.extent = batch;
	wm_lane_job_stop(lane, -EILSEQ);
}

bool wm_lane_audit(struct wm_lane *lane, struct rte_mbuf *frame, uint32_t node,
		   struct wm_dispatch_receipt *receipt)
{
	const struct wm_ledger_batch *batch = &receipt->batch;
	enum wm_opinion opinion = compare(lane, batch, frame);
	enum wm_ledger_verdict verdict =
		wm_dispatch_opinion(lane->dispatch, node, opinion, receipt);

	if (verdict == WM_LEDGER_HELD) {
		hold_second(lane, frame, batch->token);
		return false;
	}
	if (verdict == WM_LEDGER_NEW && opinion == WM_OPINION_SECOND)
		prefer_second(lane, batch);
	else
		rte_pktmbuf_free(take_dispute(lane, batch->token));
	rte_pktmbuf_free(frame);
	if (verdict == WM_LEDGER_UNKNOWN)
		give_up(lane, batch->batch);
	return verdict == WM_LEDGER_NEW;
}

/* ---- a node that computes wrong ------------------------------------------------------ */

static void void_open(struct wm_lane *lane, uint32_t node)
{
	struct wm_ledger_batch batch;
	uint32_t cursor = 0;

	while (wm_dispatch_void_next(lane->dispatch, node, &cursor, &batch)) {
		wm_lane_forget(lane, &batch);
		rte_pktmbuf_free(take_dispute(lane, batch.token));
	}
}

/* Extents that are open keep its bit: it may be another node's as well. */
static void void_slots(struct wm_lane *lane, uint64_t bit)
{
	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++) {
		struct lane_slot *slot = &lane->slots[i];

		if (slot->state == SLOT_WRITING && slot->nodes & bit)
			slot->is_void = true;
	}
}

void wm_lane_quarantine(struct wm_lane *lane, uint32_t node, uint64_t batch)
{
	uint64_t bit = wm_journal_node_bit(lane->nodes[node].mac);
	struct wm_lane_event event = {
		.op = WM_LANE_NODE_WRONG,
		.job = lane->job->id,
		.node = node,
		.extent = batch,
	};

	/* Nothing more of it is taken, whatever the control thread does. It may have left
	 * since: what it did before is wrong nevertheless. */
	lane->nodes[node].session = 0;
	wm_dispatch_node_remove(lane->dispatch, node);
	void_open(lane, node);
	void_slots(lane, bit);
	wm_progress_void_waiting(&lane->job->progress, bit);
	/* What is durable already is found through the journal, by the control
	 * thread; until that is done the job does not end. */
	lane->quarantine_nodes |= bit;
	wm_lane_raise(lane, &event);
}

void wm_lane_extent_void(struct wm_lane *lane, uint64_t extent)
{
	if (lane->state != LANE_RUNNING)
		return;
	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++) {
		if (lane->slots[i].state != SLOT_FREE && lane->slots[i].extent == extent)
			return; /* being made again already */
	}
	if (!wm_progress_void(&lane->job->progress, extent))
		assert(!"more extents were declared void than the lane said it has room for");
}
