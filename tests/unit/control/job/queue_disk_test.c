/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that take their time, or do not answer at all: they hold up their own job and
 * nobody else. And what was promised stays so: a cancel, a place in the queue.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feed.h"
#include "jobs_rig.h"

/* ---- on the way in --------------------------------------------------------------- */

static void submission_is_answered_when_its_files_were_looked_at(void)
{
	struct reply reply;

	begin();
	disk_hangs = true;
	submit_for(&reply, "/hangs", "/output", 0);
	pass(2 * S);
	CU_ASSERT(reply.count == 0 && jobs.count == 0);
	disk_answers();
	CU_ASSERT_EQUAL_FATAL(reply.count, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply.job);
	CU_ASSERT_PTR_EQUAL(wm_jobs_find(&jobs, reply.job->lane.id), reply.job);
	controller_dies();
}

static void submission_whose_files_do_not_answer_is_refused_and_stays_so(void)
{
	struct reply hanging, other;

	begin();
	disk_hangs = true;
	submit_for(&hanging, "/hangs", "/output", 0);
	pass(11 * S);
	CU_ASSERT(hanging.count == 1 && !hanging.job);
	CU_ASSERT_PTR_NOT_NULL(strstr(hanging.error.text, "/hangs"));
	CU_ASSERT_PTR_NOT_NULL(strstr(hanging.error.text, "'umount -f'"));
	/* another disk */
	disk_hangs = false;
	submit_for(&other, "/input", "/other", 0);
	CU_ASSERT(other.count == 1 && other.job);
	disk_answers();
	pass(S);
	CU_ASSERT(hanging.count == 1 && jobs.count == 1);
	controller_dies();
}

static void threads_that_wait_for_a_disk_have_a_bound(void)
{
	struct reply reply;

	begin();
	disk_hangs = true;
	for (unsigned i = 0; i < 32; i++)
		submit_for(&reply, "/hangs", "/output", 0);
	pass(11 * S);
	submit_for(&reply, "/hangs", "/output", 0);
	CU_ASSERT(reply.count == 1 && !reply.job);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, "32 requests wait for file systems"));
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, "'umount -f'"));
	disk_answers();
	submit_for(&reply, "/input", "/output", 0);
	CU_ASSERT(reply.count == 1 && reply.job);
	controller_dies();
}

static void of_two_that_resume_at_once_one_does(void)
{
	struct reply first, second;

	begin();
	disk_hangs = true;
	resume_for(&first, "/output");
	resume_for(&second, "/output");
	disk_answers();
	CU_ASSERT(first.count == 1 && second.count == 1 && jobs.count == 1);
	CU_ASSERT_EQUAL(!first.job, !!second.job);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(first.job ? second.error.text : first.error.text, "is at it already"));
	controller_dies();
}

/* A controller that takes the place of one that stops finds what it was to find. */
static void stopping_answers_whoever_waits(void)
{
	struct reply reply;

	begin();
	disk_hangs = true;
	submit_for(&reply, "/hangs", "/output", 0);
	CU_ASSERT_TRUE(controller_stops());
	CU_ASSERT(reply.count == 1 && !reply.job);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, "the controller stops"));
	controller_dies();
}

/* ---- what cannot be saved ----------------------------------------------------------- */

/* Its file aside is a folder: not even root can write that. */
static void state_is(bool writable)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/jobs.json.new", directory);
	CU_ASSERT_EQUAL_FATAL(writable ? rmdir(path) : mkdir(path, 0700), 0);
}

static void what_cannot_be_saved_is_not_queued(void)
{
	struct reply reply;

	begin();
	submit(0);
	state_is(false);
	submit_for(&reply, "/input", "/other", 0);
	CU_ASSERT(reply.count == 1 && !reply.job && jobs.count == 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, "not queued"));
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, directory));
	resume_for(&reply, "/other");
	CU_ASSERT(reply.count == 1 && !reply.job && jobs.count == 1);
	state_is(true);
	submit_for(&reply, "/input", "/other", 0);
	CU_ASSERT(reply.job && reply.job->lane.id == 2);
	controller_dies();
}

static void cancel_that_cannot_be_saved_is_refused(void)
{
	struct wm_error error = { "" };
	struct wm_job *job;

	begin();
	job = run(0);
	state_is(false);
	CU_ASSERT(wm_job_cancel(&jobs, job, now_ns, &error) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, directory));
	CU_ASSERT(!job->cancelled && !is_told_to_stop);
	state_is(true);
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, &error), 0);
	CU_ASSERT(job->cancelled && is_told_to_stop);
	lane_ends(job, -ECANCELED);
	CU_ASSERT(job->state == WM_JOB_CANCELLED && abandoned == 1);
	controller_dies();
}

