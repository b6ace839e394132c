/* SPDX-License-Identifier: BSD-3-Clause */
#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "node.h"
#include "sim_lane.h"
#include "wiremill/limits.h"

struct wire {
	uint64_t free_ns;
};

struct cable {
	struct wire down, up;
	uint64_t fallen_until_ns; /* what is sent until then is lost */
};

struct sim_network {
	struct wire trunk_down, trunk_up;
	struct cable cable[SIM_NODES_MAX];
	struct sim_frame *spare; /* a list through data */
	uint32_t room;
};

const uint8_t sim_controller_mac[WM_ETHER_ADDR_BYTES] = { 0x02, 0xff, 0, 0, 0, 0x01 };

const struct wm_key sim_key = { .bytes = { 1, 2, 3 } };

void sim_network_mac(uint8_t mac[WM_ETHER_ADDR_BYTES], uint32_t node)
{
	memcpy(mac, (const uint8_t[]){ 0x02, 0, 0, 0, 0, (uint8_t)(node + 1) },
	       WM_ETHER_ADDR_BYTES);
}

/* ---- frames ------------------------------------------------------------------- */

struct sim_frame *sim_frame_new(struct sim *sim)
{
	struct sim_frame *frame = sim->network->spare;

	if (frame)
		memcpy(&sim->network->spare, frame->data, sizeof(sim->network->spare));
	else
		frame = sim_allocate(1, sizeof(*frame) + sim->network->room);
	memset(frame, 0, sizeof(*frame));
	return frame;
}

void sim_frame_free(struct sim *sim, struct sim_frame *frame)
{
	memcpy(frame->data, &sim->network->spare, sizeof(sim->network->spare));
	sim->network->spare = frame;
}

static struct sim_frame *frame_copy(struct sim *sim, const struct sim_frame *frame)
{
	struct sim_frame *copy = sim_frame_new(sim);

	memcpy(copy, frame, sizeof(*frame) + frame->bytes);
	return copy;
}

struct wm_wire_header *sim_frame_header(struct sim_frame *frame)
{
	return (struct wm_wire_header *)(frame->data + WM_ETHER_HEADER_BYTES);
}

uint32_t sim_frame_room(const struct sim *sim)
{
	return sim->network->room;
}

/* ---- wires ---------------------------------------------------------------------- */

/* When a frame that enters now arrives; 0: the queue is full. */
static uint64_t wire_pass(struct sim *sim, const struct sim_link *link, struct wire *wire,
			  uint32_t bytes)
{
	if (wire->free_ns < sim->now_ns)
		wire->free_ns = sim->now_ns;
	if (wire->free_ns - sim->now_ns > link->queue_ns)
		return 0;
	wire->free_ns += (bytes + 24) * link->ps_per_byte / 1000;
	return wire->free_ns + link->delay_ns;
}

/* A burst of errors: one to three bits near each other, which CRC32C always sees. */
static void frame_damage(struct sim *sim, struct sim_frame *frame)
{
	bool header = sim_between(sim, 0, 2) == 0;
	uint64_t first = sim_between(sim, 0, (header ? WM_FRAME_HEADER_BYTES : frame->bytes) - 1);
	uint8_t flips[4] = { 0 };

	for (uint64_t count = sim_between(sim, 1, 3); count > 0; count--)
		flips[sim_between(sim, 0, 3)] |= (uint8_t)(1u << sim_between(sim, 0, 7));
	for (uint64_t i = 0; i < sizeof(flips) && first + i < frame->bytes; i++) {
		frame->data[first + i] ^= flips[i];
		frame->damaged |= flips[i] && first + i >= WM_ETHER_HEADER_BYTES &&
				  first + i < frame->used;
	}
}

static void frame_cut(struct sim *sim, struct sim_frame *frame)
{
	frame->bytes = (uint32_t)sim_between(sim, WM_ETHER_HEADER_BYTES, frame->bytes - 1);
	frame->damaged |= frame->bytes < frame->used;
}

static void cable_deliver(struct sim *sim, uint64_t at_ns, sim_run *arrive, uint32_t node,
			  struct sim_frame *frame)
{
	const struct sim_cable *plan = &sim->plan.node[node].cable;

	if (sim_fault(sim, plan->reorder))
		at_ns += sim_between(sim, 0, plan->reorder_ns);
	if (sim_fault(sim, plan->duplicate))
		sim_at(sim, at_ns + sim_between(sim, 0, plan->reorder_ns), arrive,
		       frame_copy(sim, frame), frame->bytes, node, 0);
	/* It went astray somewhere and comes back seconds later. */
	if (sim_fault(sim, sim->plan.ghost))
		sim_at(sim, at_ns + sim_between(sim, 0, 15 * WM_NS_PER_S), arrive,
		       frame_copy(sim, frame), frame->bytes, node, 0);
	sim_at(sim, at_ns, arrive, frame, frame->bytes, node, 0);
}

/* Takes the frame over. */
static void cable_send(struct sim *sim, uint32_t node, struct wire *wire, sim_run *arrive,
		       struct sim_frame *frame)
{
	const struct sim_cable *plan = &sim->plan.node[node].cable;
	uint64_t at_ns = wire_pass(sim, &plan->link, wire, frame->bytes);

