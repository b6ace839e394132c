/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_lane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bug.h"
#include "check.h"
#include "controller.h"
#include "watch.h"
#include "wiremill/limits.h"

/* As in lane.c. */
#define PUBLISH_NS (20 * WM_NS_PER_MS)

/* An extent that is being written: from where its results are kept, until it is. */
struct writing {
	struct iovec *parts;
	uint32_t part_count;
	uint64_t extent;
	uint8_t *bytes; /* what they held when the write began */
};

struct sim_lane {
	bool up;
	struct wm_stream *stream;
	struct wm_lane_snapshot snapshot; /* what the control thread sees */
	struct sim_frame *receiving;
	uint8_t *input[SIM_SLOTS_MAX], *output;
	struct writing writing[SIM_SLOTS_MAX];
	uint32_t io_in_flight, records_in_flight;
	uint64_t frames_kept; /* by the stream */
	uint32_t sessions[SIM_NODES_MAX];
	uint8_t macs[SIM_NODES_MAX][WM_ETHER_ADDR_BYTES];
	bool joined[SIM_NODES_MAX];
};

static void publish(struct sim *sim)
{
	wm_stream_job_counters(sim->lane->stream, sim->now_ns, &sim->lane->snapshot.job);
}

/* ---- what the stream asks for --------------------------------------------------- */

static bool is_idle(void *context, uint32_t slot)
{
	(void)context;
	(void)slot;
	return true;
}

static int read_extent(void *context, uint32_t slot, uint64_t extent, uint8_t **input)
{
	struct sim *sim = context;

	*input = sim->lane->input[slot];
	sim->lane->io_in_flight++;
	sim_disk_read(sim, extent, *input);
	return 0;
}

static void gather(const struct writing *writing, uint8_t *to)
{
	for (uint32_t i = 0; i < writing->part_count; i++) {
		memcpy(to, writing->parts[i].iov_base, writing->parts[i].iov_len);
		to += writing->parts[i].iov_len;
	}
}

static int write_extent(void *context, uint32_t slot, uint64_t extent, const struct iovec *parts,
			uint32_t part_count)
{
	struct sim *sim = context;
	struct writing *writing = &sim->lane->writing[slot];

	memcpy(writing->parts, parts, part_count * sizeof(*parts));
	writing->part_count = part_count;
	writing->extent = extent;
	gather(writing, writing->bytes);
	sim->lane->io_in_flight++;
	sim_disk_write(sim, extent, writing->bytes);
	sim_bug_written_early(sim, extent, writing->bytes);
	return 0;
}

/* Until it is written the parts belong to the disk. */
static void check_written(struct sim *sim, uint64_t extent)
{
	struct wm_span span = wm_layout_extent(&sim->plan.layout, extent);
	uint8_t *now = sim_allocate(span.out_bytes, 1);

	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		struct writing *writing = &sim->lane->writing[i];

		if (writing->part_count == 0 || writing->extent != extent)
			continue;
		gather(writing, now);
		if (memcmp(now, writing->bytes, span.out_bytes) != 0)
			sim_violate(sim, "extent %llu changed while it was written",
				    (unsigned long long)extent);
		writing->part_count = 0;
	}
	free(now);
}

static int write_journal(void *context, const struct wm_journal_record *records, uint32_t count)
{
	struct sim *sim = context;
	uint8_t bytes[WM_STORE_JOURNAL_RECORDS_MAX * WM_JOURNAL_RECORD_BYTES];
	const struct wm_journal *journal = &sim_lane_job(sim)->journal;

	if (count > WM_STORE_JOURNAL_RECORDS_MAX) {
		sim_violate(sim, "%u records are journalled at once, the store takes %u", count,
			    WM_STORE_JOURNAL_RECORDS_MAX);
		return -1;
	}
	for (uint32_t i = 0; i < count; i++)
		wm_journal_encode_record(bytes + (size_t)i * WM_JOURNAL_RECORD_BYTES, &records[i],
					 journal->random, journal->records + i);
	sim_trace(sim, "lane: journals %u records, quarantine %llx", count,
		  (unsigned long long)(records[0].type == WM_JOURNAL_QUARANTINE ? records[0].nodes
										: 0));
	sim->lane->io_in_flight++;
	sim->lane->records_in_flight = count;
	sim_disk_journal(sim, bytes, count);
	sim_bug_durable_early(sim);
	return 0;
}

