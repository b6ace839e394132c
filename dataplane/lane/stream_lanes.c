/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a stream gets its extents from, and whom it tells: the leader, which is its own
 * in lane 0, and which the other lanes follow by messages (leader.h). */
#include "stream_private.h"

#include <assert.h>

/* Written extents that wait for the journal, and need no slot: of what progress takes
 * at once the lanes share the rest. */
#define WAITING 24u

static void send_message(struct wm_stream *stream, uint32_t lane,
			 const struct wm_leader_message *message)
{
	stream->config.calls.send_message(stream->config.context, lane, message);
}

static void send_to_leader(struct wm_stream *stream, const struct wm_leader_message *message)
{
	send_message(stream, 0, message);
}

void stream_lanes_start(struct wm_stream *stream)
{
	uint32_t slots = stream->config.dispatch.extents_max;
	uint32_t share = (WM_PROGRESS_BACKLOG_MAX - WAITING) / stream->config.lanes;

	stream->has_nodes = stream->config.lanes == 1;
	stream->slots_used_max = share < slots ? share : slots;
	wm_readahead_init(&stream->readahead, stream->slots_used_max);
	stream->follower = (struct follower){ 0 };
	if (stream_leads(stream))
		wm_leader_start(&stream->leader, stream->job);
}

/* ---- extents ----------------------------------------------------------------------- */

bool stream_extent_open(struct wm_stream *stream, uint64_t *extent)
{
	struct follower *follower = &stream->follower;

	if (stream_leads(stream))
		return wm_leader_open(&stream->leader, extent);
	if (follower->count == 0)
		return false;
	/* Oldest first: the order of opening is that of the disk. */
	*extent = follower->extents[0];
	follower->count--;
	for (uint32_t i = 0; i < follower->count; i++)
		follower->extents[i] = follower->extents[i + 1];
	return true;
}

void stream_extent_return(struct wm_stream *stream, uint64_t extent)
{
	if (stream_leads(stream))
		wm_leader_reopen(&stream->leader, extent);
	else
		send_to_leader(stream, &(struct wm_leader_message){ .op = WM_LEADER_RETURNED,
								    .extent = extent });
}

void stream_extent_written(struct wm_stream *stream, const struct wm_progress_extent *extent,
			   uint64_t now_ns)
{
	if (stream_leads(stream))
		wm_leader_written(&stream->leader, extent, now_ns);
	else
		send_to_leader(stream, &(struct wm_leader_message){ .op = WM_LEADER_WRITTEN,
								    .extent = extent->extent,
								    .nodes = extent->nodes,
								    .crc32c = extent->crc32c });
}

/* Who follows has asked for more and has nothing: what it waits for may never come. */
bool stream_is_draining(const struct wm_stream *stream)
{
	if (stream_leads(stream))
		return !wm_leader_has_more(&stream->leader);
	return stream->follower.count == 0 && stream->follower.asked > 0;
}

/* ---- what concerns all ---------------------------------------------------------------- */

static void send_invalidation(struct wm_stream *stream, uint32_t node, uint64_t bit,
			      uint32_t but_lane)
{
	for (uint32_t lane = 1; lane < stream->config.lanes; lane++) {
		if (lane == but_lane || stream->leader.followers[lane].stopped)
			continue;
		wm_leader_invalidation_sent(&stream->leader, lane, bit);
		send_message(stream, lane,
			     &(struct wm_leader_message){
				     .op = WM_LEADER_INVALIDATE, .node = node, .nodes = bit });
	}
}

void stream_send_wrong(struct wm_stream *stream, uint32_t node, uint64_t bit)
{
	if (stream_leads(stream)) {
		wm_leader_quarantine(&stream->leader, bit);
		send_invalidation(stream, node, bit, 0);
		return;
	}
	send_to_leader(stream, &(struct wm_leader_message){
				       .op = WM_LEADER_WRONG, .node = node, .nodes = bit });
}

void stream_send_failed(struct wm_stream *stream)
{
	const struct wm_lane_event *ending = &stream->ending;

	if (!stream_leads(stream))
		send_to_leader(stream,
			       &(struct wm_leader_message){ .op = WM_LEADER_FAILED,
							    .extent = ending->extent,
							    .result = ending->result,
							    .failed_op = ending->failed_op });
}

void stream_send_ended(struct wm_stream *stream)
{
	if (stream_leads(stream))
		stream->config.calls.raise(stream->config.context, &stream->ending);
	else
		send_to_leader(stream, &(struct wm_leader_message){ .op = WM_LEADER_ENDED });
}

/* ---- the leader listens ------------------------------------------------------------------- */

static void leader_receive(struct wm_stream *stream, uint32_t lane,
			   const struct wm_leader_message *message, uint64_t now_ns)
{
	switch (message->op) {
	case WM_LEADER_WRONG:
		stream_invalidate_node(stream, message->node, message->nodes);
		wm_leader_quarantine(&stream->leader, message->nodes);
		send_invalidation(stream, message->node, message->nodes, lane);
		break;
	case WM_LEADER_FAILED:
		stream_stop(stream, message->result, message->failed_op, message->extent);
		break;
	default:
		wm_leader_receive(&stream->leader, lane, message, now_ns);
	}
}

