/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream_audit.h"
#include "stream_exchange.h"
#include "stream_lanes.h"
#include "stream_result.h"
#include "stream_slot.h"
#include "stream_store.h"

/* ---- life ------------------------------------------------------------------------ */

static bool memory_create(struct wm_stream *stream)
{
	struct wm_dispatch_config *config = &stream->config.dispatch;
	uint32_t slots = config->extents_max, batches = config->batches_per_extent_max;

	stream->flows = config->flows = calloc(config->nodes_max, sizeof(*stream->flows));
	if (!stream->flows)
		return false;
	stream->dispatch = wm_dispatch_create(config);
	stream->nodes = calloc(config->nodes_max, sizeof(*stream->nodes));
	stream->slots = calloc(slots, sizeof(*stream->slots));
	stream->kept = calloc((size_t)slots * batches, sizeof(*stream->kept));
	stream->parts = calloc(batches, sizeof(*stream->parts));
	if (!stream->dispatch || !stream->nodes || !stream->slots || !stream->kept ||
	    !stream->parts)
		return false;
	for (uint32_t i = 0; i < slots; i++) {
		stream->slots[i].output = stream->config.output +
					  (size_t)i * stream->config.output_bytes;
		stream->slots[i].kept = stream->kept + (size_t)i * batches;
	}
	stream->slots_free = slots;
	return true;
}

struct wm_stream *wm_stream_create(const struct wm_stream_config *config)
{
	struct wm_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->config = *config;
	if (!memory_create(stream))
		wm_stream_destroy(&stream);
	return stream;
}

void wm_stream_destroy(struct wm_stream **stream_pointer)
{
	struct wm_stream *stream = *stream_pointer;

	if (!stream)
		return;
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		if (stream->slots && stream->kept)
			stream_slots_release(stream, &stream->jobs[i]);
		stream_audit_clear(stream, &stream->jobs[i]);
	}
	free(stream->parts);
	free(stream->kept);
	free(stream->slots);
	if (stream->nodes)
		explicit_bzero(stream->nodes,
			       stream->config.dispatch.nodes_max * sizeof(*stream->nodes));
	free(stream->nodes);
	wm_dispatch_destroy(&stream->dispatch);
	free(stream->flows);
	free(stream);
	*stream_pointer = NULL;
}

/* ---- a job's start and end -------------------------------------------------------- */

void wm_stream_job_start(struct wm_stream *stream, struct wm_lane_job *lane_job,
			 uint32_t queue_target, uint32_t keep_align_bytes)
{
	struct stream_job *job = &stream->jobs[0];
	const struct wm_layout *layout = &lane_job->layout;

	assert(job->state == WM_STREAM_IDLE);
	job->lane = lane_job;
	job->state = WM_STREAM_RUNNING;
	job->ended = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED, .job = lane_job->id };
	job->keep_align_bytes = keep_align_bytes;
	job->counters = (struct wm_lane_job_counters){ .job = lane_job->id };
	job->invariant = wm_kernel_find_invariant(&layout->kernel);
	wm_crc32c_shift_init(&job->batch_shift,
			     wm_frame_result_bytes(&layout->kernel, layout->batch_elements));
	wm_dispatch_start(stream->dispatch, layout, queue_target);
	wm_dispatch_audit(stream->dispatch, lane_job->audit_threshold, lane_job->audit_seed);
	stream_lanes_start(stream, job);
}

static void count_job(const struct wm_stream *stream, struct stream_job *job)
{
	const struct wm_lane_job *lane_job = job->lane;
	const struct wm_layout *layout = &lane_job->layout;
	struct wm_lane_job_counters *counters = &job->counters;
	uint64_t bytes;

	counters->nodes_alive =
		wm_dispatch_nodes_answering(stream->dispatch, &counters->nodes_unable);
	counters->stuck = wm_dispatch_is_stuck(stream->dispatch);
	/* Progress is the leader's. */
	if (!stream_leads(stream))
		return;
	counters->extents_done = lane_job->progress.durable;
	bytes = lane_job->progress.durable * layout->extent_elements * layout->kernel.out_bytes;
	counters->output_bytes_done = bytes < layout->output_bytes ? bytes : layout->output_bytes;
	counters->gaps = lane_job->progress.gap_count;
}

bool wm_stream_can_end(const struct wm_stream *stream)
{
	const struct stream_job *job = &stream->jobs[0];

	return job->state == WM_STREAM_STOPPING && stream_lanes_ended(stream, job);
}