/* ---- a cancel lasts ------------------------------------------------------------------ */

/* The job of that number never runs again, and what it left is removed. */
static void stays_cancelled(uint32_t id, uint32_t removed)
{
	struct wm_job *job;

	discarded = opened = 0;
	controller_starts();
	job = wm_jobs_find(&jobs, id);
	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	node_joins();
	pass(S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_CANCELLED);
	CU_ASSERT(discarded == removed && opened == 0);
	controller_dies();
}

static void cancelled_job_does_not_run_again_after_a_kill(void)
{
	uint32_t id;

	begin();
	id = run(0)->lane.id;
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, jobs.current, now_ns, NULL), 0);
	controller_dies();
	stays_cancelled(id, 1);
	/* That was noted: it is not removed twice. */
	stays_cancelled(id, 0);
}

static void cancelled_job_does_not_run_again_after_a_stop(void)
{
	uint32_t id;

	begin();
	id = run(0)->lane.id;
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, jobs.current, now_ns, NULL), 0);
	CU_ASSERT_TRUE(controller_stops());
	CU_ASSERT_EQUAL(abandoned, 1);
	stays_cancelled(id, 0);
}

/* The disk is slow: the lane has not let go when the controller must. */
static void job_that_the_lane_still_has_is_left_to_the_next_controller(bool cancelled)
{
	struct wm_job *job;
	uint32_t id;

	begin();
	job = run(0);
	id = job->lane.id;
	if (cancelled)
		CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, NULL), 0);
	lane_lets_go = false;
	CU_ASSERT_FALSE(controller_stops());
	CU_ASSERT_EQUAL(abandoned + suspended, 0);
	if (cancelled) {
		stays_cancelled(id, 1);
	} else {
		controller_starts();
		CU_ASSERT(wm_jobs_find(&jobs, id)->resume);
		controller_dies();
	}
	wm_job_feed_destroy(job);
	free(job);
}

static void lane_that_does_not_let_go_does_not_hold_up_the_end(void)
{
	job_that_the_lane_still_has_is_left_to_the_next_controller(true);
	job_that_the_lane_still_has_is_left_to_the_next_controller(false);
}

/* Without a node it is queued again, and has never been open in this life. */
/* What the kernel has may still be written to: the rack is free when that is over, and
 * until then the job says what it waits for. */
static void cancel_that_waits_for_a_disk_says_so(void)
{
	struct wm_error error = { "" };
	struct wm_job *job;

	begin();
	job = run(0);
	lane_lets_go = false;
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, &error), 0);
	pass(TICK_NS);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "");
	pass(2 * S);
	CU_ASSERT(job->state == WM_JOB_RUNNING && job->cancelled);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(wm_jobs_explain_waiting(&jobs, job), "for its disk to answer"));
	lane_ends(job, -ECANCELED);
	CU_ASSERT(job->state == WM_JOB_CANCELLED && abandoned == 1);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "");
	controller_dies();
}

static void cancel_after_a_restart_removes_what_is_left(void)
{
	struct wm_job *job;
	uint32_t id;

	begin();
	id = run(0)->lane.id;
	controller_dies();
	controller_starts();
	job = wm_jobs_find(&jobs, id);
	pass(S);
	CU_ASSERT_EQUAL_FATAL(job->state, WM_JOB_QUEUED);
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, NULL), 0);
	CU_ASSERT(job->state == WM_JOB_CANCELLED && discarded == 1);
	CU_ASSERT_STRING_EQUAL(job->reason, "on request");
	controller_dies();
}

static void what_cannot_be_removed_is_said(void)
{
	struct wm_job *job;

	begin();
	run(0);
	controller_dies();
	controller_starts();
	job = jobs.jobs[0];
	discard_result = -EBUSY;
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, NULL), 0);
	CU_ASSERT_EQUAL(job->state, WM_JOB_CANCELLED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "it is locked"));
	controller_dies();
}

/* ---- at its turn --------------------------------------------------------------------- */

static struct wm_job *hangs_opening(void)
{
	struct wm_job *job;

	begin();
	node_joins();
	job = submit(0);
	disk_hangs = true;
	pass(2 * S);
	return job;
}

