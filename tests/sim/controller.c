/* SPDX-License-Identifier: BSD-3-Clause */
#include "controller.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "disk.h"
#include "frame.h"
#include "lane.h"
#include "membership.h"

/* As in control/jobs.c. */
#define NODE_WAIT_NS (10 * WM_NS_PER_S)
#define PREPARE_WAIT_NS (10 * WM_NS_PER_S)
#define PREPARE_GRACE_NS (2 * WM_NS_PER_S)
#define CONTROL_TICK_NS (100 * WM_NS_PER_MS)

#define COMMANDS_MAX 8192u

enum job_state { JOB_IDLE, JOB_QUEUED, JOB_PREPARING, JOB_RUNNING, JOB_FINISHING };

struct sim_controller {
	bool up;
	uint32_t life;	      /* events of an earlier one are void */
	uint64_t crash_order; /* the event before which it dies; 0: never */
	uint32_t crashes;
	struct wm_membership membership;

	enum job_state state;
	struct sim_job job;
	uint32_t next_id; /* kept in the spool */
	bool resume;	  /* likewise: there may be a journal */
	bool suspended;
	uint64_t prepare_ns, deserted_ns;
	const char *suspend_reason;

	struct sim_command commands[COMMANDS_MAX]; /* on their way to the lane */
	uint32_t command_head, command_tail;
};

static void boot(struct sim *sim, const struct sim_event *event);

static struct sim_controller *of(struct sim *sim)
{
	return sim->controller;
}

/* ---- to the lane ---------------------------------------------------------------- */

static void command_due(struct sim *sim, const struct sim_event *event)
{
	struct sim_controller *controller = of(sim);
	struct sim_command command;

	if (event->life != controller->life)
		return;
	command = controller->commands[controller->command_head++ % COMMANDS_MAX];
	sim_lane_obey(sim, &command);
}

static void command(struct sim *sim, const struct sim_command *lane_command)
{
	struct sim_controller *controller = of(sim);

	assert(controller->command_tail - controller->command_head < COMMANDS_MAX);
	controller->commands[controller->command_tail++ % COMMANDS_MAX] = *lane_command;
	sim_at(sim, sim->now_ns + sim->plan.hop_ns, command_due, NULL, lane_command->op,
	       lane_command->node, controller->life);
}

static void frame_due(struct sim *sim, const struct sim_event *event)
{
	if (event->life == of(sim)->life)
		sim_network_send_down(sim, event->object);
	else
		sim_frame_free(sim, event->object);
}

static void membership_send(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			    const struct wm_wire_header *header, const void *body,
			    size_t body_bytes)
{
	struct sim *sim = context;
	struct sim_frame *frame = sim_frame_new(sim);

	frame->control = true;
	frame->session = header->session;
	frame->used = WM_FRAME_HEADER_BYTES + (uint32_t)body_bytes;
	frame->bytes = (uint32_t)wm_frame_encode_control(frame->data, sim_frame_room(sim), mac,
							 sim_controller_mac, header, body,
							 body_bytes);
	assert(frame->bytes > 0);
	sim_trace(sim, "controller: sends op %u to node %u, session %x, job %u", header->op,
		  mac[5] - 1u, header->session, header->job);
	sim_at(sim, sim->now_ns + sim->plan.hop_ns, frame_due, frame, header->op, 0, of(sim)->life);
}

/* ---- the job ends ---------------------------------------------------------------- */

static void submit_again(struct sim *sim, const struct sim_event *event)
{
	struct sim_controller *controller = of(sim);

	if (event->life != controller->life)
		return;
	controller->state = JOB_QUEUED;
	controller->prepare_ns = sim->now_ns;
}

/* The operator reads the reason, and resumes it after a while. */
static void job_failed(struct sim *sim, const char *reason)
{
	struct sim_controller *controller = of(sim);

	sim_trace(sim, "controller: job %u failed: %s", controller->job.id, reason);
	sim->tally.failures++;
	if (!reason[0])
		sim_violate(sim, "the job failed without a reason");
	if (controller->state == JOB_PREPARING || controller->state == JOB_RUNNING ||
	    controller->state == JOB_FINISHING)
		wm_membership_job_end(&controller->membership);
	controller->state = JOB_IDLE;
	controller->suspended = false;
	sim_at(sim, sim->now_ns + sim_between(sim, 0, 3 * WM_NS_PER_S), submit_again, NULL, 0, 0,
	       controller->life);
}