void wm_stream_job_end(struct wm_stream *stream)
{
	struct stream_job *job = &stream->jobs[0];

	assert(wm_stream_can_end(stream));
	stream_slots_release(stream, job);
	stream_audit_clear(stream, job);
	count_job(stream, job);
	job->state = WM_STREAM_IDLE;
	job->lane = NULL;
	stream_send_ended(stream, job);
}

void wm_stream_limit(struct wm_stream *stream, uint32_t in_flight_max)
{
	wm_dispatch_limit(stream->dispatch, in_flight_max);
}

/* ---- what goes on ------------------------------------------------------------------ */

void wm_stream_stored(struct wm_stream *stream, const struct wm_store_event *event, uint64_t now_ns)
{
	struct stream_job *job = &stream->jobs[0];

	if (event->result < 0) {
		stream_stop(stream, job,
			    &(struct wm_lane_ending){ .result = event->result,
						      .failed_op = event->op,
						      .extent = event->extent });
		return;
	}
	switch (event->op) {
	case WM_STORE_READ:
		stream_read_done(stream, job, event->extent, now_ns);
		break;
	case WM_STORE_WRITE:
		stream_write_done(stream, job, event->extent, now_ns);
		break;
	case WM_STORE_JOURNAL:
		stream_journal_done(stream, job);
		break;
	}
}

static void job_round(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns)
{
	if (stream->config.lanes > 1 && job->state != WM_STREAM_IDLE)
		stream_exchange(stream, job, now_ns);
	if (job->state != WM_STREAM_RUNNING)
		return;
	if (job->has_nodes)
		stream_read_ahead(stream, job, now_ns);
	wm_dispatch_drain(stream->dispatch, stream_is_draining(stream, job));
	if (!stream_leads(stream))
		return;
	stream_journal(stream, job, now_ns);
	if (wm_leader_is_complete(&job->leader))
		stream_stop(stream, job, &(struct wm_lane_ending){ .result = 0 });
}

void wm_stream_round(struct wm_stream *stream, uint64_t now_ns)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++)
		job_round(stream, &stream->jobs[i], now_ns);
}

static void job_tick(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns)
{
	struct wm_lane_event event = { .op = WM_LANE_NODE_SILENT };

	if (job->state != WM_STREAM_RUNNING)
		return;
	event.job = job->lane->id;
	event.node_silent.count =
		wm_dispatch_tick(stream->dispatch, now_ns, &event.node_silent.node);
	if (event.node_silent.count > 0)
		stream->config.calls.raise(stream->config.context, &event);
	stream_look_for_nodes(stream, job);
}

void wm_stream_tick(struct wm_stream *stream, uint64_t now_ns)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++)
		job_tick(stream, &stream->jobs[i], now_ns);
}

/* ---- commands ---------------------------------------------------------------------- */

static void node_set(struct wm_stream *stream, const struct wm_lane_command *command)
{
	struct stream_node *node = &stream->nodes[command->node];

	node->session = command->session;
	memcpy(node->mac, command->mac, sizeof(node->mac));
	memcpy(node->frame_key, command->frame_key, sizeof(node->frame_key));
	wm_flow_init(&stream->flows[command->node], command->session);
}

static void node_clear(struct wm_stream *stream, uint32_t index)
{
	struct stream_node *node = &stream->nodes[index];

	wm_dispatch_node_remove(stream->dispatch, index);
	node->session = 0;
	explicit_bzero(node->frame_key, sizeof(node->frame_key));
}

static void node_join(struct wm_stream *stream, const struct wm_lane_command *command)
{
	/* Not one that was removed while the command was on its way. */
	if (stream->jobs[0].state == WM_STREAM_RUNNING &&
	    stream->nodes[command->node].session == command->session)
		wm_dispatch_node_add(stream->dispatch, command->node, command->window_max);
}

