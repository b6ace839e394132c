/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The controller's port: an ethdev, its pools, and what it obtained.
 *
 * Any ethdev will do: a kernel netdev through net_af_packet (the lab), a PCI
 * device, or any --vdev. Three pools, taken once at start:
 *
 *   receive  one buffer a frame, placed so that the *payload* of a frame lies on a
 *            multiple of 512, or of a page: results are written with O_DIRECT from where
 *            they arrived. Buffers are external memory, pinned to their mbufs:
 *
 *                 0 mod 512                                   0 mod 512
 *                 |<-- gap -->|headroom 128|eth 14|header 28|payload ...
 *                             ^buf_addr
 *   header   the first segment of a MAP frame, or a whole one where the port
 *            takes no chain
 *   attach   mbufs without data, for the payload attached in place
 */
#ifndef WM_PORT_H
#define WM_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "port_device.h"
#include "wiremill/wire.h"

/* Payloads of received frames lie on multiples of this: STATX_DIOALIGN of the usual file
 * systems and disks; and of a page where the payload of a result is some, as NVMe wants them
 * (storage/queue.h). */
static inline uint32_t wm_port_payload_align_bytes(uint16_t mtu)
{
	return mtu > 2 * 4096 ? 4096 : 512;
}

struct wm_port_config {
	uint32_t receive_mbufs;	 /* results held until written, and the ring */
	uint32_t ring_frames;	 /* that a receive ring is to have; obtained: struct wm_port */
	uint32_t transmit_mbufs; /* frames on their way out */
	uint16_t mtu;		 /* of the link, from wm_port_mtu */
	bool whole_headers;	 /* header mbufs hold any frame also where the port takes chains */
	/* Of several devices; index: its place among them. NULL: the only one. */
	const struct wm_port_device *device;
	uint32_t index;
	/* NUMA node of the core that polls it: for a device that is at none. */
	int socket;
};

struct wm_port {
	uint16_t id;
	uint16_t mtu;
	int socket; /* where its memory is */
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	const char *interface; /* the netdev behind it, or NULL; of the config's device */
	char name[64];
	char driver[32];
	bool stopped;
	bool multi_segment;   /* takes a chain of mbufs */
	uint32_t ring_frames; /* descriptors it granted: what it holds before it loses some */
	struct rte_mempool *receive, *header, *attach;
	const void *receive_zone;
	uint32_t netdev_dropped; /* by the kernel, before it was opened: port_counters.h */
	uint64_t memory_bytes;	 /* hugepages of the pools */
};

#endif
