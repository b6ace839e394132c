/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane: one poll-mode core with its own queue pair, its own io_uring, its own
 * extents. Run to completion. What it decides is in stream.h; this is what carries it
 * out: DPDK, io_uring, memory, the loop.
 *
 * The payload of a MAP frame is attached to its header in place, from the extent
 * buffer; a RESULT stays in the buffer it arrived in until the whole extent is
 * written from there. Where the port takes no chain, or the batch is no multiple
 * of the disk's alignment, one copy is made instead; `obtained` says which. With
 * aead the tag of a MAP is one more segment behind the payload, and that of a
 * RESULT lies behind what is written.
 *
 * The control thread talks to it through rings without locks:
 *
 *   wm_lane_command   ──▶  nodes, jobs          wm_lane_event  ◀──  job ended, node silent
 *   wm_lane_get_link  ◀─▶  control frames (link.h)
 *   wm_lane_snapshot  ◀──  counters, every 20 ms
 *
 * What goes through them is in lane_mailbox.h. config.wake_fd (an eventfd) is written when
 * there is something to fetch. All these functions are for one control thread.
 */
#ifndef WM_LANE_H
#define WM_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatch.h"
#include "frame.h"
#include "port.h"
#include "stream.h"
#include "wiremill/error.h"
#include "wiremill/store.h"

struct wm_lane;
struct wm_link;

struct wm_lane_config {
	struct wm_port *port;
	unsigned lcore;
	int wake_fd;
	uint32_t queue_target_bytes; /* that may wait on the way to one node */
	enum wm_wire_auth auth;	     /* of MAP and RESULT; with aead NODE_SET brings a key */
	uint32_t index, count;	     /* of several lanes; the first leads */
	struct wm_lane *leader;	     /* the first, created before and destroyed after; or NULL */
};

struct wm_lane_counters {
	uint64_t frames_sent, frames_received, bytes_sent, bytes_received;
	uint64_t transmit_refused; /* rounds in which the port took less than it was offered */
	uint64_t transmit_payload_bytes, transmit_copied_bytes;
	uint64_t receive_payload_bytes, receive_copied_bytes;
	uint64_t sent, resent, results, duplicates; /* batches of all jobs */
	uint64_t busy_ns; /* in rounds that did something; a lane without work spins */
	struct wm_drops drops;
	struct wm_store_counters store;
};

struct wm_lane_snapshot {
	struct wm_lane_counters counters;
	struct wm_lane_job_counters job;
	/* Of the current or last job. Why results are copied; NULL: written in place. */
	const char *why_copied;
	bool source_direct, sink_direct;
};

/* Takes all its memory. After EAL and port. */
int wm_lane_create(struct wm_lane **lane, const struct wm_lane_config *config,
		   struct wm_error *error);
void wm_lane_destroy(struct wm_lane **lane);
/* Runs it on its lcore until WM_LANE_QUIT; wait returns when it has. */
int wm_lane_launch(struct wm_lane *lane, struct wm_error *error);
void wm_lane_wait(struct wm_lane *lane);

/* The sums behind it: for --help and for the check of hugepages. */
struct wm_port_config wm_lane_port_config(uint16_t mtu, enum wm_wire_auth auth);
uint32_t wm_lane_hugepages(void); /* beside the port's */

/* False: the ring is full (try again). */
bool wm_lane_post_command(struct wm_lane *lane, const struct wm_lane_command *command);
bool wm_lane_poll_event(struct wm_lane *lane, struct wm_lane_event *event);
/* For its control frames. */
struct wm_link *wm_lane_get_link(struct wm_lane *lane);

void wm_lane_take_snapshot(struct wm_lane *lane, struct wm_lane_snapshot *snapshot);
/* That node's flow in the current or last job; zeroes if it had none. */
void wm_lane_node_state(struct wm_lane *lane, uint32_t node, struct wm_dispatch_node_state *state);

#endif
