/* SPDX-License-Identifier: BSD-3-Clause */
#include "queue.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "end.h"
#include "feed.h"
#include "log.h"
#include "number.h"
#include "run.h"
#include "spool.h"
#include "work.h"

/* For the lane and the files to let go when the controller stops. */
#define CLOSE_WAIT_NS (6 * WM_NS_PER_S)

/* What was being cancelled is; of the others an earlier life may have ended between the
 * last step and the note of it. */
static void take_up(struct wm_jobs *jobs, uint64_t now_ns)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		struct wm_job *job = jobs->jobs[i];

		if (wm_job_has_ended(job))
			continue;
		if (job->cancelled)
			wm_job_give_up(jobs, job, now_ns);
		else if (job->journal != 0)
			wm_job_look(jobs, job, now_ns);
	}
}

static bool is_named(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	return wm_jobs_find_user(context, hash) != NULL;
}

/* Jobs of built-in kernels need none. */
static void open_library(struct wm_jobs *jobs)
{
	struct wm_error error = { "" };

	if (wm_kernel_library_init(&jobs->library, jobs->state_directory, is_named, jobs, &error) <
	    0)
		wm_log_error("%s: kernels that are not built in fail", error.text);
}

int wm_jobs_init(struct wm_jobs *jobs, struct wm_lanes *lanes, struct wm_membership *membership,
		 uint32_t port_mtu, const char *state_directory, int wake_fd,
		 struct wm_error *error)
{
	char count[WM_COUNT_BYTES];
	int ret;

	*jobs = (struct wm_jobs){
		.lanes = lanes,
		.membership = membership,
		.port_mtu = port_mtu,
		.state_directory = state_directory,
		.wake_fd = wake_fd,
		.close_wait_ns = CLOSE_WAIT_NS,
		.next_id = 1,
	};
	ret = wm_spool_prepare(state_directory, error);
	if (ret == 0)
		ret = wm_spool_load(jobs, error);
	if (ret < 0)
		return ret;
	open_library(jobs);
	take_up(jobs, wm_clock_ns());
	if (wm_jobs_count_unfinished(jobs) > 0)
		wm_log_info("going on with %s that did not end",
			    wm_number_format_count(count, sizeof(count),
						   wm_jobs_count_unfinished(jobs), "job"));
	return 0;
}

/* ---- requests ------------------------------------------------------------------- */

void wm_jobs_submit(struct wm_jobs *jobs, const struct wm_job_request *request, uint64_t now_ns,
		    const struct wm_jobs_reply *reply)
{
	if (wm_job_arrival_submit(jobs, request, now_ns, reply) == 0)
		wm_jobs_tick(jobs, now_ns);
}

void wm_jobs_resume(struct wm_jobs *jobs, const struct wm_job_resumption *wanted, uint64_t now_ns,
		    const struct wm_jobs_reply *reply)
{
	if (wm_job_arrival_resume(jobs, wanted, now_ns, reply) == 0)
		wm_jobs_tick(jobs, now_ns);
}

void wm_jobs_discard(struct wm_jobs *jobs, const char *output, uint64_t now_ns,
		     const struct wm_jobs_reply *reply)
{
	if (wm_job_arrival_discard(jobs, output, now_ns, reply) == 0)
		wm_jobs_tick(jobs, now_ns);
}

void wm_jobs_add_kernel(struct wm_jobs *jobs, const struct wm_kernel_text *text, uint64_t now_ns,
			const struct wm_jobs_reply *reply)
{
	if (wm_job_arrival_add_kernel(jobs, text, now_ns, reply) == 0)
		wm_jobs_tick(jobs, now_ns);
}

/* ---- its turn ------------------------------------------------------------------- */

/* Would the later one read, or write, what the earlier one may be writing, or reading? */
static bool do_meet(const struct wm_job *earlier, const struct wm_job *later)
{
	return strcmp(earlier->output, later->output) == 0 ||
	       strcmp(earlier->output, later->input) == 0 ||
	       strcmp(earlier->input, later->output) == 0;
}

/* Some before it may wait for their files. */
static bool meets_one_before(const struct wm_jobs *jobs, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++) {
		if (!wm_job_has_ended(jobs->jobs[i]) && do_meet(jobs->jobs[i], jobs->jobs[index]))
			return true;
	}
	return false;
}

static bool can_start(const struct wm_jobs *jobs, uint32_t index, uint64_t now_ns)
{
	const struct wm_job *job = jobs->jobs[index];

	return (job->state == WM_JOB_QUEUED || job->state == WM_JOB_PREPARING) && !job->cancelled &&
	       !wm_job_is_late(job, now_ns) && !meets_one_before(jobs, index);
}

/* The first in the queue becomes the current one; it waits for a node. */
static void start_next(struct wm_jobs *jobs, uint64_t now_ns)
{
	for (uint32_t i = 0; i < jobs->count && !jobs->current; i++) {
		if (!can_start(jobs, i, now_ns))
			continue;
		assert(!jobs->jobs[i]->suspended && jobs->jobs[i]->state < WM_JOB_RUNNING);
		jobs->current = jobs->jobs[i];
		jobs->current->prepare_ns = 0;
		jobs->current->stalled_since_ns = 0;
	}
}

