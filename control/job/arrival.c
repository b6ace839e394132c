/* SPDX-License-Identifier: BSD-3-Clause */
#include "arrival.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "save.h"
#include "spool.h"
#include "utc.h"
#include "work.h"

/* Less than a client waits for an answer; a disk that spins up takes less. */
#define ANSWER_WAIT_NS (10 * WM_NS_PER_S)
/* And what a compiler that has a processor for 20 s may take beside others. */
#define MAKE_WAIT_NS (60 * WM_NS_PER_S)
/* Requests whose threads wait for disks after their answer was given, at most. */
#define LEFT_BEHIND_MAX 32u

struct wm_job_arrival {
	struct wm_job_arrival *next;
	struct wm_job_work *work;
	struct wm_jobs_reply reply;
	bool answered; /* its files did not answer in time */
};

static void refuse(const struct wm_jobs_reply *reply, const struct wm_error *error)
{
	reply->answer(reply->context, reply->request, NULL, error);
}

/* ---- into the queue --------------------------------------------------------------- */

static int check_room(const struct wm_jobs *jobs, struct wm_error *error)
{
	if (wm_jobs_count_unfinished(jobs) < WM_JOBS_QUEUED_MAX)
		return 0;
	return wm_error_set(error, EAGAIN, "%u jobs are queued already: wait for some to end",
			    WM_JOBS_QUEUED_MAX);
}

/* The oldest that has ended makes room: there is one, since not all are queued. */
static void make_room(struct wm_jobs *jobs)
{
	uint32_t i = 0;

	if (jobs->count < WM_JOBS_MAX)
		return;
	while (!wm_job_has_ended(jobs->jobs[i])) {
		i++;
		assert(i < jobs->count);
	}
	free(jobs->jobs[i]);
	jobs->count--;
	memmove(&jobs->jobs[i], &jobs->jobs[i + 1], (jobs->count - i) * sizeof(jobs->jobs[0]));
}

static int check_not_at_it(const struct wm_jobs *jobs, const char *output, struct wm_error *error)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (!wm_job_has_ended(jobs->jobs[i]) && strcmp(jobs->jobs[i]->output, output) == 0)
			return wm_error_set(error, EBUSY, "job %" PRIu32 " is at it already",
					    jobs->jobs[i]->lane.id);
	}
	return 0;
}

/* What is not in the spool is not in the queue: the next controller would not know it. */
static int job_save(struct wm_jobs *jobs, struct wm_error *error)
{
	struct wm_error reason = { "" };
	int ret = wm_spool_save(jobs, &reason);

	if (ret == 0)
		return 0;
	jobs->count--;
	jobs->next_id--;
	return wm_error_set(error, -ret,
			    "the job is not queued, since the queue cannot be saved: %.400s",
			    reason.text);
}

/* A job of its own, made of that of the work. */
static struct wm_job *job_queue(struct wm_jobs *jobs, const struct wm_job *arrived,
				struct wm_error *error)
{
	struct wm_job *job = malloc(sizeof(*job));

	if (!job) {
		wm_error_set(error, ENOMEM, "no memory for another job");
		return NULL;
	}
	make_room(jobs);
	assert(jobs->count < WM_JOBS_MAX && arrived->state == WM_JOB_QUEUED);
	assert(!arrived->dry_run && !arrived->work && !arrived->open);
	*job = *arrived;
	job->lane.id = jobs->next_id++;
	job->origin.submitted_ms = wm_utc_ms();
	jobs->jobs[jobs->count++] = job;
	if (job_save(jobs, error) < 0) {
		free(job);
		return NULL;
	}
	wm_log_info("job %" PRIu32 " queued: kernel %s, %s -> %s", job->lane.id, job->kernel.name,
		    job->input, job->output);
	return job;
}

/* ---- once its files have been looked at --------------------------------------------- */

