/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that a port lost: what its driver counted, and of a netdev what the kernel did
 * below net_af_packet, which does not hear of it. Since the port was opened.
 */
#ifndef WM_PORT_COUNTERS_H
#define WM_PORT_COUNTERS_H

#include <stdint.h>

struct wm_port;

struct wm_port_counters {
	uint64_t missed;	   /* arrived while the ring was full */
	uint64_t no_buffer;	   /* arrived while the pool was empty */
	uint64_t receive_errors;   /* the driver refused them */
	uint64_t transmit_errors;  /* the driver could not send them */
	uint64_t transmit_dropped; /* of a netdev: its card's queue was stopped, or no link */
};

/* Asks driver and kernel: not for every frame. Any thread. */
void wm_port_read_counters(const struct wm_port *port, struct wm_port_counters *counters);
/* What the kernel has counted by now for an interface, since it is there; 0: nothing is
 * known of it. */
uint32_t wm_port_netdev_dropped(const char *interface);

#endif
