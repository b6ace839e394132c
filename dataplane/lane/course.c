/* SPDX-License-Identifier: BSD-3-Clause */
#include "course_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* A ring of a port's whole memory takes a tenth of that on a slow link. */
#define LEAVES_NS (1 * WM_NS_PER_S)

/* ---- life ------------------------------------------------------------------------ */

static bool memory_create(struct wm_course *course)
{
	const struct wm_dispatch_config *config = &course->config.dispatch;
	uint32_t slots = config->extents_max, batches = config->batches_per_extent_max;

	course->dispatch = wm_dispatch_create(config);
	course->nodes = calloc(config->nodes_max, sizeof(*course->nodes));
	course->slots = calloc(slots, sizeof(*course->slots));
	course->kept = calloc((size_t)slots * batches, sizeof(*course->kept));
	course->parts = calloc(batches, sizeof(*course->parts));
	if (!course->dispatch || !course->nodes || !course->slots || !course->kept ||
	    !course->parts)
		return false;
	for (uint32_t i = 0; i < slots; i++) {
		course->slots[i].output = course->config.output +
					  (size_t)i * course->config.output_bytes;
		course->slots[i].kept = course->kept + (size_t)i * batches;
	}
	course->slots_free = slots;
	return true;
}

struct wm_course *wm_course_create(const struct wm_course_config *config)
{
	struct wm_course *course = calloc(1, sizeof(*course));

	if (!course)
		return NULL;
	course->config = *config;
	if (!memory_create(course))
		wm_course_destroy(&course);
	return course;
}

/* It is no longer one of those that were read ahead. */
static void slot_used(struct wm_course *course, struct slot *slot)
{
	course->slots_ahead -= slot->is_ahead;
	slot->is_ahead = false;
}

void course_slot_release(struct wm_course *course, struct slot *slot)
{
	if (slot->state == SLOT_FREE)
		return;
	for (uint32_t i = 0; i < slot->batches; i++)
		course_kept_free(course, &slot->kept[i]);
	slot_used(course, slot);
	slot->state = SLOT_FREE;
	course->slots_free++;
}

static void slots_release(struct wm_course *course)
{
	for (uint32_t i = 0; i < course->config.dispatch.extents_max; i++)
		course_slot_release(course, &course->slots[i]);
}

void wm_course_destroy(struct wm_course **course_pointer)
{
	struct wm_course *course = *course_pointer;

	if (!course)
		return;
	if (course->slots && course->kept)
		slots_release(course);
	course_audit_clear(course);
	free(course->parts);
	free(course->kept);
	free(course->slots);
	if (course->nodes)
		explicit_bzero(course->nodes,
			       course->config.dispatch.nodes_max * sizeof(*course->nodes));
	free(course->nodes);
	wm_dispatch_destroy(&course->dispatch);
	free(course);
	*course_pointer = NULL;
}

/* ---- a job's start and end -------------------------------------------------------- */

void wm_course_job_start(struct wm_course *course, struct wm_lane_job *job, uint32_t queue_target,
			 uint32_t keep_align_bytes)
{
	assert(course->state == WM_COURSE_IDLE);
	course->job = job;
	course->state = WM_COURSE_RUNNING;
	course->ending = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED, .job = job->id };
	course->keep_align_bytes = keep_align_bytes;
	course->job_counters = (struct wm_lane_job_counters){ .job = job->id };
	course->invariant = wm_kernel_find_invariant(job->layout.kernel.name);
	wm_crc32c_shift_init(
		&course->batch_shift,
		wm_frame_result_bytes(&job->layout.kernel, job->layout.batch_elements));
	wm_dispatch_start(course->dispatch, &job->layout, queue_target);
	wm_dispatch_audit(course->dispatch, job->audit_threshold, job->audit_seed);
	course_lanes_start(course);
}

void course_stop(struct wm_course *course, int result, uint32_t failed_op, uint64_t extent)
{
	if (course->state != WM_COURSE_RUNNING)
		return;
	course->state = WM_COURSE_STOPPING;
	course->ending.result = result;
	course->ending.failed_op = failed_op;
	course->ending.extent = extent;
	if (result < 0)
		course_tell_failed(course);
}

