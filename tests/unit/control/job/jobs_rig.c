/* SPDX-License-Identifier: BSD-3-Clause */
#include "jobs_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed.h"
#include "files.h"
#include "harness.h"
#include "run.h"
#include "wiremill/readback.h"

#define THREADS_MAX 64u

char directory[64];
struct wm_membership membership;
struct wm_jobs jobs;
uint64_t now_ns = 77 * WM_NS_PER_S;
/* The files, and the threads that are at them. */
bool disk_hangs;
int check_result, open_result, discard_result;
uint32_t opened, abandoned, suspended, discarded;
uint64_t open_takes_ns;
bool are_finished;
int finish_result;
bool are_complete, are_committed, are_unchecked; /* as a resumed job finds them */
const uint8_t caught_mac[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 2 };
/* The lane. */
struct wm_lane_job *lane_job;
bool lane_lets_go;
bool is_told_to_stop;
struct wm_lane_job_counters published;
struct wm_dispatch_node_state node_state;
struct wm_drops dropped;
struct wm_store_requests requested[WM_STORE_FILES];
/* The node's last question. */
uint32_t asked_job, session;

/* ---- the lane ---------------------------------------------------------------------- */

void wm_lanes_post(struct wm_lanes *lanes, const struct wm_lane_command *command)
{
	(void)lanes;
	is_told_to_stop |= command->op == WM_LANE_JOB_STOP;
}

void wm_lanes_post_to_node(struct wm_lanes *lanes, const struct wm_lane_command *command)
{
	(void)lanes;
	(void)command;
}

void wm_lanes_start(struct wm_lanes *lanes, struct wm_lane_job *job)
{
	(void)lanes;
	lane_job = job;
}

bool wm_lanes_poll_event(struct wm_lanes *lanes, struct wm_lane_event *event)
{
	(void)lanes;
	if (!lane_job || !lane_lets_go)
		return false;
	*event = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED,
					 .job = lane_job->id,
					 .job_ended.result = -ECANCELED };
	return true;
}

void wm_lanes_sum_job_counters(struct wm_lanes *lanes, struct wm_lane_job_counters *counters)
{
	(void)lanes;
	*counters = published;
}

void wm_lanes_sum_drops(struct wm_lanes *lanes, struct wm_drops *drops)
{
	(void)lanes;
	*drops = dropped;
}

void wm_lanes_sum_requests(struct wm_lanes *lanes,
			   struct wm_store_requests requests[WM_STORE_FILES])
{
	(void)lanes;
	memcpy(requests, requested, sizeof(requested));
}

void wm_lanes_read_node_state(struct wm_lanes *lanes, uint32_t node,
			      struct wm_dispatch_node_state *state)
{
	(void)lanes;
	(void)node;
	*state = node_state;
}

/* ---- the files ------------------------------------------------------------------------ */

int wm_job_files_check(struct wm_job *job, uint32_t mtu, const char *state_directory,
		       struct wm_error *error)
{
	(void)state_directory;
	if (check_result < 0)
		return wm_error_set(error, -check_result, "it may not be");
	return wm_layout_init(&job->lane.layout, &job->kernel, 1 << 30, mtu, error);
}

int wm_job_files_open(struct wm_job *job, uint32_t mtu, const char *state_directory,
		      struct wm_error *error)
{
	(void)state_directory;
	opened++;
	if (open_result < 0)
		return wm_error_set(error, -open_result, "it does not open");
	if (wm_layout_init(&job->lane.layout, &job->kernel, 1 << 30, mtu, error) < 0)
		return -EINVAL;
	job->open = true;
	wm_progress_init(&job->lane.progress, job->lane.layout.extents);
	wm_recompute_init(&job->recompute, job->lane.layout.extents);
	job->lane.progress.durable = are_complete ? job->lane.layout.extents : 1;
	job->committed = are_committed;
	job->lane.unchecked = are_unchecked;
	job->lane.journal.fd = -1;
	snprintf(job->lane.journal.path, sizeof(job->lane.journal.path), "%.*s.wm-journal",
		 PATH_MAX - 16, job->output);
	job->unsettled_nodes = wm_journal_node_bit(caught_mac);
	job->lane.journal.random = 0xabcd;
	now_ns += open_takes_ns;
	return 0;
}

