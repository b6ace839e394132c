/* SPDX-License-Identifier: BSD-3-Clause */
#include "lane.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bug.h"
#include "check.h"
#include "controller.h"
#include "frame.h"
#include "wiremill/limits.h"

enum slot_state { SLOT_FREE, SLOT_READING, SLOT_OPEN, SLOT_WRITING };

struct slot {
	enum slot_state state;
	uint64_t extent, nodes;
	uint32_t crc32c;
	uint8_t *input, *output;
};

struct lane_node {
	uint32_t session;
	bool joined;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
};

struct sim_lane {
	uint32_t life;
	bool up;
	enum sim_lane_state state;
	struct sim_job *job;
	int result; /* why it ends */
	struct wm_dispatch *dispatch;
	struct slot slot[SIM_SLOTS_MAX];
	uint32_t slots_free, io_in_flight;
	struct lane_node nodes[WM_NODES_MAX];
};

static void job_send(struct sim *sim);

/* ---- start and end ----------------------------------------------------------- */

static void slot_release(struct sim_lane *lane, struct slot *slot)
{
	lane->slots_free += slot->state != SLOT_FREE;
	slot->state = SLOT_FREE;
}

static void job_start(struct sim *sim, struct sim_job *job)
{
	struct sim_lane *lane = sim->lane;

	assert(lane->state == SIM_LANE_IDLE);
	lane->job = job;
	lane->state = SIM_LANE_RUNNING;
	lane->result = 0;
	for (uint32_t i = 0; i < WM_NODES_MAX; i++)
		lane->nodes[i].joined = false;
	wm_dispatch_start(lane->dispatch, &sim->plan.layout, sim->plan.queue_target);
	sim_check_job_start(sim);
}

static void job_stop(struct sim_lane *lane, int result)
{
	if (lane->state != SIM_LANE_RUNNING)
		return;
	lane->state = SIM_LANE_STOPPING;
	lane->result = result;
}