static void job_whose_files_do_not_open_is_cancelled_at_once(void)
{
	struct wm_job *job, *next;
	struct reply reply;

	begin();
	disk_hangs = false;
	job = submit(0);
	submit_for(&reply, "/input", "/other", 0);
	next = reply.job;
	disk_hangs = true;
	node_joins();
	pass(2 * S);
	CU_ASSERT(job->state == WM_JOB_PREPARING && opened == 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_explain_waiting(&jobs, job), "files"));
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, NULL), 0);
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, NULL), 0);
	pass(TICK_NS);
	/* the next one has the turn at once */
	CU_ASSERT(next->state == WM_JOB_PREPARING && jobs.current == next);
	CU_ASSERT_FALSE(wm_job_has_ended(job));
	disk_answers();
	CU_ASSERT(job->state == WM_JOB_CANCELLED && abandoned == 1);
	CU_ASSERT_FALSE(wm_job_has_ended(next));
	controller_dies();
}

static void job_whose_files_do_not_open_lets_others_go_first(void)
{
	struct reply reads_it, other;
	struct wm_job *job;

	begin();
	job = submit(0);
	submit_for(&reads_it, "/output", "/third", 0);
	submit_for(&other, "/input", "/other", 0);
	node_joins();
	disk_hangs = true;
	pass(29 * S);
	CU_ASSERT_PTR_EQUAL(jobs.current, job);
	disk_hangs = false;
	pass(2 * S);
	/* but not who would read what it writes */
	CU_ASSERT_EQUAL(reads_it.job->state, WM_JOB_QUEUED);
	CU_ASSERT_PTR_EQUAL(jobs.current, other.job);
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(other.job->state, WM_JOB_RUNNING);
	/* and it goes on in its place when they do */
	disk_answers();
	pass(S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_PREPARING);
	lane_ends(other.job, 0);
	pass(TICK_NS);
	CU_ASSERT_EQUAL(other.job->state, WM_JOB_DONE);
	CU_ASSERT_PTR_EQUAL(jobs.current, job);
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_RUNNING);
	controller_dies();
}

static void files_that_do_not_close_let_others_go_first(void)
{
	struct reply other;
	struct wm_job *job;

	begin();
	job = run(0);
	submit_for(&other, "/input", "/other", 0);
	disk_hangs = true;
	lane_ends(job, 0);
	pass(29 * S);
	CU_ASSERT(job->state == WM_JOB_FINISHING && jobs.current == job);
	pass(2 * S);
	CU_ASSERT_PTR_EQUAL(jobs.current, other.job);
	disk_answers();
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	controller_dies();
}

/* And the next controller knows that it was begun. */
static void stopping_does_not_wait_for_files_for_ever(void)
{
	struct wm_job *job = hangs_opening();
	uint32_t id = job->lane.id;

	CU_ASSERT_TRUE(controller_stops());
	controller_starts();
	CU_ASSERT_TRUE(wm_jobs_find(&jobs, id)->resume);
	controller_dies();
}

/* Its manifest is on that disk. */
static void start_does_not_wait_for_files(void)
{
	struct reply other;
	struct wm_job *job;

	begin();
	run(0);
	controller_dies();
	disk_hangs = true;
	controller_starts();
	job = jobs.jobs[0];
	node_joins();
	pass(2 * S);
	CU_ASSERT(job->state == WM_JOB_QUEUED && opened == 1);
	disk_hangs = false;
	submit_for(&other, "/input", "/other", 0);
	CU_ASSERT_PTR_NOT_NULL(other.job);
	are_finished = true;
	disk_answers();
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	pass(TICK_NS);
	CU_ASSERT_PTR_EQUAL(jobs.current, other.job);
	controller_dies();
}

/* ---- while it runs ------------------------------------------------------------------- */

static void node_was_wrong(const struct wm_job *job)
{
	const struct wm_lane_event event = {
		.op = WM_LANE_RECOMPUTE,
		.job = job->lane.id,
		.recompute = { .nodes = 1, .record = 3, .pass = 1 },
	};

	published.published_ns = now_ns;
	wm_jobs_handle_lane_event(&jobs, &event, now_ns);
}

static void waits_for(const struct wm_job *job, const char *words)
{
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), words);
}

