/* SPDX-License-Identifier: BSD-3-Clause */
#include "end.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "feed.h"
#include "log.h"
#include "save.h"
#include "spool.h"
#include "utc.h"
#include "work.h"

/* Files that take longer are said to. */
#define HELD_NS (1 * WM_NS_PER_S)
/* And let other jobs go first: three times what the space of 12 TB took to reserve. */
#define LATE_NS (30 * WM_NS_PER_S)

static const char on_request[] = "on request";

/* ---- the end ---------------------------------------------------------------------- */

static void leave_turn(struct wm_jobs *jobs, struct wm_job *job)
{
	if (jobs->current != job)
		return;
	assert(job->state != WM_JOB_RUNNING);
	wm_membership_job_end(jobs->membership, job->lane.id);
	wm_kernel_library_release(&jobs->library, job->lane.id);
	jobs->current = NULL;
}

/* Which may be its own. */
static void set_reason(struct wm_job *job, const char *reason)
{
	memmove(job->reason, reason, strnlen(reason, sizeof(job->reason) - 1) + 1);
	job->reason[sizeof(job->reason) - 1] = '\0';
}

void wm_job_end(struct wm_jobs *jobs, struct wm_job *job, enum wm_job_state state,
		const char *reason, uint64_t now_ns)
{
	assert(state >= WM_JOB_DONE);
	wm_job_enter(job, state);
	job->held = false;
	job->origin.ended_ms = wm_utc_ms();
	job->run_ns = job->start_ns ? now_ns - job->start_ns : 0;
	set_reason(job, reason);
	if (state == WM_JOB_DONE)
		wm_log_info("job %" PRIu32 " is done: %s, %.3f s", job->lane.id, job->output,
			    wm_job_seconds(job, now_ns));
	else
		wm_log_warning("job %" PRIu32 " %s: %s", job->lane.id, wm_job_state_name(state),
			       job->reason);
	wm_recompute_fini(&job->recompute);
	leave_turn(jobs, job);
	wm_jobs_save(jobs);
}

void wm_job_mark_made(struct wm_job *job)
{
	job->counters.extents_done = job->lane.layout.extents;
	job->counters.output_bytes_done = job->resumed_bytes = job->lane.layout.output_bytes;
}

/* It was done when an earlier life of the controller ended, which could not note it. */
static void end_before(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	wm_job_mark_made(job);
	wm_job_end(jobs, job, WM_JOB_DONE, "", now_ns);
}

void wm_job_fail(struct wm_jobs *jobs, struct wm_job *job, const char *reason, uint64_t now_ns)
{
	char text[WM_ERROR_TEXT_BYTES];

	snprintf(text, sizeof(text), "%.420s%s", reason,
		 job->journal != 0 ? " (go on with 'wiremill job resume OUTPUT')" : "");
	wm_job_end(jobs, job, WM_JOB_FAILED, text, now_ns);
}

/* ---- closing ------------------------------------------------------------------------ */

/* Without a thread now, or while one still reads from them, it is tried again at the next
 * tick. */
static void close_files(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	assert(job->state == WM_JOB_FINISHING && !job->work);
	if (wm_job_feed_is_busy(job))
		return;
	wm_job_feed_destroy(job);
	job->work = wm_job_work_start(jobs, (enum wm_job_work_op)job->closing, job, NULL, now_ns);
	if (job->work)
		wm_job_files_tick(jobs, job, now_ns);
}

static void begin_close(struct wm_jobs *jobs, struct wm_job *job, enum wm_job_work_op op,
			enum wm_job_state end, const char *reason, uint64_t now_ns)
{
	assert(op >= WM_WORK_SUSPEND && end >= WM_JOB_DONE);
	/* Either the files are open, or an earlier life left something. */
	assert(job->open == (op != WM_WORK_DISCARD));
	wm_job_enter(job, WM_JOB_FINISHING);
	job->closing = op;
	job->closing_ns = now_ns;
	job->end = end;
	set_reason(job, reason);
	close_files(jobs, job, now_ns);
}

void wm_job_abandon(struct wm_jobs *jobs, struct wm_job *job, enum wm_job_state state,
		    const char *reason, uint64_t now_ns)
{
	begin_close(jobs, job, WM_WORK_ABANDON, state, reason, now_ns);
}

/* Without anything durable there is nothing worth keeping. */
void wm_job_suspend(struct wm_jobs *jobs, struct wm_job *job, const char *reason, uint64_t now_ns)
{
	begin_close(jobs, job, job->lane.progress.durable == 0 ? WM_WORK_ABANDON : WM_WORK_SUSPEND,
		    WM_JOB_FAILED, reason, now_ns);
}

void wm_job_finish(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	begin_close(jobs, job, WM_WORK_FINISH, WM_JOB_DONE, "", now_ns);
}

void wm_job_give_up(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	assert(!job->work && !job->open && job->cancelled);
	leave_turn(jobs, job);
	if (job->resume)
		begin_close(jobs, job, WM_WORK_DISCARD, WM_JOB_CANCELLED, on_request, now_ns);
	else
		wm_job_end(jobs, job, WM_JOB_CANCELLED, on_request, now_ns);
}

/* ---- what a thread has done ------------------------------------------------------------ */

static void looked(struct wm_jobs *jobs, struct wm_job *job, int result, uint64_t now_ns)
{
	assert(job->state == WM_JOB_QUEUED && !job->work);
	if (result > 0)
		end_before(jobs, job, now_ns);
	else if (job->cancelled)
		wm_job_give_up(jobs, job, now_ns);
}

