/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_dpdk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>

#include "eal_log.h"
#include "port_counters.h"
#include "port_mtu.h"
#include "port_queues.h"
#include "wiremill/limits.h"

/* ---- for EAL --------------------------------------------------------------- */

/* "--vdev=net_af_packet0,..." for a netdev: the ring slots hold its largest frame. A real
 * card stops its queue when that is full, and what passes the qdisc by is lost then; a
 * veth never does, and its qdisc would only cost. */
static int netdev_argument(const struct wm_port_device *device, uint32_t index, char *text,
			   size_t text_bytes, struct wm_error *error)
{
	char name[WM_PORT_NAME_BYTES];
	uint16_t mtu;
	int ret = wm_port_mtu(device, &mtu, error);

	if (ret < 0)
		return ret;
	wm_port_device_name(name, device, index);
	snprintf(text, text_bytes,
		 "--vdev=%s,iface=%s,qdisc_bypass=%d,framesz=%" PRIu32 ",blocksz=%" PRIu32
		 ",framecnt=%u",
		 name, device->interface, !wm_port_device_is_physical("", device),
		 wm_port_packet_slot_bytes(mtu), 4 * wm_port_packet_slot_bytes(mtu),
		 wm_port_device_packet_frames("", device, mtu));
	return 0;
}

int wm_port_eal_argument(const struct wm_port_device *device, uint32_t index, char *text,
			 size_t text_bytes, struct wm_error *error)
{
	char name[WM_PORT_NAME_BYTES];

	if (device->interface)
		return netdev_argument(device, index, text, text_bytes, error);
	wm_port_device_name(name, device, index);
	if (device->pci)
		snprintf(text, text_bytes, "--allow=%s", name);
	else
		snprintf(text, text_bytes, "--vdev=%s", device->vdev);
	return 0;
}

/* ---- the device ------------------------------------------------------------ */

/* What DPDK's drivers said, or else the errno. */
static const char *why(int ret)
{
	return wm_eal_log_reason()[0] ? wm_eal_log_reason() : rte_strerror(-ret);
}

static int port_configure(struct wm_port *port, const struct wm_port_config *config,
			  struct wm_error *error)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret == 0)
		ret = rte_eth_macaddr_get(port->id, &mac);
	if (ret == 0)
		ret = rte_eth_dev_get_name_by_port(port->id, port->name);
	if (ret < 0)
		return wm_error_set(error, -ret, "the port does not say what it is: %s", why(ret));
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	/* A chain sent to a port that does not advertise it goes out as garbage. */
	port->multi_segment = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (port->multi_segment)
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	conf.rxmode.offloads = wm_port_receive_offloads(port, &info);

	ret = rte_eth_dev_configure(port->id, 1, 1, &conf);
	if (ret < 0)
		return wm_error_set(error, -ret, "port %s (%s) cannot be configured: %s",
				    port->name, port->driver, why(ret));
	return wm_port_obtain_mtu(port, info.max_mtu, config->device ? config->device->mtu : 0,
				  error);
}

/* The ethdev of that device; RTE_MAX_ETHPORTS: there is none. */
static uint16_t find_port(const struct wm_port_config *config)
{
	const struct wm_port_device *device = config->device;
	char name[WM_PORT_NAME_BYTES];
	uint16_t id;

	if (!device)
		return (uint16_t)rte_eth_find_next(0);
	wm_port_device_name(name, device, config->index);
	return rte_eth_dev_get_port_by_name(name, &id) == 0 ? id : RTE_MAX_ETHPORTS;
}

static int no_port(const struct wm_port_device *device, uint32_t index, struct wm_error *error)
{
	char name[WM_PORT_NAME_BYTES] = "such a device";

	if (device)
		wm_port_device_name(name, device, index);
	return wm_error_set(error, ENODEV, "DPDK has no driver for %s%s%s", name,
			    wm_eal_log_reason()[0] ? ": " : "", wm_eal_log_reason());
}

static int port_bring_up(struct wm_port *port, const struct wm_port_config *config,
			 struct wm_error *error)
{
	int ret = port_configure(port, config, error);

	if (ret < 0)
		goto close_device;
	ret = wm_port_pools_create(port, config);
	if (ret < 0) {
		wm_error_set(error, -ret,
			     "no memory for the pools of port %s (%s): more hugepages are needed",
			     port->name, rte_strerror(-ret));
		goto destroy_pools;
	}
	ret = wm_port_queues_start(port, config);
	if (ret < 0) {
		wm_error_set(error, -ret, "port %s (%s) does not start: %s", port->name,
			     port->driver, why(ret));
		goto destroy_pools;
	}
	return 0;

destroy_pools:
	wm_port_pools_destroy(port);
close_device:
	rte_eth_dev_close(port->id);
	return ret;
}

int wm_port_open(struct wm_port *port, const struct wm_port_config *config, struct wm_error *error)
{
	int node = config->device ? wm_port_device_node("", config->device) : -1;
	int ret;

	memset(port, 0, sizeof(*port));
	port->mtu = config->mtu;
	port->interface = config->device ? config->device->interface : NULL;
	if (port->interface)
		port->netdev_dropped = wm_port_netdev_dropped(port->interface);
	port->socket = node >= 0 ? node : config->socket;
	port->id = find_port(config);
	if (port->id >= RTE_MAX_ETHPORTS)
		return no_port(config->device, config->index, error);
	wm_eal_log_hold();
	ret = port_bring_up(port, config, error);
	if (ret < 0)
		wm_eal_log_drop();
	else
		wm_eal_log_release();
	return ret;
}

void wm_port_stop(struct wm_port *port)
{
	if (port->stopped)
		return;
	rte_eth_dev_stop(port->id);
	rte_eth_dev_close(port->id);
	port->stopped = true;
}

void wm_port_close(struct wm_port *port)
{
	wm_port_stop(port);
	wm_port_pools_destroy(port);
}