static void job_end(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;

	for (uint32_t i = 0; i < sim->plan.slots; i++)
		slot_release(lane, &lane->slot[i]);
	lane->state = SIM_LANE_IDLE;
	lane->job = NULL;
	sim_controller_job_ended(sim, lane->result);
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

static void journal_done(struct sim *sim)
{
	struct sim_job *job = sim->lane->job;

	if (sim_bug != SIM_BUG_EARLY_DURABLE) {
		sim_check_durable(sim, job->progress.written, job->progress.syncing);
		wm_progress_synced(&job->progress);
	}
}

static void journal(struct sim *sim)
{
	uint8_t bytes[WM_STORE_JOURNAL_RECORDS_MAX * WM_JOURNAL_RECORD_BYTES];
	struct sim_job *job = sim->lane->job;
	const struct wm_progress_extent *group;
	uint32_t count = wm_progress_sync(&job->progress, sim->now_ns,
					  wm_progress_is_draining(&job->progress), &group);

	if (count == 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct wm_journal_record record = { .type = WM_JOURNAL_EXTENT,
						    .extent = group[i].extent,
						    .nodes = group[i].nodes,
						    .crc32c = group[i].crc32c };

		wm_journal_encode_record(bytes + (size_t)i * WM_JOURNAL_RECORD_BYTES, &record,
					 job->journal_random, job->journal_records + i);
	}
	sim_trace(sim, "lane: journals %u extents", count);
	sim->lane->io_in_flight++;
	sim_disk_journal(sim, bytes, count);
	job->journal_records += count;
	if (sim_bug == SIM_BUG_EARLY_DURABLE) {
		sim_check_durable(sim, group, count);
		wm_progress_synced(&job->progress);
	}
}

uint64_t sim_lane_journal_end(const struct sim *sim)
{
	return sim_disk_bytes(sim, SIM_LOG);
}

static void extent_written(struct sim *sim, struct slot *slot)
{
	if (sim_bug != SIM_BUG_EARLY_JOURNAL)
		slot_written(sim, slot);
	slot_release(sim->lane, slot);
}

static void store_event(struct sim *sim, enum sim_disk_op op, uint64_t extent, int result)
{
	struct sim_lane *lane = sim->lane;
	struct slot *slot;

	lane->io_in_flight--;
	if (result < 0) {
		job_stop(lane, result);
		return;
	}
	switch (op) {
	case SIM_READ:
		slot = slot_of(lane, extent, SLOT_READING);
		slot->state = SLOT_OPEN;
		if (lane->state == SIM_LANE_RUNNING)
			wm_dispatch_extent_open(lane->dispatch, (uint32_t)(slot - lane->slot),
						extent);
		break;
	case SIM_WRITE:
		extent_written(sim, slot_of(lane, extent, SLOT_WRITING));
		break;
	case SIM_JOURNAL:
		journal_done(sim);
		break;
	case SIM_SYNC:
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
		if (wm_progress_is_complete(&lane->job->progress))
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
	if (header->count == 0 || header->count > layout->batch_elements)
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

static void keep_result(struct sim *sim, const struct wm_ledger_batch *batch,
			const uint8_t *payload)
{
	const struct wm_layout *layout = &sim->plan.layout;
	size_t batch_bytes = (size_t)layout->batch_elements * layout->kernel.out_bytes;

	memcpy(sim->lane->slot[batch->slot].output + batch->place * batch_bytes, payload,
	       (size_t)batch->count * layout->kernel.out_bytes);
}

static enum wm_drop take_result(struct sim *sim, struct sim_frame *frame)
{
	const struct wm_wire_header *header = sim_frame_header(frame);
	uint32_t node = header->session & (WM_NODES_MAX - 1);
	struct sim_lane *lane = sim->lane;
	struct wm_dispatch_receipt receipt;
	struct wm_ledger_batch expected;

	/* No index of ours: only a bug in the checks above lets it in. */
	if (node >= SIM_NODES_MAX)
		return WM_DROP_SESSION;
	if (wm_dispatch_expect(lane->dispatch, node, header->batch, header->stamp, &expected) &&
	    expected.count != header->count)
		return WM_DROP_BATCH;
	switch (wm_dispatch_result(lane->dispatch, node, header->batch, header->stamp, sim->now_ns,
				   &receipt)) {
	case WM_LEDGER_NEW:
		break;
	case WM_LEDGER_DUPLICATE:
		return WM_DROP_DUPLICATE;
	case WM_LEDGER_UNKNOWN:
		return WM_DROP_BATCH;
	case WM_LEDGER_HELD:
	case WM_LEDGER_COMPARE:
		assert(!"an audit, in a rack that has none");
	}
	sim_check_result(sim, frame, &receipt.batch, lane->nodes[node].session);
	lane->slot[receipt.batch.slot].nodes |= 1ull << (node % 64);
	keep_result(sim, &receipt.batch, (const uint8_t *)(header + 1));
	if (receipt.extent_done)
		write_extent(sim, &lane->slot[receipt.batch.slot]);
	return WM_DROP_NONE;
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
	enum wm_drop drop;

	if (!sim->lane->up || !is_ours(frame) ||
	    wm_frame_check_header(header, frame->bytes) != WM_DROP_NONE) {
		sim_frame_free(sim, frame);
	} else if (header->op == WM_OP_RESULT) {
		drop = check_result(sim, frame);
		if (drop == WM_DROP_NONE)
			take_result(sim, frame);
		sim_frame_free(sim, frame);
		round_end(sim);
	} else {
		receive_control(sim, frame);
	}
}

/* ---- the loop -------------------------------------------------------------------------- */

void sim_lane_completed(struct sim *sim, enum sim_disk_op op, uint64_t extent, int result)
{
	if (op == SIM_SYNC) {
		sim_controller_synced(sim, result);
		return;
	}
	store_event(sim, op, extent, result);
	round_end(sim);
}

static void node_set(struct sim_lane *lane, const struct sim_command *command)
{
	struct lane_node *node = &lane->nodes[command->node];

	node->session = command->session;
	memcpy(node->mac, command->mac, sizeof(node->mac));
}

static void node_join(struct sim_lane *lane, const struct sim_command *command)
{
	/* Members that damaged addresses made up stand beyond. */
	if (lane->state != SIM_LANE_RUNNING || command->node >= SIM_NODES_MAX)
		return;
	wm_dispatch_node_add(lane->dispatch, command->node, command->window_max, command->session);
	lane->nodes[command->node].joined = true;
}

void sim_lane_obey(struct sim *sim, const struct sim_command *command)
{
	struct sim_lane *lane = sim->lane;
	bool known = command->node < SIM_NODES_MAX;

	switch (command->op) {
	case SIM_NODE_SET:
		node_set(lane, command);
		break;
	case SIM_NODE_CLEAR:
		if (known)
			wm_dispatch_node_remove(lane->dispatch, command->node);
		lane->nodes[command->node].session = 0;
		lane->nodes[command->node].joined = false;
		break;
	case SIM_NODE_HEAR:
		if (known)
			wm_dispatch_node_hear(lane->dispatch, command->node, sim->now_ns);
		break;
	case SIM_NODE_JOIN:
		node_join(lane, command);
		break;
	case SIM_JOB_START:
		job_start(sim, command->job);
		break;
	case SIM_JOB_STOP:
		job_stop(lane, -ECANCELED);
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
	wm_dispatch_destroy(&sim->lane->dispatch);
	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		free(sim->lane->slot[i].input);
		free(sim->lane->slot[i].output);
	}
	free(sim->lane);
}

void sim_lane_boot(struct sim *sim, uint32_t life)
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
	lane->life = life;
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

const struct sim_job *sim_lane_job(const struct sim *sim)
{
	return sim->lane->job;
}

uint32_t sim_lane_slots_free(const struct sim *sim)
{
	return sim->lane->slots_free;
}

bool sim_lane_has_member(const struct sim *sim, uint32_t node)
{
	return sim->lane->nodes[node].joined;
}