static void leader_grant(struct wm_stream *stream, uint32_t lane)
{
	struct wm_leader_message message = { .op = WM_LEADER_EXTENT };

	while (wm_leader_grant(&stream->leader, lane, &message.extent))
		send_message(stream, lane, &message);
}

static void leader_stop(struct wm_stream *stream, uint32_t lane)
{
	struct wm_follower *follower = &stream->leader.followers[lane];

	if (follower->stopped)
		return;
	follower->stopped = true;
	send_message(stream, lane, &(struct wm_leader_message){ .op = WM_LEADER_STOP });
}

static void leader_exchange(struct wm_stream *stream, uint64_t now_ns)
{
	struct wm_leader_message message;

	for (uint32_t lane = 1; lane < stream->config.lanes; lane++) {
		/* What it says after its last message is of the next job. */
		while (!stream->leader.followers[lane].ended &&
		       stream->config.calls.receive_message(stream->config.context, lane, &message))
			leader_receive(stream, lane, &message, now_ns);
		if (stream->state == WM_STREAM_RUNNING)
			leader_grant(stream, lane);
		else
			leader_stop(stream, lane);
	}
}

/* ---- who follows listens -------------------------------------------------------------- */

static void follower_receive(struct wm_stream *stream, const struct wm_leader_message *message)
{
	struct follower *follower = &stream->follower;

	switch (message->op) {
	case WM_LEADER_EXTENT:
		assert(follower->asked > 0 && follower->count < WM_LANE_EXTENTS_MAX);
		follower->asked--;
		follower->extents[follower->count++] = message->extent;
		break;
	case WM_LEADER_INVALIDATE:
		stream_invalidate_node(stream, message->node, message->nodes);
		send_to_leader(stream, &(struct wm_leader_message){ .op = WM_LEADER_INVALIDATED });
		break;
	case WM_LEADER_STOP:
		follower->stopped = true;
		stream_stop(stream, 0, 0, 0);
		break;
	default:
		assert(!"a message that no leader sends");
	}
}

static uint32_t difference(uint32_t whole, uint32_t part)
{
	return part < whole ? whole - part : 0;
}

/* For the slots of its share that are free and not spoken for, and no more than it reads
 * ahead: the rest may be for others. */
static void follower_ask(struct wm_stream *stream)
{
	struct follower *follower = &stream->follower;
	uint32_t used = stream->config.dispatch.extents_max - stream->slots_free;
	uint32_t coming = follower->count + follower->asked;
	uint32_t room = difference(stream->slots_used_max, used + coming);
	uint32_t ahead =
		difference(wm_readahead_depth(&stream->readahead), stream->slots_ahead + coming);
	struct wm_leader_message message = { .op = WM_LEADER_WANT };

	message.count = room < ahead ? room : ahead;
	if (!stream->has_nodes || message.count == 0)
		return;
	follower->asked += message.count;
	send_to_leader(stream, &message);
}

static void follower_exchange(struct wm_stream *stream)
{
	struct wm_leader_message message;

	while (!stream->follower.stopped &&
	       stream->config.calls.receive_message(stream->config.context, 0, &message))
		follower_receive(stream, &message);
	if (stream->state == WM_STREAM_RUNNING)
		follower_ask(stream);
}

void stream_exchange(struct wm_stream *stream, uint64_t now_ns)
{
	if (stream_leads(stream))
		leader_exchange(stream, now_ns);
	else
		follower_exchange(stream);
}

bool wm_stream_can_end(const struct wm_stream *stream)
{
	if (stream->state != WM_STREAM_STOPPING)
		return false;
	if (!stream_leads(stream))
		return stream->follower.stopped;
	for (uint32_t lane = 1; lane < stream->config.lanes; lane++) {
		if (!stream->leader.followers[lane].ended)
			return false;
	}
	return true;
}

/* ---- nodes ------------------------------------------------------------------------------ */

/* No node answers here: another lane may make what this one has. */
static void give_back(struct wm_stream *stream)
{
	uint64_t extent;

	wm_dispatch_extents_close(stream->dispatch);
	stream_audit_clear(stream);
	for (uint32_t i = 0; i < stream->config.dispatch.extents_max; i++) {
		struct stream_slot *slot = &stream->slots[i];

		if (slot->state != SLOT_OPEN)
			continue;
		stream_extent_return(stream, slot->extent);
		stream_slot_release(stream, slot);
	}
	while (!stream_leads(stream) && stream_extent_open(stream, &extent))
		stream_extent_return(stream, extent);
}

void stream_look_for_nodes(struct wm_stream *stream)
{
	if (stream->config.lanes == 1)
		return;
	stream->has_nodes = wm_dispatch_nodes_alive(stream->dispatch) > 0;
	if (!stream->has_nodes)
		give_back(stream);
}
