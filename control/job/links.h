/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The links of the controller's ports and their MTU, looked at once a second: each change is
 * a line of the log. A job waits meanwhile, and goes on when a link is up again. One thread (the
 * daemon's).
 */
#ifndef WM_LINKS_H
#define WM_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port_link.h"
#include "wiremill/limits.h"

struct wm_links {
	const struct wm_port *ports;
	uint32_t count;
	struct wm_port_link now[WM_PORTS_MAX];
	bool comes_up[WM_PORTS_MAX]; /* not said to be down yet */
	uint32_t mtu[WM_PORTS_MAX];  /* as said */
	uint64_t comes_up_until_ns;
	uint64_t next_ns;
};

/* Says how each is; of a card that its driver has just started only when it is up, or has
 * had the time that two ends take to agree. The ports stay the caller's. */
void wm_links_start(struct wm_links *links, const struct wm_port *ports, uint32_t count,
		    uint64_t now_ns);
void wm_links_tick(struct wm_links *links, uint64_t now_ns);
/* What a job waits for, in words: a link, if no port has one; else NULL. */
static inline const char *wm_links_missing(const struct wm_links *links)
{
	for (uint32_t i = 0; i < links->count; i++) {
		if (links->now[i].state == WM_PORT_LINK_UP)
			return NULL;
	}
	if (links->count == 0)
		return NULL;
	return links->count == 1 ? "for the port's link, which is down"
				 : "for a link: those of all ports are down";
}

#endif