static void running_job_says_which_disk_does_not_answer(void)
{
	static const char input[] =
		"for its disk to answer: input /input (mend it, or 'umount -f' its mount point)";
	static const char output[] =
		"for its disk to answer: output /output (mend it, or 'umount -f' its mount point)";
	struct wm_job *job;

	begin();
	requested[WM_STORE_INPUT].asked = requested[WM_STORE_INPUT].answered = 100; /* earlier */
	job = run(0);
	pass(3 * S);
	waits_for(job, "");
	requested[WM_STORE_INPUT].asked += 2;
	pass(S);
	waits_for(job, "");
	/* It is slow, and more is asked than it answers. */
	requested[WM_STORE_INPUT].answered++;
	pass(S + S / 2);
	waits_for(job, "");
	pass(S);
	waits_for(job, input);
	requested[WM_STORE_OUTPUT].asked++;
	requested[WM_STORE_INPUT].answered++;
	pass(TICK_NS);
	waits_for(job, "");
	pass(3 * S);
	waits_for(job, output);
	controller_dies();
}

static void cancelled_job_says_which_disk_does_not_answer(void)
{
	struct wm_error error = { "" };
	struct wm_job *job;

	begin();
	job = run(0);
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, &error), 0);
	requested[WM_STORE_OUTPUT].asked++;
	pass(3 * S);
	waits_for(job, "for its disk to answer: output /output "
		       "(mend it, or 'umount -f' its mount point)");
	requested[WM_STORE_OUTPUT].answered++;
	lane_ends(job, -ECANCELED);
	CU_ASSERT_EQUAL(job->state, WM_JOB_CANCELLED);
	waits_for(job, "");
	controller_dies();
}

/* What is invalid is looked up in a journal that lies on it. */
static void journal_that_does_not_answer_holds_up_nobody(void)
{
	struct wm_error error = { "" };
	struct reply other;
	struct wm_job *job;

	begin();
	job = run(0);
	disk_hangs = true;
	node_was_wrong(job);
	pass(S);
	CU_ASSERT_TRUE_FATAL(wm_job_feed_is_busy(job));
	/* another disk */
	disk_hangs = false;
	submit_for(&other, "/input", "/other", 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(other.job);
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, &error), 0);
	CU_ASSERT_TRUE(is_told_to_stop);
	lane_ends(job, -ECANCELED);
	/* Nothing of the job's is closed under who reads it. */
	pass(20 * S);
	CU_ASSERT(job->state == WM_JOB_FINISHING && abandoned == 0);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "for its files to be closed");
	pass(20 * S);
	CU_ASSERT_PTR_EQUAL(jobs.current, other.job);
	disk_answers();
	CU_ASSERT(job->state == WM_JOB_CANCELLED && abandoned == 1);
	controller_dies();
}

static void journal_that_does_not_read_ends_the_job(void)
{
	struct wm_job *job;

	begin();
	job = run(0);
	node_was_wrong(job);
	pass(TICK_NS);
	CU_ASSERT_TRUE(is_told_to_stop);
	lane_ends(job, -ECANCELED);
	CU_ASSERT(job->state == WM_JOB_FAILED && suspended == 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(
		job->reason,
		"cannot be looked up in the journal (Bad file descriptor): /output.wm-journal"));
	controller_dies();
}

/* Its reason is not that the controller stopped, and the next life does not go on with it. */
static void job_that_is_being_given_up_is_not_stopped_again(void)
{
	struct wm_job *job;
	uint32_t id;

	begin();
	job = run(0);
	id = job->lane.id;
	node_was_wrong(job);
	pass(TICK_NS);
	CU_ASSERT_TRUE_FATAL(is_told_to_stop);
	CU_ASSERT_TRUE(controller_stops());
	controller_starts();
	job = wm_jobs_find(&jobs, id);
	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	CU_ASSERT(job->state == WM_JOB_FAILED && !job->resume);
	CU_ASSERT_PTR_NOT_NULL(strstr(
		job->reason,
		"cannot be looked up in the journal (Bad file descriptor): /output.wm-journal"));
	controller_dies();
}

static void stopping_does_not_wait_for_a_journal_for_ever(void)
{
	struct wm_job *job;

	begin();
	job = run(0);
	disk_hangs = true;
	node_was_wrong(job);
	pass(TICK_NS);
	CU_ASSERT_TRUE(controller_stops());
	CU_ASSERT_EQUAL(suspended, 0);
	disk_hangs = false;
	controller_starts();
	CU_ASSERT(jobs.count == 1 && jobs.jobs[0]->resume);
	controller_dies();
}

