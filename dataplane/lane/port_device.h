/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The devices that a program was told to use as ports, before DPDK is up: are they named
 * rightly, what is their MTU, where are they. wiremilld and wiremill-gen both ask here.
 */
#ifndef WM_PORT_DEVICE_H
#define WM_PORT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"

#define WM_PORTS_MAX 4u
#define WM_PORT_NAME_BYTES 64u

/* Which device, one of the three set. */
struct wm_port_device {
	const char *interface; /* a kernel netdev, through net_af_packet */
	const char *vdev;      /* "net_memif0,..." as EAL takes it */
	const char *pci;       /* "0000:01:00.0" */
	uint16_t mtu;	       /* of a vdev or PCI device; 0: as large as it can, up to ours */
};

/* How they are named: PCI addresses, none of them twice, MTUs. Pure, but that an interface's
 * name in the place of an address is told its address. 0 or -EINVAL: wrong usage. */
int wm_port_devices_check(const struct wm_port_device *devices, uint32_t count,
			  struct wm_error *error);
/* Is it here, and can it be had? root as in sysfs.h. */
int wm_port_device_check(const char *root, const struct wm_port_device *device,
			 struct wm_error *error);

/* As DPDK names the port of the index-th of them. */
void wm_port_device_name(char name[WM_PORT_NAME_BYTES], const struct wm_port_device *device,
			 uint32_t index);
/* The MTU that its memory must be sized for: of a netdev its own; else what was asked for,
 * or WM_MTU_MAX. -ENODEV, -ENOTSUP: no Ethernet, -EMSGSIZE: too small. */
int wm_port_mtu(const struct wm_port_device *device, uint16_t *mtu, struct wm_error *error);
/* The NUMA node that it is at; -1: none. */
int wm_port_device_node(const char *root, const struct wm_port_device *device);
/* A network interface with a device behind it, other than a veth, a bridge, ... */
bool wm_port_device_is_physical(const char *root, const struct wm_port_device *device);
/* Frames of the packet(7) ring each way, where net_af_packet is its driver. */
uint32_t wm_port_device_packet_frames(const char *root, const struct wm_port_device *device,
				      uint16_t mtu);

#endif
