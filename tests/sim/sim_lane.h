/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lane of the simulated controller: what dataplane/lane.c, lane_job.c and
 * lane_audit.c do with DPDK and io_uring, with frames and I/O of the simulator.
 * What it decides by, it asks the real dispatch and progress; what it is told and
 * tells is as in dataplane/lane.h, so that the real control/job_run.c commands it.
 */
#ifndef WM_SIM_LANE_H
#define WM_SIM_LANE_H

#include "disk.h"
#include "lane.h"
#include "network.h"
#include "sim.h"

enum sim_lane_state { SIM_LANE_IDLE, SIM_LANE_RUNNING, SIM_LANE_STOPPING };

void sim_lane_create(struct sim *sim);
void sim_lane_destroy(struct sim *sim);
/* A controller starts; what it knew before is gone. Until it dies frames are dropped. */
void sim_lane_boot(struct sim *sim);
void sim_lane_die(struct sim *sim);

void sim_lane_obey(struct sim *sim, const struct wm_lane_command *command);
void sim_lane_tick(struct sim *sim);
/* Takes the frame over. */
void sim_lane_receive(struct sim *sim, struct sim_frame *frame);
void sim_lane_completed(struct sim *sim, enum sim_disk_op op, uint64_t extent, int result);

/* For check.c and the controller. */
enum sim_lane_state sim_lane_state(const struct sim *sim);
const struct wm_dispatch *sim_lane_dispatch(const struct sim *sim);
const struct wm_lane_job *sim_lane_job(const struct sim *sim);
const struct wm_lane_snapshot *sim_lane_snapshot(const struct sim *sim);
uint32_t sim_lane_slots_free(const struct sim *sim);
bool sim_lane_has_member(const struct sim *sim, uint32_t node);

#endif
