/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lane of the simulated controller: the real stream (dataplane/lane/stream.h) with
 * frames and I/O of the simulator, as dataplane/lane/lane.c and lane_job.c run it with DPDK
 * and io_uring. What it is told and tells is as there, so that the real control/job/run.c
 * commands it.
 */
#ifndef WM_SIM_LANE_H
#define WM_SIM_LANE_H

#include "disk.h"
#include "lane.h"
#include "network.h"
#include "sim.h"

void sim_lane_create(struct sim *sim);
void sim_lane_destroy(struct sim *sim);
/* A controller starts; what it knew before is gone. Until it dies frames are dropped. */
void sim_lane_boot(struct sim *sim);
void sim_lane_die(struct sim *sim);

void sim_lane_handle(struct sim *sim, const struct wm_lane_command *command);
void sim_lane_tick(struct sim *sim);
/* Takes the frame over. */
void sim_lane_receive(struct sim *sim, struct sim_frame *frame);
void sim_lane_completed(struct sim *sim, enum sim_disk_op op, uint64_t extent, int result);

/* For check.c, watch.c and the controller, while it is up. */
struct wm_stream *sim_lane_stream(const struct sim *sim);
struct wm_lane_job *sim_lane_job(const struct sim *sim);
const struct wm_dispatch *sim_lane_dispatch(const struct sim *sim);
const struct wm_lane_snapshot *sim_lane_snapshot(const struct sim *sim);
/* The result that is being taken. */
struct sim_frame *sim_lane_receiving(const struct sim *sim);
uint32_t sim_lane_session(const struct sim *sim, uint32_t node);
/* Does it take part in the job? */
void sim_lane_set_member(struct sim *sim, uint32_t node, bool joined);
bool sim_lane_has_member(const struct sim *sim, uint32_t node);

#endif
