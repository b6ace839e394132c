/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rack in virtual time around the real dispatch: links with a rate, a delay
 * and a tail-drop queue, nodes that compute what has arrived in one submission,
 * and loss, duplication, reordering, stalls and death from one seed.
 *
 *                 down (shared)        port            queue, GPU
 *   controller ==================++==========> node i ==========\
 *              <=================++<========== (same rates back)/
 *
 * The lane is the loop in rack.c: it sends whatever dispatch says, opens the next
 * extent when one is done, and ticks every 5 ms. Every batch is checked off once.
 *
 * A result is a value: 0 is right, anything else wrong, and equal values agree. As a
 * lane does, this one compares what is audited, removes a node that was wrong for
 * good, and does again what rests on it and is still open; what was closed before
 * would be found through a journal.
 *
 * With several jobs the next begins as soon as one is done, with the same nodes, while
 * frames of it may still be on their way: they say of which job they are.
 */
#ifndef WM_RACK_H
#define WM_RACK_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatch.h"

#define RACK_NODES_MAX 64u
#define RACK_JOBS_MAX 3u

/* A rate and a queue in one direction; its mirror has the same. */
struct rack_link {
	uint64_t frame_ns;     /* to send one frame */
	uint32_t queue_frames; /* waiting at most, then tail drop; 0: no limit */
	uint64_t delay_ns;
};

struct rack_node_config {
	struct rack_link link;
	uint64_t submit_ns, compute_ns; /* of a submission, and of each of its frames */
	uint32_t window_max;
	/* in a million frames, in each direction */
	uint32_t loss, duplicate, reorder;
	uint64_t reorder_ns;	  /* late by up to this */
	uint32_t stall;		  /* in a million submissions */
	uint64_t stall_ns;	  /* as long as this */
	uint64_t die_ns, back_ns; /* falls silent then; is a member again then; 0: never */
	uint64_t remove_ns;	  /* is taken out of the job then; 0: never */
	uint64_t join_ns;	  /* takes part from then on; 0: from the start */
	uint32_t wrong;		  /* in a million batches: computes something, each time else */
	uint32_t fail;		  /* in a million batches: says that it cannot */
};

struct rack_config {
	uint64_t seed;
	struct rack_link shared; /* frame_ns 0: no shared link */
	uint32_t nodes;
	struct rack_node_config node[RACK_NODES_MAX];
	uint32_t extents_max, in_flight_max, queue_target;
	uint64_t extents;    /* of a job, of 32 batches; the last one is short */
	uint32_t jobs;	     /* one after the other; 0: one */
	bool other_kernels;  /* each job's is another */
	uint64_t until_ns;   /* give up then */
	uint64_t measure_ns; /* results from then on are counted in `measured` */
	uint32_t audit;	     /* share of 2^32 */
	bool no_drain;	     /* as if more extents were to follow: no speculation */
};

struct rack_result {
	bool finished; /* every batch was done before until_ns */
	uint64_t end_ns;
	uint64_t batches, done, done_twice, wrong_count; /* of the job */
	uint64_t results[RACK_NODES_MAX];		 /* first ones, of all lives of a node */
	uint64_t measured;
	uint64_t dropped;		     /* by full queues */
	uint32_t in_flight_peak;	     /* over all nodes */
	uint32_t window_peak;		     /* in flight to one node */
	bool over_limit;		     /* more in flight than a window_max or in_flight_max */
	uint64_t age_max_ns;		     /* from a batch's first sending to its result */
	uint64_t spurious, timeouts;	     /* of all nodes */
	uint64_t sent_again_to_same;	     /* while it was not void */
	uint64_t quarantined;		     /* nodes, as bits */
	uint64_t innocent;		     /* those of them that never computed wrong */
	uint64_t wrong_kept;		     /* results at the end */
	uint64_t invalidated;		     /* batches that were done and had to be again */
	uint64_t job_ns[RACK_JOBS_MAX];	     /* that each took */
	uint64_t job_dropped[RACK_JOBS_MAX]; /* by full queues, in each */
	uint64_t stale;			     /* results of a job that was over */
	bool given_up; /* three tries failed, or three nodes gave three results */
	struct wm_dispatch_counters counters;
	struct wm_dispatch_node_state state[RACK_NODES_MAX];
};

/* A node that does not disturb: 1 Gbit/s, 8290 bytes a frame. */
struct rack_node_config rack_node(void);
void rack_run(const struct rack_config *config, struct rack_result *result);

#endif
