/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold before a socket is opened: the interface, and the rights. */
#ifndef WM_XDP_HOST_H
#define WM_XDP_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/wire.h"

struct wm_host_interface {
	unsigned index;
	uint32_t mtu; /* as set, WM_MTU_MAX at most */
	uint8_t address[WM_ETHER_ADDR_BYTES];
};

/* Returns 0; -ENODEV: no such interface; -ENETDOWN; -EMSGSIZE: MTU too small;
 * -ENOTSUP: no Ethernet. */
int wm_host_interface_find(struct wm_host_interface *interface, const char *name,
			   struct wm_error *error);

/* What it is now, whatever it is called meanwhile. */
struct wm_host_link {
	char name[16];
	bool up;      /* set so */
	bool running; /* there is a link */
	struct wm_host_interface interface;
};

/* Returns 0, -ENODEV: there is no interface of that index any more, or what else the
 * kernel answers. */
int wm_host_link_look(struct wm_host_link *link, unsigned index);
/* Receive queues that its card has in use; 1 where nobody knows. */
uint32_t wm_host_receive_queues(const char *name);

/* Its frames wait in a short queue of the kernel's instead of a card's. */
bool wm_host_is_veth(const char *name);

/* Sees to it that locked_bytes may be locked. Returns 0 or -ENOMEM. */
int wm_host_raise_memlock(size_t locked_bytes, struct wm_error *error);

#endif
