/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane: one poll-mode core with its own queue pair, its own io_uring, its own
 * extents. Run to completion; lanes share nothing.
 *
 *   slot:  free ──read──▶ reading ──arrived──▶ open ──last result──▶ writing ──▶ free
 *                                             │ ▲                          │
 *                              MAP frames  ◀──┘ └──  RESULT frames         ▼
 *                                                         journal: fdatasync, records
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
 *   wm_lane_transmit  ──▶  control frames       wm_lane_receive ◀── control frames
 *   wm_lane_snapshot  ◀──  counters, every 20 ms
 *
 * config.wake_fd (an eventfd) is written when there is something to fetch. All
 * these functions are for one control thread.
 */
#ifndef WM_LANE_H
#define WM_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatch.h"
#include "frame.h"
#include "port_dpdk.h"
#include "progress.h"
#include "tag.h"
#include "wiremill/error.h"
#include "wiremill/journal.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"

struct wm_lane;

struct wm_lane_config {
	struct wm_port *port;
	unsigned lcore;
	int wake_fd;
	uint32_t queue_target_bytes; /* that may wait on the way to one node */
	enum wm_wire_auth auth;	     /* of MAP and RESULT; with aead NODE_SET brings a key */
};

/* What runs: owned by the lane from JOB_START until the event JOB_ENDED, else by
 * the control thread. */
struct wm_lane_job {
	uint32_t id;
	struct wm_layout layout;
	struct wm_source source;
	struct wm_sink sink;
	struct wm_journal journal;
	struct wm_progress progress; /* after replay of the journal */
	uint32_t audit_threshold;    /* share of batches to audit, of 2^32 */
	uint64_t audit_seed;
	/* Of nodes that were in quarantine before it was resumed: its journal may not know,
	 * if that was what could not be written. */
	uint64_t quarantined;
	/* Durable extents may be void: passes over the journal that are wanted, and
	 * done. It does not end before they are equal. */
	uint32_t redo_wanted, redo_done;
};

enum wm_lane_command_op {
	WM_LANE_NODE_SET,   /* a node is admitted: its session and address */
	WM_LANE_NODE_CLEAR, /* its session is over */
	WM_LANE_NODE_HEAR,  /* its BEAT came */
	WM_LANE_NODE_JOIN,  /* it takes part in the running job */
	WM_LANE_NODE_LEAVE, /* it no longer does */
	WM_LANE_JOB_START,
	WM_LANE_JOB_STOP,    /* without waiting for what is in flight */
	WM_LANE_EXTENT_VOID, /* a durable extent is to be made again */
	WM_LANE_REDO_DONE,   /* all such extents were named, of the pass in extent */
	WM_LANE_QUIT,
};

/* What ended a job, beside enum wm_store_op. */
enum wm_lane_failed {
	WM_LANE_FAILED_COMPUTE = 16, /* a batch that three nodes could not compute */
	WM_LANE_FAILED_AUDIT,	     /* a batch for which three nodes gave three results */
};

struct wm_lane_command {
	enum wm_lane_command_op op;
	uint32_t node;
	uint32_t session;
	uint32_t window_max;
	uint64_t extent;
	struct wm_lane_job *job;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	uint8_t pad[2];			     /* rings hold multiples of 4 bytes */
	uint8_t frame_key[WM_TAG_KEY_BYTES]; /* of the session */
};

enum wm_lane_event_op {
	WM_LANE_JOB_ENDED,   /* result: 0 all is written, -ECANCELED, or an I/O error */
	WM_LANE_NODE_SILENT, /* some node was given up for now */
	WM_LANE_NODE_WRONG,  /* node computed batch (in extent) wrong; it is removed */
	WM_LANE_REDO,	     /* what rests on `nodes` before record `record` is void; pass in
				extent */
};

struct wm_lane_event {
	enum wm_lane_event_op op;
	uint32_t job;
	int32_t result;
	uint32_t failed_op; /* enum wm_store_op or wm_lane_failed, if result < 0 */
	uint64_t extent;    /* or batch */
	uint64_t nodes;
	uint32_t node;
	uint32_t record;
};

struct wm_lane_job_counters {
	uint32_t job;
	uint64_t extents_done, output_bytes_done; /* durable, in earlier lives too */
	uint64_t batches_done;			  /* in this life */
	struct wm_dispatch_counters dispatch;
	uint32_t nodes_alive;
	uint32_t gaps;	       /* extents waiting to be made (again) */
	uint64_t published_ns; /* when all this was true */
};

struct wm_lane_counters {
	uint64_t frames_sent, frames_received, bytes_sent, bytes_received;
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
	bool receive_in_place, source_direct, sink_direct; /* of the current or last job */
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
bool wm_lane_command(struct wm_lane *lane, const struct wm_lane_command *command);
bool wm_lane_event(struct wm_lane *lane, struct wm_lane_event *event);
/* The next control frame, checked for header, length and CRC; its length, 0 for none. */
size_t wm_lane_receive(struct wm_lane *lane, void *frame, size_t frame_bytes_max);
/* Queues a whole frame. False: no room. */
bool wm_lane_transmit(struct wm_lane *lane, const void *frame, size_t frame_bytes);

void wm_lane_snapshot(struct wm_lane *lane, struct wm_lane_snapshot *snapshot);
/* That node's flow in the current or last job; zeroes if it had none. */
void wm_lane_node_state(struct wm_lane *lane, uint32_t node, struct wm_dispatch_node_state *state);

/* A session names its node in its low bits, so that a frame finds it at once. */
#define WM_SESSION_NODE_MASK (WM_NODES_MAX - 1)

#endif
