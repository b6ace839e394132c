/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of a running job is durable and has to be made again all the same: found by a thread
 * that reads the disk, named to the lane a few at a time.
 *
 *   recompute  what a node that computed wrong had a part in: the journal is read (recompute.h)
 *   read back  of a resumed job, what is not on the disk as its journal vouches for: the
 *              output is read (wiremill/readback.h)
 *
 * The job does not end before both are over. One step at a time, by a thread (task.h) that
 * has copies and nothing of the job's but its open files: so these are not closed before it
 * is over. The functions are the control thread's.
 */
#ifndef WM_FEED_H
#define WM_FEED_H

#include "jobs.h"

/* Before the lane gets the job. -ENOMEM. */
int wm_job_feed_create(struct wm_job *job);
/* What a job waits for whose output is being read back, for people. Valid while it is. */
const char *wm_job_feed_explain_waiting(const struct wm_job *job);
/* A thread is at it. */
bool wm_job_feed_is_busy(const struct wm_job *job);
/* Not while it is busy. Nothing where there is none. */
void wm_job_feed_destroy(struct wm_job *job);

/* Goes on: names what was found, looks for more. While the job runs. 0, or a negative errno
 * with the line: what is to be made again cannot be found. */
int wm_job_feed_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns,
		     struct wm_error *error);

#endif
