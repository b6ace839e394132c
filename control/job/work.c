/* SPDX-License-Identifier: BSD-3-Clause */
#include "work.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static int recall(struct wm_job_work *work)
{
	int ret = wm_job_files_recall(&work->job, work->state_directory, &work->error);

	return ret < 0 ? ret
		       : wm_job_files_check(&work->job, work->mtu, work->state_directory,
					    &work->error);
}

/* Of the text, where there is one, the kernel first: it says what the files must hold. */
static int make(struct wm_job_work *work)
{
	return work->text ? wm_kernel_make(work->text, &work->job.kernel, &work->object,
					   &work->object_bytes, &work->error)
			  : 0;
}

static int check(struct wm_job_work *work)
{
	int ret = make(work);

	return ret < 0 ? ret
		       : wm_job_files_check(&work->job, work->mtu, work->state_directory,
					    &work->error);
}

static int run(struct wm_job_work *work)
{
	struct wm_job *job = &work->job;
	const char *state_directory = work->state_directory;

	switch (work->op) {
	case WM_WORK_CHECK:
		return check(work);
	case WM_WORK_MAKE:
		return make(work);
	case WM_WORK_RECALL:
		return recall(work);
	case WM_WORK_LOOK:
		return wm_job_files_are_finished(job, state_directory);
	case WM_WORK_OPEN:
		return wm_job_files_open(job, work->mtu, state_directory, &work->error);
	case WM_WORK_SUSPEND:
		wm_job_files_suspend(job);
		return 0;
	case WM_WORK_ABANDON:
		wm_job_files_abandon(job);
		return 0;
	case WM_WORK_FINISH:
		return wm_job_files_finish(job, &work->error);
	case WM_WORK_DISCARD:
		return wm_job_files_discard(job, state_directory, &work->error);
	}
	return -EINVAL;
}

static const char *const done_names[] = {
	[WM_WORK_CHECK] = "looked at",	 [WM_WORK_MAKE] = "made",
	[WM_WORK_RECALL] = "resumed",	 [WM_WORK_LOOK] = "looked at",
	[WM_WORK_OPEN] = "opened",	 [WM_WORK_SUSPEND] = "closed",
	[WM_WORK_ABANDON] = "removed",	 [WM_WORK_FINISH] = "finished",
	[WM_WORK_DISCARD] = "discarded",
};

static void work_run(void *context)
{
	struct wm_job_work *work = context;

	work->result = run(work);
	if (work->result < 0 && !work->error.text[0])
		wm_error_set(&work->error, -work->result,
			     "files of the job to %s cannot be %s (%s)", work->job.output,
			     done_names[work->op], wm_errno_text(-work->result));
}

static void work_free(struct wm_job_work *work)
{
	free(work->text);
	free(work->object);
	free(work);
}

struct wm_job_work *wm_job_work_start(const struct wm_jobs *jobs, enum wm_job_work_op op,
				      const struct wm_job *job, const struct wm_kernel_text *text,
				      uint64_t now_ns)
{
	uint32_t mtu = op == WM_WORK_OPEN ? job->mtu : jobs->port_mtu;
	struct wm_job_work *work = malloc(sizeof(*work));

	assert(!job->work);
	assert(op != WM_WORK_OPEN || job->mtu > 0);
	assert(op < WM_WORK_SUSPEND || op == WM_WORK_DISCARD || job->open);
	if (!work)
		return NULL;
	*work = (struct wm_job_work){ .op = op,
				      .mtu = wm_jobs_find_batch_mtu(jobs, mtu),
				      .state_directory = jobs->state_directory,
				      .start_ns = now_ns,
				      .job = *job };
	work->job.work = NULL;
	work->text = text ? wm_kernel_text_copy(text) : NULL;
	if (!text == !work->text && wm_task_start(&work->task, work_run, work, jobs->wake_fd) == 0)
		return work;
	work_free(work);
	return NULL;
}

void wm_job_work_destroy(struct wm_job_work **work)
{
	assert(wm_job_work_is_over(*work));
	work_free(*work);
	*work = NULL;
}

bool wm_job_work_is_over(const struct wm_job_work *work)
{
	return wm_task_is_over(&work->task);
}

void wm_job_work_take(struct wm_job *job, struct wm_job_work **work)
{
	struct wm_job_work *over = *work; /* `work` may be in the job, which is written over */
	struct wm_job *made = &over->job;

	assert(wm_job_work_is_over(over));
	assert(made->lane.id == job->lane.id && !made->work);
	made->state = job->state;
	made->cancelled = job->cancelled;
	made->suspended = job->suspended;
	made->resume_on_start = job->resume_on_start;
	made->held = job->held;
	made->prepare_ns = job->prepare_ns;
	made->stalled_since_ns = job->stalled_since_ns;
	made->end = job->end;
	memcpy(made->reason, job->reason, sizeof(made->reason));
	*job = *made;
	*work = NULL;
	work_free(over);
}
