/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_lane.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bug.h"
#include "check.h"
#include "controller.h"
#include "frame.h"
#include "identity.h"
#include "wiremill/limits.h"

/* As in lane_job.c and lane.c. */
#define TRIES_MAX 3u
#define PUBLISH_NS (20 * WM_NS_PER_MS)
#define DISPUTES_MAX 256u

enum slot_state { SLOT_FREE, SLOT_READING, SLOT_OPEN, SLOT_WRITING };

struct slot {
	enum slot_state state;
	uint64_t extent, nodes;
	uint32_t crc32c;
	bool is_void; /* being written, and to be made again */
	uint8_t *input, *output;
};

struct dispute {
	uint64_t token;
	struct sim_frame *frame;
};

struct lane_node {
	uint32_t session;
	bool joined;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
};

struct sim_lane {
	bool up;
	enum sim_lane_state state;
	struct wm_lane_job *job;
	struct wm_lane_event ending; /* what JOB_ENDED will say */
	wm_identity *identity;
	uint64_t quarantine_nodes, quarantine_journalled;
	uint32_t journalled_extents;
	bool journalling;
	struct dispute disputes[DISPUTES_MAX];
	uint32_t dispute_count;
	struct wm_lane_snapshot snapshot; /* what the control thread sees */
	struct wm_dispatch *dispatch;
	struct slot slot[SIM_SLOTS_MAX];
	uint32_t slots_free, io_in_flight;
	struct lane_node nodes[WM_NODES_MAX];
};

static void job_send(struct sim *sim);
static void round_end(struct sim *sim);

/* ---- start and end ----------------------------------------------------------- */

static void slot_release(struct sim_lane *lane, struct slot *slot)
{
	lane->slots_free += slot->state != SLOT_FREE;
	slot->state = SLOT_FREE;
}

static void publish(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;
	struct wm_lane_job_counters *counters = &lane->snapshot.job;

	if (lane->job) {
		counters->job = lane->job->id;
		counters->extents_done = lane->job->progress.durable;
		counters->gaps = lane->job->progress.gap_count;
	}
	counters->dispatch = *wm_dispatch_counters(lane->dispatch);
	counters->nodes_alive = wm_dispatch_nodes_alive(lane->dispatch);
	counters->published_ns = sim->now_ns;
}

static void tell_control(struct sim *sim, const struct wm_lane_event *event)
{
	publish(sim);
	sim_controller_told(sim, event);
}

static void job_start(struct sim *sim, struct wm_lane_job *job)
{
	struct sim_lane *lane = sim->lane;

	assert(lane->state == SIM_LANE_IDLE);
	lane->job = job;
	lane->state = SIM_LANE_RUNNING;
	lane->ending = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED, .job = job->id };
	for (uint32_t i = 0; i < WM_NODES_MAX; i++)
		lane->nodes[i].joined = false;
	wm_dispatch_start(lane->dispatch, &sim->plan.layout, sim->plan.queue_target);
	wm_dispatch_audit(lane->dispatch, job->audit_threshold, job->audit_seed);
	lane->identity = wm_identity_find(sim->plan.layout.kernel.name);
	lane->quarantine_nodes = job->quarantined;
	lane->quarantine_journalled = 0;
	lane->journalling = false;
	sim_check_job_start(sim);
}

static void job_stop(struct sim_lane *lane, int result)
{
	if (lane->state != SIM_LANE_RUNNING)
		return;
	lane->state = SIM_LANE_STOPPING;
	lane->ending.result = result;
}

static void audit_clear(struct sim *sim)
{
	while (sim->lane->dispute_count > 0)
		sim_frame_free(sim, sim->lane->disputes[--sim->lane->dispute_count].frame);
}

static void job_end(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;

	for (uint32_t i = 0; i < sim->plan.slots; i++)
		slot_release(lane, &lane->slot[i]);
	audit_clear(sim);
	lane->state = SIM_LANE_IDLE;
	tell_control(sim, &lane->ending);
	lane->job = NULL;
}

/* ---- storage -------------------------------------------------------------------- */

static void read_ahead(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;

	for (uint32_t i = 0; i < sim->plan.slots && lane->slots_free > 0; i++) {
		struct slot *slot = &lane->slot[i];

		if (slot->state != SLOT_FREE)
			continue;
		if (!wm_progress_open(&lane->job->progress, &slot->extent))
			return;
		slot->state = SLOT_READING;
		slot->nodes = 0;
		slot->is_void = false;
		lane->slots_free--;
		lane->io_in_flight++;
		sim_disk_read(sim, slot->extent, slot->input);
	}
}

