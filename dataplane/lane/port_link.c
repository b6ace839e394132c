/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_link.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "wiremill/limits.h"

static uint32_t netdev_speed(int fd, struct ifreq *request)
{
	struct ethtool_cmd settings = { .cmd = ETHTOOL_GSET };
	uint32_t speed;

	request->ifr_data = (char *)&settings;
	if (ioctl(fd, SIOCETHTOOL, request) < 0)
		return 0;
	speed = ethtool_cmd_speed(&settings);
	return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

static uint32_t netdev_mtu(int fd, struct ifreq *request)
{
	if (ioctl(fd, SIOCGIFMTU, request) < 0)
		return 0;
	return request->ifr_mtu > (int)WM_MTU_MAX ? WM_MTU_MAX : (uint32_t)request->ifr_mtu;
}

/* By ioctl and not by sysfs, which may be that of another network namespace. */
static void netdev_link(const char *interface, struct wm_port_link *link)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	link->state = WM_PORT_LINK_GONE;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		goto close_socket;
	if (!(request.ifr_flags & IFF_UP))
		link->state = WM_PORT_LINK_OFF;
	else
		link->state = request.ifr_flags & IFF_RUNNING ? WM_PORT_LINK_UP : WM_PORT_LINK_DOWN;
	if (link->state == WM_PORT_LINK_UP)
		link->megabits_per_s = netdev_speed(fd, &request);
	link->mtu = netdev_mtu(fd, &request);

close_socket:
	if (fd >= 0)
		close(fd);
}

void wm_port_read_link(const struct wm_port *port, struct wm_port_link *link)
{
	struct rte_eth_link driver = { 0 };

	*link = (struct wm_port_link){ .state = WM_PORT_LINK_UP };
	if (port->interface) {
		netdev_link(port->interface, link);
		return;
	}
	/* A driver that cannot tell has no link to lose. */
	if (rte_eth_link_get_nowait(port->id, &driver) < 0)
		return;
	if (driver.link_status == RTE_ETH_LINK_DOWN)
		link->state = WM_PORT_LINK_DOWN;
	else if (driver.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		link->megabits_per_s = driver.link_speed;
}
