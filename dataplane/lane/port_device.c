/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_device.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "inflight.h"
#include "number.h"
#include "pci_sysfs.h"
#include "sysfs.h"
#include "wiremill/limits.h"

/* What is not a card hands frames to a ring through a backlog of 1000
 * (net.core.netdev_max_backlog): one that holds more is never full. */
#define VIRTUAL_RING_FRAMES 1024u
/* net_af_packet's own, for a --vdev that does not say. */
#define PACKET_RING_FRAMES 512u

/* ---- names ----------------------------------------------------------------------- */

void wm_port_device_name(char name[WM_PORT_NAME_BYTES], const struct wm_port_device *device,
			 uint32_t index)
{
	struct wm_pci_address address = { 0 };

	if (device->interface) {
		snprintf(name, WM_PORT_NAME_BYTES, "net_af_packet%u", index);
	} else if (device->vdev) {
		snprintf(name, WM_PORT_NAME_BYTES, "%.*s", (int)strcspn(device->vdev, ","),
			 device->vdev);
	} else {
		wm_pci_address_parse(&address, device->pci);
		wm_pci_address_format(name, &address);
	}
}

/* As the user named it. */
static const char *given(const struct wm_port_device *device)
{
	return device->interface ? device->interface : device->vdev ? device->vdev : device->pci;
}

static int check_address(const struct wm_port_device *device, struct wm_error *error)
{
	struct wm_pci_address address;
	char found[WM_PCI_TEXT_BYTES];

	if (!device->pci || wm_pci_address_parse(&address, device->pci) == 0)
		return 0;
	if (wm_pci_find_interface("", device->pci, found) == 0)
		return wm_error_set(error, EINVAL,
				    "--pci takes an address, not an interface: %s is at %s",
				    device->pci, found);
	return wm_error_set(error, EINVAL,
			    "--pci takes an address such as 0000:05:00.0, as 'lspci -D' shows it, "
			    "not '%s'",
			    device->pci);
}

static bool is_same(const struct wm_port_device *a, uint32_t a_index,
		    const struct wm_port_device *b, uint32_t b_index)
{
	char a_name[WM_PORT_NAME_BYTES], b_name[WM_PORT_NAME_BYTES];

	wm_port_device_name(a_name, a, a_index);
	wm_port_device_name(b_name, b, b_index);
	return strcmp(a_name, b_name) == 0 ||
	       (a->interface && b->interface && strcmp(a->interface, b->interface) == 0);
}

static int check_twice(const struct wm_port_device *devices, uint32_t index, struct wm_error *error)
{
	for (uint32_t i = 0; i < index; i++) {
		if (is_same(&devices[i], i, &devices[index], index))
			return wm_error_set(error, EINVAL,
					    "each lane needs a port of its own: %s and %s are the "
					    "same",
					    given(&devices[i]), given(&devices[index]));
	}
	return 0;
}

int wm_port_devices_check(const struct wm_port_device *devices, uint32_t count,
			  struct wm_error *error)
{
	int ret = 0;

	for (uint32_t i = 0; i < count && ret == 0; i++) {
		ret = check_address(&devices[i], error);
		if (ret == 0)
			ret = check_twice(devices, i, error);
		if (ret == 0 && devices[i].interface && devices[i].mtu > 0)
			ret = wm_error_set(error, EINVAL,
					   "--mtu is for --pci and --vdev: an interface has its "
					   "own, 'ip link set %s mtu %u'",
					   devices[i].interface, devices[i].mtu);
	}
	return ret;
}

int wm_port_device_check(const char *root, const struct wm_port_device *device,
			 struct wm_error *error)
{
	struct wm_pci_address address;

	if (!device->pci)
		return 0;
	if (wm_pci_address_parse(&address, device->pci) < 0)
		return check_address(device, error);
	return wm_pci_check(root, &address, error);
}

/* ---- what it is -------------------------------------------------------------------- */

/* One question about that interface, by a socket of any kind. */
static int ask(int fd, unsigned long what, struct ifreq *request, const char *interface,
	       struct wm_error *error)
{
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", interface);
	if (strlen(interface) < sizeof(request->ifr_name) && ioctl(fd, what, request) == 0)
		return 0;
	if (strlen(interface) >= sizeof(request->ifr_name) || errno == ENODEV)
		return wm_error_set(error, ENODEV, "no network interface '%s' here: see 'ip link'",
				    interface);
	return wm_error_set(error, errno, "interface %s cannot be read: %s", interface,
			    wm_errno_text(errno));
}

/* Frames of ours have an Ethernet header: not those of a loopback, a tun, a ppp. */
static int interface_mtu(const char *interface, int *mtu, struct wm_error *error)
{
	int ret, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	if (fd < 0)
		return wm_error_set(error, errno,
				    "interface %s cannot be read, since no socket can be had: %s",
				    interface, wm_errno_text(errno));
	ret = ask(fd, SIOCGIFHWADDR, &request, interface, error);
	if (ret == 0 && request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		ret = wm_error_set(error, ENOTSUP,
				   "interface %s is no Ethernet: name one with --interface",
				   interface);
	if (ret == 0)
		ret = ask(fd, SIOCGIFMTU, &request, interface, error);
	*mtu = request.ifr_mtu;
	close(fd);
	return ret;
}

int wm_port_mtu(const struct wm_port_device *device, uint16_t *mtu, struct wm_error *error)
{
	int found = 0, ret;

	*mtu = device->mtu > 0 ? device->mtu : WM_MTU_MAX;
	if (!device->interface)
		return 0;
	ret = interface_mtu(device->interface, &found, error);
	if (ret < 0)
		return ret;
	if (found < (int)WM_MTU_MIN)
		return wm_error_set(error, EMSGSIZE,
				    "the MTU of %s is %d, too small: set at least %u with 'ip link "
				    "set %s mtu %u'",
				    device->interface, found, WM_MTU_MIN, device->interface,
				    WM_MTU_MIN);
	*mtu = found > (int)WM_MTU_MAX ? WM_MTU_MAX : (uint16_t)found;
	return 0;
}

int wm_port_device_node(const char *root, const struct wm_port_device *device)
{
	char name[WM_PORT_NAME_BYTES];
	int64_t node = -1;

	wm_port_device_name(name, device, 0);
	if (device->interface && wm_sysfs_number(&node, root, "/sys/class/net/%s/device/numa_node",
						 device->interface) < 0)
		return -1;
	if (device->pci &&
	    wm_sysfs_number(&node, root, "/sys/bus/pci/devices/%s/numa_node", name) < 0)
		return -1;
	return (int)node;
}

bool wm_port_device_is_physical(const char *root, const struct wm_port_device *device)
{
	return device->interface &&
	       wm_sysfs_exists(root, "/sys/class/net/%s/device", device->interface);
}

/* As its argument framecnt=N says. */
static uint32_t vdev_packet_frames(const char *vdev)
{
	const char *given = strstr(vdev, ",framecnt=");
	uint64_t frames;
	char text[16];

	if (!given)
		return PACKET_RING_FRAMES;
	given += strlen(",framecnt=");
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(given, ","), given);
	return wm_number_parse(text, 1, UINT32_MAX, &frames) == 0 ? (uint32_t)frames
								  : PACKET_RING_FRAMES;
}

uint32_t wm_port_device_packet_frames(const char *root, const struct wm_port_device *device,
				      uint16_t mtu)
{
	if (device->vdev)
		return vdev_packet_frames(device->vdev);
	return wm_port_device_is_physical(root, device) ? wm_inflight_ring_frames(mtu)
							: VIRTUAL_RING_FRAMES;
}
