/* SPDX-License-Identifier: BSD-3-Clause */
/* What port_dpdk.c (EAL, the device), port_mtu.c and port_queues.c (its pools and queues) share. */
#ifndef WM_PORT_PRIVATE_H
#define WM_PORT_PRIVATE_H

#include <rte_ethdev.h>

#include "port_dpdk.h"

#define WM_PORT_HUGEPAGE_BYTES (2u * 1024 * 1024)
#define WM_PORT_TRANSMIT_DESCRIPTORS 1024u

/* Of one slot in a packet(7) ring. */
uint32_t wm_port_packet_slot_bytes(uint16_t mtu);

/* Sets the MTU, port->mtu or the largest below it that the device has, and leaves it there.
 * wanted: by who started us, who is refused less; 0: as large as can be. -EMSGSIZE. */
int wm_port_obtain_mtu(struct wm_port *port, uint16_t mtu_max, uint16_t wanted,
		       struct wm_error *error);
/* The port has mtu, socket and multi_segment. */
int wm_port_pools_create(struct wm_port *port, const struct wm_port_config *config);
void wm_port_pools_destroy(struct wm_port *port);
/* Of those it has, what it needs to take any frame of its MTU. */
uint64_t wm_port_receive_offloads(const struct wm_port *port, const struct rte_eth_dev_info *info);
/* Sets up its one queue each way and starts it. */
int wm_port_queues_start(struct wm_port *port, const struct wm_port_config *config);

#endif