int wm_job_files_recall(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	(void)state_directory;
	(void)error;
	job->kernel = *wm_kernel_find("xor");
	strcpy(job->input, "/input");
	return 0;
}

bool wm_job_files_are_finished(struct wm_job *job, const char *state_directory)
{
	(void)state_directory;
	return are_finished && job->journal == 0xabcd;
}

void wm_job_files_suspend(struct wm_job *job)
{
	suspended++;
	job->open = false;
}

void wm_job_files_abandon(struct wm_job *job)
{
	abandoned++;
	job->open = false;
}

int wm_job_files_finish(struct wm_job *job, struct wm_error *error)
{
	job->open = false;
	return finish_result < 0 ? wm_error_set(error, -finish_result, "no room") : 0;
}

int wm_job_files_discard(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	(void)job;
	(void)state_directory;
	discarded++;
	return discard_result < 0 ? wm_error_set(error, -discard_result, "it is locked") : 0;
}

/* ---- what is read back: all of it, by one step, and nothing differs -------------------- */

int wm_readback_create(struct wm_readback **readback, const struct wm_journal *journal,
		       const struct wm_sink *sink, const struct wm_layout *layout,
		       struct wm_error *error)
{
	(void)journal;
	(void)sink;
	(void)layout;
	*readback = malloc(1);
	return *readback ? 0 : wm_error_set(error, ENOMEM, "out of memory");
}

int wm_readback_next(struct wm_readback *readback, struct wm_readback_found *found,
		     struct wm_error *error)
{
	(void)readback;
	(void)error;
	*found = (struct wm_readback_found){ .finished = true };
	return 0;
}

void wm_readback_destroy(struct wm_readback **readback)
{
	free(*readback);
	*readback = NULL;
}

/* ---- threads: at once, or when the disk answers again ---------------------------------- */

static struct {
	void *(*start)(void *);
	void *argument;
} hanging[THREADS_MAX];
static unsigned hanging_count;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument)
{
	(void)thread;
	(void)attributes;
	if (!disk_hangs) {
		start(argument);
		return 0;
	}
	if (hanging_count == THREADS_MAX)
		return EAGAIN;
	hanging[hanging_count].start = start;
	hanging[hanging_count++].argument = argument;
	return 0;
}

static void run_hanging(void)
{
	unsigned count = hanging_count;

	disk_hangs = false;
	hanging_count = 0;
	for (unsigned i = 0; i < count; i++)
		hanging[i].start(hanging[i].argument);
}

void disk_answers(void)
{
	run_hanging();
	wm_jobs_tick(&jobs, now_ns);
}

