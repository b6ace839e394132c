/* SPDX-License-Identifier: BSD-3-Clause */
#include "jobs.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "job_files.h"
#include "job_run.h"
#include "log.h"
#include "spool.h"
#include "utc.h"

static const char *const state_names[WM_JOB_STATES] = {
	[WM_JOB_QUEUED] = "queued",	  [WM_JOB_PREPARING] = "preparing",
	[WM_JOB_RUNNING] = "running",	  [WM_JOB_FINISHING] = "finishing",
	[WM_JOB_DONE] = "done",		  [WM_JOB_FAILED] = "failed",
	[WM_JOB_CANCELLED] = "cancelled",
};

const char *wm_job_state_name(enum wm_job_state state)
{
	return state_names[state];
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

static uint32_t unfinished(const struct wm_jobs *jobs)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < jobs->count; i++)
		count += !wm_job_has_ended(jobs->jobs[i]);
	return count;
}

/* An earlier life may have ended between the last step of a job and the note of it. */
static void take_up(struct wm_jobs *jobs)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		struct wm_job *job = jobs->jobs[i];

		if (!wm_job_has_ended(job) && wm_job_files_are_finished(job, jobs->state_directory))
			wm_job_end_before(jobs, job);
	}
}

int wm_jobs_init(struct wm_jobs *jobs, struct wm_lanes *lanes, struct wm_membership *membership,
		 uint32_t port_mtu, const char *state_directory, struct wm_error *error)
{
	int ret;

	*jobs = (struct wm_jobs){
		.lanes = lanes,
		.membership = membership,
		.port_mtu = port_mtu,
		.state_directory = state_directory,
		.next_id = 1,
	};
	ret = wm_spool_prepare(state_directory, error);
	if (ret == 0)
		ret = wm_spool_load(jobs, error);
	if (ret < 0)
		return ret;
	take_up(jobs);
	if (unfinished(jobs) > 0)
		wm_log_info("%" PRIu32 " unfinished jobs go on", unfinished(jobs));
	return 0;
}

uint32_t wm_jobs_batch_mtu(const struct wm_jobs *jobs, uint32_t mtu)
{
	return mtu - (jobs->membership->frame_auth == WM_WIRE_AEAD ? WM_WIRE_TAG_BYTES : 0);
}

void wm_jobs_save(const struct wm_jobs *jobs)
{
	struct wm_error error;

	if (wm_spool_save(jobs, &error) < 0)
		wm_log_error("%s: after a restart jobs must be resumed by hand, and who "
			     "is in quarantine is let in",
			     error.text);
}

/* ---- submission ---------------------------------------------------------------- */

static int copy_path(char *copy, const char *what, const char *path, struct wm_error *error)
{
	if (path[0] != '/')
		return wm_error_set(error, EINVAL, "%s '%s' is no absolute path", what, path);
	if (strlen(path) >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "the path of %s is longer than %d bytes",
				    what, PATH_MAX - 1);
	strcpy(copy, path);
	return 0;
}

/* The oldest that has ended makes room. */
static bool make_room(struct wm_jobs *jobs)
{
	if (unfinished(jobs) >= WM_JOBS_QUEUED_MAX)
		return false;
	if (jobs->count < WM_JOBS_MAX)
		return true;
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (!wm_job_has_ended(jobs->jobs[i]))
			continue;
		free(jobs->jobs[i]);
		jobs->count--;
		memmove(&jobs->jobs[i], &jobs->jobs[i + 1],
			(jobs->count - i) * sizeof(jobs->jobs[0]));
		return true;
	}
	return false;
}

static int fill_request(struct wm_jobs *jobs, struct wm_job *job,
			const struct wm_job_request *request, struct wm_error *error)
{
	int ret;

	job->kernel = wm_kernel_find(request->kernel);
	if (!job->kernel)
		return wm_error_set(error, ENOENT,
				    "no kernel '%s' here: see 'wiremill job submit --help'",
				    request->kernel);
	job->meant = request->meant;
	job->force = request->force;
	job->drop_tail = request->drop_tail;
	job->fail_after_ns = request->fail_after_ns;
	job->audit_ppm = request->audit_ppm;
	ret = copy_path(job->input, "input", request->input, error);
	if (ret == 0)
		ret = copy_path(job->output, "output", request->output, error);
	return ret < 0 ? ret
		       : wm_job_files_check(job, wm_jobs_batch_mtu(jobs, jobs->port_mtu),
					    jobs->state_directory, error);
}

static struct wm_job *job_create(struct wm_jobs *jobs, const struct wm_job_origin *origin,
				 struct wm_error *error)
{
	struct wm_job *job;

	if (!make_room(jobs)) {
		wm_error_set(error, EAGAIN, "%u jobs are queued already: wait for some to end",
			     WM_JOBS_QUEUED_MAX);
		return NULL;
	}
	job = calloc(1, sizeof(*job));
	if (!job)
		wm_error_set(error, ENOMEM, "no memory for another job");
	else if (origin)
		job->origin = *origin;
	return job;
}

