/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a job between a real membership and real spool, and a lane and files that
 * are played here: what they are told is looked at, what they tell is made up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "harness.h"
#include "job_files.h"
#include "job_run.h"
#include "log.h"

#define TICK_NS (20 * WM_NS_PER_MS)
#define S WM_NS_PER_S

static char directory[64];
static struct wm_membership membership;
static struct wm_jobs jobs;
static uint64_t now_ns = 77 * WM_NS_PER_S;
/* The files. */
static uint64_t open_takes_ns;
static bool are_finished;
static int finish_result;
static bool are_complete, are_committed; /* as a resumed job finds them */
static const uint8_t caught_mac[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 2 };
/* The lane. */
static struct wm_lane_job *lane_job;
static bool is_told_to_stop;
static struct wm_lane_job_counters published;
static struct wm_lanes no_lanes;
static struct wm_drops dropped; /* by all lanes */
/* The node's last question. */
static uint32_t asked_job, session;

/* ---- the lane ---------------------------------------------------------------------- */

void wm_lanes_command(struct wm_lanes *lanes, const struct wm_lane_command *command)
{
	(void)lanes;
	is_told_to_stop |= command->op == WM_LANE_JOB_STOP;
}

void wm_lanes_command_node(struct wm_lanes *lanes, const struct wm_lane_command *command)
{
	(void)lanes;
	(void)command;
}

void wm_lanes_start(struct wm_lanes *lanes, struct wm_lane_job *job)
{
	(void)lanes;
	lane_job = job;
}

bool wm_lanes_event(struct wm_lanes *lanes, struct wm_lane_event *event)
{
	(void)lanes;
	*event = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED,
					 .job = lane_job->id,
					 .result = -ECANCELED };
	return true;
}

void wm_lanes_job_counters(struct wm_lanes *lanes, struct wm_lane_job_counters *counters)
{
	(void)lanes;
	*counters = published;
}

void wm_lanes_drops(struct wm_lanes *lanes, struct wm_drops *drops)
{
	(void)lanes;
	*drops = dropped;
}

void wm_lanes_node_state(struct wm_lanes *lanes, uint32_t node,
			 struct wm_dispatch_node_state *state)
{
	(void)lanes;
	(void)node;
	*state = (struct wm_dispatch_node_state){ 0 };
}

/* ---- the files ------------------------------------------------------------------------ */

int wm_job_files_check(struct wm_job *job, uint32_t mtu, const char *state_directory,
		       struct wm_error *error)
{
	(void)state_directory;
	return wm_layout_init(&job->lane.layout, job->kernel, 1 << 30, mtu, error);
}

int wm_job_files_open(struct wm_job *job, uint32_t mtu, const char *state_directory,
		      struct wm_error *error)
{
	(void)mtu;
	(void)state_directory;
	(void)error;
	wm_progress_init(&job->lane.progress, job->lane.layout.extents);
	job->lane.progress.durable = are_complete ? job->lane.layout.extents : 1;
	job->committed = are_committed;
	job->unsettled_nodes = wm_journal_node_bit(caught_mac);
	job->lane.journal.random = 0xabcd;
	now_ns += open_takes_ns;
	return 0;
}

int wm_job_files_recall(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	(void)state_directory;
	(void)error;
	job->kernel = wm_kernel_find("xor");
	return 0;
}

bool wm_job_files_are_finished(struct wm_job *job, const char *state_directory)
{
	(void)state_directory;
	return are_finished && job->journal == 0xabcd;
}

void wm_job_files_suspend(struct wm_job *job)
{
	job->open = false;
}

void wm_job_files_abandon(struct wm_job *job, const char *state_directory)
{
	(void)state_directory;
	job->open = false;
}

int wm_job_files_finish(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	(void)job;
	(void)state_directory;
	return finish_result < 0 ? wm_error_set(error, -finish_result, "no room") : 0;
}

/* ---- the rack ------------------------------------------------------------------------- */

static void rack_send(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
		      const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	(void)context;
	(void)mac;
	(void)body;
	(void)body_bytes;
	if (header->op == WM_OP_KERNEL)
		asked_job = header->job;
	if (header->op == WM_OP_WELCOME)
		session = header->session;
}