static void node_wrong(struct sim *sim, const struct wm_lane_event *event)
{
	sim_trace(sim, "lane: member %u computed batch %llu wrong", event->node_wrong.node,
		  (unsigned long long)event->node_wrong.batch);
	sim_check_accused(sim, sim->lane->macs[event->node_wrong.node]);
}

static void raise_event(void *context, const struct wm_lane_event *event)
{
	struct sim *sim = context;

	/* The control thread makes a line of its log of that, and no more. */
	if (event->op == WM_LANE_NODE_SILENT)
		return;
	if (event->op == WM_LANE_NODE_WRONG)
		node_wrong(sim, event);
	if (event->op == WM_LANE_RECOMPUTE)
		sim_check_quarantined(sim);
	publish(sim);
	sim_controller_told(sim, event);
}

static void free_frame(void *context, void *frame)
{
	struct sim *sim = context;

	sim->lane->frames_kept--;
	sim_frame_free(sim, frame);
}

static const struct wm_stream_calls calls = {
	.is_idle = is_idle,
	.read = read_extent,
	.write = write_extent,
	.journal = write_journal,
	.raise = raise_event,
	.free_frame = free_frame,
};

/* ---- frames ------------------------------------------------------------------------ */

static void job_send(struct sim *sim)
{
	struct wm_wire_header next;
	struct wm_stream_map map;

	while (wm_stream_next(sim->lane->stream, sim->now_ns, &next, &map)) {
		const struct wm_tag_payload payload = { { { map.payload, map.payload_bytes } }, 1 };
		struct sim_frame *frame = sim_frame_new(sim);
		struct wm_wire_header *header = sim_frame_header(frame);

		wm_frame_ether((struct wm_ether_header *)frame->data, map.mac, sim_controller_mac);
		*header = next;
		wm_tag_seal(header, &payload, NULL, NULL);
		memcpy(header + 1, map.payload, map.payload_bytes);
		frame->used = frame->bytes = WM_FRAME_HEADER_BYTES + map.payload_bytes;
		frame->session = header->session;
		frame->job = header->job;
		sim_network_send_down(sim, frame);
	}
}

/* What a round of the lane's loop does after something has happened. */
static void round_end(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;

	wm_stream_round(lane->stream, sim->now_ns);
	if (wm_stream_can_end(lane->stream) && lane->io_in_flight == 0)
		wm_stream_job_end(lane->stream);
	if (wm_stream_get_state(lane->stream) == WM_STREAM_RUNNING)
		job_send(sim);
	sim_check_round(sim);
}

static void check_kept(struct sim *sim)
{
	uint64_t disputes = sim->plan.audit_ppm > 0 ? WM_DISPATCH_DISPUTES_MAX : 0;

	if (sim->lane->frames_kept > sim->plan.keep_frames_max + disputes)
		sim_violate(sim, "more results are kept in their frames than there is room for");
}

static void receive_result(struct sim *sim, struct sim_frame *frame)
{
	struct sim_lane *lane = sim->lane;
	const struct wm_wire_header *header = sim_frame_header(frame);

	sim_bug_disguise(sim, frame, lane->sessions);
	lane->receiving = frame;
	lane->frames_kept++;
	wm_stream_result(lane->stream, frame, header, frame->bytes, sim->now_ns);
	lane->receiving = NULL;
	check_kept(sim);
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
	static const enum wm_store_op ops[] = {
		[SIM_READ] = WM_STORE_READ,
		[SIM_WRITE] = WM_STORE_WRITE,
		[SIM_JOURNAL] = WM_STORE_JOURNAL,
	};
	struct wm_store_event event = { .op = ops[op], .result = result, .extent = extent };

	sim->lane->io_in_flight--;
	if (op == SIM_WRITE)
		check_written(sim, extent);
	if (op == SIM_JOURNAL && result == 0)
		sim_lane_job(sim)->journal.records += sim->lane->records_in_flight;
	wm_stream_stored(sim->lane->stream, &event, sim->now_ns);
	round_end(sim);
}

static void job_start(struct sim *sim, struct wm_lane_job *job)
{
	memset(sim->lane->joined, 0, sizeof(sim->lane->joined));
	wm_stream_job_start(sim->lane->stream, job, sim->plan.queue_target,
			    sim->plan.keep_align_bytes);
	sim_check_job_start(sim);
}

static void note_node(struct sim_lane *lane, const struct wm_lane_command *command)
{
	if (command->op == WM_LANE_NODE_SET) {
		lane->sessions[command->node] = command->session;
		memcpy(lane->macs[command->node], command->mac, WM_ETHER_ADDR_BYTES);
	}
	if (command->op == WM_LANE_NODE_CLEAR)
		lane->sessions[command->node] = 0;
}

