/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_private.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "log.h"
#include "wiremill/limits.h"

#define PACKET_NAME "net_af_packet%" PRIu32 /* of the nth device */

/* ---- EAL ------------------------------------------------------------------ */

static uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	uint64_t number = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64, &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

static int check_hugepages(uint32_t needed, struct wm_error *error)
{
	uint64_t unused = read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
	uint64_t all = read_number("/proc/sys/vm/nr_hugepages");

	if (unused >= needed)
		return 0;
	return wm_error_set(error, ENOMEM,
			    "%" PRIu32 " free hugepages of 2 MiB are needed, there are %" PRIu64
			    ": run 'echo %" PRIu64 " > /proc/sys/vm/nr_hugepages' as root",
			    needed, unused, all + needed - unused);
}

int wm_port_mtu(const struct wm_port_device *device, uint16_t *mtu, struct wm_error *error)
{
	struct ifreq request = { 0 };
	int fd, ret = 0;

	*mtu = WM_MTU_MAX;
	if (!device->interface)
		return 0;
	if (strlen(device->interface) >= sizeof(request.ifr_name) ||
	    if_nametoindex(device->interface) == 0)
		return wm_error_set(error, ENODEV, "no network interface '%s' here: see 'ip link'",
				    device->interface);
	strcpy(request.ifr_name, device->interface);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request) < 0)
		ret = wm_error_set(error, errno, "cannot read the MTU of %s: %s", device->interface,
				   strerror(errno));
	else if (request.ifr_mtu < (int)WM_MTU_MIN)
		ret = wm_error_set(error, EMSGSIZE,
				   "the MTU of %s is %d, too small: set at least %u with 'ip link "
				   "set %s mtu %u'",
				   device->interface, request.ifr_mtu, WM_MTU_MIN,
				   device->interface, WM_MTU_MIN);
	else
		*mtu = request.ifr_mtu > (int)WM_MTU_MAX ? WM_MTU_MAX : (uint16_t)request.ifr_mtu;
	if (fd >= 0)
		close(fd);
	return ret;
}

/* "--vdev=net_af_packet0,..." for a netdev: the ring slots hold its largest frame. */
static int device_argument(const struct wm_port_device *device, uint32_t index, char *text,
			   size_t text_bytes, struct wm_error *error)
{
	uint16_t mtu;
	int ret;

	if (device->pci) {
		snprintf(text, text_bytes, "--allow=%s", device->pci);
		return 0;
	}
	if (device->vdev) {
		snprintf(text, text_bytes, "--vdev=%s", device->vdev);
		return 0;
	}
	ret = wm_port_mtu(device, &mtu, error);
	if (ret < 0)
		return ret;
	snprintf(text, text_bytes,
		 "--vdev=" PACKET_NAME ",iface=%s,qdisc_bypass=1,framesz=%" PRIu32
		 ",blocksz=%" PRIu32 ",framecnt=%u",
		 index, device->interface, wm_port_packet_slot_bytes(mtu),
		 4 * wm_port_packet_slot_bytes(mtu), WM_PORT_PACKET_RING_FRAMES);
	return 0;
}

/* Buffers cross pages, so a device must see virtual addresses: EAL refuses a PCI
 * card that has no IOMMU before it. All pages are in one file: Linux 6.1 registers no
 * buffer that lies in two. A memif without copies shows its memory to the other end,
 * and so wants all that there will be at once. */
static bool any_device(const struct wm_port_device *devices, uint32_t count, bool pci)
{
	for (uint32_t i = 0; i < count; i++) {
		if (pci ? devices[i].pci != NULL : devices[i].vdev != NULL)
			return true;
	}
	return false;
}

int wm_port_eal_init(const char *program, const struct wm_port_device *devices,
		     uint32_t device_count, const char *lcores, uint32_t hugepages,
		     struct wm_error *error)
{
	char device_texts[WM_PORTS_MAX][512], lcores_text[128], memory_text[32];
	char *argv[9 + WM_PORTS_MAX + 1] = {
		(char *)program,  "--in-memory",    "--single-file-segments",
		"--no-telemetry", "--iova-mode=va", "--log-level=error",
		lcores_text
	};
	int argc = 7, ret;

