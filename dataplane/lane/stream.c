/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* A ring of a port's whole memory takes a tenth of that on a slow link. */
#define LEAVES_NS (1 * WM_NS_PER_S)

/* ---- life ------------------------------------------------------------------------ */

static bool memory_create(struct wm_stream *stream)
{
	const struct wm_dispatch_config *config = &stream->config.dispatch;
	uint32_t slots = config->extents_max, batches = config->batches_per_extent_max;

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

/* It is no longer one of those that were read ahead. */
static void slot_used(struct wm_stream *stream, struct stream_slot *slot)
{
	stream->slots_ahead -= slot->is_ahead;
	slot->is_ahead = false;
}

void stream_slot_release(struct wm_stream *stream, struct stream_slot *slot)
{
	if (slot->state == SLOT_FREE)
		return;
	for (uint32_t i = 0; i < slot->batches; i++)
		stream_kept_free(stream, &slot->kept[i]);
	slot_used(stream, slot);
	slot->state = SLOT_FREE;
	stream->slots_free++;
}

static void slots_release(struct wm_stream *stream)
{
	for (uint32_t i = 0; i < stream->config.dispatch.extents_max; i++)
		stream_slot_release(stream, &stream->slots[i]);
}

void wm_stream_destroy(struct wm_stream **stream_pointer)
{
	struct wm_stream *stream = *stream_pointer;

	if (!stream)
		return;
	if (stream->slots && stream->kept)
		slots_release(stream);
	stream_audit_clear(stream);
	free(stream->parts);
	free(stream->kept);
	free(stream->slots);
	if (stream->nodes)
		explicit_bzero(stream->nodes,
			       stream->config.dispatch.nodes_max * sizeof(*stream->nodes));
	free(stream->nodes);
	wm_dispatch_destroy(&stream->dispatch);
	free(stream);
	*stream_pointer = NULL;
}

/* ---- a job's start and end -------------------------------------------------------- */

void wm_stream_job_start(struct wm_stream *stream, struct wm_lane_job *job, uint32_t queue_target,
			 uint32_t keep_align_bytes)
{
	assert(stream->state == WM_STREAM_IDLE);
	stream->job = job;
	stream->state = WM_STREAM_RUNNING;
	stream->ending = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED, .job = job->id };
	stream->keep_align_bytes = keep_align_bytes;
	stream->job_counters = (struct wm_lane_job_counters){ .job = job->id };
	stream->invariant = wm_kernel_find_invariant(job->layout.kernel.name);
	wm_crc32c_shift_init(
		&stream->batch_shift,
		wm_frame_result_bytes(&job->layout.kernel, job->layout.batch_elements));
	wm_dispatch_start(stream->dispatch, &job->layout, queue_target);
	wm_dispatch_audit(stream->dispatch, job->audit_threshold, job->audit_seed);
	stream_lanes_start(stream);
}

void stream_stop(struct wm_stream *stream, int result, uint32_t failed_op, uint64_t extent)
{
	if (stream->state != WM_STREAM_RUNNING)
		return;
	stream->state = WM_STREAM_STOPPING;
	stream->ending.result = result;
	stream->ending.failed_op = failed_op;
	stream->ending.extent = extent;
	if (result < 0)
		stream_send_failed(stream);
}

static void count_job(struct wm_stream *stream)
{
	const struct wm_lane_job *job = stream->job;
	struct wm_lane_job_counters *counters = &stream->job_counters;
	uint64_t bytes;

	counters->nodes_alive =
		wm_dispatch_nodes_answering(stream->dispatch, &counters->nodes_unable);
	counters->stuck = wm_dispatch_is_stuck(stream->dispatch);
	/* Progress is the leader's. */
	if (!stream_leads(stream))
		return;
	counters->extents_done = job->progress.durable;
	bytes = job->progress.durable * job->layout.extent_elements * job->layout.kernel.out_bytes;
	counters->output_bytes_done = bytes < job->layout.output_bytes ? bytes
								       : job->layout.output_bytes;
	counters->gaps = job->progress.gap_count;
}