static void slot_written(struct sim *sim, struct slot *slot)
{
	struct wm_progress_extent extent = { .extent = slot->extent,
					     .nodes = slot->nodes,
					     .crc32c = slot->crc32c };

	wm_progress_written(&sim->lane->job->progress, &extent, sim->now_ns);
}

static void write_extent(struct sim *sim, struct slot *slot)
{
	struct wm_span span = wm_layout_extent(&sim->plan.layout, slot->extent);

	slot->crc32c = wm_frame_crc_add(0, slot->output, span.out_bytes);
	slot->state = SLOT_WRITING;
	sim->lane->io_in_flight++;
	sim_disk_write(sim, slot->extent, slot->output);
	if (sim_bug == SIM_BUG_EARLY_JOURNAL)
		slot_written(sim, slot);
}

static struct slot *slot_of(struct sim_lane *lane, uint64_t extent, enum slot_state state)
{
	for (uint32_t i = 0; i < SIM_SLOTS_MAX; i++) {
		if (lane->slot[i].state == state && lane->slot[i].extent == extent)
			return &lane->slot[i];
	}
	assert(!"an event for an extent that is not in any slot");
	return NULL;
}

static void progress_synced(struct sim *sim)
{
	struct wm_progress *progress = &sim->lane->job->progress;

	sim_check_durable(sim, progress->written, progress->syncing);
	wm_progress_synced(progress);
}

static void journalled(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;
	struct wm_lane_job *job = lane->job;
	struct wm_lane_event event = { .op = WM_LANE_REDO,
				       .job = job->id,
				       .nodes = lane->quarantine_journalled };

	job->journal.records += lane->journalled_extents + (lane->quarantine_journalled != 0);
	event.record = job->journal.records - lane->journalled_extents - 1;
	if (lane->journalled_extents > 0 && sim_bug != SIM_BUG_EARLY_DURABLE)
		progress_synced(sim);
	if (lane->quarantine_journalled) {
		sim_check_quarantined(sim);
		event.extent = ++job->redo_wanted;
		tell_control(sim, &event);
	}
	lane->journalled_extents = 0;
	lane->quarantine_journalled = 0;
	lane->journalling = false;
}

static bool is_complete(const struct sim_lane *lane)
{
	return wm_progress_is_complete(&lane->job->progress) && !lane->quarantine_nodes &&
	       !lane->quarantine_journalled && lane->job->redo_done == lane->job->redo_wanted;
}

/* A quarantine goes first. */
static uint32_t gather_records(struct sim *sim, struct wm_journal_record *records)
{
	struct sim_lane *lane = sim->lane;
	struct wm_progress *progress = &lane->job->progress;
	const struct wm_progress_extent *group;
	uint32_t count = 0;
	uint32_t extents =
		wm_progress_sync(progress, sim->now_ns, wm_progress_is_draining(progress), &group);

	if (lane->quarantine_nodes)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_QUARANTINE,
							       .nodes = lane->quarantine_nodes };
	for (uint32_t i = 0; i < extents; i++)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_EXTENT,
							       .extent = group[i].extent,
							       .nodes = group[i].nodes,
							       .crc32c = group[i].crc32c };
	lane->journalled_extents = extents;
	lane->quarantine_journalled = lane->quarantine_nodes;
	lane->quarantine_nodes = 0;
	return count;
}

static void journal(struct sim *sim)
{
	struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX + 1];
	uint8_t bytes[WM_STORE_JOURNAL_RECORDS_MAX * WM_JOURNAL_RECORD_BYTES];
	struct wm_lane_job *job = sim->lane->job;
	uint32_t count;

	if (sim->lane->journalling)
		return;
	count = gather_records(sim, records);
	if (count == 0)
		return;
	if (count > WM_STORE_JOURNAL_RECORDS_MAX) {
		sim_violate(sim, "%u records are journalled at once, the store takes %u", count,
			    WM_STORE_JOURNAL_RECORDS_MAX);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		wm_journal_encode_record(bytes + (size_t)i * WM_JOURNAL_RECORD_BYTES, &records[i],
					 job->journal.random, job->journal.records + i);
	sim_trace(sim, "lane: journals %u records, quarantine %llx", count,
		  (unsigned long long)sim->lane->quarantine_journalled);
	sim->lane->journalling = true;
	sim->lane->io_in_flight++;
	sim_disk_journal(sim, bytes, count);
	if (sim_bug == SIM_BUG_EARLY_DURABLE && sim->lane->journalled_extents > 0)
		progress_synced(sim);
}

