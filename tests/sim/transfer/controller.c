/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller: a sender for each object and node, and their share beside a job. */
#include <errno.h>
#include <string.h>

#include "world.h"

/* A rack without faults gives nobody up. */
#define HEALTHY_NS (25 * WM_NS_PER_S)

static const uint8_t nobody[WM_ETHER_ADDR_BYTES];

static uint32_t body_bytes(const struct world *world)
{
	uint32_t mtu = world->sim.now_ns < world->plan.mtu_known_ns ? world->plan.mtu
								    : world->plan.mtu_later;

	return mtu - WM_WIRE_HEADER_BYTES;
}

void controller_begin(struct world *world, struct world_node *node, uint32_t slot)
{
	struct world_delivery *delivery = &node->deliveries[slot];
	const struct wm_transfer_config config = {
		.object = world->names[delivery->object],
		.session = node->session,
		.seed = (uint32_t)wm_random(&world->sim.random),
		.body_bytes_max = body_bytes(world),
	};

	delivery->runs = true;
	delivery->done = delivery->known = false;
	delivery->restarts = 0;
	if (wm_transfer_init(&delivery->transfer, &config) < 0)
		sim_violate(&world->sim, "an object cannot be sent");
}

/* ---- acks ------------------------------------------------------------------------------ */

static void finish(struct world *world, struct world_node *node, uint32_t slot)
{
	struct world_delivery *delivery = &node->deliveries[slot];
	const struct wm_transfer *transfer = &delivery->transfer;
	uint64_t bytes = transfer->object.bytes;

	delivery->runs = false;
	delivery->done = true;
	if (node->slots[slot].done_id != transfer->id)
		sim_violate(&world->sim,
			    "object %u is called complete, and node %u has not said so",
			    delivery->object, node->index);
	world->tally.complete++;
	world->tally.chunks += transfer->counters.chunks;
	world->tally.lost += transfer->counters.lost;
	if (transfer->counters.data_bytes > bytes)
		world->tally.again_bytes += transfer->counters.data_bytes - bytes;
	sim_trace(&world->sim, "object %u is at node %u", delivery->object, node->index);
}

static void fail(struct world *world, struct world_node *node, uint32_t slot)
{
	struct world_delivery *delivery = &node->deliveries[slot];
	int status = wm_transfer_status(&delivery->transfer);

	sim_trace(&world->sim, "object %u to node %u: %s", delivery->object, node->index,
		  wm_transfer_reason(status));
	world->tally.wrong += status == -EBADMSG;
	world->tally.given_up += status != -EBADMSG;
	if (status == -ETIME || (status == -EMSGSIZE && world->plan.mtu == world->plan.mtu_later))
		sim_violate(&world->sim, "node %u answers, and object %u does not get on",
			    node->index, delivery->object);
	if (status != -EBADMSG && world->sim.now_ns > world->sim.plan.heal_ns + HEALTHY_NS)
		sim_violate(&world->sim, "object %u to node %u: given up without a fault: %s",
			    delivery->object, node->index, wm_transfer_reason(status));
	world_announce(world, node, slot, status == -EBADMSG);
}

static void look(struct world *world, struct world_node *node, uint32_t slot)
{
	struct world_delivery *delivery = &node->deliveries[slot];

	if (!delivery->runs || wm_transfer_status(&delivery->transfer) == -EINPROGRESS)
		return;
	if (wm_transfer_status(&delivery->transfer) == 0)
		finish(world, node, slot);
	else
		fail(world, node, slot);
}

/* What the first ack tells is there; of a receiver that has begun anew, nothing. */
static void learn(struct world_delivery *delivery, const uint8_t *body, size_t bytes)
{
	struct wm_chunk_ack ack;

	if (delivery->transfer.counters.restarts != delivery->restarts)
		delivery->known_bytes = 0;
	delivery->restarts = delivery->transfer.counters.restarts;
	if (delivery->known || wm_chunk_ack_decode(body, bytes, &ack) < 0)
		return;
	delivery->known = true;
	delivery->known_bytes = ack.received_bytes;
}

void controller_receive(struct world *world, struct world_node *node, const uint8_t *frame,
			size_t bytes)
{
	struct wm_wire_header header;
	const uint8_t *body;

	if (world->stopped ||
	    wm_frame_decode_control(frame, bytes, &header, &body) != WM_DROP_NONE ||
	    header.op != WM_OP_CHUNK_ACK)
		return;
	for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++) {
		struct world_delivery *delivery = &node->deliveries[slot];
		enum wm_drop drop;

		if (!delivery->runs)
			continue;
		drop = wm_transfer_ack(&delivery->transfer, &header, body, header.count,
				       world->sim.now_ns);
		if (drop == WM_DROP_BODY)
			sim_violate(&world->sim, "an ack of node %u makes no sense", node->index);
		if (drop == WM_DROP_NONE)
			learn(delivery, body, header.count);
		look(world, node, slot);
	}
}

