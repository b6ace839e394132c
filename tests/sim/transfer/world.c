/* SPDX-License-Identifier: BSD-3-Clause */
/* What a seed draws, and when it happens. */
#include <sodium.h>
#include <string.h>

#include "world.h"

#define TICK_NS (2 * WM_NS_PER_MS)
#define EVENTS_MAX 20000000u

static bool one_in(struct world *world, uint32_t n)
{
	return wm_random_below(&world->sim.random, n) == 0;
}

/* None, or up to so many in a million. */
static uint32_t rate(struct world *world, uint32_t most)
{
	return one_in(world, 2) ? 0 : (uint32_t)sim_between(&world->sim, most / 100, most);
}

/* ---- what there is --------------------------------------------------------------------------- */

/* Only the first may be so small that others could be equal. */
static uint64_t draw_bytes(struct world *world, uint32_t object)
{
	struct sim *sim = &world->sim;

	switch (wm_random_below(&sim->random, object == 0 ? 6 : 4)) {
	case 0:
		return sim_between(sim, 16, 2000);
	case 1:
		return WM_CHUNK_BLOCK_BYTES * sim_between(sim, 1, 300);
	case 2:
		return sim_between(sim, 10000, 200000);
	case 3:
		return world->plan.job || !one_in(world, 8) ? sim_between(sim, 1000, 40000)
							    : sim_between(sim, 200000, 2000000);
	default:
		return sim_between(sim, 0, 2);
	}
}

static void make_objects(struct world *world)
{
	for (uint32_t i = 0; i < WORLD_OBJECTS; i++) {
		uint64_t bytes = i > 1 && one_in(world, 2) ? world->names[1].bytes
							   : draw_bytes(world, i);

		world->objects[i] = sim_allocate(bytes, 1);
		for (uint64_t at = 0; at < bytes; at++)
			world->objects[i][at] = (uint8_t)wm_random(&world->sim.random);
		wm_object_name(&world->names[i], world->objects[i], bytes);
	}
}

static void draw_faults(struct world *world)
{
	struct world_plan *plan = &world->plan;

	plan->loss = rate(world, one_in(world, 4) ? 100000 : 10000);
	plan->damage = rate(world, 20000);
	plan->repeat = rate(world, 50000);
	plan->delay = rate(world, 100000);
	plan->forge = one_in(world, 4) ? rate(world, 20000) : 0;
	if (!one_in(world, 4))
		return;
	plan->mtu = 9000;
	plan->mtu_later = one_in(world, 2) ? 1500 : 1280;
	plan->mtu_ns = sim_between(&world->sim, 0, world->sim.plan.heal_ns);
	plan->mtu_known_ns = plan->mtu_ns + sim_between(&world->sim, 0, 12 * WM_NS_PER_S);
}

static void draw(struct world *world)
{
	struct world_plan *plan = &world->plan;
	struct sim *sim = &world->sim;

	sim->plan.heal_ns = sim_between(sim, 100 * WM_NS_PER_MS, 4 * WM_NS_PER_S);
	sim->plan.until_ns = sim->plan.heal_ns + 120 * WM_NS_PER_S;
	plan->nodes = one_in(world, 4) ? WORLD_NODES_MAX : (uint32_t)sim_between(sim, 1, 6);
	plan->mtu = plan->mtu_later = one_in(world, 2) ? 1500 : 9000;
	plan->window_bytes = one_in(world, 3) ? (uint32_t)sim_between(sim, 128, 30000)
					      : (uint32_t)sim_between(sim, 30000, 1000000);
	plan->rate_bytes_per_ms = (uint32_t)sim_between(sim, 5000, 120000);
	plan->queue_bytes = (uint32_t)sim_between(sim, 20000, 200000);
	plan->job = one_in(world, 2);
	plan->batch_bytes_per_ms = one_in(world, 4) ? 0 : (uint32_t)sim_between(sim, 1000, 100000);
	draw_faults(world);
}

/* ---- what happens
 * -------------------------------------------------------------------------------- */

void world_announce(struct world *world, struct world_node *node, uint32_t slot, bool anew)
{
	if (!node->dead)
		station_expect(world, node, slot, node->deliveries[slot].object, anew);
	if (!world->stopped)
		controller_begin(world, node, slot);
}

static void announce_all(struct world *world, struct world_node *node)
{
	for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
		world_announce(world, node, slot, false);
}

static void node_return(struct sim *sim, const struct sim_event *event)
{
	struct world *world = world_of(sim);
	struct world_node *node = event->object;

	sim_trace(sim, "node %u is back", node->index);
	world->plans_left--;
	node->dead = false;
	node->session = ++world->sessions;
	announce_all(world, node);
}

static void node_die(struct sim *sim, const struct sim_event *event)
{
	struct world *world = world_of(sim);
	struct world_node *node = event->object;

	world->plans_left--;
	if (node->dead)
		return;
	sim_trace(sim, "node %u dies", node->index);
	world->tally.deaths++;
	node->dead = true;
	for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
		node->slots[slot].expects = false;
	world->plans_left++;
	sim_at(sim, sim->now_ns + sim_between(sim, 10 * WM_NS_PER_MS, event->value), node_return,
	       node, 0, node->index, 0);
}

static void controller_return(struct sim *sim, const struct sim_event *event)
{
	struct world *world = world_of(sim);

	sim_trace(sim, "the controller is back%s", event->value ? ", with new sessions" : "");
	world->plans_left--;
	world->stopped = false;
	for (uint32_t i = 0; i < world->plan.nodes; i++) {
		if (event->value)
			world->nodes[i].session = ++world->sessions;
		announce_all(world, &world->nodes[i]);
	}
}

