/* SPDX-License-Identifier: BSD-3-Clause */
#include "jobs.h"

#include <string.h>

struct wm_job *wm_jobs_find(struct wm_jobs *jobs, uint64_t id)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (jobs->jobs[i]->lane.id == id)
			return jobs->jobs[i];
	}
	return NULL;
}

uint32_t wm_jobs_count_unfinished(const struct wm_jobs *jobs)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < jobs->count; i++)
		count += !wm_job_has_ended(jobs->jobs[i]);
	return count;
}

/* It failed, what it made is beside its output, and no later job has been there. */
static bool can_be_resumed(const struct wm_jobs *jobs, uint32_t index)
{
	const struct wm_job *job = jobs->jobs[index];

	if (job->state != WM_JOB_FAILED || job->discarded)
		return false;
	for (uint32_t i = index + 1; i < jobs->count; i++) {
		if (strcmp(jobs->jobs[i]->output, job->output) == 0)
			return false;
	}
	return true;
}

const struct wm_job *wm_jobs_find_user(const struct wm_jobs *jobs,
				       const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		const struct wm_job *job = jobs->jobs[i];

		if (memcmp(job->kernel.hash, hash, WM_KERNEL_HASH_BYTES) == 0 &&
		    (!wm_job_has_ended(job) || can_be_resumed(jobs, i)))
			return job;
	}
	return NULL;
}

uint32_t wm_jobs_find_batch_mtu(const struct wm_jobs *jobs, uint32_t mtu)
{
	return mtu - (jobs->membership->frame_auth == WM_WIRE_AEAD ? WM_WIRE_TAG_BYTES : 0);
}

void wm_jobs_read_counters(const struct wm_jobs *jobs, const struct wm_job *job,
			   struct wm_lane_job_counters *counters)
{
	struct wm_lane_job_counters running;

	*counters = job->counters;
	if (job->state != WM_JOB_RUNNING)
		return;
	wm_lanes_sum_job_counters(jobs->lanes, &running);
	if (running.job == job->lane.id)
		*counters = running;
}
