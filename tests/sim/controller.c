/* SPDX-License-Identifier: BSD-3-Clause */
#include "controller.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "disk.h"
#include "feed.h"
#include "frame.h"
#include "membership.h"
#include "queue.h"
#include "run.h"
#include "sim_lane.h"
#include "spool.h"

#define CONTROL_TICK_NS (100 * WM_NS_PER_MS)
#define COMMANDS_MAX 8192u
#define EVENTS_MAX 1024u

struct sim_controller {
	bool up;
	uint32_t life;	      /* events of an earlier one are void */
	uint64_t crash_order; /* the event before which it dies; 0: never */
	bool dies;	      /* now, after this event */
	uint32_t crashes;
	struct wm_membership membership;
	struct wm_jobs jobs;
	struct wm_lanes lanes;
	uint32_t job;	  /* the operator's; 0: none yet */
	bool asked_again; /* the operator is about to resume */

	/* the spool, as on disk */
	uint32_t next_id, spooled_id, spooled_journal;
	bool spooled, started;
	uint8_t quarantine[SIM_NODES_MAX][WM_ETHER_ADDR_BYTES];
	uint32_t quarantine_count;

	struct wm_lane_command commands[COMMANDS_MAX]; /* on their way to the lane */
	uint32_t command_head, command_tail;
	struct wm_lane_event events[EVENTS_MAX]; /* on their way from it */
	uint32_t event_head, event_tail;
};

struct sim *sim_current;

static struct sim_controller *of(struct sim *sim)
{
	return sim->controller;
}

/* ---- to the lane: what run.c calls of it ------------------------------------------ */

static void command_due(struct sim *sim, const struct sim_event *event)
{
	struct sim_controller *controller = of(sim);
	struct wm_lane_command command;

	if (event->life != controller->life)
		return;
	command = controller->commands[controller->command_head++ % COMMANDS_MAX];
	sim_lane_handle(sim, &command);
}

bool wm_lane_post_command(struct wm_lane *lane, const struct wm_lane_command *command)
{
	struct sim *sim = sim_current;
	struct sim_controller *controller = of(sim);

	(void)lane;
	if (command->op == WM_LANE_EXTENT_INVALIDATE)
		sim_check_declared_invalid(sim, command->extent);
	assert(controller->command_tail - controller->command_head < COMMANDS_MAX);
	controller->commands[controller->command_tail++ % COMMANDS_MAX] = *command;
	sim_at(sim, sim->now_ns + sim->plan.hop_ns, command_due, NULL, command->op, command->node,
	       controller->life);
	return true;
}

bool wm_lane_poll_event(struct wm_lane *lane, struct wm_lane_event *event)
{
	(void)lane;
	(void)event;
	assert(!"the simulated controller is killed, never closed");
	return false;
}

void wm_lane_take_snapshot(struct wm_lane *lane, struct wm_lane_snapshot *snapshot)
{
	(void)lane;
	*snapshot = *sim_lane_snapshot(sim_current);
}

void wm_lane_node_state(struct wm_lane *lane, uint32_t node, struct wm_dispatch_node_state *state)
{
	(void)lane;
	memset(state, 0, sizeof(*state));
	if (node < SIM_NODES_MAX)
		wm_dispatch_node_get_state(sim_lane_dispatch(sim_current), node, state);
}

/* ---- the spool: durable at once ------------------------------------------------------ */

int wm_spool_prepare(const char *state_directory, struct wm_error *error)
{
	(void)state_directory;
	(void)error;
	return 0;
}

static void save_quarantine(struct sim_controller *controller)
{
	const struct wm_membership *membership = &controller->membership;

	controller->quarantine_count = 0;
	for (uint32_t i = 0; i < membership->count; i++) {
		if (membership->members[i].state == WM_MEMBER_QUARANTINED)
			memcpy(controller->quarantine[controller->quarantine_count++],
			       membership->members[i].mac, WM_ETHER_ADDR_BYTES);
	}
}

