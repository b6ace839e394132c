/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

#include <assert.h>

#include "clock.h"

static const char *const state_names[WM_JOB_STATES] = {
	[WM_JOB_QUEUED] = "queued",	  [WM_JOB_PREPARING] = "preparing",
	[WM_JOB_RUNNING] = "running",	  [WM_JOB_FINISHING] = "finishing",
	[WM_JOB_DONE] = "done",		  [WM_JOB_FAILED] = "failed",
	[WM_JOB_CANCELLED] = "cancelled",
};

#define TO(state) (1u << (state))

/* Whatever is not here does not happen. A queued job is done at once if an earlier life of the
 * controller got that far and could not note it. */
static const unsigned next_states[WM_JOB_STATES] = {
	[WM_JOB_QUEUED] = TO(WM_JOB_PREPARING) | TO(WM_JOB_FINISHING) | TO(WM_JOB_DONE) |
			  TO(WM_JOB_FAILED) | TO(WM_JOB_CANCELLED),
	[WM_JOB_PREPARING] = TO(WM_JOB_RUNNING) | TO(WM_JOB_FINISHING) | TO(WM_JOB_FAILED) |
			     TO(WM_JOB_CANCELLED),
	[WM_JOB_RUNNING] = TO(WM_JOB_FINISHING),
	[WM_JOB_FINISHING] = TO(WM_JOB_DONE) | TO(WM_JOB_FAILED) | TO(WM_JOB_CANCELLED),
};

void wm_job_enter(struct wm_job *job, enum wm_job_state state)
{
	assert(state < WM_JOB_STATES);
	assert(next_states[job->state] & TO(state));
	/* Its files are closed by then, and nobody is at them. */
	assert(state < WM_JOB_DONE || (!job->open && !job->work));
	/* The lane gets what is open, and nobody is at it. */
	assert(state != WM_JOB_RUNNING || (job->open && !job->work));
	job->state = state;
}

const char *wm_job_state_name(enum wm_job_state state)
{
	assert(state < WM_JOB_STATES);
	return state_names[state];
}

bool wm_job_is_being_checked(const struct wm_job *job, const struct wm_lane_job_counters *counters)
{
	return job->checking && counters->extents_done == job->lane.layout.extents;
}

bool wm_job_has_ended(const struct wm_job *job)
{
	return job->state >= WM_JOB_DONE;
}

double wm_job_seconds(const struct wm_job *job, uint64_t now_ns)
{
	uint64_t run_ns = job->start_ns ? now_ns - job->start_ns : 0;

	return (double)(wm_job_has_ended(job) ? job->run_ns : run_ns) / (double)WM_NS_PER_S;
}