static void files_tick(struct wm_jobs *jobs, uint64_t now_ns)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (wm_job_files_tick(jobs, jobs->jobs[i], now_ns))
			wm_job_handle_opened(jobs, jobs->jobs[i], now_ns);
	}
}

void wm_jobs_tick(struct wm_jobs *jobs, uint64_t now_ns)
{
	wm_job_arrivals_tick(jobs, now_ns);
	files_tick(jobs, now_ns);
	if (!jobs->current)
		start_next(jobs, now_ns);
	if (jobs->current)
		wm_job_tick(jobs, jobs->current, now_ns);
	/* Who has ended has given its turn away. */
	assert(!jobs->current || !wm_job_has_ended(jobs->current));
}

/* Another has the turn, or comes first. */
static bool has_others_before(const struct wm_jobs *jobs, const struct wm_job *job)
{
	for (uint32_t i = 0; i < jobs->count && jobs->jobs[i] != job; i++) {
		if (!wm_job_has_ended(jobs->jobs[i]))
			return true;
	}
	return jobs->current;
}

/* Without a link none can come, however many are started. */
static const char *for_a_node(const struct wm_jobs *jobs)
{
	const char *link = wm_links_missing(&jobs->lanes->links);

	return link ? link : "for a node: " WM_JOBS_START_NODES;
}

/* It takes long. */
static const char *held_by(const struct wm_job *job)
{
	if (job->state == WM_JOB_RUNNING)
		return "for its disk to answer: what the kernel has of it cannot be called back";
	return job->state == WM_JOB_FINISHING ? "for its files to be closed"
					      : "for its files to be opened";
}

const char *wm_jobs_explain_waiting(const struct wm_jobs *jobs, const struct wm_job *job)
{
	struct wm_lane_job_counters counters;

	if (job->dry_run)
		return "";
	if (job->state == WM_JOB_RUNNING && job->silence.text[0])
		return job->silence.text;
	if (job->held)
		return held_by(job);
	if (wm_job_has_ended(job) || job->cancelled)
		return "";
	if (job->state <= WM_JOB_PREPARING && jobs->current != job)
		return has_others_before(jobs, job) ? "for the jobs before it" : "";
	if (job->state <= WM_JOB_PREPARING && !wm_job_has_nodes(jobs))
		return for_a_node(jobs);
	if (job->state != WM_JOB_RUNNING)
		return "";
	if (job->unreached[0])
		return job->unreached;
	if (job->hindrance.text[0])
		return job->hindrance.text;
	wm_jobs_read_counters(jobs, job, &counters);
	if (wm_job_is_being_checked(job, &counters))
		return wm_job_feed_explain_waiting(job);
	if (counters.job == job->lane.id && counters.nodes_alive == 0 && counters.nodes_unable > 0)
		return "for another node: those that answer cannot compute what is left";
	if (counters.job == job->lane.id && counters.nodes_alive == 0)
		return "for a node: none answers";
	if (counters.job == job->lane.id && counters.stuck)
		return "for another node: none here may take what is left (an audit wants two)";
	return "";
}

/* ---- the end ------------------------------------------------------------------------ */

/* What has to be waited for: the lane, and files that are open. */
static bool holds_up_end(const struct wm_job *job)
{
	return job->state == WM_JOB_RUNNING || job->state == WM_JOB_FINISHING ||
	       (job->work && job->state > WM_JOB_QUEUED);
}

static bool is_busy(const struct wm_jobs *jobs)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (holds_up_end(jobs->jobs[i]))
			return true;
	}
	return false;
}

static void say_what_is_left(const struct wm_jobs *jobs)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		const struct wm_job *job = jobs->jobs[i];

		if (holds_up_end(job))
			wm_log_warning("job %" PRIu32 " is left as it is, since its disk does not "
				       "answer: mend that, and the next start goes on: %s, %s",
				       job->lane.id, job->input, job->output);
	}
}

/* A thread that still reads from its files has what it needs. */
static void forget(struct wm_job *job)
{
	if (!wm_job_feed_is_busy(job))
		wm_job_feed_destroy(job);
	free(job);
}

static void close_tick(struct wm_jobs *jobs)
{
	struct wm_lane_event event;

	while (jobs->current && jobs->current->state == WM_JOB_RUNNING &&
	       wm_lanes_poll_event(jobs->lanes, &event))
		wm_jobs_handle_lane_event(jobs, &event, wm_clock_ns());
	files_tick(jobs, wm_clock_ns());
}

bool wm_jobs_close(struct wm_jobs *jobs)
{
	uint64_t end_ns = wm_clock_ns() + jobs->close_wait_ns;
	bool lane_has_it;

	assert(!jobs->stopping);
	jobs->stopping = true;
	wm_job_arrivals_refuse(jobs);
	if (jobs->current)
		wm_job_leave(jobs, jobs->current);
	for (close_tick(jobs); is_busy(jobs) && wm_clock_ns() < end_ns; close_tick(jobs))
		usleep(1000);
	say_what_is_left(jobs);
	lane_has_it = jobs->current && jobs->current->state == WM_JOB_RUNNING;
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (jobs->jobs[i] != jobs->current || !lane_has_it)
			forget(jobs->jobs[i]);
	}
	jobs->count = 0;
	jobs->current = NULL;
	wm_kernel_library_fini(&jobs->library);
	return !lane_has_it;
}