int wm_spool_save(const struct wm_jobs *jobs, struct wm_error *error)
{
	struct sim_controller *controller = of(sim_current);

	(void)error;
	/* It has died in the middle of what this is the end of. */
	if (controller->dies)
		return 0;
	controller->next_id = jobs->next_id;
	controller->spooled = false;
	for (uint32_t i = 0; i < jobs->count; i++) {
		const struct wm_job *job = jobs->jobs[i];

		if (wm_job_has_ended(job))
			continue;
		controller->spooled = true;
		controller->spooled_id = job->lane.id;
		controller->spooled_journal = job->journal;
		controller->started = job->resume || job->state != WM_JOB_QUEUED;
	}
	save_quarantine(controller);
	return 0;
}

int wm_spool_load(struct wm_jobs *jobs, struct wm_error *error)
{
	const struct sim_controller *controller = of(sim_current);
	struct wm_job *job;

	(void)error;
	for (uint32_t i = 0; i < controller->quarantine_count; i++)
		wm_membership_recall(jobs->membership, controller->quarantine[i], "caught",
				     "computed wrong");
	jobs->next_id = controller->next_id;
	if (!controller->spooled)
		return 0;
	job = sim_allocate(1, sizeof(*job));
	job->lane.id = controller->spooled_id;
	job->journal = controller->spooled_journal;
	job->kernel = *wm_kernel_find("xor");
	job->resume = controller->started;
	job->fail_after_ns = sim_current->plan.fail_after_ns;
	job->audit_ppm = sim_current->plan.audit_ppm;
	jobs->jobs[jobs->count++] = job;
	return 0;
}

/* ---- the operator ---------------------------------------------------------------------- */

static void answered(void *context, void *request, struct wm_job *job, const struct wm_error *error)
{
	struct sim *sim = context;

	(void)request;
	if (!job) {
		sim_violate(sim, "the job cannot be submitted: %s", error->text);
		return;
	}
	if (job->audit_ppm != sim->plan.audit_ppm || job->fail_after_ns != sim->plan.fail_after_ns)
		sim_violate(sim, "the job lost its options");
	of(sim)->job = job->lane.id;
}

static void submit(struct sim *sim, const struct sim_event *event)
{
	struct sim_controller *controller = of(sim);
	struct wm_job_request request = { .kernel = "xor",
					  .input = "/input",
					  .output = "/output",
					  .fail_after_ns = sim->plan.fail_after_ns,
					  .audit_ppm = sim->plan.audit_ppm };
	const struct wm_job_resumption resumption = { .output = "/output" };
	const struct wm_jobs_reply reply = { answered, sim, NULL };

	if (event->life != controller->life)
		return;
	if (sim_disk_names(sim)->journal)
		wm_jobs_resume(&controller->jobs, &resumption, sim->now_ns, &reply);
	else
		wm_jobs_submit(&controller->jobs, &request, sim->now_ns, &reply);
	controller->asked_again = false;
}

/* The operator takes the output away, and has it made again: at once, while results may still
 * be on their way, or later. */
static void submit_next(struct sim *sim)
{
	struct sim_names *names = sim_disk_names(sim);
	uint64_t later_ns = sim_between(sim, 0, 1) ? sim_between(sim, 0, 2 * WM_NS_PER_S) : 0;

	names->committed = false;
	names->manifest = 0;
	of(sim)->job = 0;
	of(sim)->asked_again = true;
	sim_at(sim, sim->now_ns + later_ns, submit, NULL, 0, 0, of(sim)->life);
}

static void job_done(struct sim *sim)
{
	sim_trace(sim, "controller: job %u is done", of(sim)->job);
	sim_check_output(sim);
	if (++sim->tally.jobs < sim->plan.jobs) {
		submit_next(sim);
		return;
	}
	snprintf(sim->outcome, sizeof(sim->outcome), "done");
	sim->ended = true;
}