static void rack_change(void *context, uint32_t index, enum wm_member_change change)
{
	(void)context;
	wm_jobs_member_change(&jobs, index, change);
}

static const uint8_t node_mac[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 1 };

static void node_says(enum wm_op op, uint32_t job, const uint8_t *body, size_t body_bytes)
{
	const struct wm_wire_header header = { .op = (uint8_t)op,
					       .count = (uint16_t)body_bytes,
					       .session = op == WM_OP_HELLO ? 0 : session,
					       .job = job };

	wm_membership_receive(&membership, node_mac, &header, body, now_ns);
}

static void node_joins(void)
{
	const struct wm_hello hello = { .nonce = 5,
					.name = "n1",
					.mtu = 9000,
					.capacity = 64,
					.device = "gpu",
					.driver = "driver",
					.xdp_mode = "native" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	node_says(WM_OP_HELLO, 0, body, wm_message_encode_hello(body, sizeof(body), &hello));
}

static void node_is_ready(void)
{
	const struct wm_ack ack = { .text = "ready" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	node_says(WM_OP_ACK, asked_job, body, wm_message_encode_ack(body, sizeof(body), &ack));
}

static void tick(void)
{
	const struct wm_beat beat = { 0 };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	now_ns += TICK_NS;
	if (session)
		node_says(WM_OP_BEAT, 0, body, wm_message_encode_beat(body, sizeof(body), &beat));
	wm_membership_tick(&membership, now_ns);
	wm_jobs_tick(&jobs, now_ns);
}

static void pass(uint64_t ns)
{
	for (uint64_t end_ns = now_ns + ns; now_ns < end_ns;)
		tick();
}

/* A controller starts, on what the one before left. */
static void controller_starts(void)
{
	static const uint8_t mac[WM_ETHER_ADDR_BYTES] = { 2 };
	const struct wm_membership_calls calls = { NULL, rack_send, rack_change, NULL };

	wm_membership_init(&membership, &calls, mac);
	CU_ASSERT_EQUAL_FATAL(wm_jobs_init(&jobs, &no_lanes, &membership, 9000, directory, NULL),
			      0);
	asked_job = session = 0;
	lane_job = NULL;
	is_told_to_stop = false;
}

static void remove_spool(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/jobs.json", directory);
	unlink(path);
}

static void begin(void)
{
	remove_spool();
	open_takes_ns = 0;
	finish_result = 0;
	are_finished = are_complete = are_committed = false;
	memset(&published, 0, sizeof(published));
	controller_starts();
}

/* It dies, and remembers nothing. */
static void controller_dies(void)
{
	while (jobs.count > 0)
		free(jobs.jobs[--jobs.count]);
}

static struct wm_job *submit(uint64_t fail_after_ns)
{
	const struct wm_job_request request = { .kernel = "xor",
						.input = "/input",
						.output = "/output",
						.fail_after_ns = fail_after_ns };
	struct wm_job *job = wm_jobs_submit(&jobs, &request, now_ns, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	return job;
}

static struct wm_job *run(uint64_t fail_after_ns)
{
	struct wm_job *job;

	node_joins();
	job = submit(fail_after_ns);
	pass(TICK_NS);
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL_FATAL(job->state, WM_JOB_RUNNING);
	CU_ASSERT_PTR_EQUAL_FATAL(lane_job, &job->lane);
	published = (struct wm_lane_job_counters){ .job = job->lane.id, .nodes_alive = 1 };
	return job;
}

static void lane_ends(const struct wm_job *job, int result)
{
	const struct wm_lane_event event = { .op = WM_LANE_JOB_ENDED,
					     .job = job->lane.id,
					     .result = result };

	wm_jobs_lane_event(&jobs, &event, now_ns);
}

/* The finisher is a thread of its own. */
static void until_ended(const struct wm_job *job)
{
	while (!wm_job_has_ended(job)) {
		usleep(100);
		wm_jobs_tick(&jobs, now_ns);
	}
}

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
	CU_ASSERT_STRING_EQUAL(wm_jobs_waiting(&jobs, job), "");
	all_is_dropped_as(WM_DROP_LENGTH, 16);
	CU_ASSERT_STRING_EQUAL(wm_jobs_waiting(&jobs, job), "16 frames dropped as length");
	published.batches_done++;
	pass(TICK_NS);
	CU_ASSERT_STRING_EQUAL(wm_jobs_waiting(&jobs, job), "");
	all_is_dropped_as(WM_DROP_DUPLICATE, 5);
	CU_ASSERT_STRING_EQUAL(wm_jobs_waiting(&jobs, job), "");
	published.nodes_alive = 0;
	all_is_dropped_as(WM_DROP_AUTH, 1);
	CU_ASSERT_STRING_EQUAL(wm_jobs_waiting(&jobs, job), "1 frame dropped as auth");
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
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_waiting(&jobs, job), "node"));
	published.nodes_alive = 1;
	published.stuck = false;
	published.batches_done++;
	pass(TICK_NS);
	CU_ASSERT_STRING_EQUAL(wm_jobs_waiting(&jobs, job), "");
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
	CU_ASSERT_PTR_NOT_NULL(strstr(wm_jobs_waiting(&jobs, job), "cannot compute"));
	CU_ASSERT_TRUE(is_told_to_stop);
	lane_ends(job, -ECANCELED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "cannot compute what is left for 10.0 s"));
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
	until_ended(job);
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
	until_ended(job);
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
	until_ended(job);
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
	struct wm_lane_event event = { .op = WM_LANE_NODE_WRONG, .extent = 42 };

	begin();
	job = run(0);
	event.job = job->lane.id;
	wm_jobs_lane_event(&jobs, &event, now_ns);
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
		job->kernel = wm_kernel_find("xor");
		job->state = state;
		strcpy(job->input, "/input");
		strcpy(job->output, "/output");
		jobs.jobs[jobs.count++] = job;
	}
}

