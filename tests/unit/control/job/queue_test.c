/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a job whose turn has come, and what the next controller knows of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs_rig.h"

/* ---- tests ------------------------------------------------------------------------------ */

static void nodes_have_their_time_from_when_they_are_asked(void)
{
	struct wm_job *job;

	begin();
	node_joins();
	/* A slow disk, and whoever is at it hears nobody. */
	open_takes_ns = 60 * S;
	job = submit(0);
	CU_ASSERT_EQUAL(job->state, WM_JOB_PREPARING);
	pass(4 * S);
	CU_ASSERT_EQUAL(asked_job, job->lane.id);
	CU_ASSERT_EQUAL(job->state, WM_JOB_PREPARING);
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_RUNNING);
	controller_dies();
}

static void nodes_that_do_not_answer_end_it_with_what_is_durable_kept(void)
{
	struct wm_job *job;

	begin();
	node_joins();
	job = submit(0);
	pass(9 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_PREPARING);
	pass(2 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "no node prepared the kernel"));
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "wiremill job resume OUTPUT"));
	controller_dies();
}

/* Sent, and none of it comes back. */
static void all_is_dropped_as(enum wm_drop reason, uint64_t count)
{
	published.dispatch.sent += count;
	dropped.count[reason] += count;
	pass(3 * S);
}

static void a_job_whose_frames_are_all_dropped_says_why(void)
{
	struct wm_job *job;

	begin();
	dropped.count[WM_DROP_CRC] = 1000; /* of earlier jobs */
	job = run(10 * S);
	pass(3 * S);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "");
	all_is_dropped_as(WM_DROP_LENGTH, 16);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "16 frames dropped as length");
	published.batches_done++;
	pass(TICK_NS);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "");
	all_is_dropped_as(WM_DROP_DUPLICATE, 5);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "");
	published.nodes_alive = 0;
	all_is_dropped_as(WM_DROP_AUTH, 1);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "1 frame dropped as auth");
	pass(10 * S);
	lane_ends(job, -ECANCELED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "for 10.0 s: 1 frame dropped as auth"));
	controller_dies();
}

/* fail_after counts from the last batch that was done. */
static void waits(bool stuck, const char *words)
{
	struct wm_job *job;

	begin();
	job = run(10 * S);
	published.nodes_alive = stuck;
	published.stuck = stuck;
	pass(9 * S);
	CU_ASSERT_FALSE(is_told_to_stop);
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_explain_waiting(&jobs, job), "node"));
	published.nodes_alive = 1;
	published.stuck = false;
	published.batches_done++;
	pass(TICK_NS);
	CU_ASSERT_STRING_EQUAL(wm_jobs_explain_waiting(&jobs, job), "");
	published.nodes_alive = stuck;
	published.stuck = stuck;
	pass(9 * S);
	CU_ASSERT_FALSE(is_told_to_stop);
	pass(2 * S);
	CU_ASSERT_TRUE(is_told_to_stop);
	lane_ends(job, -ECANCELED);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, words));
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "wiremill job resume OUTPUT"));
	controller_dies();
}

/* As behind a switch that lets beats through and no batch. */
static void nodes_that_come_and_go_are_no_progress(void)
{
	struct wm_job *job;

	begin();
	job = run(10 * S);
	for (unsigned i = 0; i < 11 && !is_told_to_stop; i++) {
		published.nodes_alive = i % 3 == 2;
		pass(1 * S);
	}
	CU_ASSERT_TRUE(is_told_to_stop);
	lane_ends(job, -ECANCELED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "no node answered for 10.0 s"));
	controller_dies();
}

static void nodes_that_cannot_compute_are_named_as_such(void)
{
	struct wm_job *job;

	begin();
	job = run(10 * S);
	published.nodes_alive = 0;
	published.nodes_unable = 1;
	pass(11 * S);
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_explain_waiting(&jobs, job), "cannot compute"));
	CU_ASSERT_TRUE(is_told_to_stop);
	lane_ends(job, -ECANCELED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "cannot compute what is left for 10.0 s"));
	controller_dies();
}

/* Two more that are as the first one is. */
static void others_join(void)
{
	for (uint32_t i = 1; i < 3; i++) {
		struct wm_member *member = &membership.members[i];

		*member = membership.members[0];
		member->session = membership.members[0].session + i;
		snprintf(member->hello.name, sizeof(member->hello.name), "other%u", i);
	}
	membership.count = 3;
}

static void is_lost(uint32_t node)
{
	wm_jobs_handle_member_change(&jobs, node, WM_MEMBER_CHANGE_DEVICE_LOST);
}

