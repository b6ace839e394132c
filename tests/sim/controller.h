/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control side of the simulated controller: the real membership, the life of
 * one job as control/jobs.c has it, and whoever starts and resumes it.
 *
 *   up ─▶ wait for a node ─▶ prepare ─▶ run ─▶ finish: sync, name, manifest ─▶ done
 *    ▲                          └────────┴── failed: the operator resumes it
 *    └── crash, at any event: what is durable is all that is left
 */
#ifndef WM_SIM_CONTROLLER_H
#define WM_SIM_CONTROLLER_H

#include "network.h"
#include "sim.h"

void sim_controller_create(struct sim *sim);
void sim_controller_destroy(struct sim *sim);
/* To be called after each event: crashes when it is time. */
void sim_controller_step(struct sim *sim);

/* From the lane. A control frame that is whole: takes it over. */
void sim_controller_receive(struct sim *sim, struct sim_frame *frame);
void sim_controller_job_ended(struct sim *sim, int result);
void sim_controller_synced(struct sim *sim, int result);

#endif