static struct wm_job *job_queue(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	job->lane.id = jobs->next_id++;
	job->origin.submitted_ms = wm_utc_ms();
	jobs->jobs[jobs->count++] = job;
	wm_log_info("job %" PRIu32 " queued: kernel %s, %s -> %s", job->lane.id, job->kernel->name,
		    job->input, job->output);
	wm_jobs_save(jobs);
	wm_jobs_tick(jobs, now_ns);
	return job;
}

struct wm_job *wm_jobs_submit(struct wm_jobs *jobs, const struct wm_job_request *request,
			      uint64_t now_ns, struct wm_error *error)
{
	struct wm_job *job = job_create(jobs, request->origin, error);

	if (!job)
		return NULL;
	if (fill_request(jobs, job, request, error) < 0) {
		free(job);
		return NULL;
	}
	return job_queue(jobs, job, now_ns);
}

static int fill_resume(struct wm_jobs *jobs, struct wm_job *job, const char *output,
		       struct wm_error *error)
{
	int ret = copy_path(job->output, "output", output, error);

	for (uint32_t i = 0; ret == 0 && i < jobs->count; i++) {
		if (!wm_job_has_ended(jobs->jobs[i]) && strcmp(jobs->jobs[i]->output, output) == 0)
			ret = wm_error_set(error, EBUSY, "job %" PRIu32 " is at it already",
					   jobs->jobs[i]->lane.id);
	}
	if (ret == 0)
		ret = wm_job_files_recall(job, jobs->state_directory, error);
	if (ret == 0)
		ret = wm_job_files_check(job, wm_jobs_batch_mtu(jobs, jobs->port_mtu),
					 jobs->state_directory, error);
	return ret;
}

struct wm_job *wm_jobs_resume(struct wm_jobs *jobs, const char *output, uint64_t fail_after_ns,
			      const struct wm_job_origin *origin, uint64_t now_ns,
			      struct wm_error *error)
{
	struct wm_job *job = job_create(jobs, origin, error);

	if (!job)
		return NULL;
	job->resume = true;
	job->fail_after_ns = fail_after_ns;
	if (fill_resume(jobs, job, output, error) < 0) {
		free(job);
		return NULL;
	}
	return job_queue(jobs, job, now_ns);
}

struct wm_job *wm_jobs_find(struct wm_jobs *jobs, uint64_t id)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (jobs->jobs[i]->lane.id == id)
			return jobs->jobs[i];
	}
	return NULL;
}

/* ---- its turn ------------------------------------------------------------------- */

/* The first in the queue becomes the current one; it waits for a node. */
static void start_next(struct wm_jobs *jobs, uint64_t now_ns)
{
	for (uint32_t i = 0; i < jobs->count && !jobs->current; i++) {
		if (jobs->jobs[i]->state != WM_JOB_QUEUED)
			continue;
		jobs->current = jobs->jobs[i];
		jobs->current->prepare_ns = now_ns;
	}
}

void wm_jobs_tick(struct wm_jobs *jobs, uint64_t now_ns)
{
	assert(!jobs->current || now_ns >= jobs->current->prepare_ns);
	if (!jobs->current)
		start_next(jobs, now_ns);
	if (jobs->current)
		wm_job_tick(jobs, jobs->current, now_ns);
}

void wm_jobs_counters(const struct wm_jobs *jobs, const struct wm_job *job,
		      struct wm_lane_job_counters *counters)
{
	struct wm_lane_job_counters running;

	*counters = job->counters;
	if (job->state != WM_JOB_RUNNING)
		return;
	wm_lanes_job_counters(jobs->lanes, &running);
	if (running.job == job->lane.id)
		*counters = running;
}

const char *wm_jobs_waiting(const struct wm_jobs *jobs, const struct wm_job *job)
{
	struct wm_lane_job_counters counters;

	if (job->state == WM_JOB_QUEUED && jobs->current != job)
		return "for the jobs before it";
	if (job->state == WM_JOB_QUEUED)
		return "for a node to join";
	if (job->state != WM_JOB_RUNNING)
		return "";
	if (job->unreached[0])
		return job->unreached;
	if (job->hindrance.text[0])
		return job->hindrance.text;
	wm_jobs_counters(jobs, job, &counters);
	if (counters.job == job->lane.id && counters.nodes_alive == 0 && counters.nodes_unable > 0)
		return "for another node: those that answer cannot compute what is left";
	if (counters.job == job->lane.id && counters.nodes_alive == 0)
		return "for a node: none answers";
	if (counters.job == job->lane.id && counters.stuck)
		return "for another node: none here may take what is left (an audit wants two)";
	return "";
}

void wm_jobs_close(struct wm_jobs *jobs)
{
	if (jobs->current)
		wm_job_leave(jobs, jobs->current);
	for (uint32_t i = 0; i < jobs->count; i++)
		free(jobs->jobs[i]);
	jobs->count = 0;
}