/* A resumed job of which so many extents were made, and are read back from a disk that hangs. */
static struct wm_job *reads_back(bool complete)
{
	struct wm_job *job;

	begin();
	are_complete = complete;
	are_unchecked = true;
	node_joins();
	job = submit(20 * S);
	pass(TICK_NS);
	CU_ASSERT_EQUAL_FATAL(job->state, WM_JOB_PREPARING);
	disk_hangs = true;
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL_FATAL(job->state, WM_JOB_RUNNING);
	pass(TICK_NS);
	CU_ASSERT_TRUE_FATAL(job->checking && wm_job_feed_is_busy(job));
	published = (struct wm_lane_job_counters){
		.job = job->lane.id,
		.nodes_alive = 1,
		.extents_done = complete ? job->lane.layout.extents : 1,
	};
	return job;
}

/* All is made, but for what is still read back: that needs no node, and is no end. */
static void output_that_is_read_back_has_its_name_only_then(void)
{
	struct wm_job *job = reads_back(true);

	published.nodes_alive = 0;
	pass(60 * S);
	CU_ASSERT(job->state == WM_JOB_RUNNING && job->checking && !is_told_to_stop);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job),
			       "for what was there to be read back: /output (if its disk does not "
			       "answer, mend it, or 'umount -f' its mount point)");
	controller_stops();
	disk_hangs = false;
	controller_dies();
}

/* Its files are not closed under who reads them. */
static void cancel_while_it_is_read_back_waits_for_who_reads(void)
{
	struct wm_job *job = reads_back(false);

	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, NULL), 0);
	CU_ASSERT_TRUE(is_told_to_stop);
	lane_ends(job, -ECANCELED);
	pass(2 * S);
	CU_ASSERT(job->state == WM_JOB_FINISHING && abandoned == 0);
	disk_answers();
	CU_ASSERT(job->state == WM_JOB_CANCELLED && abandoned == 1 && suspended == 0);
	controller_dies();
}

/* What was found by then is nobody's to name any more: the next life reads all of it again. */
static void stop_while_it_is_read_back_lets_the_next_life_read_it_all(void)
{
	uint32_t id = reads_back(false)->lane.id;
	struct wm_job *job;

	CU_ASSERT_TRUE(controller_stops());
	/* the disk hangs: nothing was closed under who reads */
	CU_ASSERT_EQUAL(abandoned + suspended, 0);
	disk_hangs = false;
	controller_starts();
	job = wm_jobs_find(&jobs, id);
	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	CU_ASSERT(job->state == WM_JOB_QUEUED && job->resume);
	controller_dies();
}

static void kill_while_it_is_read_back_lets_the_next_life_read_it_all(void)
{
	uint32_t id = reads_back(true)->lane.id;
	struct wm_job *job;

	controller_is_killed();
	controller_starts();
	node_joins();
	job = wm_jobs_find(&jobs, id);
	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	CU_ASSERT(job->state == WM_JOB_QUEUED && job->resume && !job->trust_output);
	disk_hangs = true;
	pass(TICK_NS);
	disk_answers();
	node_is_ready();
	disk_hangs = true;
	pass(TICK_NS);
	/* all is made, and it has no end yet */
	CU_ASSERT(job->state == WM_JOB_RUNNING && job->checking);
	CU_ASSERT_EQUAL(job->checked_bytes, 0);
	controller_dies();
}

/* ---- no node ---------------------------------------------------------------------------- */

static void without_a_node_a_job_waits_unless_it_was_told_for_how_long(void)
{
	struct wm_job *job;

	begin();
	job = submit(0);
	pass(3600 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_QUEUED);
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_explain_waiting(&jobs, job), "start wiremill-node"));
	controller_dies();

	begin();
	job = submit(300 * S);
	pass(299 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_QUEUED);
	pass(2 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "no node for 300.0 s"));
	controller_dies();
}

/* That no node is there is then no fault of the nodes. */
static void without_a_link_a_job_names_the_link(void)
{
	struct wm_job *job;

	begin();
	jobs.lanes->links.count = 1;
	jobs.lanes->links.now[0].state = WM_PORT_LINK_GONE;
	job = submit(300 * S);
	pass(299 * S);
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_explain_waiting(&jobs, job), "link, which is down"));
	pass(2 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "link, which is down"));
	CU_ASSERT_PTR_NULL(strstr(job->reason, "start wiremill-node"));
	jobs.lanes->links.count = 0;
	controller_dies();
}

