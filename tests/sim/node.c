/* SPDX-License-Identifier: BSD-3-Clause */
#include "node.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "bug.h"
#include "check.h"
#include "dataset.h"
#include "frame.h"

#define QUEUE_FRAMES 256u
#define SUBMISSION_FRAMES 64u

struct sim_node {
	struct sim *sim;
	uint32_t index;
	bool alive;
	uint32_t life; /* events of an earlier one are void */
	uint64_t frozen_until_ns;
	struct wm_agent agent;
	struct wm_kernel_cache kernels;
	uint64_t tick_ns; /* when the agent is called next */

	/* the worker */
	uint32_t session, job;
	bool has_job;
	uint8_t controller[WM_ETHER_ADDR_BYTES];
	struct wm_kernel_message kernel;
	uint64_t prepared_ns; /* the job that is being made ready is then, */
	bool prepare_fails;   /* or cannot be */
	struct sim_frame *queue[QUEUE_FRAMES];
	uint32_t head, tail, submission; /* frames in the submission that computes */
	struct wm_beat counters;
	struct sim_frame *old; /* the result of an earlier job */
};

static void schedule_agent(struct sim_node *node);
static void compute(struct sim_node *node);

/* ---- the agent's operations -------------------------------------------------- */

static void agent_send(void *context, const uint8_t destination[WM_ETHER_ADDR_BYTES],
		       const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct sim_node *node = context;
	struct sim_frame *frame = sim_frame_new(node->sim);
	uint8_t mac[WM_ETHER_ADDR_BYTES];

	sim_network_mac(mac, node->index);
	frame->control = true;
	frame->session = header->session;
	frame->used = WM_FRAME_HEADER_BYTES + (uint32_t)body_bytes;
	frame->bytes = (uint32_t)wm_frame_encode_control(
		frame->data, sim_frame_room(node->sim), destination, mac, header, body, body_bytes);
	assert(frame->bytes > 0);
	sim_trace(node->sim, "node %u: sends op %u, session %x, job %u", node->index, header->op,
		  header->session, header->job);
	sim_network_send_up(node->sim, node->index, frame);
}

static void agent_set_session(void *context, uint32_t session,
			      const uint8_t controller[WM_ETHER_ADDR_BYTES],
			      const uint8_t *frame_key)
{
	struct sim_node *node = context;

	(void)frame_key;
	node->session = session;
	node->has_job = false;
	memcpy(node->controller, controller, WM_ETHER_ADDR_BYTES);
}

static void check_object(struct sim_node *node, const struct wm_kernel_object *object)
{
	const struct sim *sim = node->sim;

	if ((object != NULL) != (sim->object != NULL) ||
	    (object && (object->code_bytes != sim->plan.code_bytes ||
			memcmp(object->code, sim->object + WM_KERNEL_OBJECT_HEADER_BYTES,
			       object->code_bytes))))
		sim_violate(node->sim, "node %u: prepares another kernel than the job's",
			    node->index);
}

static int agent_prepared(void *context, struct wm_error *error)
{
	struct sim_node *node = context;

	if (node->sim->now_ns < node->prepared_ns)
		return -EINPROGRESS;
	if (node->prepare_fails)
		return wm_error_set(error, EIO, "the compiler had a bad day");
	node->has_job = true;
	return 0;
}

static int agent_prepare(void *context, uint32_t job, const struct wm_kernel_message *kernel,
			 const struct wm_kernel_object *object, struct wm_error *error)
{
	struct sim_node *node = context;

	check_object(node, object);
	node->has_job = false;
	node->prepare_fails = sim_fault(node->sim, node->sim->plan.node[node->index].prepare_fails);
	node->job = job;
	node->kernel = *kernel;
	node->prepared_ns = node->sim->now_ns;
	if (node->sim->plan.prepare_ns > 0)
		node->prepared_ns += sim_between(node->sim, 0, node->sim->plan.prepare_ns);
	return agent_prepared(node, error);
}

static void agent_leave_prepared(void *context)
{
	struct sim_node *node = context;

	sim_violate(node->sim, "node %u: gives up what was nearly ready", node->index);
}

static void agent_count(void *context, struct wm_beat *beat)
{
	const struct sim_node *node = context;

	*beat = node->counters;
	beat->held = node->tail - node->head;
}

