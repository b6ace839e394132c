/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is done with the files of a job, and how it ends: opened before it runs (run.h
 * goes on from there), closed, named or removed once the lane has let go of it, or removed
 * without ever having been open in this life.
 *
 * All of it is begun here and done by a thread (work.h); wm_job_files_tick sees when
 * it is over. One thread calls, the daemon's.
 */
#ifndef WM_END_H
#define WM_END_H

#include "jobs.h"

/* Did an earlier life finish it? Then it ends; else it is in the queue as before. */
void wm_job_look(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* True: they are open already; wm_job_files_tick says it of those that take their time. */
bool wm_job_open(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* From the daemon's loop, for each job, current or not. True: its files are open now. */
bool wm_job_files_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* Its files do not answer: others may go first. */
bool wm_job_is_late(const struct wm_job *job, uint64_t now_ns);

/* All of it was, by an earlier life. */
void wm_job_mark_made(struct wm_job *job);
/* It is over now, its files are not open. */
void wm_job_end(struct wm_jobs *jobs, struct wm_job *job, enum wm_job_state state,
		const char *reason, uint64_t now_ns);
/* Likewise, and another life can go on from what is left, if anything is. */
void wm_job_fail(struct wm_jobs *jobs, struct wm_job *job, const char *reason, uint64_t now_ns);
/* These close what is open, and then it is over. Likewise, with what is durable kept: */
void wm_job_suspend(struct wm_jobs *jobs, struct wm_job *job, const char *reason, uint64_t now_ns);
/* with nothing kept, */
void wm_job_abandon(struct wm_jobs *jobs, struct wm_job *job, enum wm_job_state state,
		    const char *reason, uint64_t now_ns);
/* with all of it durable. */
void wm_job_finish(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* It was cancelled while its files are not open: what an earlier life left is removed. */
void wm_job_give_up(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns);
/* In the spool when this returns 0. A job that is queued ends at once, a running one when
 * the lane lets go of it, and where its files do not answer when they do. */
int wm_job_cancel(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns,
		  struct wm_error *error);

#endif