static void extent_written(struct sim *sim, struct slot *slot)
{
	if (slot->is_void)
		wm_progress_reopen(&sim->lane->job->progress, slot->extent);
	else if (sim_bug != SIM_BUG_EARLY_JOURNAL)
		slot_written(sim, slot);
	slot_release(sim->lane, slot);
}

static void store_event(struct sim *sim, enum sim_disk_op op, uint64_t extent, int result)
{
	struct sim_lane *lane = sim->lane;
	struct slot *slot;

	lane->io_in_flight--;
	if (result < 0) {
		lane->ending.failed_op = op;
		lane->ending.extent = extent;
		job_stop(lane, result);
		return;
	}
	switch (op) {
	case SIM_READ:
		slot = slot_of(lane, extent, SLOT_READING);
		slot->state = SLOT_OPEN;
		if (lane->state != SIM_LANE_RUNNING)
			break;
		sim_check_extent_open(sim, extent);
		wm_dispatch_extent_open(lane->dispatch, (uint32_t)(slot - lane->slot), extent);
		break;
	case SIM_WRITE:
		extent_written(sim, slot_of(lane, extent, SLOT_WRITING));
		break;
	case SIM_JOURNAL:
		journalled(sim);
		break;
	}
}

/* ---- batches out ------------------------------------------------------------------ */

static void send_map(struct sim *sim, const struct wm_dispatch_send *send)
{
	const struct wm_layout *layout = &sim->plan.layout;
	const struct lane_node *node = &sim->lane->nodes[send->node];
	const uint8_t *payload = sim->lane->slot[send->batch.slot].input +
				 (size_t)send->batch.place * layout->batch_elements *
					 layout->kernel.in_bytes;
	uint32_t bytes = wm_frame_map_bytes(&layout->kernel, send->batch.count);
	struct sim_frame *frame = sim_frame_new(sim);
	struct wm_wire_header *header = sim_frame_header(frame);

	wm_frame_ether((struct wm_ether_header *)frame->data, node->mac, sim_controller_mac);
	*header = (struct wm_wire_header){ .version = WM_WIRE_VERSION,
					   .op = WM_OP_MAP,
					   .count = (uint16_t)send->batch.count,
					   .session = node->session,
					   .batch = send->batch.batch,
					   .job = sim->lane->job->id,
					   .stamp = send->stamp };
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), payload, bytes);
	memcpy(header + 1, payload, bytes);
	frame->used = frame->bytes = WM_FRAME_HEADER_BYTES + bytes;
	frame->session = header->session;
	frame->job = header->job;
	sim_network_send_down(sim, frame);
}

static void job_send(struct sim *sim)
{
	struct wm_dispatch_send send;

	while (wm_dispatch_next(sim->lane->dispatch, sim->now_ns, &send)) {
		sim_check_sent(sim, &send);
		send_map(sim, &send);
	}
}

/* What a round of the lane's loop does after something has happened. */
static void round_end(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;

	if (lane->state == SIM_LANE_RUNNING) {
		read_ahead(sim);
		journal(sim);
		wm_dispatch_drain(lane->dispatch, !wm_progress_has_more(&lane->job->progress));
		if (is_complete(lane))
			job_stop(lane, 0);
	}
	if (lane->state == SIM_LANE_STOPPING && lane->io_in_flight == 0)
		job_end(sim);
	if (lane->state == SIM_LANE_RUNNING)
		job_send(sim);
	sim_check_round(sim);
}

/* ---- results in --------------------------------------------------------------------- */

static bool is_session(const struct sim_lane *lane, uint32_t session)
{
	if (sim_bug == SIM_BUG_NO_SESSION)
		return true;
	return session != 0 && lane->nodes[session & (WM_NODES_MAX - 1)].session == session;
}

static enum wm_drop check_result(const struct sim *sim, struct sim_frame *frame)
{
	const struct wm_wire_header *header = sim_frame_header(frame);
	const struct wm_layout *layout = &sim->plan.layout;
	const struct sim_lane *lane = sim->lane;
	uint32_t bytes;