void sim_lane_handle(struct sim *sim, const struct wm_lane_command *command)
{
	bool ignored = command->op == WM_LANE_EXTENT_INVALIDATE && sim_bug == SIM_BUG_NO_RECOMPUTE;

	if (command->op == WM_LANE_JOB_START) {
		job_start(sim, command->job);
	} else if (command->node < SIM_NODES_MAX && !ignored) {
		/* Members that damaged addresses made up stand beyond. */
		note_node(sim->lane, command);
		wm_stream_handle(sim->lane->stream, command, sim->now_ns);
	}
	round_end(sim);
}

void sim_lane_tick(struct sim *sim)
{
	wm_stream_tick(sim->lane->stream, sim->now_ns);
	round_end(sim);
	sim_check_tick(sim);
	if (sim->now_ns >= sim->lane->snapshot.job.published_ns + PUBLISH_NS)
		publish(sim);
}

/* ---- life ------------------------------------------------------------------------------- */

void sim_lane_create(struct sim *sim)
{
	struct wm_span span = wm_layout_extent(&sim->plan.layout, 0);
	struct sim_lane *lane = sim_allocate(1, sizeof(*lane));

	sim->lane = lane;
	lane->output = sim_allocate(sim->plan.slots, span.out_bytes);
	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		lane->input[i] = sim_allocate(span.in_bytes, 1);
		lane->writing[i].bytes = sim_allocate(span.out_bytes, 1);
		lane->writing[i].parts = sim_allocate(sim->plan.layout.batches_per_extent,
						      sizeof(*lane->writing[i].parts));
	}
}

void sim_lane_destroy(struct sim *sim)
{
	wm_stream_destroy(&sim->lane->stream);
	for (uint32_t i = 0; i < sim->plan.slots; i++) {
		free(sim->lane->input[i]);
		free(sim->lane->writing[i].bytes);
		free(sim->lane->writing[i].parts);
	}
	free(sim->lane->output);
	free(sim->lane);
}

void sim_lane_boot(struct sim *sim)
{
	struct sim_lane *lane = sim->lane;
	struct wm_stream_config config = {
		.dispatch = {
			.nodes_max = SIM_NODES_MAX,
			.extents_max = sim->plan.slots,
			.batches_per_extent_max = sim->plan.layout.batches_per_extent,
			.in_flight_max = sim->plan.in_flight_max,
		},
		.calls = calls,
		.context = sim,
		.output = lane->output,
		.output_bytes = wm_layout_extent(&sim->plan.layout, 0).out_bytes,
		.keep_frames_max = sim->plan.keep_frames_max,
		.lanes = 1,
	};

	lane->stream = wm_stream_create(&config);
	if (!lane->stream)
		abort();
	memset(&lane->snapshot, 0, sizeof(lane->snapshot));
	memset(lane->sessions, 0, sizeof(lane->sessions));
	memset(lane->joined, 0, sizeof(lane->joined));
	for (uint32_t i = 0; i < sim->plan.slots; i++)
		lane->writing[i].part_count = 0;
	lane->io_in_flight = 0;
	lane->up = true;
}

void sim_lane_die(struct sim *sim)
{
	sim->lane->up = false;
	wm_stream_destroy(&sim->lane->stream);
	if (sim->lane->frames_kept > 0)
		sim_violate(sim, "a frame is kept for ever");
}

struct wm_stream *sim_lane_stream(const struct sim *sim)
{
	return sim->lane->stream;
}

struct wm_lane_job *sim_lane_job(const struct sim *sim)
{
	return sim->lane->stream ? wm_stream_job(sim->lane->stream) : NULL;
}

const struct wm_dispatch *sim_lane_dispatch(const struct sim *sim)
{
	return wm_stream_dispatch(sim->lane->stream);
}

const struct wm_lane_snapshot *sim_lane_snapshot(const struct sim *sim)
{
	return &sim->lane->snapshot;
}

struct sim_frame *sim_lane_receiving(const struct sim *sim)
{
	return sim->lane->receiving;
}

uint32_t sim_lane_session(const struct sim *sim, uint32_t node)
{
	return sim->lane->sessions[node];
}

void sim_lane_set_member(struct sim *sim, uint32_t node, bool joined)
{
	sim->lane->joined[node] = joined;
}

bool sim_lane_has_member(const struct sim *sim, uint32_t node)
{
	return sim->lane->joined[node];
}
