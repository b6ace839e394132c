/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the journal of an earlier life says about a job: which extents are durable, what
 * of it is invalid, and from which nodes more may become invalid.
 *
 *   wm_job_replay_begin ─▶ wm_job_replay, each record in order ─▶ wm_job_replay_end
 *
 * Pure but for reading the journal. The thread that has the job.
 */
#ifndef WM_REPLAY_H
#define WM_REPLAY_H

#include "job.h"

/* Before it nothing is durable; for a fresh job that is all. The layout is there. */
void wm_job_replay_begin(struct wm_job *job);
/* -EBADMSG: no life of this job has written that record there. */
int wm_job_replay(struct wm_job *job, const struct wm_journal_record *record, uint32_t number);
/* Looks whether something is invalid and was not made again: then job->recompute is active, and
 * the lane waits for its pass. The journal is open. 0 or a negative errno. */
int wm_job_replay_end(struct wm_job *job);
/* Every extent is on disk, and counts. */
bool wm_job_is_made(const struct wm_job *job);

#endif
