/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control side of the simulated controller: the real membership, jobs and recompute,
 * between the simulated lane, files and spool, and whoever submits and resumes.
 *
 *   up ─▶ wait for a node ─▶ prepare ─▶ run ─▶ finish: sync, name, manifest ─▶ done
 *    ▲                          └────────┴── failed: the operator resumes it
 *    └── crash, at any event: what is durable is all that is left
 */
#ifndef WM_SIM_CONTROLLER_H
#define WM_SIM_CONTROLLER_H

#include "lane.h"
#include "network.h"
#include "sim.h"

void sim_controller_create(struct sim *sim);
void sim_controller_destroy(struct sim *sim);
/* To be called after each event: crashes when it is time. */
void sim_controller_step(struct sim *sim);

/* From the lane. A control frame that is whole: takes it over. */
void sim_controller_receive(struct sim *sim, struct sim_frame *frame);
void sim_controller_told(struct sim *sim, const struct wm_lane_event *event);

/* For job files, in the middle of something: does it die now? */
bool sim_controller_dies_here(struct sim *sim);
/* The one that runs: what the real code calls has no other way to know. */
extern struct sim *sim_current;

#endif