static const struct wm_agent_ops agent_ops = { .send = agent_send,
					       .set_session = agent_set_session,
					       .prepare = agent_prepare,
					       .prepared = agent_prepared,
					       .leave_prepared = agent_leave_prepared,
					       .count = agent_count };

/* ---- time ------------------------------------------------------------------------ */

static bool is_frozen(const struct sim_node *node)
{
	return node->sim->now_ns < node->frozen_until_ns;
}

/* What happens to a frozen node happens when it thaws. */
static bool is_put_off(struct sim_node *node, const struct sim_event *event)
{
	if (!is_frozen(node))
		return false;
	sim_at(node->sim, node->frozen_until_ns, event->run, event->object, event->value,
	       event->index, event->life);
	return true;
}

static void agent_due(struct sim *sim, const struct sim_event *event)
{
	struct sim_node *node = event->object;

	if (event->life != node->life || !node->alive || event->value != node->tick_ns ||
	    is_put_off(node, event))
		return;
	node->tick_ns = UINT64_MAX;
	(void)sim;
	schedule_agent(node);
}

static void schedule_agent(struct sim_node *node)
{
	uint64_t next_ns = wm_agent_tick(&node->agent, node->sim->now_ns);

	if (next_ns >= node->tick_ns)
		return;
	node->tick_ns = next_ns;
	sim_at(node->sim, next_ns, agent_due, node, next_ns, node->index, node->life);
}

/* ---- results ------------------------------------------------------------------------ */

static struct sim_frame *result_of(struct sim_node *node, struct sim_frame *map)
{
	const struct wm_wire_header *asked = sim_frame_header(map);
	const struct wm_kernel *kernel = &node->kernel.kernel;
	struct sim_frame *frame = sim_frame_new(node->sim);
	struct wm_wire_header *header = sim_frame_header(frame);
	bool fails = sim_fault(node->sim, node->sim->plan.node[node->index].fails);
	uint32_t bytes = fails ? 0 : wm_frame_result_bytes(kernel, asked->count);
	uint8_t *payload = (uint8_t *)(header + 1), mac[WM_ETHER_ADDR_BYTES];

	sim_network_mac(mac, node->index);
	wm_frame_ether((struct wm_ether_header *)frame->data, node->controller, mac);
	*header = *asked;
	header->op = WM_OP_RESULT;
	if (fails) {
		header->count = 0;
		sim_trace(node->sim, "node %u: cannot compute batch %llu", node->index,
			  (unsigned long long)header->batch);
		sim_check_failed(node->sim, header->batch);
	} else {
		sim_compute(kernel, (const uint8_t *)(asked + 1), payload, asked->count);
	}
	if (!fails && sim_fault(node->sim, node->sim->plan.node[node->index].wrong))
		payload[sim_between(node->sim, 0, bytes - 1)] ^= (uint8_t)(node->index + 1);
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), payload, bytes);

	frame->used = frame->bytes = WM_FRAME_HEADER_BYTES + bytes;
	frame->session = header->session;
	frame->job = header->job;
	if (frame->bytes < WM_FRAME_BYTES_MIN) {
		memset(frame->data + frame->bytes, 0, WM_FRAME_BYTES_MIN - frame->bytes);
		frame->bytes = WM_FRAME_BYTES_MIN;
	}
	return frame;
}

static struct sim_frame *copy_of(struct sim_node *node, const struct sim_frame *frame)
{
	struct sim_frame *copy = sim_frame_new(node->sim);

	memcpy(copy, frame, sizeof(*frame) + frame->bytes);
	return copy;
}

static void reseal(struct sim_frame *frame)
{
	struct wm_wire_header *header = sim_frame_header(frame);

	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), header + 1,
					  frame->used - WM_FRAME_HEADER_BYTES);
}

/* A node that mixes its jobs up: what it computed for an earlier one, under the
 * session of now. */
static void answer_old(struct sim_node *node, const struct sim_frame *result)
{
	struct sim_frame *frame;

	if (!node->old || !sim_fault(node->sim, node->sim->plan.node[node->index].old_answer))
		return;
	frame = copy_of(node, node->old);
	sim_frame_header(frame)->session = frame->session = result->session;
	sim_frame_header(frame)->sequence =
		((const struct wm_wire_header *)(result->data + WM_ETHER_HEADER_BYTES))->sequence;
	reseal(frame);
	sim_network_send_up(node->sim, node->index, frame);
}