/* Are they, and nothing came between? */
static bool opened(struct wm_jobs *jobs, struct wm_job *job, int result,
		   const struct wm_error *error, uint64_t now_ns)
{
	assert(job->state == WM_JOB_PREPARING && !job->work);
	assert(job->open == (result == 0));
	if (result == 0 && job->cancelled)
		wm_job_abandon(jobs, job, WM_JOB_CANCELLED, on_request, now_ns);
	else if (job->cancelled)
		wm_job_give_up(jobs, job, now_ns);
	else if (result < 0)
		wm_job_end(jobs, job, WM_JOB_FAILED, error->text, now_ns);
	else
		return true;
	return false;
}

static void closed(struct wm_jobs *jobs, struct wm_job *job, enum wm_job_work_op op, int result,
		   const struct wm_error *error, uint64_t now_ns)
{
	char text[WM_ERROR_TEXT_BYTES];

	assert(job->state == WM_JOB_FINISHING && (int)op == job->closing && !job->open);
	if (op == WM_WORK_FINISH && result < 0) {
		wm_job_fail(jobs, job, error->text, now_ns);
	} else if (op == WM_WORK_SUSPEND) {
		wm_job_fail(jobs, job, job->reason, now_ns);
	} else if (op == WM_WORK_DISCARD && result < 0) {
		snprintf(text, sizeof(text), "%s, but not all of it could be removed: %.400s",
			 on_request, error->text);
		wm_job_end(jobs, job, job->end, text, now_ns);
	} else {
		wm_job_end(jobs, job, job->end, job->reason, now_ns);
	}
}

static bool work_over(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	enum wm_job_work_op op = job->work->op;
	struct wm_error error = job->work->error;
	int result = job->work->result;

	wm_job_work_take(job, &job->work);
	job->held = false;
	if (op == WM_WORK_OPEN)
		return opened(jobs, job, result, &error, now_ns);
	if (op == WM_WORK_LOOK)
		looked(jobs, job, result, now_ns);
	else
		closed(jobs, job, op, result, &error, now_ns);
	return false;
}

static bool waits_for_files(const struct wm_job *job)
{
	return job->work || job->state == WM_JOB_FINISHING;
}

static uint64_t waited_ns(const struct wm_job *job, uint64_t now_ns)
{
	return now_ns - (job->work ? job->work->start_ns : job->closing_ns);
}

bool wm_job_is_late(const struct wm_job *job, uint64_t now_ns)
{
	return waits_for_files(job) && waited_ns(job, now_ns) > LATE_NS;
}

/* They take their time. */
static void held_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	if (!job->held && waited_ns(job, now_ns) > HELD_NS) {
		job->held = true;
		wm_log_warning("job %" PRIu32 " waits for its files to be %s (if their disk does "
			       "not answer, " WM_SILENCE_REMEDY "): %s, %s",
			       job->lane.id, job->state == WM_JOB_FINISHING ? "closed" : "opened",
			       job->input, job->output);
	}
	if (jobs->current == job && wm_job_is_late(job, now_ns)) {
		wm_log_warning("job %" PRIu32 ": its files' disk does not answer, so other jobs go "
			       "before it (" WM_SILENCE_REMEDY "): %s, %s",
			       job->lane.id, job->input, job->output);
		leave_turn(jobs, job);
	}
}

bool wm_job_files_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	if (job->work && wm_job_work_is_over(job->work))
		return work_over(jobs, job, now_ns);
	if (waits_for_files(job))
		held_tick(jobs, job, now_ns);
	if (job->state == WM_JOB_FINISHING && !job->work)
		close_files(jobs, job, now_ns);
	return false;
}

/* ---- beginning ---------------------------------------------------------------------- */

void wm_job_look(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	assert(job->state == WM_JOB_QUEUED && !job->work && !job->cancelled);
	/* Without a thread it shows when the files are opened. */
	job->work = wm_job_work_start(jobs, WM_WORK_LOOK, job, NULL, now_ns);
	wm_job_files_tick(jobs, job, now_ns);
}

bool wm_job_open(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	assert(job->state == WM_JOB_PREPARING && !job->work && !job->open);
	job->work = wm_job_work_start(jobs, WM_WORK_OPEN, job, NULL, now_ns);
	if (job->work)
		return wm_job_files_tick(jobs, job, now_ns);
	wm_job_end(jobs, job, WM_JOB_FAILED, "no memory, or no thread, to open its files with",
		   now_ns);
	return false;
}

/* ---- on request ---------------------------------------------------------------------- */

static int note_cancel(struct wm_jobs *jobs, struct wm_job *job, struct wm_error *error)
{
	struct wm_error reason = { "" };
	int ret;

	assert(!job->cancelled && job->state < WM_JOB_FINISHING);
	job->cancelled = true;
	ret = wm_spool_save(jobs, &reason);
	if (ret == 0)
		return 0;
	job->cancelled = false;
	return wm_error_set(error, -ret,
			    "job %" PRIu32 " is not cancelled, since that cannot be saved: %.400s",
			    job->lane.id, reason.text);
}

int wm_job_cancel(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns, struct wm_error *error)
{
	int ret;

	if (job->cancelled && !wm_job_has_ended(job))
		return 0;
	if (job->state >= WM_JOB_FINISHING)
		return wm_error_set(error, EINVAL,
				    "job %" PRIu32 " is %s already: nothing to cancel",
				    job->lane.id, wm_job_state_name(job->state));
	ret = note_cancel(jobs, job, error);
	if (ret < 0)
		return ret;
	if (job->state == WM_JOB_RUNNING)
		wm_lanes_post(jobs->lanes, &(struct wm_lane_command){ .op = WM_LANE_JOB_STOP });
	else if (job->work)
		leave_turn(jobs, job);
	else if (job->state == WM_JOB_PREPARING)
		wm_job_abandon(jobs, job, WM_JOB_CANCELLED, on_request, now_ns);
	else
		wm_job_give_up(jobs, job, now_ns);
	return 0;
}
