/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is asked for on the way into the queue: submitted, resumed, discarded. A thread
 * looks at the files meanwhile (work.h); the answer comes when it is back, and the job
 * is in the spool by then. Where it does not come back in time, the answer is that.
 *
 * One thread (the daemon's). The requests are in queue.h.
 */
#ifndef WM_ARRIVAL_H
#define WM_ARRIVAL_H

#include "queue.h"

/* From wm_jobs_tick: those whose files have been looked at, or do not answer. */
void wm_job_arrivals_tick(struct wm_jobs *jobs, uint64_t now_ns);
/* The controller stops: all get their answer. */
void wm_job_arrivals_refuse(struct wm_jobs *jobs);

#endif
