/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's eye on its own interface, each second: set down, without a link, renamed, with
 * another MTU or address than the node started with, deleted; and frames that the card put
 * into a receive queue which the node has not. Each is said for what it is, when it has
 * lasted for a second look, and again when it is over. One thread.
 */
#ifndef WM_LINK_WATCH_H
#define WM_LINK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "port_xsk.h"
#include "wiremill/error.h"

enum wm_link_trouble {
	WM_LINK_FINE,
	WM_LINK_DOWN,	   /* set down by somebody */
	WM_LINK_UNPLUGGED, /* no carrier */
	WM_LINK_OTHER_MTU, /* than at the start */
	WM_LINK_OTHER_ADDRESS,
};

struct wm_link_watch {
	struct wm_host_interface start; /* as it was */
	char name[16];
	uint64_t due_ns;
	enum wm_link_trouble logged, seen; /* seen: by the last look, not said yet */
	uint64_t unheard;		   /* as said */
	uint64_t say_unheard_ns;	   /* not before */
};

/* Says so if the card has more queues than the one that is listened to. */
void wm_link_watch_init(struct wm_link_watch *watch, const struct wm_xsk_obtained *port,
			const char *name);
/* As often as one likes. 0, or -ENXIO with the reason: there is no interface any more. */
int wm_link_watch_tick(struct wm_link_watch *watch, const struct wm_xsk *xsk, uint64_t now_ns,
		       struct wm_error *error);

/* What is wrong with that link, for somebody who started with `start`. */
enum wm_link_trouble wm_link_trouble_of(const struct wm_host_interface *start,
					const struct wm_host_link *link);

#endif
