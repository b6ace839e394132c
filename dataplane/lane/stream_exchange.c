/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_exchange.h"

#include <assert.h>

#include "stream_audit.h"
#include "stream_lanes.h"
#include "stream_slot.h"

/* ---- the leader listens ------------------------------------------------------------ */

static void leader_receive(struct wm_stream *stream, uint32_t lane,
			   const struct wm_leader_message *message, uint64_t now_ns)
{
	switch (message->op) {
	case WM_LEADER_WRONG:
		stream_invalidate_node(stream, message->node, message->nodes);
		wm_leader_quarantine(&stream->leader, message->nodes);
		stream_send_invalidation(stream, message->node, message->nodes, lane);
		break;
	case WM_LEADER_FAILED:
		stream_stop(stream, &message->ending);
		break;
	default:
		wm_leader_receive(&stream->leader, lane, message, now_ns);
	}
}

static void leader_grant(struct wm_stream *stream, uint32_t lane)
{
	struct wm_leader_message message = { .op = WM_LEADER_EXTENT };

	while (wm_leader_grant(&stream->leader, lane, &message.extent))
		stream_send_to_lane(stream, lane, &message);
}

static void leader_stop(struct wm_stream *stream, uint32_t lane)
{
	struct wm_follower *follower = &stream->leader.followers[lane];

	if (follower->stopped)
		return;
	follower->stopped = true;
	stream_send_to_lane(stream, lane, &(struct wm_leader_message){ .op = WM_LEADER_STOP });
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

/* ---- who follows listens ------------------------------------------------------------ */

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
		stream_send_to_leader(stream,
				      &(struct wm_leader_message){ .op = WM_LEADER_INVALIDATED });
		break;
	case WM_LEADER_STOP:
		follower->stopped = true;
		stream_stop(stream, &(struct wm_lane_ending){ .result = 0 });
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
	stream_send_to_leader(stream, &message);
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

/* ---- nodes -------------------------------------------------------------------------- */

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
