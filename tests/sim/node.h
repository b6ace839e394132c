/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node: the real agent, and a worker that checks MAP frames as dataplane/worker/worker.c
 * does and computes them in submissions. It dies and returns, freezes, is slow,
 * answers what nobody asks any more.
 */
#ifndef WM_SIM_NODE_H
#define WM_SIM_NODE_H

#include "network.h"
#include "sim.h"

void sim_nodes_create(struct sim *sim);
void sim_nodes_destroy(struct sim *sim);
/* Takes the frame over. */
void sim_node_receive(struct sim *sim, uint32_t node, struct sim_frame *frame);

#endif