	ret = check_hugepages(hugepages, error);
	for (uint32_t i = 0; ret == 0 && i < device_count; i++) {
		ret = device_argument(&devices[i], i, device_texts[i], sizeof(device_texts[i]),
				      error);
		argv[argc++] = device_texts[i];
	}
	if (ret < 0)
		return ret;
	if (!any_device(devices, device_count, true))
		argv[argc++] = "--no-pci";
	if (any_device(devices, device_count, false))
		argv[argc++] = memory_text;
	snprintf(lcores_text, sizeof(lcores_text), "--lcores=%s", lcores);
	snprintf(memory_text, sizeof(memory_text), "-m%" PRIu32, hugepages * 2);
	if (rte_eal_init(argc, argv) < 0)
		return wm_error_set(error, rte_errno ? rte_errno : EIO,
				    "DPDK does not start with %s %s%s: %s", lcores_text,
				    device_texts[0], device_count > 1 ? " ..." : "",
				    rte_strerror(rte_errno));
	return 0;
}

void wm_port_eal_fini(void)
{
	rte_eal_cleanup();
}

/* ---- the device ------------------------------------------------------------ */

/* A netdev has its MTU from the system, and a memif carries what fits the buffers of
 * its ends; any other device is asked for ours. */
static int port_set_mtu(struct wm_port *port)
{
	uint16_t mtu;

	if (strcmp(port->driver, "net_af_packet") == 0 || strcmp(port->driver, "net_memif") == 0 ||
	    rte_eth_dev_set_mtu(port->id, port->mtu) == 0)
		return 0;
	if (rte_eth_dev_get_mtu(port->id, &mtu) < 0 || mtu < WM_MTU_MIN)
		return -EMSGSIZE;
	if (mtu < port->mtu)
		port->mtu = mtu;
	return 0;
}

static int port_configure(struct wm_port *port, struct wm_error *error)
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
		return wm_error_set(error, -ret, "the port does not say what it is: %s",
				    strerror(-ret));
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	/* A chain sent to a port that does not advertise it goes out as garbage. */
	port->multi_segment = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (port->multi_segment)
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	conf.rxmode.offloads = wm_port_receive_offloads(port, &info);

	ret = rte_eth_dev_configure(port->id, 1, 1, &conf);
	if (ret == 0)
		ret = port_set_mtu(port);
	if (ret < 0)
		return wm_error_set(error, -ret, "port %s (%s) cannot be configured: %s",
				    port->name, port->driver, strerror(-ret));
	return 0;
}

/* The ethdev of that device; RTE_MAX_ETHPORTS: there is none. */
static uint16_t find_port(const struct wm_port_config *config)
{
	const struct wm_port_device *device = config->device;
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t id;

	if (!device)
		return (uint16_t)rte_eth_find_next(0);
	if (device->interface)
		snprintf(name, sizeof(name), PACKET_NAME, config->index);
	else if (device->vdev)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(device->vdev, ","), device->vdev);
	else
		/* EAL takes an address without its domain too, and names it in full. */
		snprintf(name, sizeof(name), "%s%s", strlen(device->pci) < 12 ? "0000:" : "",
			 device->pci);
	return rte_eth_dev_get_port_by_name(name, &id) == 0 ? id : RTE_MAX_ETHPORTS;
}

int wm_port_open(struct wm_port *port, const struct wm_port_config *config, struct wm_error *error)
{
	int ret;

	memset(port, 0, sizeof(*port));
	port->mtu = config->mtu;
	port->interface = config->device ? config->device->interface : NULL;
	port->id = find_port(config);
	if (port->id >= RTE_MAX_ETHPORTS)
		return wm_error_set(error, ENODEV,
				    "DPDK found no port: check the device's name "
				    "and that it is bound to a DPDK driver");
	port->socket = rte_eth_dev_socket_id(port->id);
	if (port->socket == SOCKET_ID_ANY)
		port->socket = config->socket;
	ret = port_configure(port, error);
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
			     port->driver, strerror(-ret));
		goto destroy_pools;
	}
	return 0;

destroy_pools:
	wm_port_pools_destroy(port);
close_device:
	rte_eth_dev_close(port->id);
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
