/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a job whose turn has come (the states are drawn in job.h): waits for
 * nodes, has them prepare, gives itself to the lane, listens to it, finishes or ends.
 *
 * It stands between the lane (commands and events, lane.h), the members and the
 * job's files (end.h). One thread (the daemon's).
 */
#ifndef WM_RUN_H
#define WM_RUN_H

#include "jobs.h"

/* From the daemon's loop; job is jobs->current. */
void wm_job_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* Its files are open. */
void wm_job_handle_opened(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* Any that could take part in one. */
bool wm_job_has_nodes(const struct wm_jobs *jobs);
/* What the lane tells, of the current job or of its nodes. */
void wm_jobs_handle_lane_event(struct wm_jobs *jobs, const struct wm_lane_event *event,
			       uint64_t now_ns);
/* What membership tells; the lane is told. */
void wm_jobs_handle_member_change(struct wm_jobs *jobs, uint32_t index,
				  enum wm_member_change change);
/* The controller stops: it begins to be suspended, unless it is ending. */
void wm_job_leave(struct wm_jobs *jobs, struct wm_job *job);

#endif
