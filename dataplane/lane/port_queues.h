/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's memory and queues: how large, where, how many. */
#ifndef WM_PORT_QUEUES_H
#define WM_PORT_QUEUES_H

#include <stdint.h>

#include <rte_ethdev.h>

#include "port.h"

/* What EAL, the rings and the device take beside the pools. */
#define WM_PORT_HUGEPAGES_BASE 16u
/* Hugepages of 2 MiB that the pools of this config take at that MTU. */
uint32_t wm_port_hugepages(const struct wm_port_config *config, uint16_t mtu);
/* Of one slot in a packet(7) ring. */
uint32_t wm_port_packet_slot_bytes(uint16_t mtu);

/* The port has mtu, socket and multi_segment. */
int wm_port_pools_create(struct wm_port *port, const struct wm_port_config *config);
void wm_port_pools_destroy(struct wm_port *port);
/* Of those it has, what it needs to take any frame of its MTU. */
uint64_t wm_port_receive_offloads(const struct wm_port *port, const struct rte_eth_dev_info *info);
/* Sets up its one queue each way and starts it. */
int wm_port_queues_start(struct wm_port *port, const struct wm_port_config *config);

#endif
