/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a port (port.h): what EAL is told of its device, and the device brought up. */
#ifndef WM_PORT_DPDK_H
#define WM_PORT_DPDK_H

#include <stddef.h>
#include <stdint.h>

#include "port.h"
#include "wiremill/error.h"

/* What EAL (eal.h) is told of the index-th device. */
int wm_port_eal_argument(const struct wm_port_device *device, uint32_t index, char *text,
			 size_t text_bytes, struct wm_error *error);

/* Opens the device, starts it, makes the pools. */
int wm_port_open(struct wm_port *port, const struct wm_port_config *config, struct wm_error *error);
/* Stops and closes the device, which gives back the mbufs in its rings: before the memory
 * that they point into goes. Again: nothing. */
void wm_port_stop(struct wm_port *port);
/* Then frees the pools; whose mbufs are all back, or a line of the log says so. */
void wm_port_close(struct wm_port *port);

#endif