void wm_stream_job_end(struct wm_stream *stream)
{
	assert(wm_stream_can_end(stream));
	slots_release(stream);
	stream_audit_clear(stream);
	count_job(stream);
	stream->state = WM_STREAM_IDLE;
	stream->job = NULL;
	stream_send_ended(stream);
}

void wm_stream_limit(struct wm_stream *stream, uint32_t in_flight_max)
{
	wm_dispatch_limit(stream->dispatch, in_flight_max);
}

/* ---- storage ---------------------------------------------------------------------- */

static bool read_extent(struct wm_stream *stream, uint32_t index, uint64_t now_ns)
{
	const struct wm_layout *layout = &stream->job->layout;
	struct stream_slot *slot = &stream->slots[index];
	uint64_t extent;

	if (!stream_extent_open(stream, &extent))
		return false;
	if (stream->config.calls.read(stream->config.context, index, extent, &slot->input) < 0) {
		stream_extent_return(stream, extent);
		return false;
	}
	slot->state = SLOT_READING;
	slot->extent = extent;
	slot->asked_ns = now_ns;
	slot->is_ahead = true;
	slot->nodes = 0;
	slot->is_invalid = false;
	slot->out_bytes = wm_layout_extent(layout, extent).out_bytes;
	slot->batches = wm_layout_extent_batches(layout, extent);
	stream->slots_free--;
	stream->slots_ahead++;
	return true;
}

/*
 * No frame that points into it waits in the port: each was given back, or one that was
 * sent later is answered. A driver may keep an mbuf until its descriptor is used again,
 * long after the frame has left; with small jobs that is never. A frame that was not
 * answered after so long is one of a job that was stopped, or of a port whose link is
 * down; should it leave yet, it is one whose CRC is wrong, of a batch nobody waits for.
 */
static bool is_idle(const struct wm_stream *stream, uint32_t index, uint64_t now_ns)
{
	const struct stream_slot *slot = &stream->slots[index];

	return slot->sent_ns < wm_dispatch_left_ns(stream->dispatch) ||
	       now_ns > slot->sent_ns + LEAVES_NS ||
	       stream->config.calls.is_idle(stream->config.context, index);
}

static bool may_read(const struct wm_stream *stream)
{
	return stream->config.dispatch.extents_max - stream->slots_free < stream->slots_used_max &&
	       stream->slots_ahead < wm_readahead_depth(&stream->readahead);
}

static void read_ahead(struct wm_stream *stream, uint64_t now_ns)
{
	for (uint32_t i = 0; may_read(stream) && i < stream->config.dispatch.extents_max; i++) {
		if (stream->slots[i].state != SLOT_FREE || !is_idle(stream, i, now_ns))
			continue;
		if (!read_extent(stream, i, now_ns))
			return;
	}
}

/* The results of an extent in order; neighbours in memory become one part. */
static uint32_t gather_parts(struct wm_stream *stream, const struct stream_slot *slot)
{
	const struct wm_layout *layout = &stream->job->layout;
	uint32_t batch_bytes = layout->batch_elements * layout->kernel.out_bytes;
	uint32_t left = slot->out_bytes, count = 0;
	uint8_t *end = NULL;

	for (uint32_t i = 0; i < slot->batches; i++) {
		uint32_t bytes = left < batch_bytes ? left : batch_bytes;
		uint8_t *start = slot->kept[i].payload;

		if (start == end)
			stream->parts[count - 1].iov_len += bytes;
		else
			stream->parts[count++] =
				(struct iovec){ .iov_base = start, .iov_len = bytes };
		end = start + bytes;
		left -= bytes;
	}
	assert(left == 0);
	return count;
}