/* Which one has the output, where the disk knows only that one has. */
static void name_writer(const struct wm_jobs *jobs, const struct wm_job_work *work,
			struct wm_error *error)
{
	*error = work->error;
	for (uint32_t i = 0; i < jobs->count && work->result == -EBUSY; i++) {
		const struct wm_job *job = jobs->jobs[i];

		if (job->state == WM_JOB_QUEUED || wm_job_has_ended(job) ||
		    strcmp(job->output, work->job.output) != 0)
			continue;
		wm_error_set(error, EBUSY,
			     "output is being written by job %" PRIu32
			     ": wait for its end, or 'wiremill job cancel %" PRIu32 "': %.300s",
			     job->lane.id, job->lane.id, job->output);
	}
}

/* What it left is gone: no job of that output can be resumed. */
static void note_discarded(struct wm_jobs *jobs, const char *output)
{
	bool changed = false;

	for (uint32_t i = 0; i < jobs->count; i++) {
		struct wm_job *job = jobs->jobs[i];

		if (job->state != WM_JOB_FAILED || job->discarded || strcmp(job->output, output))
			continue;
		job->discarded = changed = true;
	}
	if (changed)
		wm_jobs_save(jobs);
}

/* The library has it before the job is in the spool, and has it still. */
static int keep_kernel(struct wm_jobs *jobs, const struct wm_job_work *work, struct wm_error *error)
{
	if (work->object)
		return wm_kernel_library_add(&jobs->library, work->object, work->object_bytes,
					     error);
	if (wm_kernel_is_builtin(&work->job.kernel))
		return 0;
	return wm_kernel_library_use(&jobs->library, work->job.kernel.hash, error);
}

static struct wm_job *arrive(struct wm_jobs *jobs, struct wm_job_work *work, struct wm_error *error)
{
	assert(wm_job_work_is_over(work));
	if (work->result < 0) {
		name_writer(jobs, work, error);
		return NULL;
	}
	if (work->op == WM_WORK_DISCARD) {
		note_discarded(jobs, work->job.output);
		return &work->job;
	}
	if (work->op == WM_WORK_MAKE)
		return keep_kernel(jobs, work, error) == 0 ? &work->job : NULL;
	/* Two may have asked at once. */
	if (work->op == WM_WORK_RECALL && check_not_at_it(jobs, work->job.output, error) < 0)
		return NULL;
	if (check_room(jobs, error) < 0)
		return NULL;
	if (work->job.dry_run)
		return &work->job;
	if (keep_kernel(jobs, work, error) < 0)
		return NULL;
	return job_queue(jobs, &work->job, error);
}

static void arrival_answer(struct wm_jobs *jobs, struct wm_job_arrival *arrival)
{
	const struct wm_jobs_reply *reply = &arrival->reply;
	struct wm_error error = { "" };
	struct wm_job *job = arrive(jobs, arrival->work, &error);

	reply->answer(reply->context, reply->request, job, &error);
}

static uint64_t answer_wait_ns(const struct wm_job_work *work)
{
	return ANSWER_WAIT_NS + (work->text ? MAKE_WAIT_NS : 0);
}

/* Of the job only what was asked for is read: its thread may be writing the rest. */
static void arrival_give_up(struct wm_job_arrival *arrival)
{
	const struct wm_job *job = &arrival->work->job;
	bool submitted = arrival->work->op == WM_WORK_CHECK;
	struct wm_error error = { "" };

	assert(!arrival->answered);
	if (arrival->work->op == WM_WORK_MAKE)
		wm_error_set(&error, ETIMEDOUT,
			     "nothing was done: the kernel is not compiled after %u s: make it "
			     "simpler, or try again when the controller has less to do",
			     (unsigned)(answer_wait_ns(arrival->work) / WM_NS_PER_S));
	else
		wm_error_set(&error, ETIMEDOUT,
			     "nothing was done: for %u s no answer came from %sthe file system of "
			     "%.170s%s%.170s: " WM_SILENCE_REMEDY ", then try again",
			     (unsigned)(answer_wait_ns(arrival->work) / WM_NS_PER_S),
			     arrival->work->text ? "the compiler, or " : "", job->output,
			     submitted ? " or of " : "", submitted ? job->input : "");
	wm_log_warning("%s", error.text);
	refuse(&arrival->reply, &error);
	arrival->answered = true;
}