	if (at_ns == 0 || sim->now_ns < sim->network->cable[node].fallen_until_ns ||
	    sim_fault(sim, plan->loss)) {
		sim_frame_free(sim, frame);
		return;
	}
	if (sim_fault(sim, plan->damage))
		frame_damage(sim, frame);
	if (sim_fault(sim, plan->cut))
		frame_cut(sim, frame);
	cable_deliver(sim, at_ns, arrive, node, frame);
}

/* ---- down -------------------------------------------------------------------------- */

static void arrive_at_node(struct sim *sim, const struct sim_event *event)
{
	sim_node_receive(sim, event->index, event->object);
}

static void arrive_at_cable(struct sim *sim, const struct sim_event *event)
{
	cable_send(sim, event->index, &sim->network->cable[event->index].down, arrive_at_node,
		   event->object);
}

static uint32_t node_of_mac(const struct sim *sim, const uint8_t *mac)
{
	uint8_t own[WM_ETHER_ADDR_BYTES];

	for (uint32_t i = 0; i < sim->plan.nodes; i++) {
		sim_network_mac(own, i);
		if (mac[WM_ETHER_ADDR_BYTES - 1] == own[WM_ETHER_ADDR_BYTES - 1] &&
		    memcmp(mac, own, sizeof(own)) == 0)
			return i;
	}
	return UINT32_MAX;
}

void sim_network_send_down(struct sim *sim, struct sim_frame *frame)
{
	uint32_t node = node_of_mac(sim, frame->data);
	uint64_t at_ns;

	if (node == UINT32_MAX) { /* a member that a damaged address made up */
		sim_frame_free(sim, frame);
		return;
	}
	/* The port takes a frame when it has room, so none is lost here. */
	at_ns = wire_pass(sim,
			  &(struct sim_link){ .ps_per_byte = sim->plan.trunk.ps_per_byte,
					      .delay_ns = sim->plan.trunk.delay_ns,
					      .queue_ns = UINT64_MAX },
			  &sim->network->trunk_down, frame->bytes);
	sim_at(sim, at_ns, arrive_at_cable, frame, 0, node, 0);
}

/* ---- up ------------------------------------------------------------------------------ */

static void arrive_at_controller(struct sim *sim, const struct sim_event *event)
{
	sim_lane_receive(sim, event->object);
}

static void arrive_at_trunk(struct sim *sim, const struct sim_event *event)
{
	struct sim_frame *frame = event->object;
	uint64_t at_ns = wire_pass(sim, &sim->plan.trunk, &sim->network->trunk_up, frame->bytes);

	if (at_ns)
		sim_at(sim, at_ns, arrive_at_controller, frame, frame->bytes, event->index, 0);
	else
		sim_frame_free(sim, frame);
}

void sim_network_send_up(struct sim *sim, uint32_t node, struct sim_frame *frame)
{
	frame->node = node;
	cable_send(sim, node, &sim->network->cable[node].up, arrive_at_trunk, frame);
}

/* ---- falls ---------------------------------------------------------------------------- */

static void schedule_fall(struct sim *sim, uint32_t node);

static void fall(struct sim *sim, const struct sim_event *event)
{
	if (sim->now_ns >= sim->plan.heal_ns)
		return;
	sim->network->cable[event->index].fallen_until_ns =
		sim->now_ns + sim_between(sim, 0, 2 * sim->plan.node[event->index].fall_ns);
	sim_trace(sim, "node %u: its link is down", event->index);
	schedule_fall(sim, event->index);
}

static void schedule_fall(struct sim *sim, uint32_t node)
{
	uint64_t every_ns = sim->plan.node[node].link_falls_every_ns;

	if (every_ns)
		sim_at(sim, sim->now_ns + sim_between(sim, 0, 2 * every_ns), fall, NULL, 0, node,
		       0);
}

void sim_network_create(struct sim *sim)
{
	uint32_t room = WM_FRAME_HEADER_BYTES + WM_MESSAGE_BYTES_MAX;
	uint32_t map = WM_FRAME_HEADER_BYTES + wm_frame_map_bytes(&sim->plan.layout.kernel,
								  sim->plan.layout.batch_elements);
	uint32_t result =
		WM_FRAME_HEADER_BYTES +
		wm_frame_result_bytes(&sim->plan.layout.kernel, sim->plan.layout.batch_elements);

	sim->network = sim_allocate(1, sizeof(*sim->network));
	sim->network->room = room > map ? room : map;
	if (result > sim->network->room)
		sim->network->room = result;
	for (uint32_t i = 0; i < sim->plan.nodes; i++)
		schedule_fall(sim, i);
}

/* Frames that are on their way stand in events. */
void sim_network_destroy(struct sim *sim)
{
	struct sim_frame *frame;

	for (uint32_t i = 0; i < sim->heap_count; i++) {
		sim_run *run = sim->heap[i].run;

		if (run == arrive_at_node || run == arrive_at_cable ||
		    run == arrive_at_controller || run == arrive_at_trunk)
			free(sim->heap[i].object);
	}
	while ((frame = sim->network->spare)) {
		memcpy(&sim->network->spare, frame->data, sizeof(sim->network->spare));
		free(frame);
	}
	free(sim->network);
}
