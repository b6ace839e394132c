/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lanes of the controller, one a port. The first leads a job (dataplane/lane/leader.h):
 * what concerns the job goes to it, what concerns a node to the lane on whose port the
 * node was heard. One thread (the daemon's).
 */
#ifndef WM_LANES_H
#define WM_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "lane.h"
#include "links.h"

struct wm_lanes {
	struct wm_lane *lanes[WM_LANES_MAX];
	uint32_t count;
	uint8_t of_node[WM_NODES_MAX]; /* by index of the member */
	struct wm_links links;	       /* of their ports */
};

/* The leader's; it may wait until the lane has emptied its ring a bit. */
void wm_lanes_post(struct wm_lanes *lanes, const struct wm_lane_command *command);
/* Of the lane that has command->node. */
void wm_lanes_post_to_node(struct wm_lanes *lanes, const struct wm_lane_command *command);
/* All take the job up, the leader last. */
void wm_lanes_start(struct wm_lanes *lanes, struct wm_lane_job *job);
/* False: none told anything. What the others said before the leader ended comes first. */
bool wm_lanes_poll_event(struct wm_lanes *lanes, struct wm_lane_event *event);
/* The leader's counters of its job, with what the others did in it. */
void wm_lanes_sum_job_counters(struct wm_lanes *lanes, struct wm_lane_job_counters *counters);
/* Of all of them, since the controller started. */
void wm_lanes_sum_drops(struct wm_lanes *lanes, struct wm_drops *drops);
/* Likewise, to the disks. */
void wm_lanes_sum_requests(struct wm_lanes *lanes,
			   struct wm_store_requests requests[WM_STORE_FILES]);
void wm_lanes_read_node_state(struct wm_lanes *lanes, uint32_t node,
			      struct wm_dispatch_node_state *state);

#endif
