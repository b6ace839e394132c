/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Jobs: the queue. The life of the one whose turn it is: run.h.
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
 *
 * All that is done with a file whose path somebody gave is done by a thread of the job
 * (work.h). A job whose files do not answer gives its turn to the next one that does
 * not touch them, and goes on when they do.
 *
 * A job that ends before it is done, but for a cancelled one, leaves its partial
 * output and its journal (wiremill/journal.h), from which a later job goes on. The
 * queue itself is kept in the state directory (spool.h), so that a controller that
 * starts again goes on by itself.
 *
 * A cancel is in the spool before it is answered: whatever happens then, the job does not
 * run again, and what it left is removed.
 *
 * One job at a time, in order of submission. One thread (the daemon's).
 */
#ifndef WM_JOB_QUEUE_H
#define WM_JOB_QUEUE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "hindrance.h"
#include "lanes.h"
#include "membership.h"
#include "origin.h"
#include "recompute.h"
#include "wiremill/error.h"
#include "wiremill/kernel.h"

/* Jobs that are not over, and of those that are, the newest: as many in any case, more where
 * the queue leaves room. The oldest that ended is forgotten. */
#define WM_JOBS_QUEUED_MAX 512u
#define WM_JOBS_ENDED_MAX 512u
#define WM_JOBS_MAX (WM_JOBS_QUEUED_MAX + WM_JOBS_ENDED_MAX)
/* What mends a rack without nodes. */
#define WM_JOBS_START_NODES "start wiremill-node on the nodes, then see 'wiremill node list'"

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

struct wm_job_request {
	const char *kernel;
	const char *input;		 /* absolute */
	const char *output;		 /* absolute */
	struct wm_source_identity meant; /* as the submitter sees the input */
	bool force;
	bool drop_tail;
	bool dry_run;		/* checked only, not queued */
	uint64_t fail_after_ns; /* without a node that can go on; 0: wait for ever */
	uint32_t audit_ppm;	/* share of batches that two nodes compute, of a million */
	const struct wm_job_origin *origin; /* NULL: nobody's */
};

struct wm_job_resumption {
	const char *output;	/* absolute */
	uint64_t fail_after_ns; /* 0: as it had it */
	bool trust_output;	/* what is there is not read back, but for the newest of it */
	const struct wm_job_origin *origin; /* NULL: nobody's */
};

struct wm_job_work;
struct wm_job_feed;

struct wm_job {
	struct wm_lane_job lane; /* id, layout, source, sink */
	enum wm_job_state state;
	const struct wm_kernel *kernel;
	struct wm_job_origin origin;
	struct wm_source_identity meant; /* by the submitter: compared when it is submitted */
	bool force, drop_tail;
	bool dry_run;	      /* it is none: of no queue, without a number */
	bool resume;	      /* goes on from the journal of an earlier life */
	bool committed;	      /* in which the output got its name: no doubt reaches it any more */
	bool open;	      /* source, sink and journal are */
	bool cancelled;	      /* asked for; takes effect when lane and files let go */
	bool suspended;	      /* likewise, but what is durable stays for another life */
	bool resume_on_start; /* by itself, when the controller starts again */
	uint64_t fail_after_ns,
		stalled_since_ns;      /* since when no node can go on; 0: batches are done */
	uint64_t progress_seen;	       /* batches and bytes, when it was looked at last */
	char unreached[160];	       /* the node that its frames do not reach, and why */
	bool stall_logged;	       /* that it waits for one */
	struct wm_hindrance hindrance; /* why no batch gets done */
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
	struct wm_recompute
		recompute;	  /* that is to begin: by its journal, or by an event of the lane */
	struct wm_job_feed *feed; /* while the lane has it, and until its files are closed */
	bool trust_output;	  /* what an earlier life wrote is not read back */
	bool checking;		  /* it is being read back */
	uint64_t checked_bytes;	  /* that were read back in this life */
	uint32_t differing_extents; /* of them, which are made again */
	uint64_t unsettled_nodes;   /* wm_journal_node_bit of those that the journal names, but
				       for what their last quarantine covers */
	uint64_t resumed_bytes;	    /* of output, durable before this life */
	struct wm_lane_job_counters counters; /* final ones, once it ended */

	struct wm_job_work *work; /* on its files; NULL: none */
	bool held;		  /* that, or the lane's letting go, takes long by now */
	uint64_t stop_ns;	  /* since when the lane is to let go; 0: it is not */
	int closing;		  /* what is to be done to its files (enum wm_job_work_op) */
	uint64_t closing_ns;	  /* since when */
	enum wm_job_state end;	  /* and what it is then */
};

/* Of a request: the job, or NULL with the error. Called once, perhaps at once. */
typedef void wm_jobs_answer(void *context, void *request, struct wm_job *job,
			    const struct wm_error *error);

struct wm_jobs_reply {
	wm_jobs_answer *answer;
	void *context, *request;
};

struct wm_job_arrival;

struct wm_jobs {
	struct wm_lanes *lanes;
	struct wm_membership *membership;
	uint32_t port_mtu;
	const char *state_directory;
	struct wm_job *jobs[WM_JOBS_MAX]; /* in order of submission */
	uint32_t count;
	uint32_t next_id;
	struct wm_job *current;		 /* whose turn it is */
	struct wm_job_arrival *arrivals; /* requests whose files are being looked at */
	bool stopping;
	uint64_t close_wait_ns; /* for lane and files to let go at the end */
	int wake_fd;		/* an eventfd that wm_jobs_tick is called for; -1: none */
};

/* Takes up what an earlier life left in the state directory: who is in quarantine, what
 * goes on, and what has ended. */
int wm_jobs_init(struct wm_jobs *jobs, struct wm_lanes *lanes, struct wm_membership *membership,
		 uint32_t port_mtu, const char *state_directory, int wake_fd,
		 struct wm_error *error);
/* Suspends the running job and forgets all; the spool keeps it. The lane still runs.
 * Blocks until it and the files have let go, for six seconds. False: the lane still has
 * the job, and must be left as it is. */
bool wm_jobs_close(struct wm_jobs *jobs);

/* These answer when the files have been looked at, or do not answer for ten seconds; and
 * with a job only once it is in the spool. Checks everything that can be known now. */
void wm_jobs_submit(struct wm_jobs *jobs, const struct wm_job_request *request, uint64_t now_ns,
		    const struct wm_jobs_reply *reply);
/* Goes on with the job whose journal is beside that output, with the options that it had. */
void wm_jobs_resume(struct wm_jobs *jobs, const struct wm_job_resumption *wanted, uint64_t now_ns,
		    const struct wm_jobs_reply *reply);
/* Removes what an unfinished job left beside that output. Answers with a job of no queue
 * whose paths of journal, sink and source name what was removed (files.h). */
void wm_jobs_discard(struct wm_jobs *jobs, const char *output, uint64_t now_ns,
		     const struct wm_jobs_reply *reply);
struct wm_job *wm_jobs_find(struct wm_jobs *jobs, uint64_t id);

/* That have not ended. */
uint32_t wm_jobs_unfinished(const struct wm_jobs *jobs);

/* From the daemon's loop: the next job's turn, and that of the current one. */
void wm_jobs_tick(struct wm_jobs *jobs, uint64_t now_ns);
/* To the spool; what cannot be written is said in the log. */
void wm_jobs_save(const struct wm_jobs *jobs);
/* What is left of a frame of that MTU for its batch. */
uint32_t wm_jobs_batch_mtu(const struct wm_jobs *jobs, uint32_t mtu);

/* What it is at now; live while it runs. */
void wm_jobs_counters(const struct wm_jobs *jobs, const struct wm_job *job,
		      struct wm_lane_job_counters *counters);
/* Why it cannot go on, "" if it can. */
const char *wm_jobs_waiting(const struct wm_jobs *jobs, const struct wm_job *job);
bool wm_job_has_ended(const struct wm_job *job);
/* All of it is made, and what an earlier life made is still being read back. */
bool wm_job_is_being_checked(const struct wm_job *job, const struct wm_lane_job_counters *counters);
double wm_job_seconds(const struct wm_job *job, uint64_t now_ns); /* of running */
const char *wm_job_state_name(enum wm_job_state state);

#endif
