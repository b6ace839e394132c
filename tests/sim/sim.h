/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One world in virtual time, from one seed: a controller, a switch, nodes, a disk.
 *
 *    disk.c ◀──▶ sim_lane.c ◀── network.c ──▶ node.c (many)
 *                  │                            wm_agent, a kernel computed for real
 *            controller.c
 *
 * Real code decides: stream, leader, dispatch, flow, ledger, frame, progress, jobs,
 * membership, agent, messages, the journal's bytes, layout. sim_lane.c and controller.c
 * stand for dataplane/lane/lane.c, lane_job.c and control/daemon.c, which are bound to DPDK,
 * io_uring and threads: they carry out what the real code asks for on what is simulated here.
 * check.c watches, through watch.c. Everything that may differ between two runs comes from the
 * seed, so a run can be replayed.
 *
 * One thread. Whoever schedules an event owns its object until it runs.
 */
#ifndef WM_SIM_H
#define WM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "plan.h"
#include "seed.h"

struct sim;
struct sim_event;
struct sim_network;
struct sim_disk;
struct sim_node;
struct sim_lane;
struct sim_controller;
struct sim_check;

typedef void sim_run(struct sim *sim, const struct sim_event *event);

struct sim_event {
	uint64_t at_ns, order; /* order: equal times keep the order they were made in */
	sim_run *run;
	void *object;
	uint64_t value;
	uint32_t index, life;
};

/* What has happened, so that one sees that something has. */
struct sim_tally {
	uint64_t jobs, crashes, resumes, failures, deaths, sent, again, io_errors;
	uint64_t input_changes;
	uint64_t quarantines, undetected; /* batches that are wrong, where no audit looked */
};

struct sim {
	uint64_t now_ns, order, events;
	uint64_t hash; /* of everything that happened: equal for equal seeds */
	struct sim_event *heap;
	uint32_t heap_count, heap_max;
	uint64_t random;  /* of the world */
	uint64_t entropy; /* what getrandom gives */
	bool trace;
	bool ended;
	char outcome[160];   /* how the job ended */
	char violation[320]; /* the first one */
	struct sim_tally tally;

	struct sim_plan plan;
	uint8_t *input, *expected; /* the dataset, and what must come out */
	uint8_t *object;	   /* of the kernel; NULL: it is built in */
	size_t object_bytes;
	struct sim_network *network;
	struct sim_disk *disk;
	struct sim_node *nodes;
	struct sim_lane *lane;
	struct sim_controller *controller;
	struct sim_check *check;
};

/* Runs one seed to its end; false: sim->violation says what was broken. The caller
 * destroys. */
bool sim_run_seed(struct sim *sim, uint64_t seed, bool trace);
void sim_destroy(struct sim *sim);

/* ---- events and time -------------------------------------------------------- */

void sim_at(struct sim *sim, uint64_t at_ns, sim_run *run, void *object, uint64_t value,
	    uint32_t index, uint32_t life);
/* Runs the next event. False: there is none. */
bool sim_step(struct sim *sim);

/* ---- chance ------------------------------------------------------------------- */

uint64_t sim_between(struct sim *sim, uint64_t low, uint64_t high); /* both included */
/* A fault that strikes this often in a million: never after plan.heal_ns. */
bool sim_fault(struct sim *sim, uint32_t in_a_million);

/* ---- what is said ---------------------------------------------------------------- */

void sim_violate(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_say(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_mix(struct sim *sim, uint64_t value);

#define sim_trace(sim, ...)                        \
	do {                                       \
		if ((sim)->trace)                  \
			sim_say(sim, __VA_ARGS__); \
	} while (0)

static inline void *sim_allocate(size_t count, size_t bytes)
{
	void *memory = calloc(count ? count : 1, bytes);

	if (!memory)
		abort();
	return memory;
}

#endif