/* Of what the nodes sent, not of what is in memory by now: it is cold, and should it
 * have changed since, verify will find it. */
static uint32_t extent_crc(const struct wm_stream *stream, const struct stream_slot *slot)
{
	const struct wm_layout *layout = &stream->job->layout;
	uint32_t batch_bytes = wm_frame_result_bytes(&layout->kernel, layout->batch_elements);
	uint32_t full = slot->out_bytes / batch_bytes, crc = 0;

	for (uint32_t i = 0; i < full; i++)
		crc = wm_crc32c_join(&stream->batch_shift, crc, slot->kept[i].crc32c);
	if (full < slot->batches)
		crc = wm_crc32c(crc, slot->kept[full].payload,
				slot->out_bytes - full * batch_bytes);
	return crc;
}

void stream_write_extent(struct wm_stream *stream, struct stream_slot *slot)
{
	uint32_t count = gather_parts(stream, slot);
	int ret;

	slot->crc32c = extent_crc(stream, slot);
	/* Before the call: who carries it out may be done at once. */
	slot->state = SLOT_WRITING;
	ret = stream->config.calls.write(stream->config.context, (uint32_t)(slot - stream->slots),
					 slot->extent, stream->parts, count);
	if (ret < 0)
		stream_stop(stream, ret, WM_STORE_WRITE, slot->extent);
}

static struct stream_slot *slot_of(struct wm_stream *stream, uint64_t extent, enum slot_state state)
{
	for (uint32_t i = 0; i < stream->config.dispatch.extents_max; i++) {
		if (stream->slots[i].state == state && stream->slots[i].extent == extent)
			return &stream->slots[i];
	}
	assert(!"an event for an extent that is not in any slot");
	return NULL;
}

static void extent_read(struct wm_stream *stream, uint64_t extent, uint64_t now_ns)
{
	struct stream_slot *slot = slot_of(stream, extent, SLOT_READING);

	wm_readahead_arrived(&stream->readahead, now_ns - slot->asked_ns);
	slot->state = SLOT_OPEN;
	if (stream->state == WM_STREAM_RUNNING)
		wm_dispatch_extent_open(stream->dispatch, (uint32_t)(slot - stream->slots), extent);
}

static void extent_written(struct wm_stream *stream, uint64_t extent, uint64_t now_ns)
{
	struct stream_slot *slot = slot_of(stream, extent, SLOT_WRITING);
	struct wm_progress_extent written = {
		.extent = extent,
		.nodes = slot->nodes,
		.crc32c = slot->crc32c,
	};

	if (slot->is_invalid)
		stream_extent_return(stream, extent);
	else
		stream_extent_written(stream, &written, now_ns);
	stream_slot_release(stream, slot);
}

static void journalled(struct wm_stream *stream)
{
	struct wm_lane_event event = { .op = WM_LANE_RECOMPUTE, .job = stream->job->id };

	event.nodes = wm_leader_journalled(&stream->leader, &event.record);
	if (event.nodes == 0)
		return;
	event.extent = ++stream->job->recompute_wanted;
	stream->config.calls.raise(stream->config.context, &event);
}

void wm_stream_stored(struct wm_stream *stream, const struct wm_store_event *event, uint64_t now_ns)
{
	if (event->result < 0) {
		stream_stop(stream, event->result, event->op, event->extent);
		return;
	}
	switch (event->op) {
	case WM_STORE_READ:
		extent_read(stream, event->extent, now_ns);
		break;
	case WM_STORE_WRITE:
		extent_written(stream, event->extent, now_ns);
		break;
	case WM_STORE_JOURNAL:
		journalled(stream);
		break;
	}
}

/* One fdatasync and one append for a group of extents. */
static void journal(struct wm_stream *stream, uint64_t now_ns)
{
	struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX];
	uint32_t count = wm_leader_records(&stream->leader, now_ns, records);
	int ret;

	if (count == 0)
		return;
	ret = stream->config.calls.journal(stream->config.context, records, count);
	if (ret < 0)
		stream_stop(stream, ret, WM_STORE_JOURNAL, 0);
}

