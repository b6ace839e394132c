/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job, and the names of what it may be in. It knows nothing of the others, and of the
 * queue; below everything else that is done with it. The thread that has it (work.h): the
 * daemon's, or that of its files.
 *
 *   queued ─▶ preparing ─▶ running ─▶ finishing ─▶ done
 *      │          │           │           └──────▶ failed
 *      └──────────┴───────────┴─ cancel, error ──▶ cancelled, failed
 *                 ▲
 *   (a journal) ──┘ resume
 *
 * preparing   input and output are opened; then nodes are asked to prepare the kernel
 * running     the lane has it
 * finishing   the lane has let go. All extents are durable, and the output gets its name
 *             and its manifest; or it has failed, or is being cancelled, and its files are
 *             closed, or removed
 */
#ifndef WM_JOB_H
#define WM_JOB_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "hindrance.h"
#include "lanes.h"
#include "origin.h"
#include "recompute.h"
#include "silence.h"
#include "wiremill/error.h"
#include "wiremill/kernel.h"

enum wm_job_state {
	WM_JOB_QUEUED,
	WM_JOB_PREPARING,
	WM_JOB_RUNNING,
	WM_JOB_FINISHING,
	WM_JOB_DONE,
	WM_JOB_FAILED,
	WM_JOB_CANCELLED,
	WM_JOB_STATES,
};

struct wm_job_work;
struct wm_job_feed;

/* Nodes whose GPU was lost while they computed a kernel that somebody brought: so many are not
 * three faults of machines, but one of the kernel. */
#define WM_JOB_DEVICE_LOSSES_MAX 3u

struct wm_job {
	struct wm_lane_job lane; /* id, layout, source, sink */
	enum wm_job_state state;
	/* Its shape is known from its turn on, of one that is built in or submitted before. */
	struct wm_kernel kernel;
	struct wm_job_origin origin;
	struct wm_source_identity meant; /* by the submitter: compared when it is submitted */
	bool force, drop_tail;
	bool dry_run;		/* it is none: of no queue, without a number */
	bool resume;		/* goes on from the journal of an earlier life */
	bool discarded;		/* what it left was removed: nobody resumes it */
	bool committed;		/* in which the output got its name: no doubt reaches it any more */
	bool open;		/* source, sink and journal are */
	bool cancelled;		/* asked for; takes effect when lane and files let go */
	bool suspended;		/* likewise, but what is durable stays for another life */
	bool resume_on_start;	/* by itself, when the controller starts again */
	uint64_t fail_after_ns; /* without a node that can go on; 0: never */
	uint64_t stalled_since_ns; /* no node can go on; 0: batches are done */
	bool stall_logged;
	uint64_t progress_seen; /* batches and bytes, when it was looked at last */
	char unreached[160];	/* the node that its frames do not reach, and why */
	uint32_t lost_nodes[WM_JOB_DEVICE_LOSSES_MAX]; /* different ones */
	uint32_t lost_count;
	struct wm_hindrance hindrance; /* why no batch gets done */
	struct wm_silence silence;     /* of its disks */
	char input[PATH_MAX], output[PATH_MAX];
	char reason[WM_ERROR_TEXT_BYTES];
	uint64_t input_bytes, dropped_tail_bytes;
	uint32_t mtu;
	uint32_t nodes;	     /* that took part */
	uint64_t prepare_ns; /* since when it waits for a node, or for them to prepare */
	uint64_t start_ns;   /* of running, in this life */
	uint64_t run_ns;     /* for so long, once it ended */
	uint32_t journal;    /* which one it has (its random identity); 0: none yet */
	uint32_t audit_ppm;
	struct wm_recompute recompute; /* that is to begin: by its journal, or by the lane */
	struct wm_job_feed *feed;      /* while the lane has it, and until its files are closed */
	bool trust_output;	       /* what an earlier life wrote is not read back */
	bool checking;		       /* it is being read back */
	uint64_t checked_bytes;	       /* that were read back in this life */
	uint32_t differing_extents;    /* of them, which are made again */
	uint64_t unsettled_nodes;      /* wm_journal_node_bit of those that the journal names, but
					  for what their last quarantine covers */
	uint64_t resumed_bytes;	       /* of output, durable before this life */
	struct wm_lane_job_counters counters; /* final ones, once it ended */

	struct wm_job_work *work; /* on its files; NULL: none */
	bool held;		  /* that, or the lane's letting go, takes long by now */
	uint64_t stop_ns;	  /* since when the lane is to let go; 0: it is not */
	int closing;		  /* what is to be done to its files (enum wm_job_work_op) */
	uint64_t closing_ns;	  /* since when */
	enum wm_job_state end;	  /* and what it is then */
};

/* The only way from one state to the next: asserts that the drawing above has it. */
void wm_job_enter(struct wm_job *job, enum wm_job_state state);
bool wm_job_has_ended(const struct wm_job *job);
/* All of it is made, and what an earlier life made is still being read back. */
bool wm_job_is_being_checked(const struct wm_job *job, const struct wm_lane_job_counters *counters);
double wm_job_seconds(const struct wm_job *job, uint64_t now_ns); /* of running */
const char *wm_job_state_name(enum wm_job_state state);

#endif
