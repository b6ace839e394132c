/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The UDP peer on the wire: a request and its reply are one datagram each, little-
 * endian as the machines are.
 *
 *    0 u64 chunk     which; the node only echoes it
 *    8 u32 vectors   of output
 *   12 u32 zero
 *   16 the vectors: one more than that in a request, so many in a reply
 *
 * With segmentation offloads a message is a train of such datagrams, all of one
 * length but the last (UDP_SEGMENT, UDP_GRO); without, a message is one datagram.
 */
#ifndef WM_PEER_UDP_H
#define WM_PEER_UDP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "blocks.h"

#define WM_UDP_PORT 8818u
/* Messages in one sendmmsg or recvmmsg. */
#define WM_UDP_MESSAGES 32u
/* What IPv4 carries in one datagram, and so in one train. */
#define WM_UDP_MESSAGE_BYTES 65507u
#define WM_UDP_SEGMENTS_MAX 64u

struct wm_udp_header {
	uint64_t chunk;
	uint32_t vectors;
	uint32_t zero;
};

_Static_assert(sizeof(struct wm_udp_header) == 16, "as drawn");

/* Room for one control message: the length of a train's datagrams. */
union wm_udp_control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static inline uint32_t wm_udp_request_bytes(uint32_t vectors)
{
	return (uint32_t)sizeof(struct wm_udp_header) + (vectors + 1) * WM_VECTOR_BYTES;
}

static inline uint32_t wm_udp_reply_bytes(uint32_t vectors)
{
	return (uint32_t)sizeof(struct wm_udp_header) + vectors * WM_VECTOR_BYTES;
}

/* A socket on that address (NULL: any) and port with room for `buffer_bytes` in each
 * direction; `trains`: it receives them whole. A file descriptor or a negative errno. */
int wm_udp_open(const char *address, uint16_t port, int buffer_bytes, bool trains);
/* Has the kernel cut this message into datagrams of that length. */
void wm_udp_cut(struct msghdr *message, union wm_udp_control *control, uint16_t datagram_bytes);
/* The length of the datagrams of a message that arrived with so many bytes. */
uint32_t wm_udp_datagram_bytes(struct msghdr *message, uint32_t bytes);

#endif