/* The threads that hang end with the process, which is now. */
bool controller_stops(void)
{
	bool let_go = wm_jobs_close(&jobs);

	while (hanging_count > 0)
		free(hanging[--hanging_count].argument);
	return let_go;
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
	wm_jobs_handle_member_change(&jobs, index, change);
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

void node_joins(void)
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

void node_is_ready(void)
{
	const struct wm_ack ack = { .text = "ready" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	node_says(WM_OP_ACK, asked_job, body, wm_message_encode_ack(body, sizeof(body), &ack));
}

void node_falls_silent(void)
{
	session = 0;
}

void tick(void)
{
	const struct wm_beat beat = { 0 };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	now_ns += TICK_NS;
	if (session)
		node_says(WM_OP_BEAT, 0, body, wm_message_encode_beat(body, sizeof(body), &beat));
	wm_membership_tick(&membership, now_ns);
	wm_jobs_tick(&jobs, now_ns);
}

void pass(uint64_t ns)
{
	for (uint64_t end_ns = now_ns + ns; now_ns < end_ns;)
		tick();
}

/* A controller starts, on what the one before left. */
void controller_starts(void)
{
	static const uint8_t mac[WM_ETHER_ADDR_BYTES] = { 2 };
	const struct wm_membership_calls calls = { NULL, rack_send, rack_change, NULL, NULL, NULL };
	static struct wm_lanes lanes;

	wm_membership_init(&membership, &calls, mac);
	CU_ASSERT_EQUAL_FATAL(wm_jobs_init(&jobs, &lanes, &membership, 9000, directory, -1, NULL),
			      0);
	jobs.close_wait_ns = 20 * WM_NS_PER_MS;
	asked_job = session = 0;
	lane_job = NULL;
	lane_lets_go = true;
	is_told_to_stop = false;
}

void remove_spool(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/jobs.json", directory);
	unlink(path);
}

void begin(void)
{
	remove_spool();
	open_takes_ns = 0;
	finish_result = 0;
	are_finished = are_complete = are_committed = are_unchecked = disk_hangs = false;
	check_result = open_result = discard_result = 0;
	opened = abandoned = suspended = discarded = hanging_count = 0;
	memset(&published, 0, sizeof(published));
	memset(&node_state, 0, sizeof(node_state));
	memset(&dropped, 0, sizeof(dropped));
	memset(requested, 0, sizeof(requested));
	controller_starts();
}

/* It dies, and remembers nothing. */
static void drop_jobs(void)
{
	while (jobs.count > 0) {
		wm_job_feed_destroy(jobs.jobs[--jobs.count]);
		free(jobs.jobs[jobs.count]);
	}
	wm_kernel_library_fini(&jobs.library);
}

void controller_dies(void)
{
	if (disk_hangs)
		disk_answers();
	drop_jobs();
}

void controller_is_killed(void)
{
	run_hanging();
	drop_jobs();
}

static void take_reply(void *context, void *request, struct wm_job *job,
		       const struct wm_error *error)
{
	struct reply *reply = context;

	CU_ASSERT_PTR_EQUAL(request, context);
	reply->count++;
	reply->job = job;
	if (job)
		reply->waiting = wm_jobs_explain_waiting(&jobs, job);
	else
		reply->error = *error;
}

void submit_kernel_for(struct reply *reply, const char *kernel, const char *output)
{
	const struct wm_job_request request = { .kernel = kernel,
						.input = "/input",
						.output = output };
	const struct wm_jobs_reply to = { take_reply, reply, reply };

	*reply = (struct reply){ 0 };
	wm_jobs_submit(&jobs, &request, now_ns, &to);
}

void submit_for(struct reply *reply, const char *input, const char *output, uint64_t fail_after_ns)
{
	const struct wm_job_request request = {
		.kernel = "xor", .input = input, .output = output, .fail_after_ns = fail_after_ns
	};
	const struct wm_jobs_reply to = { take_reply, reply, reply };

	*reply = (struct reply){ 0 };
	wm_jobs_submit(&jobs, &request, now_ns, &to);
}

void resume_for(struct reply *reply, const char *output)
{
	const struct wm_job_resumption wanted = { .output = output };
	const struct wm_jobs_reply to = { take_reply, reply, reply };

	*reply = (struct reply){ 0 };
	wm_jobs_resume(&jobs, &wanted, now_ns, &to);
}

struct wm_job *submit(uint64_t fail_after_ns)
{
	struct reply reply;

	submit_for(&reply, "/input", "/output", fail_after_ns);
	CU_ASSERT_EQUAL(reply.count, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply.job);
	return reply.job;
}

struct wm_job *run(uint64_t fail_after_ns)
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

void lane_ends(const struct wm_job *job, int result)
{
	const struct wm_lane_event event = { .op = WM_LANE_JOB_ENDED,
					     .job = job->lane.id,
					     .job_ended.result = result };

	wm_jobs_handle_lane_event(&jobs, &event, now_ns);
}

int rig_run(const char *name, const struct wm_test *tests, unsigned count)
{
	char kernels[80];
	int status;

	wm_log_init(name, WM_LOG_ERROR);
	strcpy(directory, "/tmp/wm-jobs-test-XXXXXX");
	if (!mkdtemp(directory))
		return 1;
	status = wm_tests_run(name, tests, count);
	remove_spool();
	snprintf(kernels, sizeof(kernels), "%s/kernels", directory);
	rmdir(kernels);
	rmdir(directory);
	return status;
}