/* The journal is of an input that is no more. */
static bool is_refused_for_good(struct sim *sim)
{
	struct wm_journal journal;

	return sim_disk_names(sim)->journal &&
	       wm_journal_decode_header(sim_disk_current(sim, SIM_LOG), &journal.identity,
					&journal.random) == 0 &&
	       sim_disk_input_differs(sim, &journal);
}

static void job_failed(struct sim *sim, const struct wm_job *job)
{
	sim_trace(sim, "controller: job %u %s: %s", job->lane.id, wm_job_state_name(job->state),
		  job->reason);
	sim->tally.failures++;
	if (!job->reason[0])
		sim_violate(sim, "the job failed without a reason");
	if (sim_disk_names(sim)->committed && !sim_disk_names(sim)->journal)
		sim_violate(sim, "the job was done, and is said to have failed");
	if (is_refused_for_good(sim)) {
		sim_check_crash(sim);
		snprintf(sim->outcome, sizeof(sim->outcome), "refused: its input has changed");
		sim->ended = true;
		return;
	}
	of(sim)->asked_again = true;
	sim_at(sim, sim->now_ns + sim_between(sim, 0, 3 * WM_NS_PER_S), submit, NULL, 0, 0,
	       of(sim)->life);
}

/* Looks how the job is after each deed of the control thread. */
static void look(struct sim *sim)
{
	struct sim_controller *controller = of(sim);
	const struct wm_job *job = wm_jobs_find(&controller->jobs, controller->job);

	if (controller->dies || controller->asked_again || !job || !wm_job_has_ended(job))
		return;
	if (job->state == WM_JOB_DONE)
		job_done(sim);
	else
		job_failed(sim, job);
}

/* ---- from the lane ------------------------------------------------------------------------ */

static void event_due(struct sim *sim, const struct sim_event *event)
{
	struct sim_controller *controller = of(sim);
	struct wm_lane_event told;

	if (event->life != controller->life)
		return;
	told = controller->events[controller->event_head++ % EVENTS_MAX];
	wm_jobs_handle_lane_event(&controller->jobs, &told, sim->now_ns);
	look(sim);
}

void sim_controller_told(struct sim *sim, const struct wm_lane_event *event)
{
	struct sim_controller *controller = of(sim);
	uint32_t node = event->op == WM_LANE_NODE_WRONG ? event->node_wrong.node : 0;

	assert(controller->event_tail - controller->event_head < EVENTS_MAX);
	controller->events[controller->event_tail++ % EVENTS_MAX] = *event;
	sim_at(sim, sim->now_ns + sim->plan.hop_ns, event_due, NULL, event->op, node,
	       controller->life);
}

/* ---- members -------------------------------------------------------------------------------- */

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

static const uint8_t *find_object(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES],
				  size_t *bytes_count)
{
	struct sim *sim = context;

	assert(sim->object &&
	       memcmp(hash, sim->plan.layout.kernel.hash, WM_KERNEL_HASH_BYTES) == 0);
	*bytes_count = sim->object_bytes;
	return sim->object;
}

static void membership_change(void *context, uint32_t index, enum wm_member_change change)
{
	struct sim *sim = context;

	sim_trace(sim, "controller: member %u changes: %d, session %x", index, change,
		  of(sim)->membership.members[index].session);
	wm_jobs_handle_member_change(&of(sim)->jobs, index, change);
}

