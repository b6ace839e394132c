/* SPDX-License-Identifier: BSD-3-Clause */
#include "link_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mac.h"

#define LOOK_NS (1 * WM_NS_PER_S)
#define SAY_UNHEARD_NS (60 * WM_NS_PER_S)

void wm_link_watch_init(struct wm_link_watch *watch, const struct wm_xsk_obtained *port,
			const char *name)
{
	uint32_t queues = wm_host_receive_queues(name);

	*watch = (struct wm_link_watch){ .start = { .index = port->index, .mtu = port->mtu } };
	memcpy(watch->start.address, port->address, sizeof(watch->start.address));
	snprintf(watch->name, sizeof(watch->name), "%.15s", name);
	if (queues > 1)
		wm_log_info("interface %s has %" PRIu32 " receive queues, and queue 0 is listened "
			    "to: 'ethtool -L %s combined 1' makes it the only one",
			    name, queues, name);
}

enum wm_link_trouble wm_link_trouble_of(const struct wm_host_interface *start,
					const struct wm_host_link *link)
{
	if (!link->up)
		return WM_LINK_DOWN;
	if (!link->running)
		return WM_LINK_UNPLUGGED;
	if (memcmp(link->interface.address, start->address, sizeof(start->address)) != 0)
		return WM_LINK_OTHER_ADDRESS;
	if (link->interface.mtu != start->mtu)
		return WM_LINK_OTHER_MTU;
	return WM_LINK_FINE;
}

static void say(const struct wm_link_watch *watch, const struct wm_host_link *link)
{
	char address[WM_MAC_TEXT_BYTES];

	switch (watch->logged) {
	case WM_LINK_FINE:
		wm_log_info("interface %s is as it was", link->name);
		break;
	case WM_LINK_DOWN:
		wm_log_warning("interface %s was set down: run 'ip link set %s up'", link->name,
			       link->name);
		break;
	case WM_LINK_UNPLUGGED:
		wm_log_warning("interface %s has no link: see its cable and the switch's port",
			       link->name);
		break;
	case WM_LINK_OTHER_MTU:
		wm_log_warning("interface %s has an MTU of %" PRIu32 " now, and had %" PRIu32
			       " when this node started: set it back, or start the node again",
			       link->name, link->interface.mtu, watch->start.mtu);
		break;
	case WM_LINK_OTHER_ADDRESS:
		wm_mac_format(address, watch->start.address);
		wm_log_warning("interface %s has another MAC address than %s, with which this node "
			       "started: it takes no frame; set it back, or start the node again",
			       link->name, address);
		break;
	}
}

static void look_at_trouble(struct wm_link_watch *watch, const struct wm_host_link *link)
{
	enum wm_link_trouble trouble = wm_link_trouble_of(&watch->start, link);

	/* A driver may take its link down for an instant by itself. */
	if (trouble == watch->seen && trouble != watch->logged) {
		watch->logged = trouble;
		say(watch, link);
	}
	watch->seen = trouble;
}

static void look_at_name(struct wm_link_watch *watch, const struct wm_host_link *link)
{
	if (strcmp(watch->name, link->name) == 0)
		return;
	wm_log_warning("interface %s is called %s now: this node goes on with it", watch->name,
		       link->name);
	memcpy(watch->name, link->name, sizeof(watch->name));
}

static void look_at_queues(struct wm_link_watch *watch, const struct wm_xsk *xsk, uint64_t now_ns)
{
	struct wm_xsk_counters counters;

	wm_xsk_read_counters(xsk, &counters);
	if (counters.unheard == watch->unheard || now_ns < watch->say_unheard_ns)
		return;
	watch->unheard = counters.unheard;
	watch->say_unheard_ns = now_ns + SAY_UNHEARD_NS;
	wm_log_warning("%" PRIu64 " frames of the controller came to other receive queues of %s "
		       "than 0, most of them to %" PRIu32
		       ", and were not heard: run 'ethtool -L %s "
		       "combined 1'",
		       counters.unheard, watch->name, counters.unheard_queue, watch->name);
}

int wm_link_watch_tick(struct wm_link_watch *watch, const struct wm_xsk *xsk, uint64_t now_ns,
		       struct wm_error *error)
{
	struct wm_host_link link;
	int ret;

	if (now_ns < watch->due_ns)
		return 0;
	watch->due_ns = now_ns + LOOK_NS;
	ret = wm_host_link_look(&link, watch->start.index);
	if (ret == -ENODEV || ret == -ENXIO)
		return wm_error_set(error, ENXIO,
				    "interface %s is gone: it was deleted, or moved, or its driver "
				    "went; start the node again when it is back",
				    watch->name);
	if (ret < 0)
		return 0; /* not a word about the link: the next look may tell */
	look_at_name(watch, &link);
	look_at_trouble(watch, &link);
	look_at_queues(watch, xsk, now_ns);
	return 0;
}
