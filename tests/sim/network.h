/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames between the controller and the nodes.
 *
 *   controller ═══ trunk ═══ switch ─── cable i ─── node i
 *
 * Each has a rate, a delay and a queue in either direction; cables lose, damage,
 * cut, double and delay frames, and fall. A frame belongs to whoever holds it.
 */
#ifndef WM_SIM_NETWORK_H
#define WM_SIM_NETWORK_H

#include "auth.h"
#include "sim.h"
#include "wiremill/wire.h"

struct sim_frame {
	uint32_t bytes; /* in all */
	uint32_t used;	/* without the padding of a short frame */
	/* the truth about it, which no receiver sees */
	bool damaged;
	bool control;
	uint32_t session, job, node;
	uint8_t data[];
};

void sim_network_create(struct sim *sim);
void sim_network_destroy(struct sim *sim);

void sim_network_mac(uint8_t mac[WM_ETHER_ADDR_BYTES], uint32_t node);
extern const uint8_t sim_controller_mac[WM_ETHER_ADDR_BYTES];
extern const struct wm_key sim_key;

/* A frame of a run's largest size fits. */
struct sim_frame *sim_frame_new(struct sim *sim);
void sim_frame_free(struct sim *sim, struct sim_frame *frame);
struct wm_wire_header *sim_frame_header(struct sim_frame *frame);
uint32_t sim_frame_room(const struct sim *sim);

/* Both take the frame over. To the node that the frame's destination names. */
void sim_network_send_down(struct sim *sim, struct sim_frame *frame);
void sim_network_send_up(struct sim *sim, uint32_t node, struct sim_frame *frame);

#endif