void wm_stream_round(struct wm_stream *stream, uint64_t now_ns)
{
	if (stream->config.lanes > 1 && stream->state != WM_STREAM_IDLE)
		stream_exchange(stream, now_ns);
	if (stream->state != WM_STREAM_RUNNING)
		return;
	if (stream->has_nodes)
		read_ahead(stream, now_ns);
	wm_dispatch_drain(stream->dispatch, stream_is_draining(stream));
	if (!stream_leads(stream))
		return;
	journal(stream, now_ns);
	if (wm_leader_is_complete(&stream->leader))
		stream_stop(stream, 0, 0, 0);
}

void wm_stream_tick(struct wm_stream *stream, uint64_t now_ns)
{
	struct wm_lane_event event = { .op = WM_LANE_NODE_SILENT };

	if (stream->state != WM_STREAM_RUNNING)
		return;
	event.job = stream->job->id;
	event.record = wm_dispatch_tick(stream->dispatch, now_ns, &event.node);
	if (event.record > 0)
		stream->config.calls.raise(stream->config.context, &event);
	stream_look_for_nodes(stream);
}

/* ---- commands ---------------------------------------------------------------------- */

static void node_set(struct wm_stream *stream, const struct wm_lane_command *command)
{
	struct stream_node *node = &stream->nodes[command->node];

	node->session = command->session;
	memcpy(node->mac, command->mac, sizeof(node->mac));
	memcpy(node->frame_key, command->frame_key, sizeof(node->frame_key));
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
	if (stream->state == WM_STREAM_RUNNING &&
	    stream->nodes[command->node].session == command->session)
		wm_dispatch_node_add(stream->dispatch, command->node, command->window_max,
				     command->session);
}

void wm_stream_handle(struct wm_stream *stream, const struct wm_lane_command *command,
		      uint64_t now_ns)
{
	bool running = stream->state == WM_STREAM_RUNNING;

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
		stream_stop(stream, -ECANCELED, 0, 0);
		break;
	case WM_LANE_EXTENT_INVALIDATE:
		if (running)
			wm_leader_invalidate(&stream->leader, command->extent);
		break;
	case WM_LANE_RECOMPUTE_DONE:
		if (running)
			stream->job->recompute_done = (uint32_t)command->extent;
		break;
	case WM_LANE_OUTPUT_CHECKED:
		if (running)
			stream->job->unchecked = false;
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
	const struct wm_layout *layout = &stream->job->layout;
	const struct stream_node *node;
	struct wm_dispatch_send send;
	struct stream_slot *slot;

	if (!wm_dispatch_next(stream->dispatch, now_ns, &send))
		return false;
	node = &stream->nodes[send.node];
	slot = &stream->slots[send.batch.slot];
	slot->sent_ns = now_ns;
	/* Fresh ones go in order. */
	if (slot->is_ahead && send.batch.place + 1 == slot->batches) {
		slot_used(stream, slot);
		wm_readahead_used(&stream->readahead, now_ns);
	}
	*header = (struct wm_wire_header){
		.version = WM_WIRE_VERSION,
		.op = WM_OP_MAP,
		.count = (uint16_t)send.batch.count,
		.session = node->session,
		.batch = send.batch.batch,
		.job = stream->job->id,
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

/* ---- for who looks on --------------------------------------------------------------- */

enum wm_stream_state wm_stream_get_state(const struct wm_stream *stream)
{
	return stream->state;
}

struct wm_lane_job *wm_stream_job(const struct wm_stream *stream)
{
	return stream->job;
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
	if (stream->job)
		count_job(stream);
	*counters = stream->job_counters;
	counters->dispatch = *wm_dispatch_get_counters(stream->dispatch);
	counters->published_ns = now_ns;
}
