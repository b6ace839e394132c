/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transfers in virtual time, from one seed: a controller that brings objects to up to twelve
 * nodes, two at once to each, over a network that loses, damages, repeats, reorders and forges.
 *
 *    controller.c ── frames ──▶ lines.c ──▶ station.c (a node)
 *    wm_transfer   ◀── acks ──              wm_receiver
 *
 * Real code decides: transfer, receiver, chunk, frame, object. What membership will do is done
 * at once and by hand: who is to have which object, in which session. Nodes die and come back
 * empty, controllers start again, objects are replaced by others of the same size, memory is
 * given up, the MTU of a way shrinks. Half of the worlds have a job, beside which the transfers
 * get their share. What must hold is checked where it happens:
 *
 *   - what a node calls complete is the object, byte for byte
 *   - what the controller calls complete, the node has called so
 *   - nothing is of a wrong hash, unless somebody forged it
 *   - a sender sends nothing that the first ack told it is there
 *   - no more is on its way than the receiver holds, nor sent than the share has
 *   - some time after the last fault everything is everywhere
 *
 * Time, chance and the queue of events are those of wm-sim (sim.h). One thread.
 */
#ifndef WM_SIM_TRANSFER_WORLD_H
#define WM_SIM_TRANSFER_WORLD_H

#include "receiver.h"
#include "sim.h"
#include "transfer.h"

#define WORLD_NODES_MAX 12u
#define WORLD_SLOTS 2u /* objects to a node at once */
#define WORLD_OBJECTS 4u

enum transfer_bug {
	TRANSFER_BUG_NONE,
	TRANSFER_BUG_TAIL,	/* complete without the last block */
	TRANSFER_BUG_HASH,	/* a wrong hash is good enough */
	TRANSFER_BUG_OLDER,	/* a chunk is of the object that is here, whatever its id */
	TRANSFER_BUG_OVERWRITE, /* a block that is here is written again */
	TRANSFER_BUG_NO_TIMER,	/* nothing is lost but by later acks */
	TRANSFER_BUG_NO_SHARE,	/* it does not yield to batches */
	TRANSFER_BUG_WINDOW,	/* what the receiver holds is not looked at */
	TRANSFER_BUG_NO_RESUME, /* what is there already is sent again */
	TRANSFER_BUG_SAME_LIFE, /* a receiver that begins anew does not say so */
	TRANSFER_BUGS,
};

extern enum transfer_bug transfer_bug;

const char *transfer_bug_name(enum transfer_bug bug);
/* TRANSFER_BUGS: there is none of that name. */
enum transfer_bug transfer_bug_find(const char *name);

struct world_plan {
	uint32_t nodes;
	uint32_t loss, damage, repeat, delay, forge; /* in a million frames */
	uint32_t mtu, mtu_later;
	uint64_t mtu_ns, mtu_known_ns; /* when it shrinks, and when the controller learns of it */
	uint32_t window_bytes;
	uint32_t rate_bytes_per_ms, queue_bytes;
	bool job;
	uint32_t batch_bytes_per_ms;
};

/* One object for one node, at the controller. */
struct world_delivery {
	struct wm_transfer transfer;
	bool runs, done, known; /* known: an ack has said what is there */
	uint32_t object;
	uint64_t known_bytes, restarts;
};

/* The same, at the node. */
struct world_slot {
	struct wm_receiver receiver;
	bool expects;
	uint32_t object;
	uint64_t done_id; /* the last transfer that it called complete */
	uint8_t *memory;
	uint64_t *bitmap;
};

struct world_node {
	uint32_t index, session;
	bool dead;
	uint64_t free_ns; /* when its line has sent what waits */
	struct world_slot slots[WORLD_SLOTS];
	struct world_delivery deliveries[WORLD_SLOTS];
};

struct world_tally {
	uint64_t seeds, events, complete, chunks, again_bytes, lost, deaths, restarts;
	uint64_t replaced, anew, refused, wrong, given_up, virtual_ns;
};

struct world {
	struct sim sim; /* first: an event's sim is its world */
	struct world_plan plan;
	struct wm_object names[WORLD_OBJECTS];
	uint8_t *objects[WORLD_OBJECTS];
	struct world_node *nodes;
	struct wm_transfer_share share;
	uint64_t share_bytes; /* that transfers may have taken by now, and have */
	uint64_t taken_bytes;
	uint32_t sessions, lives;
	uint32_t plans_left; /* of what is to happen yet */
	bool stopped;	     /* the controller is away */
	struct world_tally tally;
};

static inline struct world *world_of(struct sim *sim)
{
	return (struct world *)sim;
}

/* world.c: what happens, by the seed. False: world->sim.violation says what was broken. */
bool world_run(struct world *world, uint64_t seed, bool trace);
void world_destroy(struct world *world);
/* Whom the controller tells what to expect: in new memory, or in what there is. */
void world_announce(struct world *world, struct world_node *node, uint32_t slot, bool anew);

/* lines.c: frames are copied. */
void world_send_down(struct world *world, struct world_node *node, const uint8_t *frame,
		     size_t bytes);
void world_send_up(struct world *world, struct world_node *node, const uint8_t *frame,
		   size_t bytes);

/* Whether the event is a frame on its way, which is freed when it arrives. */
bool world_owns(const struct sim_event *event);

/* station.c */
void station_receive(struct world *world, struct world_node *node, const uint8_t *frame,
		     size_t bytes);
void station_hash(struct world *world, struct world_node *node);
void station_expect(struct world *world, struct world_node *node, uint32_t slot, uint32_t object,
		    bool anew);

/* controller.c */
void controller_receive(struct world *world, struct world_node *node, const uint8_t *frame,
			size_t bytes);
void controller_begin(struct world *world, struct world_node *node, uint32_t slot);
void controller_tick(struct world *world, uint64_t elapsed_ns);
bool controller_is_done(const struct world *world);

#endif
