/* SPDX-License-Identifier: BSD-3-Clause */
/* A node: takes chunks of what it expects, hashes, answers. */
#include <errno.h>
#include <string.h>

#include "world.h"

#define HASH_STEP_BYTES 16384u

static const uint8_t nobody[WM_ETHER_ADDR_BYTES];

static void send_ack(struct world *world, struct world_node *node,
		     const struct wm_wire_header *header, const struct wm_chunk_ack *ack)
{
	uint8_t body[WM_CHUNK_ACK_BYTES + WM_CHUNK_BITMAP_BYTES_MAX];
	uint8_t frame[WM_FRAME_HEADER_BYTES + sizeof(body)];
	size_t bytes = wm_chunk_ack_encode(body, sizeof(body), ack);

	bytes = wm_frame_encode_control(frame, sizeof(frame), nobody, nobody, header, body, bytes);
	world_send_up(world, node, frame, bytes);
}

/* The first thing that must hold: what it calls complete is the object. */
static void check_complete(struct world *world, struct world_node *node, struct world_slot *slot)
{
	const struct wm_object *object = &world->names[slot->object];

	if (memcmp(slot->memory, world->objects[slot->object], object->bytes) != 0)
		sim_violate(&world->sim, "node %u: object %u is complete, and is not the object",
			    node->index, slot->object);
	slot->done_id = slot->receiver.id;
}

static void answer(struct world *world, struct world_node *node, struct world_slot *slot)
{
	struct wm_wire_header header;
	struct wm_chunk_ack ack;

	if (wm_receiver_status(&slot->receiver) == 0)
		check_complete(world, node, slot);
	if (wm_receiver_status(&slot->receiver) == -EBADMSG && world->plan.forge == 0)
		sim_violate(&world->sim,
			    "node %u: object %u has a wrong hash, and nobody forged it",
			    node->index, slot->object);
	wm_receiver_ack(&slot->receiver, &header, &ack);
	send_ack(world, node, &header, &ack);
}

static void refuse(struct world *world, struct world_node *node, const struct wm_wire_header *chunk)
{
	struct wm_wire_header header;
	struct wm_chunk_ack ack;

	wm_receiver_refuse(chunk, -ENOENT, &header, &ack);
	send_ack(world, node, &header, &ack);
	world->tally.refused++;
}

void station_receive(struct world *world, struct world_node *node, const uint8_t *frame,
		     size_t bytes)
{
	struct wm_wire_header header;
	const uint8_t *body;

	if (node->dead || wm_frame_decode_control(frame, bytes, &header, &body) != WM_DROP_NONE ||
	    header.session != node->session || header.op != WM_OP_CHUNK)
		return;
	for (uint32_t i = 0; i < WORLD_SLOTS; i++) {
		struct world_slot *slot = &node->slots[i];
		enum wm_drop drop;

		if (!slot->expects)
			continue;
		drop = wm_receiver_take(&slot->receiver, &header, body, header.count);
		if (drop == WM_DROP_NONE)
			answer(world, node, slot);
		if (drop != WM_DROP_BATCH)
			return;
	}
	refuse(world, node, &header);
}

void station_hash(struct world *world, struct world_node *node)
{
	for (uint32_t i = 0; i < WORLD_SLOTS && !node->dead; i++) {
		struct world_slot *slot = &node->slots[i];

		if (slot->expects && wm_receiver_hash(&slot->receiver, HASH_STEP_BYTES))
			answer(world, node, slot);
	}
}

void station_expect(struct world *world, struct world_node *node, uint32_t slot_index,
		    uint32_t object, bool anew)
{
	struct world_slot *slot = &node->slots[slot_index];
	struct wm_receiver_config config = {
		.object = world->names[object],
		.session = node->session,
		.life = transfer_bug == TRANSFER_BUG_SAME_LIFE ? 1 : ++world->lives,
		.window_bytes = world->plan.window_bytes,
	};

	if (slot->expects && slot->object == object && !anew) {
		wm_receiver_resume(&slot->receiver, node->session);
		return;
	}
	free(slot->memory);
	free(slot->bitmap);
	/* Just so large, that the sanitizer build sees a write beyond. */
	slot->memory = config.memory = sim_allocate(config.object.bytes, 1);
	slot->bitmap = config.bitmap =
		sim_allocate(WM_RECEIVER_WORDS(config.object.bytes), sizeof(*config.bitmap));
	slot->object = object;
	slot->expects = true;
	if (wm_receiver_init(&slot->receiver, &config) < 0)
		sim_violate(&world->sim, "node %u refuses an object", node->index);
}
