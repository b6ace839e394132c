/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

static int set_options(int fd, int buffer_bytes, bool trains)
{
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_bytes, sizeof(buffer_bytes)) < 0)
		return -errno;
	if (trains && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

int wm_udp_open(const char *address, uint16_t port, int buffer_bytes, bool trains)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, ret;

	if (address && inet_pton(AF_INET, address, &own.sin_addr) != 1)
		return -EINVAL;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = set_options(fd, buffer_bytes, trains);
	if (ret == 0 && bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		ret = -errno;
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

void wm_udp_cut(struct msghdr *message, union wm_udp_control *control, uint16_t datagram_bytes)
{
	struct cmsghdr *header;

	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(sizeof(datagram_bytes));
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = IPPROTO_UDP;
	header->cmsg_type = UDP_SEGMENT;
	header->cmsg_len = CMSG_LEN(sizeof(datagram_bytes));
	memcpy(CMSG_DATA(header), &datagram_bytes, sizeof(datagram_bytes));
}

uint32_t wm_udp_datagram_bytes(struct msghdr *message, uint32_t bytes)
{
	struct cmsghdr *header;
	int datagram_bytes;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != IPPROTO_UDP || header->cmsg_type != UDP_GRO)
			continue;
		memcpy(&datagram_bytes, CMSG_DATA(header), sizeof(datagram_bytes));
		if (datagram_bytes > 0)
			return (uint32_t)datagram_bytes;
	}
	return bytes;
}