	if (lane->state != SIM_LANE_RUNNING ||
	    (header->job != lane->job->id && sim_bug != SIM_BUG_NO_JOB))
		return WM_DROP_JOB;
	if (header->count > layout->batch_elements)
		return WM_DROP_LENGTH;
	bytes = wm_frame_result_bytes(&layout->kernel, header->count);
	if (wm_frame_check_length(frame->bytes, bytes) != WM_DROP_NONE)
		return WM_DROP_LENGTH;
	if (wm_frame_check_crc(header, header + 1, bytes) != WM_DROP_NONE &&
	    sim_bug != SIM_BUG_NO_CRC)
		return WM_DROP_CRC;
	if (!is_session(lane, header->session))
		return WM_DROP_SESSION;
	return header->batch < layout->batches ? WM_DROP_NONE : WM_DROP_BATCH;
}

static uint8_t *kept(const struct sim *sim, const struct wm_ledger_batch *batch)
{
	const struct wm_layout *layout = &sim->plan.layout;

	return sim->lane->slot[batch->slot].output +
	       (size_t)batch->place * layout->batch_elements * layout->kernel.out_bytes;
}

static void keep(const struct sim *sim, struct sim_frame *frame,
		 const struct wm_ledger_batch *batch)
{
	memcpy(kept(sim, batch), sim_frame_header(frame) + 1,
	       wm_frame_result_bytes(&sim->plan.layout.kernel, batch->count));
}

/* ---- doubts: as in lane_audit.c ------------------------------------------------------- */

static struct dispute *find_dispute(struct sim_lane *lane, uint64_t token)
{
	for (uint32_t i = 0; i < lane->dispute_count; i++) {
		if (lane->disputes[i].token == token)
			return &lane->disputes[i];
	}
	return NULL;
}

static void drop_dispute(struct sim *sim, uint64_t token)
{
	struct dispute *dispute = find_dispute(sim->lane, token);

	if (!dispute)
		return;
	sim_frame_free(sim, dispute->frame);
	*dispute = sim->lane->disputes[--sim->lane->dispute_count];
}

static enum wm_opinion compare(struct sim *sim, const struct wm_ledger_batch *batch,
			       struct sim_frame *frame)
{
	uint32_t bytes = wm_frame_result_bytes(&sim->plan.layout.kernel, batch->count);
	struct dispute *dispute = find_dispute(sim->lane, batch->token);
	const void *payload = sim_frame_header(frame) + 1;

	if (memcmp(kept(sim, batch), payload, bytes) == 0)
		return WM_OPINION_FIRST;
	if (dispute && memcmp(sim_frame_header(dispute->frame) + 1, payload, bytes) == 0)
		return WM_OPINION_SECOND;
	return WM_OPINION_NEITHER;
}

/* Whether the batch is done with it. Takes the frame over. */
static bool audit(struct sim *sim, struct sim_frame *frame, uint32_t node,
		  struct wm_dispatch_receipt *receipt)
{
	struct sim_lane *lane = sim->lane;
	const struct wm_ledger_batch *batch = &receipt->batch;
	enum wm_opinion opinion = compare(sim, batch, frame);
	enum wm_ledger_verdict verdict =
		wm_dispatch_opinion(lane->dispatch, node, opinion, receipt);

	sim_trace(sim, "lane: batch %llu compared: opinion %d, verdict %d",
		  (unsigned long long)batch->batch, opinion, verdict);
	if (verdict == WM_LEDGER_HELD && lane->dispute_count < DISPUTES_MAX) {
		lane->disputes[lane->dispute_count++] = (struct dispute){ batch->token, frame };
		return false;
	}
	if (verdict == WM_LEDGER_NEW && opinion == WM_OPINION_SECOND)
		keep(sim, find_dispute(lane, batch->token)->frame, batch);
	drop_dispute(sim, batch->token);
	sim_frame_free(sim, frame);
	if (verdict == WM_LEDGER_NEW)
		return true;
	lane->ending.failed_op = WM_LANE_FAILED_AUDIT;
	lane->ending.extent = batch->batch;
	job_stop(lane, -EILSEQ);
	return false;
}

static void void_slots(struct sim *sim, uint64_t bit)
{
	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		struct slot *slot = &sim->lane->slot[i];

		if (slot->state == SLOT_WRITING && slot->nodes & bit)
			slot->is_void = true;
	}
}

