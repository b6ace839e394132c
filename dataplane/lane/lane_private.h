/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lane.c (the loop, the mailboxes, the memory) and lane_job.c (frames and I/O of a
 * job) share. Everything here belongs to the lane's thread but for the rings and
 * `published`.
 */
#ifndef WM_LANE_PRIVATE_H
#define WM_LANE_PRIVATE_H

#include <rte_ring.h>

#include "lane.h"
#include "link.h"

/* Where an extent's input is read to. */
struct lane_input {
	uint8_t *buffer;			  /* registered */
	struct rte_mbuf_ext_shared_info attached; /* 1 + mbufs that point into buffer */
};

struct lane_published {
	uint32_t version; /* odd while it is written */
	struct wm_lane_snapshot snapshot;
	uint32_t node_count;
	struct wm_dispatch_node_state nodes[WM_NODES_MAX];
};

struct wm_lane {
	struct wm_lane_config config;
	struct wm_link link;
	struct wm_store *store;
	struct wm_stream *stream;
	struct rte_ring *commands, *events;
	/* Between leader and follower, both ways; those that its followers made, and its own. */
	struct rte_ring *to_lane[WM_LANES_MAX], *from_lane[WM_LANES_MAX];

	bool source_direct, sink_direct; /* of the current or last job */
	const char *why_copied;		 /* its results; NULL: written from where they arrived */
	struct lane_input inputs[WM_LANE_EXTENTS_MAX];
	uint32_t node_count;   /* 1 + highest node ever set */
	uint16_t segments_max; /* that a frame came in */
	uint64_t joined_bytes; /* copied to make one of them */

	struct rte_mbuf *spare_tag; /* beside the link's, for the next frame */

	struct wm_lane_counters counters;
	uint64_t now_ns, tick_ns, publish_ns;
	bool quit;

	const struct rte_memzone *input_zone, *output_zone;
	struct lane_published published;
};

/* lane.c */
uint32_t wm_lane_held_results(uint16_t mtu, enum wm_wire_auth auth);
void wm_lane_publish(struct wm_lane *lane);
void wm_lane_raise(struct wm_lane *lane, const struct wm_lane_event *event);

/* lane_job.c */
extern const struct wm_stream_calls wm_lane_stream_calls; /* context: the lane */
void wm_lane_job_start(struct wm_lane *lane, struct wm_lane_job *job);
/* Queues MAP frames until the burst is full or nothing is to be sent. */
void wm_lane_job_send(struct wm_lane *lane);
/* Collects finished I/O, asks for more, notices the end. Returns whether any had finished. */
bool wm_lane_job_store(struct wm_lane *lane);

#endif
