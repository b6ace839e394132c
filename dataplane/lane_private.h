/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lane.c (the loop, the mailboxes) and lane_job.c (extents and batches)
 * share. Everything here belongs to the lane's thread but for the rings and
 * `published`.
 */
#ifndef WM_LANE_PRIVATE_H
#define WM_LANE_PRIVATE_H

#include <rte_ring.h>

#include "identity.h"
#include "lane.h"

#define LANE_BURST 32u

enum slot_state { SLOT_FREE, SLOT_READING, SLOT_OPEN, SLOT_WRITING };

struct lane_slot {
	enum slot_state state;
	uint64_t extent;
	uint64_t nodes;	 /* with a part in it: wm_journal_node_bit */
	uint32_t crc32c; /* of its output, once it is written */
	struct wm_span span;
	uint32_t batches;
	bool is_void;	 /* while it was being written, a node with a part in it was found wrong */
	uint8_t *buffer; /* registered; the extent begins at buffer + skew */
	uint8_t *input;	 /* its first byte */
	uint8_t *output; /* of results that cannot be written from where they are */
	struct rte_mbuf **results;		  /* held until written; NULL: copied to output */
	struct rte_mbuf_ext_shared_info attached; /* 1 + mbufs that point into buffer */
};

struct lane_node {
	uint32_t session; /* 0: nobody */
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	uint8_t frame_key[WM_TAG_KEY_BYTES]; /* with aead */
};

/* The second of two results that differ; the first is where results are kept. */
struct lane_dispute {
	uint64_t token;
	struct rte_mbuf *frame;
};

enum lane_state { LANE_IDLE, LANE_RUNNING, LANE_STOPPING };

struct lane_published {
	uint32_t version; /* odd while it is written */
	struct wm_lane_snapshot snapshot;
	uint32_t node_count;
	struct wm_dispatch_node_state nodes[WM_NODES_MAX];
};

struct wm_lane {
	struct wm_lane_config config;
	struct wm_port *port;
	struct wm_store *store;
	struct wm_dispatch *dispatch;
	struct rte_ring *commands, *events, *control_in, *control_out;

	/* the job */
	enum lane_state state;
	struct wm_lane_job *job;
	struct wm_lane_event ending; /* what JOB_ENDED will say */
	bool source_direct, sink_direct;
	bool in_place; /* results are written from where they arrived */
	struct wm_lane_job_counters job_counters;

	wm_identity *identity;		/* of the job's kernel, or NULL */
	uint64_t quarantine_nodes;	/* to be journalled */
	uint64_t quarantine_journalled; /* on its way */
	uint32_t journalled_extents;	/* likewise */
	bool journalling;		/* one group is on its way */
	struct lane_dispute disputes[WM_DISPATCH_DISPUTES_MAX];
	uint32_t dispute_count;

	struct lane_slot slots[WM_LANE_EXTENTS_MAX];
	uint32_t slots_free;
	uint32_t held_batches; /* of one extent, that the pool has room for */
	struct lane_node nodes[WM_NODES_MAX];
	uint32_t node_count; /* 1 + highest node ever set */

	/* frames on their way out, and mbufs for the next */
	struct rte_mbuf *transmit[LANE_BURST];
	uint32_t transmit_count;
	struct rte_mbuf *spare_header, *spare_attach, *spare_tag;

	struct iovec parts[WM_EXTENT_BATCHES_MAX];
	struct wm_lane_counters counters;
	uint64_t now_ns, tick_ns, publish_ns;
	bool quit;

	const struct rte_memzone *input_zone, *output_zone;
	struct rte_mbuf **results;
	struct lane_published published;
};

/* lane.c */
void wm_lane_raise(struct wm_lane *lane, const struct wm_lane_event *event);

/* lane_job.c */
void wm_lane_job_start(struct wm_lane *lane, struct wm_lane_job *job);
/* The job ends with this result as soon as no I/O is in flight. */
void wm_lane_job_stop(struct wm_lane *lane, int result);
/* A RESULT frame; takes the mbuf over. Returns why it was dropped, if it was. */
enum wm_drop wm_lane_job_result(struct wm_lane *lane, struct rte_mbuf *frame);
/* Queues MAP frames until the burst is full or nothing is to be sent. */
void wm_lane_job_send(struct wm_lane *lane);
/* Reads ahead, collects finished I/O, notices the end. Returns whether any had finished. */
bool wm_lane_job_store(struct wm_lane *lane);

/* Where a result's payload is: in its frame, and where it is kept. */
uint8_t *wm_lane_payload(struct rte_mbuf *frame);
uint8_t *wm_lane_kept(struct wm_lane *lane, const struct wm_ledger_batch *batch);
/* Keeps a result until its extent is written; takes the frame over. */
void wm_lane_keep(struct wm_lane *lane, struct rte_mbuf *frame,
		  const struct wm_ledger_batch *batch);
void wm_lane_forget(struct wm_lane *lane, const struct wm_ledger_batch *batch);

/* lane_audit.c */
/* Compares a result with the one kept. Takes the frame over. True: the batch is done. */
bool wm_lane_audit(struct wm_lane *lane, struct rte_mbuf *frame, uint32_t node,
		   struct wm_dispatch_receipt *receipt);
/* The node computed this batch wrong: nothing of it is taken any more, and what
 * rests on it is void. */
void wm_lane_quarantine(struct wm_lane *lane, uint32_t node, uint64_t batch);
/* An extent that was durable rests on such a node. */
void wm_lane_extent_void(struct wm_lane *lane, uint64_t extent);
void wm_lane_audit_clear(struct wm_lane *lane);

#endif