static void quarantine(struct sim *sim, uint32_t node, uint64_t batch_index)
{
	struct sim_lane *lane = sim->lane;
	uint64_t bit = wm_journal_node_bit(lane->nodes[node].mac);
	struct wm_ledger_batch batch;
	uint32_t cursor = 0;

	sim_trace(sim, "lane: member %u computed batch %llu wrong", node,
		  (unsigned long long)batch_index);
	sim_check_accused(sim, lane->nodes[node].mac);
	lane->nodes[node].session = 0;
	lane->nodes[node].joined = false;
	wm_dispatch_node_remove(lane->dispatch, node);
	while (sim_bug != SIM_BUG_NO_VOID &&
	       wm_dispatch_void_next(lane->dispatch, node, &cursor, &batch)) {
		sim_check_batch_void(sim, &batch);
		drop_dispute(sim, batch.token);
	}
	void_slots(sim, bit);
	wm_progress_void_waiting(&lane->job->progress, bit);
	lane->quarantine_nodes |= bit;
	tell_control(sim, &(struct wm_lane_event){ .op = WM_LANE_NODE_WRONG,
						   .job = lane->job->id,
						   .node = node,
						   .extent = batch_index });
}

static void extent_void(struct sim *sim, uint64_t extent)
{
	struct sim_lane *lane = sim->lane;

	if (lane->state != SIM_LANE_RUNNING || sim_bug == SIM_BUG_NO_REDO)
		return;
	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		if (lane->slot[i].state != SLOT_FREE && lane->slot[i].extent == extent)
			return;
	}
	sim_trace(sim, "lane: extent %llu is void", (unsigned long long)extent);
	if (!wm_progress_void(&lane->job->progress, extent))
		sim_violate(sim, "extent %llu is void, and there is no room for it",
			    (unsigned long long)extent);
	sim_check_extent_void(sim, extent);
}

/* ---- results, checked ------------------------------------------------------------------ */

static void take_failure(struct sim *sim, const struct wm_wire_header *header, uint32_t node)
{
	struct wm_dispatch_receipt receipt;

	sim_trace(sim, "lane: member %u cannot compute batch %llu", node,
		  (unsigned long long)header->batch);
	if (wm_dispatch_failed(sim->lane->dispatch, node, header->batch, header->stamp, sim->now_ns,
			       &receipt) < TRIES_MAX)
		return;
	sim->lane->ending.failed_op = WM_LANE_FAILED_COMPUTE;
	sim->lane->ending.extent = header->batch;
	job_stop(sim->lane, -EILSEQ);
}

static enum wm_drop check_content(struct sim *sim, const struct wm_wire_header *header,
				  uint32_t node)
{
	const struct wm_layout *layout = &sim->plan.layout;
	struct sim_lane *lane = sim->lane;
	struct wm_ledger_batch expected;
	const uint8_t *input;

	if (!wm_dispatch_expect(lane->dispatch, node, header->batch, header->stamp, &expected))
		return WM_DROP_NONE;
	if (expected.count != header->count)
		return WM_DROP_BATCH;
	input = lane->slot[expected.slot].input +
		(size_t)expected.place * layout->batch_elements * layout->kernel.in_bytes;
	if (!lane->identity || sim_bug == SIM_BUG_NO_IDENTITY || sim_bug == SIM_BUG_NO_CRC ||
	    lane->identity(input, (const uint8_t *)(header + 1), header->count))
		return WM_DROP_NONE;
	quarantine(sim, node, header->batch);
	return WM_DROP_WRONG;
}

static void batch_done(struct sim *sim, const struct wm_dispatch_receipt *receipt)
{
	sim_check_done(sim, &receipt->batch, kept(sim, &receipt->batch));
	if (receipt->extent_done)
		write_extent(sim, &sim->lane->slot[receipt->batch.slot]);
}

