/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port's link, as who knows best says: the kernel of a netdev that it has (net_af_packet
 * itself is always up), else the port's driver. Asks, and does not wait; any thread.
 */
#ifndef WM_PORT_LINK_H
#define WM_PORT_LINK_H

#include <stdint.h>

#include "port.h"

enum wm_port_link_state {
	WM_PORT_LINK_UP,
	WM_PORT_LINK_DOWN, /* no carrier: cable, switch */
	WM_PORT_LINK_OFF,  /* the interface was taken down */
	WM_PORT_LINK_GONE, /* there is no such interface any more */
};

struct wm_port_link {
	enum wm_port_link_state state;
	uint32_t megabits_per_s; /* 0: not known */
	uint32_t mtu;		 /* that it has now, WM_MTU_MAX at most; 0: not known */
};

void wm_port_read_link(const struct wm_port *port, struct wm_port_link *link);
/* "up", "down", ...: as in stats. */
static inline const char *wm_port_link_name(enum wm_port_link_state state)
{
	static const char *const names[] = {
		[WM_PORT_LINK_UP] = "up",
		[WM_PORT_LINK_DOWN] = "down",
		[WM_PORT_LINK_OFF] = "off",
		[WM_PORT_LINK_GONE] = "gone",
	};

	return names[state];
}

#endif
