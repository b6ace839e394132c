/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "task.h"
#include "wiremill/readback.h"

/* Until a command surely shows in what the lane publishes. */
#define SETTLE_NS (5 * WM_NS_PER_MS)

enum step { STEP_RECOMPUTE, STEP_READ_BACK };

struct wm_job_feed {
	struct wm_task task;
	enum step step;
	bool busy;		   /* from the start of a step until what it found is named */
	bool check;		   /* the output is to be read back, and is not yet */
	struct wm_journal journal; /* as it was when the lane got it; descriptors are the job's */
	struct wm_sink sink;
	struct wm_layout layout;
	struct wm_recompute recompute;
	struct wm_readback *readback;
	struct wm_readback_found found;
	int result;
	struct wm_error error;
	char waits[PATH_MAX + 128]; /* while the output is read back, for that */
	uint64_t fed_ns; /* the lane's counters show what was named when they are of later */
};

static_assert(WM_READBACK_BURST == WM_RECOMPUTE_BURST, "either finds what the other names");

/* ---- the thread's -------------------------------------------------------------- */

static void recompute(struct wm_job_feed *feed)
{
	feed->found.bytes = 0;
	feed->result = wm_recompute_feed(&feed->recompute, &feed->journal, feed->found.extents,
					 &feed->found.finished);
	feed->found.count = feed->result > 0 ? (uint32_t)feed->result : 0;
	if (feed->result < 0)
		wm_error_set(&feed->error, -feed->result,
			     "what a node in quarantine made cannot be looked up in the journal "
			     "(%s): %s",
			     feed->result == -EBADMSG ? "it ends too early"
						      : wm_errno_text(-feed->result),
			     feed->journal.path);
}

static void read_back(struct wm_job_feed *feed)
{
	feed->result = 0;
	if (!feed->readback)
		feed->result = wm_readback_create(&feed->readback, &feed->journal, &feed->sink,
						  &feed->layout, &feed->error);
	if (feed->result == 0)
		feed->result = wm_readback_next(feed->readback, &feed->found, &feed->error);
}

static void step_run(void *context)
{
	struct wm_job_feed *feed = context;

	if (feed->step == STEP_RECOMPUTE)
		recompute(feed);
	else
		read_back(feed);
}

/* ---- what was found -------------------------------------------------------------- */

static void name(struct wm_jobs *jobs, struct wm_job_feed *feed, uint64_t now_ns)
{
	for (uint32_t i = 0; i < feed->found.count; i++)
		wm_lanes_post(jobs->lanes,
			      &(struct wm_lane_command){ .op = WM_LANE_EXTENT_INVALIDATE,
							 .extent = feed->found.extents[i] });
	if (feed->found.count > 0)
		feed->fed_ns = now_ns + SETTLE_NS;
}

static void recomputed(struct wm_jobs *jobs, struct wm_job_feed *feed)
{
	if (!feed->found.finished)
		return;
	wm_recompute_fini(&feed->recompute);
	wm_lanes_post(jobs->lanes, &(struct wm_lane_command){ .op = WM_LANE_RECOMPUTE_DONE,
							      .pass = feed->recompute.pass });
}

/* They are no part of what was there any more. */
static void note_differing(struct wm_job *job, const struct wm_job_feed *feed)
{
	const struct wm_readback_found *found = &feed->found;

	for (uint32_t i = 0; i < found->count; i++)
		job->resumed_bytes -= wm_layout_extent(&feed->layout, found->extents[i]).out_bytes;
	job->differing_extents += found->count;
	if (found->count > 0)
		wm_log_warning("job %" PRIu32 ": the disk changed what was written before: %" PRIu32
			       " extents, from extent %" PRIu64 " on, are made again: %s",
			       job->lane.id, found->count, found->extents[0], job->output);
}