static void remember_old(struct sim_node *node, const struct sim_frame *result)
{
	if (node->old && node->old->job == result->job)
		return;
	if (node->old && sim_between(node->sim, 0, 15))
		return;
	if (node->old)
		sim_frame_free(node->sim, node->old);
	node->old = copy_of(node, result);
}

static void answer(struct sim_node *node, struct sim_frame *map)
{
	const struct wm_wire_header *asked = sim_frame_header(map);
	struct sim_frame *result;

	/* Asked in a session or a job that ended while it waited for the GPU. */
	if (!node->has_job || asked->job != node->job || asked->session != node->session) {
		sim_frame_free(node->sim, map);
		return;
	}
	result = result_of(node, map);
	sim_frame_free(node->sim, map);
	answer_old(node, result);
	remember_old(node, result);
	node->counters.results++;
	sim_network_send_up(node->sim, node->index, result);
}

static void computed(struct sim *sim, const struct sim_event *event)
{
	struct sim_node *node = event->object;

	(void)sim;
	if (event->life != node->life || !node->alive || is_put_off(node, event))
		return;
	for (uint32_t count = node->submission; count > 0; count--)
		answer(node, node->queue[node->head++ % QUEUE_FRAMES]);
	node->submission = 0;
	compute(node);
}

static void compute(struct sim_node *node)
{
	const struct sim_node_plan *plan = &node->sim->plan.node[node->index];
	uint32_t waiting = node->tail - node->head;
	uint64_t ns;

	if (node->submission > 0 || waiting == 0)
		return;
	node->submission = waiting < SUBMISSION_FRAMES ? waiting : SUBMISSION_FRAMES;
	node->counters.submissions++;
	ns = plan->submit_ns + node->submission * plan->frame_ns;
	if (sim_fault(node->sim, plan->stall))
		ns += plan->stall_ns;
	sim_at(node->sim, node->sim->now_ns + ns, computed, node, node->submission, node->index,
	       node->life);
}

/* ---- frames in ------------------------------------------------------------------------ */

static enum wm_drop check_map(const struct sim_node *node, struct sim_frame *frame)
{
	const struct wm_wire_header *header = sim_frame_header(frame);
	enum wm_drop drop = wm_frame_check_header(header, frame->bytes);
	uint32_t bytes;

	if (drop != WM_DROP_NONE)
		return drop;
	if (header->op != WM_OP_MAP)
		return WM_DROP_OP;
	if (header->session != node->session || node->session == 0)
		return WM_DROP_SESSION;
	if (!node->has_job || header->job != node->job)
		return WM_DROP_JOB;
	if (header->count == 0 || header->count > node->kernel.batch_elements)
		return WM_DROP_BATCH;
	bytes = wm_frame_map_bytes(&node->kernel.kernel, header->count);
	drop = wm_frame_check_length(frame->bytes, bytes);
	return drop != WM_DROP_NONE ? drop : wm_frame_check_crc(header, header + 1, bytes);
}

static void receive_map(struct sim_node *node, struct sim_frame *frame)
{
	if (node->tail - node->head == QUEUE_FRAMES || check_map(node, frame) != WM_DROP_NONE) {
		node->counters.dropped++;
		sim_frame_free(node->sim, frame);
		return;
	}
	if (frame->damaged)
		sim_violate(node->sim, "node %u takes a damaged batch", node->index);
	node->counters.batches++;
	node->queue[node->tail++ % QUEUE_FRAMES] = frame;
	compute(node);
}

static void receive_control(struct sim_node *node, struct sim_frame *frame)
{
	struct wm_wire_header header;
	const uint8_t *body;

	if (wm_frame_decode_control(frame->data, frame->bytes, &header, &body) == WM_DROP_NONE) {
		if (frame->damaged)
			sim_violate(node->sim, "node %u takes a damaged message", node->index);
		wm_agent_receive(&node->agent, &header, body, node->sim->now_ns);
		schedule_agent(node);
	} else {
		node->counters.dropped++;
	}
	sim_frame_free(node->sim, frame);
}

static void thawed(struct sim *sim, const struct sim_event *event)
{
	sim_node_receive(sim, event->index, event->object);
}

void sim_node_receive(struct sim *sim, uint32_t index, struct sim_frame *frame)
{
	struct sim_node *node = &sim->nodes[index];

	if (!node->alive || frame->bytes < WM_FRAME_HEADER_BYTES)
		sim_frame_free(sim, frame);
	else if (is_frozen(node))
		sim_at(sim, node->frozen_until_ns, thawed, frame, frame->bytes, index, 0);
	else if (sim_frame_header(frame)->op >= WM_OP_HELLO)
		receive_control(node, frame);
	else
		receive_map(node, frame);
}