static void queue_has_a_bound_and_the_newest_that_ended_are_kept(void)
{
	const struct wm_job_request request = { .kernel = "xor", .input = "/i", .output = "/o" };
	struct wm_error error;

	begin();
	jobs_fill(WM_JOB_DONE, WM_JOBS_ENDED_MAX + 1);
	jobs_fill(WM_JOB_QUEUED, WM_JOBS_QUEUED_MAX - 1);
	CU_ASSERT_EQUAL(jobs.count, WM_JOBS_MAX);
	/* the oldest makes room for one, and then the queue is full */
	CU_ASSERT_PTR_NOT_NULL(wm_jobs_submit(&jobs, &request, now_ns, &error));
	CU_ASSERT_PTR_NULL(wm_jobs_find(&jobs, 1));
	CU_ASSERT_PTR_NULL(wm_jobs_submit(&jobs, &request, now_ns, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "512 jobs are queued already"));
	CU_ASSERT_PTR_NOT_NULL(wm_jobs_find(&jobs, 2));
	CU_ASSERT_EQUAL(jobs.count, WM_JOBS_MAX);
	controller_dies();
}

static const struct wm_test tests[] = {
	WM_TEST(nodes_have_their_time_from_when_they_are_asked),
	WM_TEST(nodes_that_do_not_answer_end_it_with_what_is_durable_kept),
	WM_TEST(a_job_whose_frames_are_all_dropped_says_why),
	WM_TEST(no_node_that_answers_is_waited_for_as_long_as_was_said),
	WM_TEST(nodes_that_come_and_go_are_no_progress),
	WM_TEST(nodes_that_cannot_compute_are_named_as_such),
	WM_TEST(no_node_that_may_go_on_is_waited_for_as_long_as_was_said),
	WM_TEST(what_cannot_be_finished_names_the_way_to_go_on),
	WM_TEST(a_job_that_has_ended_is_known_to_the_next_controller),
	WM_TEST(output_is_doubted_until_it_has_its_name),
	WM_TEST(a_job_whose_last_step_was_not_noted_is_done),
	WM_TEST(a_node_that_computed_wrong_is_kept_out_by_the_next_controller),
	WM_TEST(queue_has_a_bound_and_the_newest_that_ended_are_kept),
};

int main(void)
{
	int status;

	wm_log_init("jobs_test", WM_LOG_ERROR);
	strcpy(directory, "/tmp/wm-jobs-test-XXXXXX");
	if (!mkdtemp(directory))
		return 1;
	status = WM_TESTS_RUN("jobs", tests);
	remove_spool();
	rmdir(directory);
	return status;
}