/* Takes the frame over. */
static void take_result(struct sim *sim, struct sim_frame *frame)
{
	const struct wm_wire_header *header = sim_frame_header(frame);
	uint32_t node = header->session & WM_SESSION_NODE_MASK;
	struct sim_lane *lane = sim->lane;
	struct wm_dispatch_receipt receipt;
	enum wm_ledger_verdict verdict = wm_dispatch_result(lane->dispatch, node, header->batch,
							    header->stamp, sim->now_ns, &receipt);

	sim_trace(sim, "lane: result of batch %llu from member %u: verdict %d",
		  (unsigned long long)header->batch, node, verdict);
	if (verdict == WM_LEDGER_DUPLICATE || verdict == WM_LEDGER_UNKNOWN) {
		sim_frame_free(sim, frame);
		return;
	}
	sim_check_result(sim, frame, &receipt.batch, lane->nodes[node].session);
	lane->slot[receipt.batch.slot].nodes |= wm_journal_node_bit(lane->nodes[node].mac);
	if (verdict != WM_LEDGER_COMPARE) {
		keep(sim, frame, &receipt.batch);
		sim_frame_free(sim, frame);
		if (verdict == WM_LEDGER_NEW)
			batch_done(sim, &receipt);
		else
			sim_check_held(sim, &receipt.batch);
		return;
	}
	if (audit(sim, frame, node, &receipt))
		batch_done(sim, &receipt);
	else
		sim_check_held(sim, &receipt.batch);
	if (receipt.wrong_node != WM_LEDGER_NOBODY)
		quarantine(sim, receipt.wrong_node, receipt.batch.batch);
}

/* Takes the frame over. */
static void receive_result(struct sim *sim, struct sim_frame *frame)
{
	const struct wm_wire_header *header = sim_frame_header(frame);
	uint32_t node = header->session & WM_SESSION_NODE_MASK;
	enum wm_drop drop = check_result(sim, frame);

	/* No index of ours: only a planted bug lets it in. */
	if (drop == WM_DROP_NONE && node >= SIM_NODES_MAX)
		drop = WM_DROP_SESSION;
	if (drop == WM_DROP_NONE && header->count == 0) {
		take_failure(sim, header, node);
		drop = WM_DROP_FAILED;
	} else if (drop == WM_DROP_NONE) {
		drop = check_content(sim, header, node);
	}
	if (drop == WM_DROP_NONE)
		take_result(sim, frame);
	else
		sim_frame_free(sim, frame);
	round_end(sim);
}

static void receive_control(struct sim *sim, struct sim_frame *frame)
{
	struct wm_wire_header header;
	const uint8_t *body;

	if (wm_frame_decode_control(frame->data, frame->bytes, &header, &body) != WM_DROP_NONE) {
		sim_frame_free(sim, frame);
		return;
	}
	if (frame->damaged)
		sim_violate(sim, "the controller takes a damaged message");
	sim_controller_receive(sim, frame);
}

static bool is_ours(const struct sim_frame *frame)
{
	const struct wm_ether_header *ether = (const struct wm_ether_header *)frame->data;

	return frame->bytes >= sizeof(*ether) && ether->ethertype[0] == WM_ETHERTYPE >> 8 &&
	       ether->ethertype[1] == (WM_ETHERTYPE & 0xff);
}

void sim_lane_receive(struct sim *sim, struct sim_frame *frame)
{
	const struct wm_wire_header *header = sim_frame_header(frame);

	if (!sim->lane->up || !is_ours(frame) ||
	    wm_frame_check_header(header, frame->bytes) != WM_DROP_NONE) {
		sim_frame_free(sim, frame);
	} else if (header->op == WM_OP_RESULT) {
		receive_result(sim, frame);
	} else {
		receive_control(sim, frame);
	}
}

/* ---- the loop -------------------------------------------------------------------------- */

void sim_lane_completed(struct sim *sim, enum sim_disk_op op, uint64_t extent, int result)
{
	store_event(sim, op, extent, result);
	round_end(sim);
}

static void node_set(struct sim_lane *lane, const struct wm_lane_command *command)
{
	struct lane_node *node = &lane->nodes[command->node];

	node->session = command->session;
	memcpy(node->mac, command->mac, sizeof(node->mac));
}

static void node_join(struct sim_lane *lane, const struct wm_lane_command *command)
{
	/* Members that damaged addresses made up stand beyond. */
	if (lane->state != SIM_LANE_RUNNING || command->node >= SIM_NODES_MAX ||
	    lane->nodes[command->node].session != command->session)
		return;
	/* The session seeds the stamps: with that, old results do not fit either. */
	wm_dispatch_node_add(lane->dispatch, command->node, command->window_max,
			     sim_bug == SIM_BUG_NO_SESSION ? 1 : command->session);
	lane->nodes[command->node].joined = true;
}