static void count_job(struct wm_course *course)
{
	const struct wm_lane_job *job = course->job;
	struct wm_lane_job_counters *counters = &course->job_counters;
	uint64_t bytes;

	counters->nodes_alive =
		wm_dispatch_nodes_answering(course->dispatch, &counters->nodes_unable);
	counters->stuck = wm_dispatch_is_stuck(course->dispatch);
	/* Progress is the leader's. */
	if (!course_leads(course))
		return;
	counters->extents_done = job->progress.durable;
	bytes = job->progress.durable * job->layout.extent_elements * job->layout.kernel.out_bytes;
	counters->output_bytes_done = bytes < job->layout.output_bytes ? bytes
								       : job->layout.output_bytes;
	counters->gaps = job->progress.gap_count;
}

void wm_course_job_end(struct wm_course *course)
{
	assert(wm_course_can_end(course));
	slots_release(course);
	course_audit_clear(course);
	count_job(course);
	course->state = WM_COURSE_IDLE;
	course->job = NULL;
	course_tell_ended(course);
}

void wm_course_limit(struct wm_course *course, uint32_t in_flight_max)
{
	wm_dispatch_limit(course->dispatch, in_flight_max);
}

/* ---- storage ---------------------------------------------------------------------- */

static bool read_extent(struct wm_course *course, uint32_t index, uint64_t now_ns)
{
	const struct wm_layout *layout = &course->job->layout;
	struct slot *slot = &course->slots[index];
	uint64_t extent;

	if (!course_extent_open(course, &extent))
		return false;
	if (course->config.calls.read(course->config.context, index, extent, &slot->input) < 0) {
		course_extent_return(course, extent);
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
	course->slots_free--;
	course->slots_ahead++;
	return true;
}

/*
 * No frame that points into it waits in the port: each was given back, or one that was
 * sent later is answered. A driver may keep an mbuf until its descriptor is used again,
 * long after the frame has left; with small jobs that is never. A frame that was not
 * answered after so long is one of a job that was stopped, or of a port whose link is
 * down; should it leave yet, it is one whose CRC is wrong, of a batch nobody waits for.
 */
static bool is_idle(const struct wm_course *course, uint32_t index, uint64_t now_ns)
{
	const struct slot *slot = &course->slots[index];

	return slot->sent_ns < wm_dispatch_left_ns(course->dispatch) ||
	       now_ns > slot->sent_ns + LEAVES_NS ||
	       course->config.calls.is_idle(course->config.context, index);
}

static bool may_read(const struct wm_course *course)
{
	return course->config.dispatch.extents_max - course->slots_free < course->slots_used_max &&
	       course->slots_ahead < wm_readahead_depth(&course->readahead);
}

static void read_ahead(struct wm_course *course, uint64_t now_ns)
{
	for (uint32_t i = 0; may_read(course) && i < course->config.dispatch.extents_max; i++) {
		if (course->slots[i].state != SLOT_FREE || !is_idle(course, i, now_ns))
			continue;
		if (!read_extent(course, i, now_ns))
			return;
	}
}

/* The results of an extent in order; neighbours in memory become one part. */
static uint32_t gather_parts(struct wm_course *course, const struct slot *slot)
{
	const struct wm_layout *layout = &course->job->layout;
	uint32_t batch_bytes = layout->batch_elements * layout->kernel.out_bytes;
	uint32_t left = slot->out_bytes, count = 0;
	uint8_t *end = NULL;

	for (uint32_t i = 0; i < slot->batches; i++) {
		uint32_t bytes = left < batch_bytes ? left : batch_bytes;
		uint8_t *start = slot->kept[i].payload;

		if (start == end)
			course->parts[count - 1].iov_len += bytes;
		else
			course->parts[count++] =
				(struct iovec){ .iov_base = start, .iov_len = bytes };
		end = start + bytes;
		left -= bytes;
	}
	assert(left == 0);
	return count;
}

/* Of what the nodes sent, not of what is in memory by now: it is cold, and should it
 * have changed since, verify will find it. */
static uint32_t extent_crc(const struct wm_course *course, const struct slot *slot)
{
	const struct wm_layout *layout = &course->job->layout;
	uint32_t batch_bytes = wm_frame_result_bytes(&layout->kernel, layout->batch_elements);
	uint32_t full = slot->out_bytes / batch_bytes, crc = 0;

	for (uint32_t i = 0; i < full; i++)
		crc = wm_crc32c_join(&course->batch_shift, crc, slot->kept[i].crc32c);
	if (full < slot->batches)
		crc = wm_crc32c(crc, slot->kept[full].payload,
				slot->out_bytes - full * batch_bytes);
	return crc;
}

void course_write_extent(struct wm_course *course, struct slot *slot)
{
	uint32_t count = gather_parts(course, slot);
	int ret;

	slot->crc32c = extent_crc(course, slot);
	/* Before the call: who carries it out may be done at once. */
	slot->state = SLOT_WRITING;
	ret = course->config.calls.write(course->config.context, (uint32_t)(slot - course->slots),
					 slot->extent, course->parts, count);
	if (ret < 0)
		course_stop(course, ret, WM_STORE_WRITE, slot->extent);
}

static struct slot *slot_of(struct wm_course *course, uint64_t extent, enum slot_state state)
{
	for (uint32_t i = 0; i < course->config.dispatch.extents_max; i++) {
		if (course->slots[i].state == state && course->slots[i].extent == extent)
			return &course->slots[i];
	}
	assert(!"an event for an extent that is not in any slot");
	return NULL;
}

static void extent_read(struct wm_course *course, uint64_t extent, uint64_t now_ns)
{
	struct slot *slot = slot_of(course, extent, SLOT_READING);

	wm_readahead_arrived(&course->readahead, now_ns - slot->asked_ns);
	slot->state = SLOT_OPEN;
	if (course->state == WM_COURSE_RUNNING)
		wm_dispatch_extent_open(course->dispatch, (uint32_t)(slot - course->slots), extent);
}

static void extent_written(struct wm_course *course, uint64_t extent, uint64_t now_ns)
{
	struct slot *slot = slot_of(course, extent, SLOT_WRITING);
	struct wm_progress_extent written = {
		.extent = extent,
		.nodes = slot->nodes,
		.crc32c = slot->crc32c,
	};

	if (slot->is_invalid)
		course_extent_return(course, extent);
	else
		course_extent_written(course, &written, now_ns);
	course_slot_release(course, slot);
}

static void journalled(struct wm_course *course)
{
	struct wm_lane_event event = { .op = WM_LANE_RECOMPUTE, .job = course->job->id };

	event.nodes = wm_leader_journalled(&course->leader, &event.record);
	if (event.nodes == 0)
		return;
	event.extent = ++course->job->recompute_wanted;
	course->config.calls.raise(course->config.context, &event);
}

void wm_course_stored(struct wm_course *course, const struct wm_store_event *event, uint64_t now_ns)
{
	if (event->result < 0) {
		course_stop(course, event->result, event->op, event->extent);
		return;
	}
	switch (event->op) {
	case WM_STORE_READ:
		extent_read(course, event->extent, now_ns);
		break;
	case WM_STORE_WRITE:
		extent_written(course, event->extent, now_ns);
		break;
	case WM_STORE_JOURNAL:
		journalled(course);
		break;
	}
}

/* One fdatasync and one append for a group of extents. */
static void journal(struct wm_course *course, uint64_t now_ns)
{
	struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX];
	uint32_t count = wm_leader_records(&course->leader, now_ns, records);
	int ret;

	if (count == 0)
		return;
	ret = course->config.calls.journal(course->config.context, records, count);
	if (ret < 0)
		course_stop(course, ret, WM_STORE_JOURNAL, 0);
}