/* ---- chunks --------------------------------------------------------------------------------- */

static void check_chunk(struct world *world, struct world_node *node, uint32_t slot,
			const struct wm_chunk *chunk)
{
	struct world_delivery *delivery = &node->deliveries[slot];
	const struct wm_transfer *transfer = &delivery->transfer;

	if (chunk->data_bytes == 0)
		return;
	if (!delivery->known)
		sim_violate(&world->sim, "data go to node %u before it has answered", node->index);
	if (chunk->offset + chunk->data_bytes <= delivery->known_bytes)
		sim_violate(&world->sim, "node %u is sent what it has said it has", node->index);
	if (transfer->in_flight_bytes > world->plan.window_bytes &&
	    transfer->in_flight_bytes > chunk->data_bytes)
		sim_violate(&world->sim, "more is on its way to node %u than it holds",
			    node->index);
}

static void send(struct world *world, struct world_node *node, uint32_t slot,
		 struct wm_transfer_chunk *sent)
{
	uint8_t body[WM_MTU_MAX], frame[WM_ETHER_HEADER_BYTES + WM_MTU_MAX];
	size_t bytes;

	sent->chunk.data = world->objects[node->deliveries[slot].object] + sent->chunk.offset;
	bytes = wm_chunk_encode(body, sizeof(body), &sent->chunk);
	bytes = wm_frame_encode_control(frame, sizeof(frame), nobody, nobody, &sent->header, body,
					bytes);
	if (bytes == 0)
		sim_violate(&world->sim, "a chunk does not fit into a frame");
	check_chunk(world, node, slot, &sent->chunk);
	world->taken_bytes += sent->wire_bytes;
	if (world->plan.job && world->taken_bytes > world->share_bytes)
		sim_violate(&world->sim, "transfers take more than their share beside a job");
	world_send_down(world, node, frame, bytes);
}

static bool send_next(struct world *world, struct world_node *node, uint32_t slot)
{
	struct world_delivery *delivery = &node->deliveries[slot];
	uint32_t budget = world->plan.job ? wm_transfer_share_budget(&world->share) : UINT32_MAX;
	struct wm_transfer_chunk sent;

	if (!delivery->runs ||
	    !wm_transfer_next(&delivery->transfer, world->sim.now_ns, budget, &sent))
		return false;
	wm_transfer_share_take(&world->share, sent.wire_bytes);
	send(world, node, slot, &sent);
	return true;
}

/* A chunk each in turn, from another node on each time, so that the share is everybody's. */
static void send_all(struct world *world)
{
	uint32_t first = (uint32_t)wm_random_below(&world->sim.random, world->plan.nodes);
	bool some = true;

	while (some && !world->sim.ended) {
		some = false;
		for (uint32_t i = 0; i < world->plan.nodes * WORLD_SLOTS; i++) {
			uint32_t node = (first + i / WORLD_SLOTS) % world->plan.nodes;

			some |= send_next(world, &world->nodes[node], i % WORLD_SLOTS);
		}
	}
}

/* What may have been taken by now: an eighth of batches, 1 MB/s, and what was saved up. */
static void add_share(struct world *world, uint64_t elapsed_ns)
{
	uint64_t batch_bytes = world->plan.batch_bytes_per_ms * elapsed_ns / WM_NS_PER_MS;

	wm_transfer_share_add(&world->share, batch_bytes, elapsed_ns);
	world->share_bytes += batch_bytes / 8 + elapsed_ns / 1000 + 1;
}

void controller_tick(struct world *world, uint64_t elapsed_ns)
{
	add_share(world, elapsed_ns);
	if (world->stopped)
		return;
	for (uint32_t i = 0; i < world->plan.nodes * WORLD_SLOTS; i++) {
		struct world_node *node = &world->nodes[i / WORLD_SLOTS];
		struct world_delivery *delivery = &node->deliveries[i % WORLD_SLOTS];

		if (!delivery->runs)
			continue;
		wm_transfer_resize(&delivery->transfer, body_bytes(world));
		wm_transfer_expire(&delivery->transfer, world->sim.now_ns);
		look(world, node, i % WORLD_SLOTS);
	}
	send_all(world);
}

bool controller_is_done(const struct world *world)
{
	for (uint32_t i = 0; i < world->plan.nodes * WORLD_SLOTS; i++) {
		if (!world->nodes[i / WORLD_SLOTS].deliveries[i % WORLD_SLOTS].done)
			return false;
	}
	return true;
}
