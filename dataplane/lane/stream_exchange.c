/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_exchange.h"

#include <assert.h>

#include "stream_audit.h"
#include "stream_lanes.h"
#include "stream_slot.h"

/* ---- the leader listens ------------------------------------------------------------ */

static void leader_receive(struct wm_stream *stream, struct stream_job *job, uint32_t lane,
			   const struct wm_leader_message *message, uint64_t now_ns)
{
	switch (message->op) {
	case WM_LEADER_WRONG:
		stream_invalidate_node(stream, job, message->node, message->nodes);
		wm_leader_quarantine(&job->leader, message->nodes);
		stream_send_invalidation(stream, job, message->node, message->nodes, lane);
		break;
	case WM_LEADER_FAILED:
		stream_stop(stream, job, &message->ending);
		break;
	default:
		wm_leader_receive(&job->leader, lane, message, now_ns);
	}
}

static void leader_grant(struct wm_stream *stream, struct stream_job *job, uint32_t lane)
{
	struct wm_leader_message message = { .op = WM_LEADER_EXTENT };

	while (wm_leader_grant(&job->leader, lane, &message.extent))
		stream_send_to_lane(stream, lane, &message);
}

static void leader_stop(struct wm_stream *stream, struct stream_job *job, uint32_t lane)
{
	struct wm_follower *follower = &job->leader.followers[lane];

	if (follower->stopped)
		return;
	follower->stopped = true;
	stream_send_to_lane(stream, lane, &(struct wm_leader_message){ .op = WM_LEADER_STOP });
}

static void leader_exchange(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns)
{
	struct wm_leader_message message;

	for (uint32_t lane = 1; lane < stream->config.lanes; lane++) {
		/* What it says after its last message is of the next job. */
		while (!job->leader.followers[lane].ended &&
		       stream->config.calls.receive_message(stream->config.context, lane, &message))
			leader_receive(stream, job, lane, &message, now_ns);
		if (job->state == WM_STREAM_RUNNING)
			leader_grant(stream, job, lane);
		else
			leader_stop(stream, job, lane);
	}
}

/* ---- who follows listens ------------------------------------------------------------ */

static void follower_receive(struct wm_stream *stream, struct stream_job *job,
			     const struct wm_leader_message *message)
{
	struct follower *follower = &job->follower;

	switch (message->op) {
	case WM_LEADER_EXTENT:
		assert(follower->asked > 0 && follower->count < WM_LANE_EXTENTS_MAX);
		follower->asked--;
		follower->extents[follower->count++] = message->extent;
		break;
	case WM_LEADER_INVALIDATE:
		stream_invalidate_node(stream, job, message->node, message->nodes);
		stream_send_to_leader(stream,
				      &(struct wm_leader_message){ .op = WM_LEADER_INVALIDATED });
		break;
	case WM_LEADER_STOP:
		follower->stopped = true;
		stream_stop(stream, job, &(struct wm_lane_ending){ .result = 0 });
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
static void follower_ask(struct wm_stream *stream, struct stream_job *job)
{
	struct follower *follower = &job->follower;
	uint32_t used = stream->config.dispatch.extents_max - stream->slots_free;
	uint32_t coming = follower->count + follower->asked;
	uint32_t room = difference(job->slots_used_max, used + coming);
	uint32_t ahead = difference(wm_readahead_depth(&job->readahead), job->slots_ahead + coming);
	struct wm_leader_message message = { .op = WM_LEADER_WANT };

	message.count = room < ahead ? room : ahead;
	if (!job->has_nodes || message.count == 0)
		return;
	follower->asked += message.count;
	stream_send_to_leader(stream, &message);
}

static void follower_exchange(struct wm_stream *stream, struct stream_job *job)
{
	struct wm_leader_message message;

	while (!job->follower.stopped &&
	       stream->config.calls.receive_message(stream->config.context, 0, &message))
		follower_receive(stream, job, &message);
	if (job->state == WM_STREAM_RUNNING)
		follower_ask(stream, job);
}

void stream_exchange(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns)
{
	if (stream_leads(stream))
		leader_exchange(stream, job, now_ns);
	else
		follower_exchange(stream, job);
}

/* ---- nodes -------------------------------------------------------------------------- */

/* No node answers here: another lane may make what this one has. */
static void give_back(struct wm_stream *stream, struct stream_job *job)
{
	uint64_t extent;

	wm_dispatch_extents_close(stream->dispatch);
	stream_audit_clear(stream, job);
	for (uint32_t i = 0; i < stream->config.dispatch.extents_max; i++) {
		struct stream_slot *slot = &stream->slots[i];

		if (slot->job != job || slot->state != SLOT_OPEN)
			continue;
		stream_extent_return(stream, job, slot->extent);
		stream_slot_release(stream, slot);
	}
	while (!stream_leads(stream) && stream_extent_open(stream, job, &extent))
		stream_extent_return(stream, job, extent);
}

void stream_look_for_nodes(struct wm_stream *stream, struct stream_job *job)
{
	if (stream->config.lanes == 1)
		return;
	job->has_nodes = wm_dispatch_nodes_alive(stream->dispatch) > 0;
	if (!job->has_nodes)
		give_back(stream, job);
}
