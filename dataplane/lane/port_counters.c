/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_counters.h"

#include <ifaddrs.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_ethdev.h>

#include "port.h"

/* By netlink and not by sysfs, which may be that of another network namespace. */
uint32_t wm_port_netdev_dropped(const char *interface)
{
	const struct rtnl_link_stats *stats;
	struct ifaddrs *all;
	uint32_t dropped = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
		if (!one->ifa_addr || one->ifa_addr->sa_family != AF_PACKET || !one->ifa_data ||
		    strcmp(one->ifa_name, interface) != 0)
			continue;
		stats = one->ifa_data;
		dropped = stats->tx_dropped;
	}
	freeifaddrs(all);
	return dropped;
}

void wm_port_read_counters(const struct wm_port *port, struct wm_port_counters *counters)
{
	struct rte_eth_stats stats = { 0 };

	rte_eth_stats_get(port->id, &stats);
	*counters = (struct wm_port_counters){
		.missed = stats.imissed,
		.no_buffer = stats.rx_nombuf,
		.receive_errors = stats.ierrors,
		.transmit_errors = stats.oerrors,
	};
	/* 32 bits that go round, and begin anew with an interface of the same name. */
	if (port->interface)
		counters->transmit_dropped =
			(uint32_t)(wm_port_netdev_dropped(port->interface) - port->netdev_dropped);
}