static void controller_stop(struct sim *sim, const struct sim_event *event)
{
	struct world *world = world_of(sim);
	uint64_t back_ns = sim->now_ns + sim_between(sim, 0, 500 * WM_NS_PER_MS);
	bool new_sessions = one_in(world, 2);

	(void)event;
	world->plans_left--;
	if (world->stopped)
		return;
	sim_trace(sim, "the controller stops");
	world->stopped = true;
	world->tally.restarts++;
	for (uint32_t i = 0; i < world->plan.nodes * WORLD_SLOTS; i++) {
		struct world_node *node = &world->nodes[i / WORLD_SLOTS];

		node->deliveries[i % WORLD_SLOTS].runs = false;
		node->deliveries[i % WORLD_SLOTS].done = false;
	}
	world->plans_left++;
	sim_at(sim, back_ns, controller_return, NULL, new_sessions, 0, 0);
}

/* Another object is wanted: what is on its way of the one before does not count. */
static void replace(struct sim *sim, const struct sim_event *event)
{
	struct world *world = world_of(sim);
	struct world_node *node = event->object;
	uint32_t slot = (uint32_t)event->value;

	sim_trace(sim, "node %u is to have another object %u", node->index, slot);
	world->plans_left--;
	world->tally.replaced++;
	node->deliveries[slot].object ^= 1;
	node->deliveries[slot].done = node->deliveries[slot].runs = false;
	world_announce(world, node, slot, false);
}

/* A node needs its memory, and begins anew; the controller hears of it by acks alone. */
static void give_up_memory(struct sim *sim, const struct sim_event *event)
{
	struct world *world = world_of(sim);
	struct world_node *node = event->object;
	struct world_delivery *delivery = &node->deliveries[event->value];

	world->plans_left--;
	if (node->dead || !delivery->runs)
		return;
	sim_trace(sim, "node %u begins anew with object %u", node->index, delivery->object);
	world->tally.anew++;
	station_expect(world, node, (uint32_t)event->value, delivery->object, true);
}

static void tick(struct sim *sim, const struct sim_event *event)
{
	struct world *world = world_of(sim);

	(void)event;
	for (uint32_t i = 0; i < world->plan.nodes; i++)
		station_hash(world, &world->nodes[i]);
	controller_tick(world, TICK_NS);
	if (world->plans_left == 0 && controller_is_done(world))
		sim->ended = true;
	if (!sim->ended)
		sim_at(sim, sim->now_ns + TICK_NS, tick, NULL, 0, 0, 0);
}

static void plan_some(struct world *world, uint32_t most, sim_run *run, uint64_t value_max)
{
	struct sim *sim = &world->sim;
	uint32_t count = one_in(world, 2) ? 0 : (uint32_t)sim_between(sim, 1, most);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t at_ns = sim_between(sim, 0, sim->plan.heal_ns);
		uint32_t node = wm_random_below(&sim->random, world->plan.nodes);

		/* Early more often, while much is on its way. */
		if (!one_in(world, 4))
			at_ns = at_ns % (100 * WM_NS_PER_MS);
		world->plans_left++;
		sim_at(sim, at_ns, run, &world->nodes[node],
		       value_max < 2 ? wm_random_below(&sim->random, (uint32_t)value_max + 1)
				     : value_max,
		       node, 0);
	}
}

/* ---- a world
 * ------------------------------------------------------------------------------------- */

static void create(struct world *world, uint64_t seed, bool trace)
{
	size_t bytes = WORLD_NODES_MAX * sizeof(*world->nodes);

	memset(world, 0, sizeof(*world));
	world->sim.random = seed;
	world->sim.trace = trace;
	draw(world);
	make_objects(world);
	world->nodes = aligned_alloc(_Alignof(struct world_node), bytes);
	if (!world->nodes)
		abort();
	memset(world->nodes, 0, bytes);
	for (uint32_t i = 0; i < world->plan.nodes; i++) {
		struct world_node *node = &world->nodes[i];

		node->index = i;
		node->session = ++world->sessions;
		for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
			node->deliveries[slot].object = 2 * slot +
							wm_random_below(&world->sim.random, 2);
		announce_all(world, node);
	}
	plan_some(world, 3, node_die, (one_in(world, 4) ? 12 : 1) * WM_NS_PER_S);
	plan_some(world, 2, controller_stop, 0);
	plan_some(world, 4, replace, 1);
	plan_some(world, 3, give_up_memory, 1);
	sim_at(&world->sim, 0, tick, NULL, 0, 0, 0);
}

bool world_run(struct world *world, uint64_t seed, bool trace)
{
	create(world, seed, trace);
	while (!world->sim.ended && sim_step(&world->sim)) {
		if (world->sim.now_ns > world->sim.plan.until_ns || world->sim.events > EVENTS_MAX)
			sim_violate(&world->sim, "not everything is everywhere");
	}
	world->tally.events = world->sim.events;
	world->tally.virtual_ns = world->sim.now_ns;
	return !world->sim.violation[0];
}

void world_destroy(struct world *world)
{
	/* Frames on their way are the only events that own what they name. */
	for (uint32_t i = 0; i < world->sim.heap_count; i++) {
		if (world_owns(&world->sim.heap[i]))
			free(world->sim.heap[i].object);
	}
	for (uint32_t i = 0; i < world->plan.nodes * WORLD_SLOTS; i++) {
		struct world_slot *slot = &world->nodes[i / WORLD_SLOTS].slots[i % WORLD_SLOTS];

		free(slot->memory);
		free(slot->bitmap);
	}
	for (uint32_t i = 0; i < WORLD_OBJECTS; i++)
		free(world->objects[i]);
	free(world->nodes);
	free(world->sim.heap);
}
