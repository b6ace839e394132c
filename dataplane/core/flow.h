/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow of batches to one node: what is in flight, what is lost, how much may
 * be in flight at once. It belongs to the node, from its admission until its session is
 * over, and outlives jobs.
 *
 * Every batch sent to a node gets the node's next sequence, which its result
 * echoes. Sequences stand in a ring:
 *
 *      answered ......  lost?   in flight .................
 *   ---+----+----+----+----+----+----+----+----+----+----+----> sequences
 *                     ^first              ^newest answered    ^next
 *
 * Loss. A node answers in order, so a sequence that is `reorder` or more behind the
 * newest answered one is lost (the idea of RFC 8985, in packets, not time). The
 * distance starts at 3 and grows to what would have waited for a result that was
 * declared lost and arrives after all. The backstop is a timer (RFC 6298, with
 * bounds for machines that share cores): what is not answered within it is lost,
 * and if nothing that was sent later is answered either, everything in flight is
 * lost and the node is silent: it gets nothing until it is heard of. The timer follows
 * what is measured, however slow a kernel is: a result that comes too late tells how long
 * it took, too, since no sequence is ever sent twice.
 *
 * Window. Delay tells the queue before loss does (Brakmo and Peterson, TCP Vegas,
 * 1995): of w batches in flight, w * (1 - rtt_base / rtt) wait in some queue. Once
 * a round trip the window moves so that the queue stays near its target, half of
 * what a cheap switch buffers a port, and waits no longer than 20 ms. The base is the least round
 * trip of the last 10 to 20 s; to see it through a standing queue, the window is cut for one round
 * every 10 s, by all flows of a host at once, since they share queues. A new flow doubles its
 * window every other round until the queue shows. Loss alone shrinks the window only where the
 * queue is long or an eighth of a round is gone: a bad cable is no congestion.
 *
 * Jobs. What was learned of the way to the node stays from job to job: sequences go on, so
 * that a late result of the job before has none that counts; so do the reorder distance and
 * silence. Round trip and timer are of a kernel, and measured anew. So is the window, but for
 * a job of the same kernel: it begins with as many as may wait in queues, since nothing is on
 * its way yet by which more could be sent, and each round opens it by a quarter, up to where
 * it was: in bytes, since batches may have another size.
 *
 * Pure: no clock, no I/O, no allocation; one thread; every call constant time.
 */
#ifndef WM_FLOW_H
#define WM_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/kernel.h"

/* Sequences remembered: four windows, so that late results are known. */
#define WM_FLOW_RING 2048u

struct wm_flow_entry {
	uint64_t token; /* the ledger's; 0: answered */
	uint64_t sent_ns;
};

struct wm_flow_counters {
	uint64_t sent, answered, lost, spurious, timeouts; /* in this job */
};

struct wm_flow {
	struct wm_flow_entry ring[WM_FLOW_RING];
	uint32_t first;	      /* oldest sequence not settled */
	uint32_t next;	      /* sequence of the next batch */
	uint32_t newest;      /* newest answered */
	uint32_t lost_before; /* sequences before this are lost if not answered */
	uint32_t reorder;
	uint32_t in_flight;

	uint32_t window, window_max;
	uint32_t learned; /* the window of the job before, until it is reached again; else 0 */
	uint32_t queue_target;
	struct wm_kernel kernel; /* of the job; its name is "": there was none yet */
	bool slow_start;
	bool grew;    /* at the end of the round before */
	bool limited; /* the window held something back in this round */
	bool silent;
	bool unable; /* the last that it said is that it cannot compute */

	/* round trip */
	uint64_t srtt_ns, rttvar_ns, timeout_ns;
	uint64_t base_ns[2];	/* least of this and of the last 10 s */
	uint64_t base_renew_ns; /* when the next 10 s begin */
	uint32_t base_window;	/* the window to go back to, 0: not probing */

	/* the round: from one sequence until its answer */
	uint32_t round_end, round_answers, round_losses;
	uint64_t round_rtt_ns;

	/* silence */
	uint32_t timeouts_in_row;
	uint64_t silent_until_ns;
	uint64_t works_ns; /* when it last said that it works on batches; 0: never */
	struct wm_flow_counters counters;
};

/* A node is admitted: nothing is known of it. The first sequence is taken from `seed`, so
 * that results of an earlier life do not fit. */
void wm_flow_init(struct wm_flow *flow, uint32_t seed);
/* It takes part in a job from now on; what was in flight before is forgotten, not lost.
 * window_max: what the node can hold, 1 .. WM_NODE_WINDOW_MAX. queue_target: batches that may
 * wait in queues; 0 is as 1. */
void wm_flow_begin(struct wm_flow *flow, uint32_t window_max, uint32_t queue_target,
		   const struct wm_kernel *kernel);

/* May another batch be sent now? */
bool wm_flow_has_room(const struct wm_flow *flow);
/* Returns the sequence of the batch that is sent now. There is room. */
uint32_t wm_flow_send(struct wm_flow *flow, uint64_t token, uint64_t now_ns);
/* The token in flight or given up under this sequence, 0 if none; nothing changes. */
uint64_t wm_flow_look(const struct wm_flow *flow, uint32_t sequence);
/* The result of `sequence` arrived. Returns the token that was in flight under it,
 * or 0: never sent, answered, or given up. */
uint64_t wm_flow_accept(struct wm_flow *flow, uint32_t sequence, uint64_t now_ns);
/* When the batch of that sequence was sent; it is one of the last WM_FLOW_RING. */
uint64_t wm_flow_sent_ns(const struct wm_flow *flow, uint32_t sequence);
/* Goes on from *cursor (flow->first at first) to the next token in flight that was
 * sent before before_ns; 0: none. Nothing changes. */
uint64_t wm_flow_older(const struct wm_flow *flow, uint32_t *cursor, uint64_t before_ns);
/* To be called until it returns 0, after accept and expire: the next token lost. */
uint64_t wm_flow_next_lost(struct wm_flow *flow);
/* Whether it answered what it was asked last, or was not asked yet. One that fell silent
 * and is asked again does not until its result comes. */
bool wm_flow_answers(const struct wm_flow *flow);
/* How long the oldest batch in flight has been so by now; 0: none is. */
uint64_t wm_flow_waiting_ns(struct wm_flow *flow, uint64_t now_ns);
/* The backstop; to be called every few milliseconds, after all that arrived has
 * been accepted; next_lost follows. True: the node has just fallen silent. */
bool wm_flow_expire(struct wm_flow *flow, uint64_t now_ns);
/* The node was heard of by other means (a BEAT): it gets batches again, unless it keeps
 * answering beats but no batches. `works`: it says that it has batches in hand. While it
 * has answered none yet, that is waited for, for a minute: nobody knows its kernel. */
void wm_flow_beat(struct wm_flow *flow, bool works, uint64_t now_ns);
/* It cannot compute what it was just given: it gets nothing until it is heard of. */
void wm_flow_rest(struct wm_flow *flow, uint64_t now_ns);
/* Everything in flight is lost (the node is gone). */
void wm_flow_give_up(struct wm_flow *flow);

#endif