static void control_due(struct sim *sim, const struct sim_event *event)
{
	struct sim_controller *controller = of(sim);
	struct sim_frame *frame = event->object;
	const struct wm_ether_header *ether = (const struct wm_ether_header *)frame->data;
	struct wm_wire_header header;
	const uint8_t *body;

	if (event->life == controller->life &&
	    wm_frame_decode_control(frame->data, frame->bytes, &header, &body) == WM_DROP_NONE) {
		wm_membership_receive(&controller->membership, ether->source, &header, body,
				      sim->now_ns);
		wm_jobs_tick(&controller->jobs, sim->now_ns);
		look(sim);
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
	struct sim_controller *controller = of(sim);

	if (event->life != controller->life)
		return;
	wm_membership_tick(&controller->membership, sim->now_ns);
	wm_jobs_tick(&controller->jobs, sim->now_ns);
	look(sim);
	sim_at(sim, sim->now_ns + CONTROL_TICK_NS, control_tick, NULL, 0, 0, event->life);
}

static void lane_tick(struct sim *sim, const struct sim_event *event)
{
	if (event->life != of(sim)->life)
		return;
	sim_lane_tick(sim);
	sim_at(sim, sim->now_ns + sim->plan.tick_ns, lane_tick, NULL, 0, 0, event->life);
}

static void plan_crash(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	controller->crash_order = 0;
	if (controller->crashes < sim->plan.crashes && sim->now_ns < sim->plan.heal_ns)
		controller->crash_order = sim->events +
					  sim_between(sim, 1, 2 * sim->plan.crash_events);
}

/* Goes on with what the spool has; else somebody submits the job. */
static void take_up(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	if (controller->spooled) {
		controller->job = controller->spooled_id;
		return;
	}
	if (sim_disk_names(sim)->committed && !sim_disk_names(sim)->journal) {
		job_done(sim);
		return;
	}
	controller->asked_again = true;
	sim_at(sim, sim->now_ns, submit, NULL, 0, 0, controller->life);
}

static void boot(struct sim *sim, const struct sim_event *event)
{
	const struct wm_membership_calls calls = { .context = sim,
						   .send = membership_send,
						   .change = membership_change,
						   .find_object = find_object };
	struct sim_controller *controller = of(sim);
	struct wm_error error;

	(void)event;
	controller->up = true;
	controller->dies = controller->asked_again = false;
	controller->life++;
	controller->command_head = controller->command_tail = 0;
	controller->event_head = controller->event_tail = 0;
	sim_trace(sim, "controller: life %u begins", controller->life);
	sim_lane_boot(sim);
	controller->lanes = (struct wm_lanes){ .count = 1 };
	wm_membership_init(&controller->membership, &calls, sim_controller_mac);
	if (sim->plan.keyed)
		wm_membership_use_key(&controller->membership, &sim_key);
	if (wm_jobs_init(&controller->jobs, &controller->lanes, &controller->membership,
			 sim->plan.mtu, "/state", -1, &error) < 0)
		abort();
	take_up(sim);
	plan_crash(sim);
	sim_at(sim, sim->now_ns, control_tick, NULL, 0, 0, controller->life);
	sim_at(sim, sim->now_ns, lane_tick, NULL, 0, 0, controller->life);
}

static void forget_jobs(struct sim_controller *controller)
{
	for (uint32_t i = 0; i < controller->jobs.count; i++) {
		wm_job_feed_destroy(controller->jobs.jobs[i]);
		free(controller->jobs.jobs[i]);
	}
	controller->jobs.count = 0;
	controller->jobs.current = NULL;
}

static void crash(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	sim_trace(sim, "controller: dies");
	controller->up = false;
	controller->dies = false;
	controller->life++;
	controller->crashes++;
	sim->tally.crashes++;
	controller->crash_order = 0;
	sim_lane_die(sim);
	sim_disk_crash(sim);
	sim_check_crash(sim);
	forget_jobs(controller);
	sim_at(sim, sim->now_ns + sim_between(sim, 0, sim->plan.down_ns), boot, NULL, 0, 0, 0);
}

bool sim_controller_dies_here(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	if (!controller->dies && controller->crash_order && sim_fault(sim, 100000))
		controller->dies = true;
	return controller->dies;
}

void sim_controller_step(struct sim *sim)
{
	struct sim_controller *controller = of(sim);

	if (controller->up && controller->dies)
		crash(sim);
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
	forget_jobs(sim->controller);
	free(sim->controller);
}
