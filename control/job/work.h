/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Work on the files of a job, by a thread of its own: a file system that does not answer
 * holds up nobody but who asked for it.
 *
 *   control thread                              its thread
 *   wm_job_work_start ─── a copy of the job ──▶ checks, opens, reserves, names, removes
 *   wm_job_work_is_over ◀── what became of it ──┘
 *   wm_job_work_take: the job becomes that
 *
 * The thread has a copy of the job and nothing else of the controller's, so that the job
 * can be looked at, cancelled and forgotten meanwhile. One that never comes back is left
 * behind with its copy (task.h).
 */
#ifndef WM_WORK_H
#define WM_WORK_H

#include "jobs.h"
#include "kernel_make.h"
#include "task.h"

enum wm_job_work_op {
	WM_WORK_CHECK,	 /* what can be refused before it is queued (wm_job_files_check) */
	WM_WORK_MAKE,	 /* a kernel alone, of no job */
	WM_WORK_RECALL,	 /* which job an output belongs to, and the same */
	WM_WORK_LOOK,	 /* did an earlier life finish it? */
	WM_WORK_OPEN,	 /* for the lane */
	WM_WORK_SUSPEND, /* these three close */
	WM_WORK_ABANDON,
	WM_WORK_FINISH,
	WM_WORK_DISCARD, /* what an earlier life left */
};

struct wm_job_work {
	struct wm_task task;
	enum wm_job_work_op op;
	uint32_t mtu; /* of a batch */
	const char *state_directory;
	uint64_t start_ns;
	struct wm_kernel_text
		*text;	 /* of the job's kernel, which is made of it; NULL: it is known */
	uint8_t *object; /* that was made, for the library */
	size_t object_bytes;
	struct wm_job job; /* the thread's, until it is over */
	int result;	   /* 0 or a negative errno, with the line; 1: it was finished */
	struct wm_error error;
};

/* text (copied) may be NULL. NULL: there is no memory, or no thread. */
struct wm_job_work *wm_job_work_start(const struct wm_jobs *jobs, enum wm_job_work_op op,
				      const struct wm_job *job, const struct wm_kernel_text *text,
				      uint64_t now_ns);
/* Of one that is over. Leaves NULL. */
void wm_job_work_destroy(struct wm_job_work **work);
/* Then result, error and job can be read. */
bool wm_job_work_is_over(const struct wm_job_work *work);
/* The job becomes what the thread made of it, but for what the control thread alone decides.
 * Frees the work, which is over, and leaves NULL. */
void wm_job_work_take(struct wm_job *job, struct wm_job_work **work);

#endif
