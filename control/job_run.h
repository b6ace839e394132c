/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a job whose turn has come (the states are drawn in jobs.h): waits for
 * nodes, has them prepare, gives itself to the lane, listens to it, finishes or ends.
 *
 * It stands between the lane (commands and events, lane.h), the members and the
 * job's files. One thread (the daemon's), but for the finisher.
 */
#ifndef WM_JOB_RUN_H
#define WM_JOB_RUN_H

#include "jobs.h"

/* From the daemon's loop; job is jobs->current. */
void wm_job_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* It was done when an earlier life of the controller ended, which could not note it. */
void wm_job_end_before(struct wm_jobs *jobs, struct wm_job *job);
/* What the lane tells, of the current job or of its nodes. */
void wm_jobs_lane_event(struct wm_jobs *jobs, const struct wm_lane_event *event, uint64_t now_ns);
/* What membership tells; the lane is told. */
void wm_jobs_member_change(struct wm_jobs *jobs, uint32_t index, enum wm_member_change change);
/* A job that is queued ends at once, a running one when the lane lets go of it. */
int wm_job_cancel(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns,
		  struct wm_error *error);
/* The controller stops: suspends it, or waits until it is finished. Blocks. */
void wm_job_leave(struct wm_jobs *jobs, struct wm_job *job);

#endif