void wm_job_arrivals_tick(struct wm_jobs *jobs, uint64_t now_ns)
{
	struct wm_job_arrival **place = &jobs->arrivals, *arrival;

	while ((arrival = *place)) {
		if (!wm_job_work_is_over(arrival->work)) {
			if (!arrival->answered &&
			    now_ns - arrival->work->start_ns > answer_wait_ns(arrival->work))
				arrival_give_up(arrival);
			place = &arrival->next;
			continue;
		}
		*place = arrival->next;
		if (!arrival->answered)
			arrival_answer(jobs, arrival);
		wm_job_work_destroy(&arrival->work);
		free(arrival);
	}
}

void wm_job_arrivals_refuse(struct wm_jobs *jobs)
{
	static const struct wm_error stops = { "the controller stops" };
	struct wm_job_arrival *arrival;

	while ((arrival = jobs->arrivals)) {
		jobs->arrivals = arrival->next;
		if (!arrival->answered)
			refuse(&arrival->reply, &stops);
		/* Else its thread still has it. */
		if (wm_job_work_is_over(arrival->work))
			wm_job_work_destroy(&arrival->work);
		free(arrival);
	}
}

/* ---- requests ------------------------------------------------------------------------ */

static int check_left_behind(const struct wm_jobs *jobs, struct wm_error *error)
{
	unsigned count = 0;

	for (const struct wm_job_arrival *i = jobs->arrivals; i; i = i->next)
		count += i->answered;
	if (count < LEFT_BEHIND_MAX)
		return 0;
	return wm_error_set(error, EAGAIN,
			    "%u requests wait for file systems that do not answer, see the log: "
			    "mend each, or 'umount -f' its mount point",
			    count);
}

static int check_compiling(const struct wm_jobs *jobs, struct wm_error *error)
{
	unsigned count = 0;

	for (const struct wm_job_arrival *i = jobs->arrivals; i; i = i->next)
		count += i->work->text != NULL;
	if (count < WM_KERNELS_COMPILING_MAX)
		return 0;
	return wm_error_set(error, EAGAIN,
			    "%u kernels are being compiled already: try again in some seconds",
			    count);
}

static int arrival_start(struct wm_jobs *jobs, enum wm_job_work_op op, const struct wm_job *job,
			 const struct wm_kernel_text *text, uint64_t now_ns,
			 const struct wm_jobs_reply *reply, struct wm_error *error)
{
	struct wm_job_arrival *arrival;
	int ret = check_left_behind(jobs, error);

	if (ret == 0 && text)
		ret = check_compiling(jobs, error);
	if (ret < 0)
		return ret;
	arrival = malloc(sizeof(*arrival));
	if (!arrival)
		return wm_error_set(error, ENOMEM, "no memory for another job");
	*arrival = (struct wm_job_arrival){ .next = jobs->arrivals, .reply = *reply };
	arrival->work = wm_job_work_start(jobs, op, job, text, now_ns);
	if (!arrival->work) {
		free(arrival);
		return wm_error_set(error, EAGAIN,
				    "no memory, or no thread, to look at files with");
	}
	jobs->arrivals = arrival;
	return 0;
}

/* Frees the job. */
static int ask(struct wm_jobs *jobs, enum wm_job_work_op op, struct wm_job *job,
	       const struct wm_kernel_text *text, uint64_t now_ns,
	       const struct wm_jobs_reply *reply, int ret, struct wm_error *error)
{
	if (ret == 0)
		ret = arrival_start(jobs, op, job, text, now_ns, reply, error);
	free(job);
	if (ret < 0)
		refuse(reply, error);
	return ret;
}

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

