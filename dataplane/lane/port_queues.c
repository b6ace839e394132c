/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_queues.h"

#include <inttypes.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_memzone.h>

#include "log.h"
#include "wiremill/limits.h"

/* TPACKET2_HDRLEN, and the most that tpacket_rcv() puts before the Ethernet header. */
#define PACKET_HEADER_BYTES 52u
#define PACKET_OFFSET_BYTES 80u

#define HUGEPAGE_BYTES (2u * 1024 * 1024)
#define TRANSMIT_DESCRIPTORS 1024u
#define MBUF_CACHE 256u

static uint32_t round_up(uint32_t value, uint32_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

/* ---- sizes ---------------------------------------------------------------- */

/* Of one slot in a packet(7) ring: quarter pages, four to a block, so that
 * blocks are whole pages and slots follow each other without a gap. */
uint32_t wm_port_packet_slot_bytes(uint16_t mtu)
{
	return round_up(WM_ETHER_HEADER_BYTES + mtu + PACKET_OFFSET_BYTES, 1024);
}

/* net_af_packet wants room for a whole slot. */
static uint32_t receive_room_bytes(uint16_t mtu)
{
	return RTE_PKTMBUF_HEADROOM + wm_port_packet_slot_bytes(mtu) - PACKET_HEADER_BYTES;
}

static uint32_t receive_stride_bytes(uint16_t mtu)
{
	return round_up(receive_room_bytes(mtu), wm_port_payload_align_bytes(mtu));
}

static size_t receive_memory_bytes(const struct wm_port_config *config, uint16_t mtu)
{
	size_t bytes = ((size_t)config->receive_mbufs + 1) * receive_stride_bytes(mtu);

	return (bytes + HUGEPAGE_BYTES - 1) / HUGEPAGE_BYTES * HUGEPAGE_BYTES;
}

static uint32_t header_room_bytes(uint16_t mtu, bool multi_segment)
{
	return RTE_PKTMBUF_HEADROOM + (multi_segment ? WM_FRAME_HEADER_BYTES + WM_MESSAGE_BYTES_MAX
						     : WM_ETHER_HEADER_BYTES + (uint32_t)mtu);
}

uint32_t wm_port_hugepages(const struct wm_port_config *config, uint16_t mtu)
{
	/* The object of a mempool: its own header, the mbuf. */
	size_t object = 64 + sizeof(struct rte_mbuf);
	size_t bytes = receive_memory_bytes(config, mtu) + config->receive_mbufs * object +
		       config->transmit_mbufs * (2 * object + header_room_bytes(mtu, false));

	return WM_PORT_HUGEPAGES_BASE + (uint32_t)((bytes + HUGEPAGE_BYTES - 1) / HUGEPAGE_BYTES);
}

/* ---- pools ---------------------------------------------------------------- */

static void pool_name(char name[RTE_MEMZONE_NAMESIZE], const char *what, const struct wm_port *port)
{
	snprintf(name, RTE_MEMZONE_NAMESIZE, "wm-%s-%u", what, port->id);
}

/* One zone that we cut ourselves: a pool of its own layout would not put the
 * payloads where O_DIRECT wants them. */
static int receive_pool_create(struct wm_port *port, const struct wm_port_config *config)
{
	uint32_t stride = receive_stride_bytes(port->mtu);
	size_t bytes = receive_memory_bytes(config, port->mtu);
	uint32_t align = wm_port_payload_align_bytes(port->mtu);
	uint32_t offset = (RTE_PKTMBUF_HEADROOM + WM_FRAME_HEADER_BYTES) % align;
	struct rte_pktmbuf_extmem area = { 0 };
	const struct rte_memzone *zone;
	char name[RTE_MEMZONE_NAMESIZE];

	pool_name(name, "receive", port);
	zone = rte_memzone_reserve_aligned(name, bytes, port->socket, 0, HUGEPAGE_BYTES);
	if (!zone)
		return -rte_errno;
	port->receive_zone = zone;
	port->memory_bytes += bytes;
	area.buf_ptr = (uint8_t *)zone->addr + align - offset;
	area.buf_iova = zone->iova == RTE_BAD_IOVA ? RTE_BAD_IOVA : zone->iova + align - offset;
	area.buf_len = (size_t)config->receive_mbufs * stride;
	area.elt_size = (uint16_t)stride;

	port->receive = rte_pktmbuf_pool_create_extbuf(name, config->receive_mbufs, MBUF_CACHE, 0,
						       (uint16_t)stride, port->socket, &area, 1);
	return port->receive ? 0 : -rte_errno;
}

int wm_port_pools_create(struct wm_port *port, const struct wm_port_config *config)
{
	char name[RTE_MEMZONE_NAMESIZE];
	int ret = receive_pool_create(port, config);

	if (ret < 0)
		return ret;
	pool_name(name, "header", port);
	port->header = rte_pktmbuf_pool_create(
		name, config->transmit_mbufs, MBUF_CACHE, 0,
		(uint16_t)header_room_bytes(port->mtu,
					    port->multi_segment && !config->whole_headers),
		port->socket);
	if (!port->header)
		return -rte_errno;
	pool_name(name, "attach", port);
	port->attach = rte_pktmbuf_pool_create(name, config->transmit_mbufs, MBUF_CACHE, 0, 0,
					       port->socket);
	return port->attach ? 0 : -rte_errno;
}

static uint32_t mbufs_out(const struct rte_mempool *pool)
{
	return pool ? rte_mempool_in_use_count(pool) : 0;
}

void wm_port_pools_destroy(struct wm_port *port)
{
	uint32_t out = mbufs_out(port->attach) + mbufs_out(port->header) + mbufs_out(port->receive);

	if (out > 0)
		wm_log_warning("port %s (%s): %" PRIu32 " mbufs were not given back", port->name,
			       port->driver, out);
	rte_mempool_free(port->attach);
	rte_mempool_free(port->header);
	rte_mempool_free(port->receive);
	if (port->receive_zone)
		rte_memzone_free(port->receive_zone);
}

/* ---- queues ---------------------------------------------------------------- */

/* Some drivers use as much of a buffer as is a power of two, and refuse a frame that does
 * not fit unless they may take it in several. */
uint64_t wm_port_receive_offloads(const struct wm_port *port, const struct rte_eth_dev_info *info)
{
	uint32_t room = receive_stride_bytes(port->mtu) - RTE_PKTMBUF_HEADROOM;
	uint32_t used = 1u << (31 - __builtin_clz(room));
	uint32_t frame = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN + port->mtu + RTE_ETHER_CRC_LEN;

	return frame > used ? info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER : 0;
}

/* What was granted, as the driver says and as it took: a ring of hardware is filled when it
 * starts, whatever was asked for. */
static uint32_t ring_frames(const struct wm_port *port, const struct wm_port_config *config,
			    uint16_t descriptors)
{
	struct rte_eth_rxq_info queue = { .nb_desc = descriptors };
	uint32_t filled = rte_mempool_in_use_count(port->receive);

	if (strcmp(port->driver, "net_af_packet") == 0 && config->device)
		return wm_port_device_packet_frames("", config->device, config->mtu);
	if (rte_eth_rx_queue_info_get(port->id, 0, &queue) < 0 || queue.nb_desc == 0)
		queue.nb_desc = descriptors;
	return filled > 0 && filled < queue.nb_desc ? filled : queue.nb_desc;
}

int wm_port_queues_start(struct wm_port *port, const struct wm_port_config *config)
{
	uint16_t receive_descriptors = (uint16_t)config->ring_frames,
		 transmit_descriptors = TRANSMIT_DESCRIPTORS;
	int ret;

	ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &receive_descriptors,
					       &transmit_descriptors);
	if (ret < 0)
		return ret;
	ret = rte_eth_rx_queue_setup(port->id, 0, receive_descriptors, (unsigned)port->socket, NULL,
				     port->receive);
	if (ret < 0)
		return ret;
	ret = rte_eth_tx_queue_setup(port->id, 0, transmit_descriptors, (unsigned)port->socket,
				     NULL);
	if (ret < 0)
		return ret;
	ret = rte_eth_dev_start(port->id);
	if (ret < 0)
		return ret;
	port->ring_frames = ring_frames(port, config, receive_descriptors);
	return 0;
}
