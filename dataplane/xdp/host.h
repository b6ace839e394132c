/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold before a socket is opened: the interface, and the rights. */
#ifndef WM_XDP_HOST_H
#define WM_XDP_HOST_H

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

/* Returns 0 or -EPERM, naming every capability that is missing. */
int wm_host_check_capabilities(struct wm_error *error);

/* Sees to it that locked_bytes may be locked. Returns 0 or -ENOMEM. */
int wm_host_raise_memlock(size_t locked_bytes, struct wm_error *error);

#endif