void wm_course_round(struct wm_course *course, uint64_t now_ns)
{
	if (course->config.lanes > 1 && course->state != WM_COURSE_IDLE)
		course_exchange(course, now_ns);
	if (course->state != WM_COURSE_RUNNING)
		return;
	if (course->attended)
		read_ahead(course, now_ns);
	wm_dispatch_drain(course->dispatch, course_is_draining(course));
	if (!course_leads(course))
		return;
	journal(course, now_ns);
	if (wm_leader_is_complete(&course->leader))
		course_stop(course, 0, 0, 0);
}

void wm_course_tick(struct wm_course *course, uint64_t now_ns)
{
	struct wm_lane_event event = { .op = WM_LANE_NODE_SILENT };

	if (course->state != WM_COURSE_RUNNING)
		return;
	event.job = course->job->id;
	event.record = wm_dispatch_tick(course->dispatch, now_ns, &event.node);
	if (event.record > 0)
		course->config.calls.raise(course->config.context, &event);
	course_attend(course);
}

/* ---- commands ---------------------------------------------------------------------- */

static void node_set(struct wm_course *course, const struct wm_lane_command *command)
{
	struct course_node *node = &course->nodes[command->node];

	node->session = command->session;
	memcpy(node->mac, command->mac, sizeof(node->mac));
	memcpy(node->frame_key, command->frame_key, sizeof(node->frame_key));
}