/* What is durable stays; without any, nothing is worth keeping. */
static void job_suspend(struct sim *sim, const char *reason)
{
	if (of(sim)->job.progress.durable == 0) {
		sim_disk_names(sim)->journal = false;
		sim_disk_names(sim)->sink = false;
	}
	job_failed(sim, reason);
}

static void job_done(struct sim *sim)
{
	sim_trace(sim, "controller: job %u is done", of(sim)->job.id);
	wm_membership_job_end(&of(sim)->membership);
	of(sim)->state = JOB_IDLE;
	sim_check_output(sim);
	snprintf(sim->outcome, sizeof(sim->outcome), "done");
	sim->ended = true;
}

/* ---- finishing: each step is durable before the next ------------------------------- */

static void finish_next(struct sim *sim, const struct sim_event *event);

static void finish_later(struct sim *sim, uint64_t step)
{
	sim_at(sim, sim->now_ns + sim_between(sim, 0, 2 * WM_NS_PER_MS), finish_next, NULL, step, 0,
	       of(sim)->life);
}

static void finish_next(struct sim *sim, const struct sim_event *event)
{
	struct sim_names *names = sim_disk_names(sim);

	if (event->life != of(sim)->life)
		return;
	switch (event->value) {
	case 0:
		if (names->committed)
			finish_later(sim, 2);
		else
			sim_disk_sync(sim);
		break;
	case 1:
		names->committed = true;
		names->sink = false;
		finish_later(sim, 2);
		break;
	case 2:
		sim_check_manifest(sim, of(sim)->job.journal_random);
		finish_later(sim, 3);
		break;
	default:
		names->journal = false;
		job_done(sim);
		break;
	}
}

void sim_controller_synced(struct sim *sim, int result)
{
	if (result < 0)
		job_suspend(sim, "the output could not be made durable");
	else
		finish_later(sim, 1);
}

static void job_finish(struct sim *sim)
{
	of(sim)->state = JOB_FINISHING;
	finish_later(sim, 0);
}

static void ended_due(struct sim *sim, const struct sim_event *event)
{
	struct sim_controller *controller = of(sim);
	int result = (int)(int64_t)event->value;

	if (event->life != controller->life)
		return;
	assert(controller->state == JOB_RUNNING);
	if (controller->suspended)
		job_suspend(sim, controller->suspend_reason);
	else if (result == 0)
		job_finish(sim);
	else
		job_suspend(sim, strerror(-result));
}

void sim_controller_job_ended(struct sim *sim, int result)
{
	sim_at(sim, sim->now_ns + sim->plan.hop_ns, ended_due, NULL, (uint64_t)(int64_t)result, 0,
	       of(sim)->life);
}

/* ---- preparing ------------------------------------------------------------------------ */

static void identify(struct sim *sim, struct wm_journal_identity *identity)
{
	const struct wm_layout *layout = &sim->plan.layout;

	*identity = (struct wm_journal_identity){ .input_bytes = layout->input_bytes,
						  .output_bytes = layout->output_bytes,
						  .extent_elements = layout->extent_elements,
						  .kernel = layout->kernel,
						  .input_path = "/input" };
}

static void open_fresh(struct sim *sim)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	struct sim_job *job = &of(sim)->job;
	struct wm_journal_identity identity;

	identify(sim, &identity);
	job->journal_random = (uint32_t)wm_random(&sim->random);
	job->journal_records = 0;
	wm_journal_encode_header(header, &identity, job->journal_random);
	sim_disk_make_sink(sim);
	sim_disk_make_journal(sim, header);
}

/* As storage/journal.c opens it: the good records, and the rest is cut off. */
static void open_resumed(struct sim *sim)
{
	struct sim_job *job = &of(sim)->job;

	sim->tally.resumes++;
	job->journal_records = sim_check_journal(sim, sim_disk_current(sim, SIM_LOG),
						 &job->progress, &job->journal_random);
	sim_disk_cut_journal(sim, WM_JOURNAL_HEADER_BYTES +
					  (uint64_t)job->journal_records * WM_JOURNAL_RECORD_BYTES);
	sim_trace(sim, "controller: resumes with %llu of %llu extents",
		  (unsigned long long)job->progress.durable,
		  (unsigned long long)job->progress.extents);
}