/* Of a text it is known when that is compiled. */
static int find_kernel(const struct wm_jobs *jobs, struct wm_kernel *kernel,
		       const struct wm_job_request *request, struct wm_error *error)
{
	const struct wm_kernel *builtin;

	assert(!request->text != !request->kernel);
	if (request->text)
		return 0;
	builtin = wm_kernel_find(request->kernel);
	if (!builtin)
		return wm_kernel_library_resolve(&jobs->library, request->kernel, kernel, error);
	*kernel = *builtin;
	return 0;
}

static int fill_request(const struct wm_jobs *jobs, struct wm_job *job,
			const struct wm_job_request *request, struct wm_error *error)
{
	int ret = find_kernel(jobs, &job->kernel, request, error);

	if (ret < 0)
		return ret;
	job->dry_run = request->dry_run;
	job->meant = request->meant;
	job->force = request->force;
	job->drop_tail = request->drop_tail;
	job->fail_after_ns = request->fail_after_ns;
	job->audit_ppm = request->audit_ppm;
	if (request->origin)
		job->origin = *request->origin;
	ret = copy_path(job->input, "input", request->input, error);
	return ret < 0 ? ret : copy_path(job->output, "output", request->output, error);
}

/* One that is known by its output; NULL with the error. */
static struct wm_job *name_job(const struct wm_jobs *jobs, const char *output,
			       struct wm_error *error)
{
	struct wm_job *job = calloc(1, sizeof(*job));

	if (!job) {
		wm_error_set(error, ENOMEM, "no memory for the request");
		return NULL;
	}
	if (copy_path(job->output, "output", output, error) == 0 &&
	    check_not_at_it(jobs, output, error) == 0)
		return job;
	free(job);
	return NULL;
}

int wm_job_arrival_submit(struct wm_jobs *jobs, const struct wm_job_request *request,
			  uint64_t now_ns, const struct wm_jobs_reply *reply)
{
	struct wm_job *job = calloc(1, sizeof(*job));
	struct wm_error error = { "no memory for another job" };

	return ask(jobs, WM_WORK_CHECK, job, request->text, now_ns, reply,
		   job ? fill_request(jobs, job, request, &error) : -ENOMEM, &error);
}

int wm_job_arrival_add_kernel(struct wm_jobs *jobs, const struct wm_kernel_text *text,
			      uint64_t now_ns, const struct wm_jobs_reply *reply)
{
	struct wm_job *job = calloc(1, sizeof(*job));
	struct wm_error error = { "no memory for another kernel" };

	return ask(jobs, WM_WORK_MAKE, job, text, now_ns, reply, job ? 0 : -ENOMEM, &error);
}

int wm_job_arrival_resume(struct wm_jobs *jobs, const struct wm_job_resumption *wanted,
			  uint64_t now_ns, const struct wm_jobs_reply *reply)
{
	struct wm_error error = { "" };
	struct wm_job *job = name_job(jobs, wanted->output, &error);

	if (job) {
		job->resume = true;
		job->trust_output = wanted->trust_output;
		job->fail_after_ns = wanted->fail_after_ns;
		if (wanted->origin)
			job->origin = *wanted->origin;
	}
	return ask(jobs, WM_WORK_RECALL, job, NULL, now_ns, reply, job ? 0 : -EINVAL, &error);
}

int wm_job_arrival_discard(struct wm_jobs *jobs, const char *output, uint64_t now_ns,
			   const struct wm_jobs_reply *reply)
{
	struct wm_error error = { "" };
	struct wm_job *job = name_job(jobs, output, &error);

	return ask(jobs, WM_WORK_DISCARD, job, NULL, now_ns, reply, job ? 0 : -EINVAL, &error);
}
