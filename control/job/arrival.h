/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is asked for on the way into the queue: submitted, resumed, discarded. A thread
 * looks at the files meanwhile (work.h); the answer comes when it is back, and the job
 * is in the spool by then. Where it does not come back in time, the answer is that.
 *
 * One thread (the daemon's).
 */
#ifndef WM_ARRIVAL_H
#define WM_ARRIVAL_H

#include "jobs.h"
#include "kernel_make.h"

struct wm_job_request {
	const char *kernel; /* built in, or of the library, by name or hash; or else: */
	const struct wm_kernel_text *text; /* that it is to be made of */
	const char *input;		   /* absolute */
	const char *output;		   /* absolute */
	struct wm_source_identity meant;   /* as the submitter sees the input */
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

/* Of a request: the job, or NULL with the error. Called once, perhaps at once. */
typedef void wm_jobs_answer(void *context, void *request, struct wm_job *job,
			    const struct wm_error *error);

struct wm_jobs_reply {
	wm_jobs_answer *answer;
	void *context, *request;
};

/* As in queue.h; what was refused at once gives a negative errno. */
int wm_job_arrival_submit(struct wm_jobs *jobs, const struct wm_job_request *request,
			  uint64_t now_ns, const struct wm_jobs_reply *reply);
int wm_job_arrival_resume(struct wm_jobs *jobs, const struct wm_job_resumption *wanted,
			  uint64_t now_ns, const struct wm_jobs_reply *reply);
int wm_job_arrival_discard(struct wm_jobs *jobs, const char *output, uint64_t now_ns,
			   const struct wm_jobs_reply *reply);
/* Answers with a job of no queue whose kernel is what the library has now. */
int wm_job_arrival_add_kernel(struct wm_jobs *jobs, const struct wm_kernel_text *text,
			      uint64_t now_ns, const struct wm_jobs_reply *reply);
/* From wm_jobs_tick: those whose files have been looked at, or do not answer. */
void wm_job_arrivals_tick(struct wm_jobs *jobs, uint64_t now_ns);
/* The controller stops: all get their answer. */
void wm_job_arrivals_refuse(struct wm_jobs *jobs);

#endif