void sim_lane_obey(struct sim *sim, const struct wm_lane_command *command)
{
	struct sim_lane *lane = sim->lane;
	bool known = command->node < SIM_NODES_MAX;

	switch (command->op) {
	case WM_LANE_NODE_SET:
		node_set(lane, command);
		break;
	case WM_LANE_NODE_CLEAR:
		if (known)
			wm_dispatch_node_remove(lane->dispatch, command->node);
		lane->nodes[command->node].session = 0;
		lane->nodes[command->node].joined = false;
		break;
	case WM_LANE_NODE_HEAR:
		if (known)
			wm_dispatch_node_hear(lane->dispatch, command->node, sim->now_ns);
		break;
	case WM_LANE_NODE_JOIN:
		node_join(lane, command);
		break;
	case WM_LANE_NODE_LEAVE:
		if (known)
			wm_dispatch_node_remove(lane->dispatch, command->node);
		lane->nodes[command->node].joined = false;
		break;
	case WM_LANE_JOB_START:
		job_start(sim, command->job);
		break;
	case WM_LANE_JOB_STOP:
		job_stop(lane, -ECANCELED);
		break;
	case WM_LANE_EXTENT_VOID:
		extent_void(sim, command->extent);
		break;
	case WM_LANE_REDO_DONE:
		if (lane->state == SIM_LANE_RUNNING)
			lane->job->redo_done = (uint32_t)command->extent;
		break;
	case WM_LANE_QUIT:
		break;
	}
	round_end(sim);
}

void sim_lane_tick(struct sim *sim)
{
	if (sim->lane->state == SIM_LANE_RUNNING)
		wm_dispatch_tick(sim->lane->dispatch, sim->now_ns);
	round_end(sim);
	sim_check_tick(sim);
	if (sim->now_ns >= sim->lane->snapshot.job.published_ns + PUBLISH_NS)
		publish(sim);
}

/* ---- life ------------------------------------------------------------------------------- */

void sim_lane_create(struct sim *sim)
{
	struct wm_span span = wm_layout_extent(&sim->plan.layout, 0);

	sim->lane = sim_allocate(1, sizeof(*sim->lane));
	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		sim->lane->slot[i].input = sim_allocate(span.in_bytes, 1);
		sim->lane->slot[i].output = sim_allocate(span.out_bytes, 1);
	}
}

void sim_lane_destroy(struct sim *sim)
{
	audit_clear(sim);
	wm_dispatch_destroy(&sim->lane->dispatch);
	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		free(sim->lane->slot[i].input);
		free(sim->lane->slot[i].output);
	}
	free(sim->lane);
}

void sim_lane_boot(struct sim *sim)
{
	struct wm_dispatch_config config = {
		.nodes_max = SIM_NODES_MAX,
		.extents_max = sim->plan.slots,
		.batches_per_extent_max = sim->plan.layout.batches_per_extent,
		.in_flight_max = sim->plan.in_flight_max,
	};
	struct sim_lane *lane = sim->lane;

	wm_dispatch_destroy(&lane->dispatch);
	lane->dispatch = wm_dispatch_create(&config);
	if (!lane->dispatch)
		abort();
	memset(&lane->snapshot, 0, sizeof(lane->snapshot));
	audit_clear(sim);
	lane->state = SIM_LANE_IDLE;
	lane->job = NULL;
	lane->io_in_flight = 0;
	lane->slots_free = sim->plan.slots;
	for (uint32_t i = 0; i < SIM_SLOTS_MAX; i++)
		lane->slot[i].state = SLOT_FREE;
	memset(lane->nodes, 0, sizeof(lane->nodes));
	lane->up = true;
}

void sim_lane_die(struct sim *sim)
{
	sim->lane->up = false;
	sim->lane->state = SIM_LANE_IDLE;
	sim->lane->job = NULL;
}

enum sim_lane_state sim_lane_state(const struct sim *sim)
{
	return sim->lane->state;
}

const struct wm_dispatch *sim_lane_dispatch(const struct sim *sim)
{
	return sim->lane->dispatch;
}

const struct wm_lane_job *sim_lane_job(const struct sim *sim)
{
	return sim->lane->job;
}

const struct wm_lane_snapshot *sim_lane_snapshot(const struct sim *sim)
{
	return &sim->lane->snapshot;
}

uint32_t sim_lane_slots_free(const struct sim *sim)
{
	return sim->lane->slots_free;
}

bool sim_lane_has_member(const struct sim *sim, uint32_t node)
{
	return sim->lane->nodes[node].joined;
}
