/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Jobs: the queue. A job and its states: job.h; the life of the one whose turn it is: run.h.
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

#include "arrival.h"
#include "jobs.h"

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
/* Into the library. Answers with a job of no queue whose kernel it is. */
void wm_jobs_add_kernel(struct wm_jobs *jobs, const struct wm_kernel_text *text, uint64_t now_ns,
			const struct wm_jobs_reply *reply);
/* From the daemon's loop: the next job's turn, and that of the current one. */
void wm_jobs_tick(struct wm_jobs *jobs, uint64_t now_ns);
/* Why it cannot go on, "" if it can. */
const char *wm_jobs_explain_waiting(const struct wm_jobs *jobs, const struct wm_job *job);

#endif