static void node_clear(struct wm_course *course, uint32_t index)
{
	struct course_node *node = &course->nodes[index];

	wm_dispatch_node_remove(course->dispatch, index);
	node->session = 0;
	explicit_bzero(node->frame_key, sizeof(node->frame_key));
}

static void node_join(struct wm_course *course, const struct wm_lane_command *command)
{
	/* Not one that was removed while the command was on its way. */
	if (course->state == WM_COURSE_RUNNING &&
	    course->nodes[command->node].session == command->session)
		wm_dispatch_node_add(course->dispatch, command->node, command->window_max,
				     command->session);
}

void wm_course_obey(struct wm_course *course, const struct wm_lane_command *command,
		    uint64_t now_ns)
{
	bool running = course->state == WM_COURSE_RUNNING;

	switch (command->op) {
	case WM_LANE_NODE_SET:
		node_set(course, command);
		break;
	case WM_LANE_NODE_CLEAR:
		node_clear(course, command->node);
		break;
	case WM_LANE_NODE_HEAR:
		wm_dispatch_node_hear(course->dispatch, command->node, command->works, now_ns);
		break;
	case WM_LANE_NODE_JOIN:
		node_join(course, command);
		break;
	case WM_LANE_NODE_LEAVE:
		wm_dispatch_node_remove(course->dispatch, command->node);
		break;
	case WM_LANE_JOB_STOP:
		course_stop(course, -ECANCELED, 0, 0);
		break;
	case WM_LANE_EXTENT_VOID:
		if (running)
			wm_leader_invalidate(&course->leader, command->extent);
		break;
	case WM_LANE_RECOMPUTE_DONE:
		if (running)
			course->job->recompute_done = (uint32_t)command->extent;
		break;
	case WM_LANE_OUTPUT_CHECKED:
		if (running)
			course->job->unchecked = false;
		break;
	case WM_LANE_JOB_START:
	case WM_LANE_QUIT:
		assert(!"a command for the lane itself");
	}
}

/* ---- batches out ------------------------------------------------------------------- */

bool wm_course_next(struct wm_course *course, uint64_t now_ns, struct wm_wire_header *header,
		    struct wm_course_map *map)
{
	const struct wm_layout *layout = &course->job->layout;
	const struct course_node *node;
	struct wm_dispatch_send send;
	struct slot *slot;

	if (!wm_dispatch_next(course->dispatch, now_ns, &send))
		return false;
	node = &course->nodes[send.node];
	slot = &course->slots[send.batch.slot];
	slot->sent_ns = now_ns;
	/* Fresh ones go in order. */
	if (slot->is_ahead && send.batch.place + 1 == slot->batches) {
		slot_used(course, slot);
		wm_readahead_used(&course->readahead, now_ns);
	}
	*header = (struct wm_wire_header){
		.version = WM_WIRE_VERSION,
		.op = WM_OP_MAP,
		.count = (uint16_t)send.batch.count,
		.session = node->session,
		.batch = send.batch.batch,
		.job = course->job->id,
		.stamp = send.stamp,
	};
	*map = (struct wm_course_map){
		.slot = send.batch.slot,
		.payload_bytes = wm_frame_map_bytes(&layout->kernel, send.batch.count),
		.payload = slot->input + (size_t)send.batch.place * layout->batch_elements *
						 layout->kernel.in_bytes,
		.mac = node->mac,
		.key = course_key(course, node),
	};
	return true;
}

/* ---- for who looks on --------------------------------------------------------------- */

enum wm_course_state wm_course_get_state(const struct wm_course *course)
{
	return course->state;
}

struct wm_lane_job *wm_course_job(const struct wm_course *course)
{
	return course->job;
}

const struct wm_dispatch *wm_course_dispatch(const struct wm_course *course)
{
	return course->dispatch;
}

uint32_t wm_course_slots_free(const struct wm_course *course)
{
	return course->slots_free;
}

const struct wm_course_counters *wm_course_get_counters(const struct wm_course *course)
{
	return &course->counters;
}

void wm_course_job_counters(struct wm_course *course, uint64_t now_ns,
			    struct wm_lane_job_counters *counters)
{
	if (course->job)
		count_job(course);
	*counters = course->job_counters;
	counters->dispatch = *wm_dispatch_get_counters(course->dispatch);
	counters->published_ns = now_ns;
}
