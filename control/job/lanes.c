/* SPDX-License-Identifier: BSD-3-Clause */
#include "lanes.h"

#include <assert.h>
#include <unistd.h>

static void command(struct wm_lane *lane, const struct wm_lane_command *lane_command)
{
	/* The ring holds what a change of job sends for every node, and the lane
	 * empties it every round. */
	while (!wm_lane_post_command(lane, lane_command))
		usleep(50);
}

void wm_lanes_post(struct wm_lanes *lanes, const struct wm_lane_command *lane_command)
{
	command(lanes->lanes[0], lane_command);
}

void wm_lanes_post_to_node(struct wm_lanes *lanes, const struct wm_lane_command *lane_command)
{
	assert(lane_command->node < WM_NODES_MAX);
	assert(lanes->of_node[lane_command->node] < lanes->count);
	command(lanes->lanes[lanes->of_node[lane_command->node]], lane_command);
}

void wm_lanes_start(struct wm_lanes *lanes, struct wm_lane_job *job)
{
	const struct wm_lane_command start = { .op = WM_LANE_JOB_START, .job = job };

	for (uint32_t i = lanes->count; i-- > 0;)
		command(lanes->lanes[i], &start);
}

bool wm_lanes_poll_event(struct wm_lanes *lanes, struct wm_lane_event *event)
{
	for (uint32_t i = lanes->count; i-- > 0;) {
		if (wm_lane_poll_event(lanes->lanes[i], event))
			return true;
	}
	return false;
}

static void add_dispatch(struct wm_dispatch_counters *sum, const struct wm_dispatch_counters *of)
{
	sum->sent += of->sent;
	sum->resent += of->resent;
	sum->results += of->results;
	sum->duplicates += of->duplicates;
	sum->unknown += of->unknown;
	sum->lost += of->lost;
	sum->speculated += of->speculated;
	sum->audited += of->audited;
	sum->failed += of->failed;
	if (of->waited_max_ns > sum->waited_max_ns)
		sum->waited_max_ns = of->waited_max_ns;
}

void wm_lanes_sum_job_counters(struct wm_lanes *lanes, struct wm_lane_job_counters *counters)
{
	struct wm_lane_snapshot snapshot;

	wm_lane_take_snapshot(lanes->lanes[0], &snapshot);
	*counters = snapshot.job;
	for (uint32_t i = 1; i < lanes->count; i++) {
		wm_lane_take_snapshot(lanes->lanes[i], &snapshot);
		if (snapshot.job.job != counters->job)
			continue;
		counters->batches_done += snapshot.job.batches_done;
		counters->nodes_alive += snapshot.job.nodes_alive;
		counters->nodes_unable += snapshot.job.nodes_unable;
		counters->stuck |= snapshot.job.stuck;
		add_dispatch(&counters->dispatch, &snapshot.job.dispatch);
	}
}

void wm_lanes_sum_drops(struct wm_lanes *lanes, struct wm_drops *drops)
{
	struct wm_lane_snapshot snapshot;

	*drops = (struct wm_drops){ { 0 } };
	for (uint32_t i = 0; i < lanes->count; i++) {
		wm_lane_take_snapshot(lanes->lanes[i], &snapshot);
		for (unsigned reason = 0; reason < WM_DROP_REASONS; reason++)
			drops->count[reason] += snapshot.counters.drops.count[reason];
	}
}

void wm_lanes_sum_requests(struct wm_lanes *lanes,
			   struct wm_store_requests requests[WM_STORE_FILES])
{
	struct wm_lane_snapshot snapshot;

	for (unsigned file = 0; file < WM_STORE_FILES; file++)
		requests[file] = (struct wm_store_requests){ 0 };
	for (uint32_t i = 0; i < lanes->count; i++) {
		wm_lane_take_snapshot(lanes->lanes[i], &snapshot);
		for (unsigned file = 0; file < WM_STORE_FILES; file++) {
			const struct wm_store_requests *of =
				&snapshot.counters.store.requests[file];

			requests[file].asked += of->asked;
			requests[file].answered += of->answered;
		}
	}
}

void wm_lanes_read_node_state(struct wm_lanes *lanes, uint32_t node,
			      struct wm_dispatch_node_state *state)
{
	wm_lane_node_state(lanes->lanes[lanes->of_node[node]], node, state);
}