/* ---- life --------------------------------------------------------------------------------- */

static void schedule_death(struct sim_node *node);
static void schedule_freeze(struct sim_node *node);

static void start(struct sim *sim, const struct sim_event *event)
{
	struct sim_node *node = event->object;
	struct wm_agent_config config = {
		.ops = &agent_ops,
		.context = node,
		.hello = { .nonce = wm_random(&sim->random),
			   .mtu = sim->plan.mtu,
			   .capacity = sim->plan.node[node->index].window,
			   .device = "simulated",
			   .driver = "simulated",
			   .xdp_mode = "native" },
	};

	config.kernels = &node->kernels;
	sim_network_mac(config.address, node->index);
	if (sim->plan.keyed)
		config.key = &sim_key;
	snprintf(config.hello.name, sizeof(config.hello.name), "n%u", event->index);
	node->alive = true;
	node->life++;
	node->tick_ns = UINT64_MAX;
	memset(&node->counters, 0, sizeof(node->counters));
	sim_trace(sim, "node %u: starts", node->index);
	wm_agent_init(&node->agent, &config, sim->now_ns);
	schedule_agent(node);
	schedule_death(node);
	schedule_freeze(node);
}

static void forget_queue(struct sim_node *node)
{
	while (node->head != node->tail)
		sim_frame_free(node->sim, node->queue[node->head++ % QUEUE_FRAMES]);
	node->submission = 0;
}

static void die(struct sim *sim, const struct sim_event *event)
{
	struct sim_node *node = event->object;

	if (event->life != node->life || sim->now_ns >= sim->plan.heal_ns)
		return;
	sim_trace(sim, "node %u: dies", node->index);
	sim->tally.deaths++;
	if (sim_between(sim, 0, 3) == 0 && !is_frozen(node))
		wm_agent_leave(&node->agent, "the operator stops it");
	node->alive = false;
	node->life++;
	wm_kernel_cache_fini(&node->kernels);
	node->frozen_until_ns = 0;
	node->session = 0;
	node->has_job = false;
	forget_queue(node);
	sim_at(sim, sim->now_ns + sim_between(sim, 0, 2 * sim->plan.node[node->index].back_ns),
	       start, node, 0, node->index, node->life);
}

static void freeze(struct sim *sim, const struct sim_event *event)
{
	struct sim_node *node = event->object;

	if (event->life != node->life || sim->now_ns >= sim->plan.heal_ns)
		return;
	node->frozen_until_ns = sim->now_ns +
				sim_between(sim, 0, 2 * sim->plan.node[node->index].freeze_ns);
	sim_trace(sim, "node %u: is frozen", node->index);
	schedule_freeze(node);
}

static void schedule_within(struct sim_node *node, uint64_t every_ns, sim_run *run)
{
	if (every_ns)
		sim_at(node->sim, node->sim->now_ns + sim_between(node->sim, 0, 2 * every_ns), run,
		       node, 0, node->index, node->life);
}

static void schedule_death(struct sim_node *node)
{
	schedule_within(node, node->sim->plan.node[node->index].dies_every_ns, die);
}

static void schedule_freeze(struct sim_node *node)
{
	schedule_within(node, node->sim->plan.node[node->index].freezes_every_ns, freeze);
}

void sim_nodes_create(struct sim *sim)
{
	sim->nodes = sim_allocate(sim->plan.nodes, sizeof(*sim->nodes));
	for (uint32_t i = 0; i < sim->plan.nodes; i++) {
		struct sim_node *node = &sim->nodes[i];

		node->sim = sim;
		node->index = i;
		sim_at(sim, sim_between(sim, 0, sim->plan.join_ns), start, node, 0, i, 0);
	}
}

void sim_nodes_destroy(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->heap_count; i++) {
		if (sim->heap[i].run == thawed)
			free(sim->heap[i].object);
	}
	for (uint32_t i = 0; i < sim->plan.nodes; i++) {
		struct sim_node *node = &sim->nodes[i];

		forget_queue(node);
		wm_kernel_cache_fini(&node->kernels);
		if (node->old)
			sim_frame_free(sim, node->old);
	}
	free(sim->nodes);
}
