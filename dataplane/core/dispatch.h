/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dispatch: which batch goes to which node now. One for each lane.
 *
 * It joins the ledger (what is to do) with a flow for each node (how much it may
 * get; the lane's, since it outlives jobs), and is all the controller decides on the
 * poll path:
 *
 *   wm_dispatch_extent_open     an extent's input has arrived
 *   wm_dispatch_next            -> a batch, a node, a sequence: send it
 *   wm_dispatch_result          a checked RESULT frame -> new, duplicate, ...
 *   wm_dispatch_tick            every few ms: silent nodes' batches go elsewhere
 *
 * Beside loss, three things send a batch again: a node that says it cannot compute
 * it; the end of a job, where what is overdue on a slow node goes to a second one as
 * well; and an audit, where a share of all batches is computed by two nodes and
 * compared, a third deciding between them. None of these ever sends a batch to a
 * node that has a part in it already.
 *
 * Nodes with room stand in a ring; each is served a few batches in a row, so that
 * its GPU finds several frames to compute at once, then the next. A fast node
 * comes round more often since it has room more often.
 *
 * Pure: no clock, no I/O, no allocation but in create; one thread. The cost of a
 * call depends neither on the number of nodes nor on the size of the job, but
 * for tick, which visits every node.
 */
#ifndef WM_DISPATCH_H
#define WM_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"
#include "ledger.h"
#include "wiremill/layout.h"

struct wm_dispatch;

/* Batches at once for which two nodes gave two results, and a third is waited for.
 * While there are so many, no other second opinion is asked for. */
#define WM_DISPATCH_DISPUTES_MAX 256u

struct wm_dispatch_config {
	uint32_t nodes_max;
	struct wm_flow *flows; /* of nodes_max nodes, the caller's */
	uint32_t extents_max;  /* open at once */
	uint32_t batches_per_extent_max;
	uint32_t in_flight_max; /* over all nodes: what the port can take back at once */
};

struct wm_dispatch_send {
	struct wm_ledger_batch batch;
	uint32_t node;
	uint32_t sequence;
};

struct wm_dispatch_receipt {
	struct wm_ledger_batch batch; /* valid for WM_LEDGER_NEW */
	bool extent_done;	      /* it was the last of its extent */
	uint32_t wrong_node;	      /* that an audit found wrong; WM_LEDGER_NOBODY */
};

struct wm_dispatch_counters {
	uint64_t sent, resent, results, duplicates, unknown, lost;
	uint64_t speculated; /* sent a second time while in flight, at the end */
	uint64_t audited;    /* computed by two nodes that agree */
	uint64_t failed;     /* nodes said they could not */
	/* The longest that a batch was in flight to one node, answered or not, as seen
	 * by tick. */
	uint64_t waited_max_ns;
};

/* What the caller found when it compared a result with the one or two held. */
enum wm_opinion { WM_OPINION_FIRST, WM_OPINION_SECOND, WM_OPINION_NEITHER };

struct wm_dispatch_node_state {
	uint32_t window, in_flight;
	bool silent; /* until it answers what it was asked */
	uint64_t rtt_ns;
	uint64_t results; /* first ones: batches this node did */
	struct wm_flow_counters flow;
};

struct wm_dispatch *wm_dispatch_create(const struct wm_dispatch_config *config);
void wm_dispatch_destroy(struct wm_dispatch **dispatch);

/* Begins a job without nodes. What was in flight before is forgotten. queue_target:
 * batches that may wait on the way to a node (flow.h). */
void wm_dispatch_start(struct wm_dispatch *dispatch, const struct wm_layout *layout,
		       uint32_t queue_target);
/* in_flight_max from now on; what is above it comes back first. */
void wm_dispatch_limit(struct wm_dispatch *dispatch, uint32_t in_flight_max);
/* Audits a share of threshold / 2^32 of all batches, drawn by seed. From the start. */
void wm_dispatch_audit(struct wm_dispatch *dispatch, uint32_t threshold, uint64_t seed);
/* No more extents will be opened: from now on the overdue go to a second node too. */
void wm_dispatch_drain(struct wm_dispatch *dispatch, bool draining);
/* A node, whose flow was made when it was admitted, takes part in this job. window_max as in
 * flow.h. */
void wm_dispatch_node_add(struct wm_dispatch *dispatch, uint32_t node, uint32_t window_max);
/* It no longer does: what it had goes to others. Not an error if it never did. */
void wm_dispatch_node_remove(struct wm_dispatch *dispatch, uint32_t node);
/* It was heard of by a BEAT, in a job or not. works: it has batches in hand, it says. */
void wm_dispatch_node_beat(struct wm_dispatch *dispatch, uint32_t node, bool works,
			   uint64_t now_ns);

void wm_dispatch_extent_open(struct wm_dispatch *dispatch, uint32_t slot, uint64_t extent);
/* Of all extents that are open nothing is to be sent or taken any more. */
void wm_dispatch_extents_close(struct wm_dispatch *dispatch);
/* False: no batch to send, or no node has room. */
bool wm_dispatch_next(struct wm_dispatch *dispatch, uint64_t now_ns, struct wm_dispatch_send *send);
/* The batch a result claims to be, before its payload is looked at: so that its
 * length is known. False: no such batch is open (late, or nonsense). */
bool wm_dispatch_expect(const struct wm_dispatch *dispatch, uint32_t node, uint64_t batch,
			uint32_t sequence, struct wm_ledger_batch *expected);
enum wm_ledger_verdict wm_dispatch_result(struct wm_dispatch *dispatch, uint32_t node,
					  uint64_t batch, uint32_t sequence, uint64_t now_ns,
					  struct wm_dispatch_receipt *receipt);
/* After WM_LEDGER_COMPARE: what the comparison said. NEW: done, with the result it
 * agreed with (receipt->wrong_node: whose was another); HELD: two differ, this one is
 * to be kept as the second; DUPLICATE: there are too many of those, it is to be
 * forgotten and comes again; UNKNOWN: three nodes gave three results. */
enum wm_ledger_verdict wm_dispatch_opinion(struct wm_dispatch *dispatch, uint32_t node,
					   enum wm_opinion opinion,
					   struct wm_dispatch_receipt *receipt);
/* The node could not compute this batch, and rests until it is heard of. Returns how
 * many nodes could not by now, 0 if this one was not asked for it or it is done. Another
 * node gets it, or the same where there is no other. */
uint32_t wm_dispatch_failed(struct wm_dispatch *dispatch, uint32_t node, uint64_t batch,
			    uint32_t sequence, uint64_t now_ns,
			    struct wm_dispatch_receipt *receipt);
/* A node that computed wrong was removed: batches of open extents that rest on it
 * are to do again; one a call, until it returns false. *cursor begins as 0. */
bool wm_dispatch_invalidate_next(struct wm_dispatch *dispatch, uint32_t node, uint32_t *cursor,
				 struct wm_ledger_batch *batch);
/* Returns the number of nodes that fell silent just now, or were so when they joined this
 * job; *silent is one of them. */
uint32_t wm_dispatch_tick(struct wm_dispatch *dispatch, uint64_t now_ns, uint32_t *silent);

/* When the newest batch of all that were answered was sent. A port sends in order: what was
 * sent before that has left it. */
uint64_t wm_dispatch_left_ns(const struct wm_dispatch *dispatch);
/* Nodes that can be given work now, or are busy with it. */
uint32_t wm_dispatch_nodes_alive(const struct wm_dispatch *dispatch);
/* Those of them that answer; *unable: nodes whose last answer was that they cannot, which
 * are not among them. One that fell silent is asked again now and then, which is no sign
 * of life of it. */
uint32_t wm_dispatch_nodes_answering(const struct wm_dispatch *dispatch, uint32_t *unable);
/* There are such nodes, and batches to do, and none of those may go to any of them: an
 * audit wants another node, say. After wm_dispatch_next had nothing to send. */
bool wm_dispatch_is_stuck(const struct wm_dispatch *dispatch);
void wm_dispatch_node_get_state(const struct wm_dispatch *dispatch, uint32_t node,
				struct wm_dispatch_node_state *state);
const struct wm_dispatch_counters *wm_dispatch_get_counters(const struct wm_dispatch *dispatch);

#endif