void wm_stream_handle(struct wm_stream *stream, const struct wm_lane_command *command,
		      uint64_t now_ns)
{
	struct stream_job *job = &stream->jobs[0];
	bool running = job->state == WM_STREAM_RUNNING;

	switch (command->op) {
	case WM_LANE_NODE_SET:
		node_set(stream, command);
		break;
	case WM_LANE_NODE_CLEAR:
		node_clear(stream, command->node);
		break;
	case WM_LANE_NODE_BEAT:
		wm_dispatch_node_beat(stream->dispatch, command->node, command->works, now_ns);
		break;
	case WM_LANE_NODE_JOIN:
		node_join(stream, command);
		break;
	case WM_LANE_NODE_LEAVE:
		wm_dispatch_node_remove(stream->dispatch, command->node);
		break;
	case WM_LANE_JOB_STOP:
		stream_stop(stream, job, &(struct wm_lane_ending){ .result = -ECANCELED });
		break;
	case WM_LANE_EXTENT_INVALIDATE:
		if (running)
			wm_leader_invalidate(&job->leader, command->extent);
		break;
	case WM_LANE_RECOMPUTE_DONE:
		if (running)
			job->lane->recompute_done = (uint32_t)command->pass;
		break;
	case WM_LANE_OUTPUT_CHECKED:
		if (running)
			job->lane->unchecked = false;
		break;
	case WM_LANE_JOB_START:
	case WM_LANE_QUIT:
		assert(!"a command for the lane itself");
	}
}

/* ---- batches out ------------------------------------------------------------------- */

bool wm_stream_next(struct wm_stream *stream, uint64_t now_ns, struct wm_wire_header *header,
		    struct wm_stream_map *map)
{
	const struct wm_layout *layout;
	const struct stream_node *node;
	struct wm_dispatch_send send;
	struct stream_slot *slot;

	if (!wm_dispatch_next(stream->dispatch, now_ns, &send))
		return false;
	node = &stream->nodes[send.node];
	slot = &stream->slots[send.batch.slot];
	layout = &slot->job->lane->layout;
	slot->sent_ns = now_ns;
	/* Fresh ones go in order. */
	if (slot->is_ahead && send.batch.place + 1 == slot->batches) {
		stream_slot_used(slot);
		wm_readahead_used(&slot->job->readahead, now_ns);
	}
	*header = (struct wm_wire_header){
		.version = WM_WIRE_VERSION,
		.op = WM_OP_MAP,
		.count = (uint16_t)send.batch.count,
		.session = node->session,
		.batch = send.batch.batch,
		.job = slot->job->lane->id,
		.sequence = send.sequence,
	};
	*map = (struct wm_stream_map){
		.slot = send.batch.slot,
		.payload_bytes = wm_frame_map_bytes(&layout->kernel, send.batch.count),
		.payload = slot->input + (size_t)send.batch.place * layout->batch_elements *
						 layout->kernel.in_bytes,
		.mac = node->mac,
		.key = stream_key(stream, node),
	};
	return true;
}

/* ---- results in -------------------------------------------------------------------- */

enum wm_drop wm_stream_result(struct wm_stream *stream, void *frame,
			      const struct wm_wire_header *header, uint32_t frame_bytes,
			      uint64_t now_ns)
{
	struct stream_job *job = stream_find_job(stream, header->job);
	uint64_t batch = header->batch; /* the frame may be freed */
	struct stream_outcome outcome =
		stream_result_take(stream, job, frame, header, frame_bytes, now_ns);

	if (outcome.complete)
		stream_write_extent(stream, outcome.complete);
	/* Only now: an extent that this batch completed is on its way to disk. */
	if (outcome.wrong_node != WM_LEDGER_NOBODY)
		stream_quarantine(stream, job, outcome.wrong_node, batch);
	return outcome.drop;
}

/* ---- for who looks on --------------------------------------------------------------- */

enum wm_stream_state wm_stream_get_state(const struct wm_stream *stream)
{
	return stream->jobs[0].state;
}

struct wm_lane_job *wm_stream_job(const struct wm_stream *stream)
{
	return stream->jobs[0].lane;
}

const struct wm_dispatch *wm_stream_dispatch(const struct wm_stream *stream)
{
	return stream->dispatch;
}

uint32_t wm_stream_slots_free(const struct wm_stream *stream)
{
	return stream->slots_free;
}

const struct wm_stream_counters *wm_stream_get_counters(const struct wm_stream *stream)
{
	return &stream->counters;
}

void wm_stream_job_counters(struct wm_stream *stream, uint64_t now_ns,
			    struct wm_lane_job_counters *counters)
{
	struct stream_job *job = &stream->jobs[0];

	if (job->lane)
		count_job(stream, job);
	*counters = job->counters;
	counters->dispatch = *wm_dispatch_get_counters(stream->dispatch);
	counters->published_ns = now_ns;
}
