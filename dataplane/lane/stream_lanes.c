/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_lanes.h"

/* Written extents that wait for the journal, and need no slot: of what progress takes
 * at once the lanes share the rest. */
#define WAITING 24u

void stream_send_to_lane(struct wm_stream *stream, uint32_t lane,
			 const struct wm_leader_message *message)
{
	stream->config.calls.send_message(stream->config.context, lane, message);
}

void stream_send_to_leader(struct wm_stream *stream, const struct wm_leader_message *message)
{
	stream_send_to_lane(stream, 0, message);
}

void stream_lanes_start(struct wm_stream *stream, struct stream_job *job)
{
	uint32_t slots = stream->config.dispatch.extents_max;
	uint32_t share = (WM_PROGRESS_BACKLOG_MAX - WAITING) / stream->config.lanes;

	job->has_nodes = stream->config.lanes == 1;
	job->slots_used_max = share < slots ? share : slots;
	wm_readahead_init(&job->readahead, job->slots_used_max);
	job->follower = (struct follower){ 0 };
	if (stream_leads(stream))
		wm_leader_start(&job->leader, job->lane);
}

/* ---- extents ----------------------------------------------------------------------- */

bool stream_extent_open(struct wm_stream *stream, struct stream_job *job, uint64_t *extent)
{
	struct follower *follower = &job->follower;

	if (stream_leads(stream))
		return wm_leader_open(&job->leader, extent);
	if (follower->count == 0)
		return false;
	/* Oldest first: the order of opening is that of the disk. */
	*extent = follower->extents[0];
	follower->count--;
	for (uint32_t i = 0; i < follower->count; i++)
		follower->extents[i] = follower->extents[i + 1];
	return true;
}

void stream_extent_return(struct wm_stream *stream, struct stream_job *job, uint64_t extent)
{
	if (stream_leads(stream))
		wm_leader_reopen(&job->leader, extent);
	else
		stream_send_to_leader(stream, &(struct wm_leader_message){ .op = WM_LEADER_RETURNED,
									   .extent = extent });
}

void stream_extent_written(struct wm_stream *stream, struct stream_job *job,
			   const struct wm_progress_extent *extent, uint64_t now_ns)
{
	if (stream_leads(stream))
		wm_leader_written(&job->leader, extent, now_ns);
	else
		stream_send_to_leader(stream,
				      &(struct wm_leader_message){ .op = WM_LEADER_WRITTEN,
								   .extent = extent->extent,
								   .nodes = extent->nodes,
								   .crc32c = extent->crc32c });
}

/* Who follows has asked for more and has nothing: what it waits for may never come. */
bool stream_is_draining(const struct wm_stream *stream, const struct stream_job *job)
{
	if (stream_leads(stream))
		return !wm_leader_has_more(&job->leader);
	return job->follower.count == 0 && job->follower.asked > 0;
}

/* ---- what concerns all ---------------------------------------------------------------- */

void stream_send_invalidation(struct wm_stream *stream, struct stream_job *job, uint32_t node,
			      uint64_t bit, uint32_t but_lane)
{
	for (uint32_t lane = 1; lane < stream->config.lanes; lane++) {
		if (lane == but_lane || job->leader.followers[lane].stopped)
			continue;
		wm_leader_invalidation_sent(&job->leader, lane, bit);
		stream_send_to_lane(stream, lane,
				    &(struct wm_leader_message){ .op = WM_LEADER_INVALIDATE,
								 .node = node,
								 .nodes = bit });
	}
}

void stream_send_wrong(struct wm_stream *stream, struct stream_job *job, uint32_t node,
		       uint64_t bit)
{
	if (stream_leads(stream)) {
		wm_leader_quarantine(&job->leader, bit);
		stream_send_invalidation(stream, job, node, bit, 0);
		return;
	}
	stream_send_to_leader(stream, &(struct wm_leader_message){
					      .op = WM_LEADER_WRONG, .node = node, .nodes = bit });
}

void stream_send_ended(struct wm_stream *stream, struct stream_job *job)
{
	if (stream_leads(stream))
		stream->config.calls.raise(stream->config.context, &job->ended);
	else
		stream_send_to_leader(stream, &(struct wm_leader_message){ .op = WM_LEADER_ENDED });
}

void stream_stop(struct wm_stream *stream, struct stream_job *job,
		 const struct wm_lane_ending *ending)
{
	if (job->state != WM_STREAM_RUNNING)
		return;
	job->state = WM_STREAM_STOPPING;
	job->ended.job_ended = *ending;
	if (ending->result < 0 && !stream_leads(stream))
		stream_send_to_leader(stream, &(struct wm_leader_message){ .op = WM_LEADER_FAILED,
									   .ending = *ending });
}

bool stream_lanes_ended(const struct wm_stream *stream, const struct stream_job *job)
{
	if (!stream_leads(stream))
		return job->follower.stopped;
	for (uint32_t lane = 1; lane < stream->config.lanes; lane++) {
		if (!job->leader.followers[lane].ended)
			return false;
	}
	return true;
}
