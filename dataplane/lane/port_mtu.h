/* SPDX-License-Identifier: BSD-3-Clause */
/* The MTU that a port is given. */
#ifndef WM_PORT_MTU_H
#define WM_PORT_MTU_H

#include <stdint.h>

#include "port.h"
#include "wiremill/error.h"

/* Sets the MTU, port->mtu or the largest below it that the device has, and leaves it there.
 * wanted: by who started us, who is refused less; 0: as large as can be. -EMSGSIZE. */
int wm_port_obtain_mtu(struct wm_port *port, uint16_t mtu_max, uint16_t wanted,
		       struct wm_error *error);

#endif