static void a_kernel_that_hangs_three_gpus_is_named(void)
{
	struct wm_job *job;

	begin();
	job = run(10 * S);
	others_join();
	for (uint32_t i = 0; i < 3; i++)
		is_lost(i); /* a built-in one is not suspected */
	CU_ASSERT_FALSE(is_told_to_stop);
	snprintf(job->kernel.name, sizeof(job->kernel.name), "mine");
	job->kernel.hash[0] = 1;
	for (unsigned i = 0; i < 5; i++)
		is_lost(1);
	is_lost(0);
	CU_ASSERT_FALSE(is_told_to_stop);
	is_lost(2);
	CU_ASSERT_TRUE(is_told_to_stop);
	is_lost(2);
	membership.count = 1;
	lane_ends(job, -ECANCELED);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "kernel mine hangs GPUs"));
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "other1"));
	controller_dies();
}

/* They get it first, and their drivers have not seen it. */
static void nodes_have_more_time_for_a_kernel_of_others(void)
{
	struct wm_job *job;

	begin();
	node_joins();
	job = submit(0);
	pass(S);
	CU_ASSERT_EQUAL_FATAL(asked_job, job->lane.id);
	job->kernel.hash[0] = 1; /* the library holds it */
	pass(68 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_PREPARING);
	pass(2 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "no node prepared the kernel"));
	controller_dies();
}

static void no_node_that_answers_is_waited_for_as_long_as_was_said(void)
{
	waits(false, "no node answered for 10.0 s");
}

static void no_node_that_may_go_on_is_waited_for_as_long_as_was_said(void)
{
	waits(true, "could take what is left (an audit wants two) for 10.0 s");
}

static void what_cannot_be_finished_names_the_way_to_go_on(void)
{
	struct wm_job *job;

	begin();
	job = run(0);
	finish_result = -ENOSPC;
	lane_ends(job, 0);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_STRING_EQUAL(job->reason, "no room (go on with 'wiremill job resume OUTPUT')");
	controller_dies();
}

static void a_job_that_has_ended_is_known_to_the_next_controller(void)
{
	struct wm_job *job;
	uint32_t id;

	begin();
	job = run(0);
	id = job->lane.id;
	published.output_bytes_done = 1000;
	pass(3 * S);
	lane_ends(job, 0);
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	controller_dies();

	controller_starts();
	job = wm_jobs_find(&jobs, id);
	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	CU_ASSERT_EQUAL(job->counters.output_bytes_done, 1000);
	CU_ASSERT_TRUE(wm_job_seconds(job, now_ns) > 2.9);
	pass(20 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	controller_dies();
}

/* What a node in quarantine had a part in is made again, as long as the output has no name. */
static void output_is_doubted_until_it_has_its_name(void)
{
	struct wm_job *job;

	begin();
	are_complete = true;
	CU_ASSERT_EQUAL_FATAL(wm_membership_recall(&membership, caught_mac, "n2", "wrong"), 0);
	job = run(0);
	CU_ASSERT_EQUAL(job->lane.quarantined, wm_journal_node_bit(caught_mac));
	controller_dies();

	begin();
	are_complete = are_committed = true;
	CU_ASSERT_EQUAL_FATAL(wm_membership_recall(&membership, caught_mac, "n2", "wrong"), 0);
	node_joins();
	job = submit(0);
	CU_ASSERT_FATAL(job->state == WM_JOB_FINISHING || job->state == WM_JOB_DONE);
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	CU_ASSERT_PTR_NULL(lane_job);
	controller_dies();
}

/* The journal is gone, the spool has it running still. */
static void a_job_whose_last_step_was_not_noted_is_done(void)
{
	struct wm_job *job;
	uint32_t id;

	begin();
	id = run(0)->lane.id;
	controller_dies();
	are_finished = true;
	controller_starts();
	job = wm_jobs_find(&jobs, id);
	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	controller_dies();

	are_finished = false;
	controller_starts();
	CU_ASSERT_EQUAL(wm_jobs_find(&jobs, id)->state, WM_JOB_DONE);
	controller_dies();
}

static void a_node_that_computed_wrong_is_kept_out_by_the_next_controller(void)
{
	struct wm_job *job;
	struct wm_lane_event event = { .op = WM_LANE_NODE_WRONG, .node_wrong.batch = 42 };

	begin();
	job = run(0);
	event.job = job->lane.id;
	wm_jobs_handle_lane_event(&jobs, &event, now_ns);
	CU_ASSERT_EQUAL(membership.members[0].state, WM_MEMBER_QUARANTINED);
	controller_dies();

	controller_starts();
	node_joins();
	CU_ASSERT_EQUAL(session, 0);
	CU_ASSERT_EQUAL(membership.members[0].state, WM_MEMBER_QUARANTINED);
	CU_ASSERT_PTR_NOT_NULL(strstr(membership.members[0].reason, "computed batch 42"));
	controller_dies();
}

/* ---- how many are known ------------------------------------------------------------- */

static void jobs_fill(enum wm_job_state state, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct wm_job *job = calloc(1, sizeof(*job));

		job->lane.id = jobs.next_id++;
		job->kernel = *wm_kernel_find("xor");
		job->state = state;
		strcpy(job->input, "/input");
		strcpy(job->output, "/output");
		jobs.jobs[jobs.count++] = job;
	}
}

