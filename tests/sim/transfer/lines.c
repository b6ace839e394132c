/* SPDX-License-Identifier: BSD-3-Clause */
/* A line to each node, with a rate and a queue; what may happen to a frame on it. */
#include <string.h>

#include "world.h"

struct flight {
	struct world_node *node;
	bool down;
	size_t bytes;
	uint8_t frame[];
};

static void arrive(struct sim *sim, const struct sim_event *event)
{
	struct flight *flight = event->object;

	if (flight->down)
		station_receive(world_of(sim), flight->node, flight->frame, flight->bytes);
	else
		controller_receive(world_of(sim), flight->node, flight->frame, flight->bytes);
	free(flight);
}

bool world_owns(const struct sim_event *event)
{
	return event->run == arrive;
}

static void damage(struct sim *sim, struct flight *flight)
{
	uint64_t bit = sim_between(sim, WM_ETHER_HEADER_BYTES * 8, flight->bytes * 8 - 1);

	flight->frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Data changed, and the CRC put right: by somebody, or a bad memory behind it. */
static void forge(struct flight *flight)
{
	struct wm_wire_header header;
	const uint8_t *body = flight->frame + WM_FRAME_HEADER_BYTES;

	memcpy(&header, flight->frame + WM_ETHER_HEADER_BYTES, sizeof(header));
	if (header.op != WM_OP_CHUNK || header.count <= WM_CHUNK_PREAMBLE_BYTES)
		return;
	flight->frame[WM_FRAME_HEADER_BYTES + header.count - 1] ^= 0x40;
	header.crc32c = wm_frame_crc_add(wm_frame_crc(&header), body, header.count);
	memcpy(flight->frame + WM_ETHER_HEADER_BYTES, &header, sizeof(header));
}

static void fly(struct world *world, struct world_node *node, bool down, const uint8_t *frame,
		size_t bytes, uint64_t at_ns, bool forged)
{
	struct sim *sim = &world->sim;
	struct flight *flight = sim_allocate(1, sizeof(*flight) + bytes);

	flight->node = node;
	flight->down = down;
	flight->bytes = bytes;
	memcpy(flight->frame, frame, bytes);
	if (forged)
		forge(flight);
	else if (sim_fault(sim, world->plan.damage))
		damage(sim, flight);
	if (sim_fault(sim, world->plan.delay))
		at_ns += sim_between(sim, 0, 5 * WM_NS_PER_MS);
	sim_at(sim, at_ns, arrive, flight, bytes, node->index, down);
}

static void send(struct world *world, struct world_node *node, bool down, const uint8_t *frame,
		 size_t bytes, uint64_t at_ns)
{
	struct sim *sim = &world->sim;
	uint32_t mtu = sim->now_ns < world->plan.mtu_ns ? world->plan.mtu : world->plan.mtu_later;

	at_ns += sim_between(sim, 50 * WM_NS_PER_US, 80 * WM_NS_PER_US);
	if (bytes > WM_ETHER_HEADER_BYTES + mtu || sim_fault(sim, world->plan.loss))
		return;
	fly(world, node, down, frame, bytes, at_ns, sim_fault(sim, world->plan.forge));
	if (sim_fault(sim, world->plan.repeat))
		fly(world, node, down, frame, bytes, at_ns + 1, false);
	if (sim_fault(sim, world->plan.forge))
		fly(world, node, down, frame, bytes, at_ns + sim_between(sim, 0, 30 * WM_NS_PER_MS),
		    true);
}

/* What does not fit into the switch's queue is gone, faults or not. */
void world_send_down(struct world *world, struct world_node *node, const uint8_t *frame,
		     size_t bytes)
{
	uint64_t now_ns = world->sim.now_ns;
	uint64_t takes_ns = bytes * WM_NS_PER_MS / world->plan.rate_bytes_per_ms;
	uint64_t queue_ns = world->plan.queue_bytes * WM_NS_PER_MS / world->plan.rate_bytes_per_ms;

	if (node->free_ns < now_ns)
		node->free_ns = now_ns;
	if (node->free_ns - now_ns > queue_ns)
		return;
	node->free_ns += takes_ns;
	send(world, node, true, frame, bytes, node->free_ns);
}

void world_send_up(struct world *world, struct world_node *node, const uint8_t *frame, size_t bytes)
{
	send(world, node, false, frame, bytes, world->sim.now_ns);
}