static void job_prepare(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	controller->job.id = controller->next_id++;
	controller->state = JOB_PREPARING;
	controller->prepare_ns = sim->now_ns;
	wm_progress_init(&controller->job.progress, sim->plan.layout.extents);
	if (sim_disk_names(sim)->journal)
		open_resumed(sim);
	else
		open_fresh(sim);
	if (sim->ended)
		return;
	if (wm_progress_is_complete(&controller->job.progress)) {
		job_finish(sim);
		return;
	}
	wm_membership_job_begin(&controller->membership, controller->job.id, &sim->plan.layout,
				sim->plan.mtu, sim->now_ns);
}

static void node_join(struct sim *sim, uint32_t index)
{
	const struct wm_member *member = &of(sim)->membership.members[index];

	command(sim, &(struct sim_command){ .op = SIM_NODE_JOIN,
					    .node = index,
					    .session = member->session,
					    .window_max = member->hello.capacity });
}

static void job_run(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	controller->state = JOB_RUNNING;
	controller->deserted_ns = 0;
	command(sim, &(struct sim_command){ .op = SIM_JOB_START, .job = &controller->job });
	for (uint32_t i = 0; i < controller->membership.count; i++) {
		if (controller->membership.members[i].state == WM_MEMBER_READY)
			node_join(sim, i);
	}
}

static void preparing_tick(struct sim *sim)
{
	struct sim_controller *controller = of(sim);
	uint32_t ready = wm_membership_count(&controller->membership, WM_MEMBER_READY);
	uint64_t waited_ns = sim->now_ns - controller->prepare_ns;

	if (ready > 0 &&
	    (wm_membership_job_answered(&controller->membership) || waited_ns > PREPARE_GRACE_NS))
		job_run(sim);
	else if (ready == 0 && waited_ns > PREPARE_WAIT_NS)
		job_suspend(sim, "no node prepared the kernel within 10 s");
}

static void queued_tick(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	if (wm_membership_count(&controller->membership, WM_MEMBER_ADMITTED) +
		    wm_membership_count(&controller->membership, WM_MEMBER_READY) >
	    0)
		job_prepare(sim);
	else if (sim->now_ns - controller->prepare_ns > NODE_WAIT_NS)
		job_failed(sim, "no node within 10 s");
}

static void running_tick(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	if (sim_lane_state(sim) != SIM_LANE_RUNNING ||
	    wm_dispatch_nodes_alive(sim_lane_dispatch(sim)) > 0) {
		controller->deserted_ns = 0;
		return;
	}
	if (controller->deserted_ns == 0)
		controller->deserted_ns = sim->now_ns;
	if (sim->plan.fail_after_ns == 0 || controller->suspended ||
	    sim->now_ns - controller->deserted_ns < sim->plan.fail_after_ns)
		return;
	controller->suspended = true;
	controller->suspend_reason = "no node answered";
	command(sim, &(struct sim_command){ .op = SIM_JOB_STOP });
}

static void jobs_tick(struct sim *sim)
{
	switch (of(sim)->state) {
	case JOB_QUEUED:
		queued_tick(sim);
		break;
	case JOB_PREPARING:
		preparing_tick(sim);
		break;
	case JOB_RUNNING:
		running_tick(sim);
		break;
	default:
		break;
	}
}

/* ---- members ------------------------------------------------------------------------------ */

static void membership_change(void *context, uint32_t index, enum wm_member_change change)
{
	struct sim *sim = context;
	struct sim_controller *controller = of(sim);
	const struct wm_member *member = &controller->membership.members[index];
	struct sim_command lane_command = { .node = index, .session = member->session };

	memcpy(lane_command.mac, member->mac, sizeof(lane_command.mac));
	sim_trace(sim, "controller: member %u changes: %d, session %x", index, change,
		  member->session);
	switch (change) {
	case WM_MEMBER_CHANGE_ADMITTED:
		lane_command.op = SIM_NODE_SET;
		command(sim, &lane_command);
		break;
	case WM_MEMBER_CHANGE_HEARD:
		lane_command.op = SIM_NODE_HEAR;
		command(sim, &lane_command);
		break;
	case WM_MEMBER_CHANGE_LEFT:
		lane_command.op = SIM_NODE_CLEAR;
		command(sim, &lane_command);
		break;
	case WM_MEMBER_CHANGE_READY:
		if (controller->state == JOB_RUNNING)
			node_join(sim, index);
		break;
	}
}