static void queue_has_a_bound_and_the_newest_that_ended_are_kept(void)
{
	struct reply reply;

	begin();
	jobs_fill(WM_JOB_DONE, WM_JOBS_ENDED_MAX + 1);
	jobs_fill(WM_JOB_QUEUED, WM_JOBS_QUEUED_MAX - 1);
	CU_ASSERT_EQUAL(jobs.count, WM_JOBS_MAX);
	/* the oldest makes room for one, and then the queue is full */
	submit_for(&reply, "/i", "/o", 0);
	CU_ASSERT_PTR_NOT_NULL(reply.job);
	CU_ASSERT_PTR_NULL(wm_jobs_find(&jobs, 1));
	submit_for(&reply, "/i", "/o", 0);
	CU_ASSERT_PTR_NULL(reply.job);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, "512 jobs are queued already"));
	CU_ASSERT_PTR_NOT_NULL(wm_jobs_find(&jobs, 2));
	CU_ASSERT_EQUAL(jobs.count, WM_JOBS_MAX);
	controller_dies();
}

/* What it did in a job that is over is not forgotten. */
static void counters_of_a_node_run_over_all_jobs(void)
{
	begin();
	for (unsigned i = 1; i <= 2; i++) {
		struct wm_job *job = run(0);

		node_state.results = 1000;
		node_state.flow.lost = 7;
		lane_ends(job, 0);
		pass(TICK_NS);
		CU_ASSERT_EQUAL(membership.members[0].results, i * 1000);
		CU_ASSERT_EQUAL(membership.members[0].resends, i * 7);
	}
	controller_dies();
}

/* The disk knows only that somebody has it. */
static void who_writes_an_output_is_named(void)
{
	struct reply reply;

	begin();
	run(0);
	check_result = -EBUSY;
	submit_for(&reply, "/input", "/output", 0);
	CU_ASSERT(reply.count == 1 && !reply.job);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, "being written by job 1: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.text, "'wiremill job cancel 1'"));
	submit_for(&reply, "/input", "/other", 0);
	CU_ASSERT_STRING_EQUAL(reply.error.text, "it may not be");
	controller_dies();
}

/* Its first life ended before there was anything to go on from. */
static void what_never_began_does_not_name_a_way_to_go_on(void)
{
	struct wm_job *job;

	begin();
	submit(300 * S);
	disk_hangs = true;
	node_joins();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(jobs.jobs[0]->state, WM_JOB_PREPARING);
	controller_stops();
	disk_hangs = false;
	controller_starts();
	job = jobs.jobs[0];
	CU_ASSERT_TRUE_FATAL(job->resume && job->journal == 0);
	pass(301 * S);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "no node for 300.0 s"));
	CU_ASSERT_PTR_NULL(strstr(job->reason, "job resume"));
	controller_dies();
}

static const struct wm_test tests[] = {
	WM_TEST(nodes_have_their_time_from_when_they_are_asked),
	WM_TEST(nodes_that_do_not_answer_end_it_with_what_is_durable_kept),
	WM_TEST(a_job_whose_frames_are_all_dropped_says_why),
	WM_TEST(no_node_that_answers_is_waited_for_as_long_as_was_said),
	WM_TEST(nodes_that_come_and_go_are_no_progress),
	WM_TEST(nodes_that_cannot_compute_are_named_as_such),
	WM_TEST(a_kernel_that_hangs_three_gpus_is_named),
	WM_TEST(nodes_have_more_time_for_a_kernel_of_others),
	WM_TEST(no_node_that_may_go_on_is_waited_for_as_long_as_was_said),
	WM_TEST(what_cannot_be_finished_names_the_way_to_go_on),
	WM_TEST(what_never_began_does_not_name_a_way_to_go_on),
	WM_TEST(who_writes_an_output_is_named),
	WM_TEST(a_job_that_has_ended_is_known_to_the_next_controller),
	WM_TEST(output_is_doubted_until_it_has_its_name),
	WM_TEST(a_job_whose_last_step_was_not_noted_is_done),
	WM_TEST(a_node_that_computed_wrong_is_kept_out_by_the_next_controller),
	WM_TEST(counters_of_a_node_run_over_all_jobs),
	WM_TEST(queue_has_a_bound_and_the_newest_that_ended_are_kept),
};

int main(void)
{
	return rig_run("jobs", tests, sizeof(tests) / sizeof(tests[0]));
}