static void was_read_back(struct wm_jobs *jobs, struct wm_job *job, struct wm_job_feed *feed)
{
	job->checked_bytes += feed->found.bytes;
	note_differing(job, feed);
	if (!feed->found.finished)
		return;
	wm_readback_destroy(&feed->readback);
	feed->check = job->checking = false;
	wm_lanes_post(jobs->lanes, &(struct wm_lane_command){ .op = WM_LANE_OUTPUT_CHECKED });
	wm_log_info("job %" PRIu32 ": %" PRIu64
		    " bytes that were there have been read back, %" PRIu32 " extents differed",
		    job->lane.id, job->checked_bytes, job->differing_extents);
}

/* ---- the control thread's ------------------------------------------------------------ */

/* What was named last must show in its counters. */
static bool lane_has_room(const struct wm_jobs *jobs, const struct wm_job *job)
{
	struct wm_lane_job_counters counters;

	wm_jobs_read_counters(jobs, job, &counters);
	return counters.published_ns > job->feed->fed_ns && counters.gaps <= WM_RECOMPUTE_BURST;
}

/* Of a step that is over, as soon as there is room for it. */
static int take(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns, struct wm_error *error)
{
	struct wm_job_feed *feed = job->feed;

	if (!feed->busy || !wm_task_is_over(&feed->task))
		return 0;
	if (feed->result < 0) {
		feed->busy = false;
		return wm_error_set(error, -feed->result, "%s", feed->error.text);
	}
	if (feed->found.count > 0 && !lane_has_room(jobs, job))
		return 0;
	feed->busy = false;
	name(jobs, feed, now_ns);
	if (feed->step == STEP_RECOMPUTE)
		recomputed(jobs, feed);
	else
		was_read_back(jobs, job, feed);
	return 0;
}

static void start(const struct wm_jobs *jobs, struct wm_job_feed *feed, enum step step)
{
	feed->step = step;
	/* Without a thread it is tried again at the next tick. */
	feed->busy = wm_task_start(&feed->task, step_run, feed, jobs->wake_fd) == 0;
}

/* A recompute only when all that it finds can be named at once: what is made again meanwhile
 * is not to be named again. */
static void look_for_more(const struct wm_jobs *jobs, struct wm_job *job)
{
	struct wm_job_feed *feed = job->feed;

	if (feed->busy)
		return;
	if (job->recompute.active)
		wm_recompute_join(&feed->recompute, &job->recompute);
	if (feed->recompute.active && lane_has_room(jobs, job))
		start(jobs, feed, STEP_RECOMPUTE);
	else if (feed->check && !feed->recompute.active)
		start(jobs, feed, STEP_READ_BACK);
}

int wm_job_feed_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns,
		     struct wm_error *error)
{
	int ret = take(jobs, job, now_ns, error);

	if (ret < 0)
		return ret;
	look_for_more(jobs, job);
	return take(jobs, job, now_ns, error);
}

int wm_job_feed_create(struct wm_job *job)
{
	struct wm_job_feed *feed = calloc(1, sizeof(*feed));

	if (!feed)
		return -ENOMEM;
	feed->journal = job->lane.journal;
	feed->sink = job->lane.sink;
	feed->layout = job->lane.layout;
	feed->check = job->checking = job->lane.unchecked;
	snprintf(feed->waits, sizeof(feed->waits),
		 "for what was there to be read back: %s (if its disk does not answer, %s)",
		 job->output, WM_SILENCE_REMEDY);
	wm_recompute_init(&feed->recompute, feed->layout.extents);
	job->feed = feed;
	return 0;
}

const char *wm_job_feed_explain_waiting(const struct wm_job *job)
{
	assert(job->checking);
	return job->feed->waits;
}

bool wm_job_feed_is_busy(const struct wm_job *job)
{
	return job->feed && job->feed->busy && !wm_task_is_over(&job->feed->task);
}

void wm_job_feed_destroy(struct wm_job *job)
{
	if (!job->feed)
		return;
	assert(!wm_job_feed_is_busy(job));
	wm_recompute_fini(&job->feed->recompute);
	wm_readback_destroy(&job->feed->readback);
	free(job->feed);
	job->feed = NULL;
	job->checking = false;
}
