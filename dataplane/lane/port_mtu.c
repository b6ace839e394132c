/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_mtu.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

#include "wiremill/limits.h"

/* A netdev has its MTU from the system, and a memif carries what fits the buffers of its
 * ends. Any other device gets ours, or else the largest that it can have. */
static uint16_t largest_mtu(const struct wm_port *port, uint16_t mtu_max)
{
	uint16_t mtu = 0;

	if (strcmp(port->driver, "net_af_packet") == 0 || strcmp(port->driver, "net_memif") == 0 ||
	    rte_eth_dev_set_mtu(port->id, port->mtu) == 0)
		return port->mtu;
	if (mtu_max < port->mtu && rte_eth_dev_set_mtu(port->id, mtu_max) == 0)
		return mtu_max;
	if (rte_eth_dev_get_mtu(port->id, &mtu) < 0)
		return 0;
	return mtu < port->mtu ? mtu : port->mtu;
}

int wm_port_obtain_mtu(struct wm_port *port, uint16_t mtu_max, uint16_t wanted,
		       struct wm_error *error)
{
	uint16_t mtu = largest_mtu(port, mtu_max);

	if (mtu < wanted)
		return wm_error_set(error, EMSGSIZE,
				    "port %s (%s) takes no MTU of %u, %u at most: give --mtu %u",
				    port->name, port->driver, wanted, mtu, mtu);
	if (mtu < WM_MTU_MIN)
		return wm_error_set(error, EMSGSIZE,
				    "port %s (%s) has an MTU of %u and takes no larger one: at "
				    "least %u is needed",
				    port->name, port->driver, mtu, WM_MTU_MIN);
	port->mtu = mtu;
	return 0;
}