static void only_what_has_jobs_before_it_waits_for_them(void)
{
	struct reply first, second;

	begin();
	submit_for(&first, "/input", "/output", 0);
	CU_ASSERT_STRING_EQUAL(first.waiting, "");
	submit_for(&second, "/input", "/second", 0);
	CU_ASSERT_STRING_EQUAL(second.waiting, "for the jobs before it");
	controller_dies();
}

/* Each has its own time, from when its turn comes. */
static void clock_of_a_queued_job_stands(void)
{
	struct reply second;
	struct wm_job *first;

	begin();
	first = submit(300 * S);
	submit_for(&second, "/input", "/second", 300 * S);
	pass(301 * S);
	CU_ASSERT_EQUAL(first->state, WM_JOB_FAILED);
	CU_ASSERT_EQUAL(second.job->state, WM_JOB_QUEUED);
	pass(298 * S);
	CU_ASSERT_EQUAL(second.job->state, WM_JOB_QUEUED);
	node_joins();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(second.job->state, WM_JOB_PREPARING);
	controller_dies();
}

/* A switch is away for a minute, at any moment of a job: no job of the queue fails. */
static void rack_that_is_away_for_a_minute_finds_its_queue_again(void)
{
	struct reply second, third;
	struct wm_job *job;

	begin();
	node_joins();
	job = submit(0);
	submit_for(&second, "/input", "/second", 300 * S);
	submit_for(&third, "/input", "/third", 0);
	pass(TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_PREPARING);
	node_falls_silent();
	pass(60 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_PREPARING);
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_explain_waiting(&jobs, job), "for a node"));
	CU_ASSERT_EQUAL(second.job->state, WM_JOB_QUEUED);
	asked_job = 0;
	node_joins();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(asked_job, job->lane.id);
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_RUNNING);
	controller_dies();
}

static const struct wm_test tests[] = {
	WM_TEST(submission_is_answered_when_its_files_were_looked_at),
	WM_TEST(submission_whose_files_do_not_answer_is_refused_and_stays_so),
	WM_TEST(threads_that_wait_for_a_disk_have_a_bound),
	WM_TEST(of_two_that_resume_at_once_one_does),
	WM_TEST(stopping_answers_whoever_waits),
	WM_TEST(what_cannot_be_saved_is_not_queued),
	WM_TEST(cancel_that_cannot_be_saved_is_refused),
	WM_TEST(cancelled_job_does_not_run_again_after_a_kill),
	WM_TEST(cancelled_job_does_not_run_again_after_a_stop),
	WM_TEST(lane_that_does_not_let_go_does_not_hold_up_the_end),
	WM_TEST(cancel_that_waits_for_a_disk_says_so),
	WM_TEST(cancel_after_a_restart_removes_what_is_left),
	WM_TEST(what_cannot_be_removed_is_said),
	WM_TEST(job_whose_files_do_not_open_is_cancelled_at_once),
	WM_TEST(job_whose_files_do_not_open_lets_others_go_first),
	WM_TEST(files_that_do_not_close_let_others_go_first),
	WM_TEST(stopping_does_not_wait_for_files_for_ever),
	WM_TEST(start_does_not_wait_for_files),
	WM_TEST(running_job_says_which_disk_does_not_answer),
	WM_TEST(cancelled_job_says_which_disk_does_not_answer),
	WM_TEST(journal_that_does_not_answer_holds_up_nobody),
	WM_TEST(journal_that_does_not_read_ends_the_job),
	WM_TEST(job_that_is_being_given_up_is_not_stopped_again),
	WM_TEST(stopping_does_not_wait_for_a_journal_for_ever),
	WM_TEST(output_that_is_read_back_has_its_name_only_then),
	WM_TEST(cancel_while_it_is_read_back_waits_for_who_reads),
	WM_TEST(stop_while_it_is_read_back_lets_the_next_life_read_it_all),
	WM_TEST(kill_while_it_is_read_back_lets_the_next_life_read_it_all),
	WM_TEST(without_a_node_a_job_waits_unless_it_was_told_for_how_long),
	WM_TEST(without_a_link_a_job_names_the_link),
	WM_TEST(only_what_has_jobs_before_it_waits_for_them),
	WM_TEST(clock_of_a_queued_job_stands),
	WM_TEST(rack_that_is_away_for_a_minute_finds_its_queue_again),
};

int main(void)
{
	return rig_run("jobs disk", tests, sizeof(tests) / sizeof(tests[0]));
}
