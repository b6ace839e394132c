/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lane of the simulated controller: what dataplane/lane.c and lane_job.c do
 * with DPDK and io_uring, with frames and I/O of the simulator. What it decides
 * by, it asks the real dispatch and progress.
 */
#ifndef WM_SIM_LANE_H
#define WM_SIM_LANE_H

#include "disk.h"
#include "dispatch.h"
#include "network.h"
#include "progress.h"
#include "sim.h"

/* What runs. The lane's from start until its end. */
struct sim_job {
	uint32_t id;
	struct wm_progress progress;
	uint32_t journal_random, journal_records;
};

enum sim_command_op {
	SIM_NODE_SET,
	SIM_NODE_CLEAR,
	SIM_NODE_HEAR,
	SIM_NODE_JOIN,
	SIM_JOB_START,
	SIM_JOB_STOP
};

struct sim_command {
	enum sim_command_op op;
	uint32_t node, session, window_max;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	struct sim_job *job;
};

enum sim_lane_state { SIM_LANE_IDLE, SIM_LANE_RUNNING, SIM_LANE_STOPPING };

void sim_lane_create(struct sim *sim);
void sim_lane_destroy(struct sim *sim);
/* A controller starts; what it knew before is gone. Until it dies frames are dropped. */
void sim_lane_boot(struct sim *sim, uint32_t life);
void sim_lane_die(struct sim *sim);

void sim_lane_obey(struct sim *sim, const struct sim_command *command);
void sim_lane_tick(struct sim *sim);
/* Takes the frame over. */
void sim_lane_receive(struct sim *sim, struct sim_frame *frame);
void sim_lane_completed(struct sim *sim, enum sim_disk_op op, uint64_t extent, int result);
/* Where the next record goes. */
uint64_t sim_lane_journal_end(const struct sim *sim);

/* For check.c and the controller. */
enum sim_lane_state sim_lane_state(const struct sim *sim);
const struct wm_dispatch *sim_lane_dispatch(const struct sim *sim);
const struct sim_job *sim_lane_job(const struct sim *sim);
uint32_t sim_lane_slots_free(const struct sim *sim);
bool sim_lane_has_member(const struct sim *sim, uint32_t node);

#endif