static void control_due(struct sim *sim, const struct sim_event *event)
{
	struct sim_frame *frame = event->object;
	const struct wm_ether_header *ether = (const struct wm_ether_header *)frame->data;
	struct wm_wire_header header;
	const uint8_t *body;

	if (event->life == of(sim)->life &&
	    wm_frame_decode_control(frame->data, frame->bytes, &header, &body) == WM_DROP_NONE) {
		wm_membership_receive(&of(sim)->membership, ether->source, &header, body,
				      sim->now_ns);
		jobs_tick(sim);
	}
	sim_frame_free(sim, frame);
}

void sim_controller_receive(struct sim *sim, struct sim_frame *frame)
{
	sim_at(sim, sim->now_ns + sim->plan.hop_ns, control_due, frame, frame->bytes, 0,
	       of(sim)->life);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void control_tick(struct sim *sim, const struct sim_event *event)
{
	if (event->life != of(sim)->life)
		return;
	wm_membership_tick(&of(sim)->membership, sim->now_ns);
	jobs_tick(sim);
	sim_at(sim, sim->now_ns + CONTROL_TICK_NS, control_tick, NULL, 0, 0, event->life);
}

static void lane_tick(struct sim *sim, const struct sim_event *event)
{
	if (event->life != of(sim)->life)
		return;
	sim_lane_tick(sim);
	sim_at(sim, sim->now_ns + sim->plan.tick_ns, lane_tick, NULL, 0, 0, event->life);
}

static void boot(struct sim *sim, const struct sim_event *event)
{
	const struct wm_membership_calls calls = { .context = sim,
						   .send = membership_send,
						   .change = membership_change };
	struct sim_controller *controller = of(sim);
	struct sim_names *names = sim_disk_names(sim);

	(void)event;
	controller->up = true;
	controller->life++;
	controller->command_head = controller->command_tail = 0;
	sim_trace(sim, "controller: life %u begins", controller->life);
	sim_lane_boot(sim, controller->life);
	wm_membership_init(&controller->membership, &calls, sim_controller_mac);
	if (sim->plan.keyed)
		wm_membership_use_key(&controller->membership, &sim_key);
	if (names->committed && !names->journal) {
		/* It died between the last step and saying so. */
		job_done(sim);
		return;
	}
	controller->state = JOB_QUEUED;
	controller->suspended = false;
	controller->prepare_ns = sim->now_ns;
	if (controller->crashes < sim->plan.crashes && sim->now_ns < sim->plan.heal_ns)
		controller->crash_order = sim->events +
					  sim_between(sim, 1, 2 * sim->plan.crash_events);
	sim_at(sim, sim->now_ns, control_tick, NULL, 0, 0, controller->life);
	sim_at(sim, sim->now_ns, lane_tick, NULL, 0, 0, controller->life);
}

static void crash(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	sim_trace(sim, "controller: dies");
	controller->up = false;
	controller->life++;
	controller->crashes++;
	sim->tally.crashes++;
	controller->crash_order = 0;
	sim_lane_die(sim);
	sim_disk_crash(sim);
	sim_check_crash(sim);
	sim_at(sim, sim->now_ns + sim_between(sim, 0, sim->plan.down_ns), boot, NULL, 0, 0, 0);
}

void sim_controller_step(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	if (!controller->up || controller->crash_order == 0)
		return;
	if (sim->events >= controller->crash_order ||
	    (sim->plan.crash_appends && sim_disk_appends(sim) &&
	     sim_fault(sim, sim->plan.crash_appends)))
		crash(sim);
}

void sim_controller_create(struct sim *sim)
{
	sim->controller = sim_allocate(1, sizeof(*sim->controller));
	sim->controller->next_id = (uint32_t)sim_between(sim, 1, 1000);
	sim_at(sim, sim_between(sim, 0, WM_NS_PER_S), boot, NULL, 0, 0, 0);
}

void sim_controller_destroy(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->heap_count; i++) {
		if (sim->heap[i].run == control_due || sim->heap[i].run == frame_due)
			free(sim->heap[i].object);
	}
	free(sim->controller);
}
