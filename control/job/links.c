/* SPDX-License-Identifier: BSD-3-Clause */
#include "links.h"

#include <inttypes.h>

#include "clock.h"
#include "log.h"

#define PERIOD_NS (1 * WM_NS_PER_S)
/* Two ends agree on a speed within 2 to 4 s over copper, 10GBASE-T within 7. */
#define COMES_UP_NS (8 * WM_NS_PER_S)

static const char *port_name(const struct wm_port *port)
{
	return port->interface ? port->interface : port->name;
}

static void say_up(const char *name, uint32_t megabits_per_s)
{
	if (megabits_per_s > 0)
		wm_log_info("port %s: link up, %" PRIu32 " Mb/s", name, megabits_per_s);
	else
		wm_log_info("port %s: link up", name);
}

static void say(const struct wm_port *port, const struct wm_port_link *link)
{
	const char *name = port_name(port);

	switch (link->state) {
	case WM_PORT_LINK_UP:
		say_up(name, link->megabits_per_s);
		break;
	case WM_PORT_LINK_DOWN:
		wm_log_warning(
			"port %s: link down: look at its cable and at the switch; it goes on "
			"when the link is up",
			name);
		break;
	case WM_PORT_LINK_OFF:
		wm_log_warning("port %s: the interface is down: run 'ip link set %s up'", name,
			       name);
		break;
	case WM_PORT_LINK_GONE:
		wm_log_warning("port %s: the interface is gone: the controller has to be started "
			       "again when it is back",
			       name);
		break;
	}
}

void wm_links_start(struct wm_links *links, const struct wm_port *ports, uint32_t count,
		    uint64_t now_ns)
{
	*links = (struct wm_links){ .ports = ports,
				    .count = count,
				    .comes_up_until_ns = now_ns + COMES_UP_NS,
				    .next_ns = now_ns + PERIOD_NS };
	for (uint32_t i = 0; i < count; i++) {
		wm_port_read_link(&ports[i], &links->now[i]);
		links->mtu[i] = ports[i].mtu;
		/* An interface of the kernel's was up before. */
		links->comes_up[i] = !ports[i].interface &&
				     links->now[i].state == WM_PORT_LINK_DOWN;
		if (!links->comes_up[i])
			say(&ports[i], &links->now[i]);
	}
}

/* Of an interface somebody may change it; what is in use is what it was at the start. */
static void look_at_mtu(struct wm_links *links, uint32_t index)
{
	const struct wm_port *port = &links->ports[index];
	uint32_t mtu = links->now[index].mtu;

	if (mtu == 0 || mtu == links->mtu[index])
		return;
	links->mtu[index] = mtu;
	if (mtu == port->mtu)
		wm_log_info("port %s: its MTU is %" PRIu32 " again", port_name(port), mtu);
	else
		wm_log_warning("port %s: its MTU is %" PRIu32 " now, and was %u when this "
			       "controller started: run 'ip link set %s mtu %u', or start the "
			       "controller again",
			       port_name(port), mtu, port->mtu, port_name(port), port->mtu);
}

static void look(struct wm_links *links, uint32_t index, uint64_t now_ns)
{
	enum wm_port_link_state before = links->now[index].state;
	struct wm_port_link *link = &links->now[index];

	wm_port_read_link(&links->ports[index], link);
	look_at_mtu(links, index);
	if (links->comes_up[index] && link->state == WM_PORT_LINK_DOWN &&
	    now_ns < links->comes_up_until_ns)
		return;
	if (links->comes_up[index] || link->state != before)
		say(&links->ports[index], link);
	links->comes_up[index] = false;
}

void wm_links_tick(struct wm_links *links, uint64_t now_ns)
{
	if (now_ns < links->next_ns)
		return;
	links->next_ns = now_ns + PERIOD_NS;
	for (uint32_t i = 0; i < links->count; i++)
		look(links, i, now_ns);
}
