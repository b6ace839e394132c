/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wm-peer-udp-node: answers requests of wm-peer-udp until it is ended by a signal.
 * Takes what has come in one call, computes, and answers in one call.
 */
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "udp.h"

/* As much as all windows that a controller may open: 64 MiB. */
#define BUFFER_BYTES (64 << 20)

struct options {
	bool no_compute;
	bool trains;
};

struct node {
	struct options options;
	int fd;
	struct mmsghdr in[WM_UDP_MESSAGES], out[WM_UDP_MESSAGES];
	struct iovec in_piece[WM_UDP_MESSAGES], out_piece[WM_UDP_MESSAGES];
	union wm_udp_control in_control[WM_UDP_MESSAGES], out_control[WM_UDP_MESSAGES];
	struct sockaddr_in sender[WM_UDP_MESSAGES];
	uint8_t request[WM_UDP_MESSAGES][1 << 16];
	uint8_t reply[WM_UDP_MESSAGES][1 << 16];
};

static const char usage_text[] =
	"Usage: wm-peer-udp-node [OPTION]...\n"
	"Answers each request of wm-peer-udp with the XOR of its vectors.\n"
	"\n"
	"  --trains      datagrams come and go as trains (UDP GRO and GSO)\n"
	"  --no-compute  answer zeroes\n"
	"  --help        print this text\n";

static int parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "trains", no_argument, NULL, 't' },
		{ "no-compute", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int key;

	while ((key = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (key) {
		case 't':
			options->trains = true;
			break;
		case 'n':
			options->no_compute = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

static void messages_prepare(struct node *node)
{
	for (uint32_t i = 0; i < WM_UDP_MESSAGES; i++) {
		node->in_piece[i] = (struct iovec){ node->request[i], sizeof(node->request[i]) };
		node->in[i].msg_hdr = (struct msghdr){
			.msg_name = &node->sender[i],
			.msg_namelen = sizeof(node->sender[i]),
			.msg_iov = &node->in_piece[i],
			.msg_iovlen = 1,
			.msg_control = &node->in_control[i],
			.msg_controllen = sizeof(node->in_control[i]),
		};
	}
}

/* One request to one reply; 0: it is none. */
static uint32_t answer(const struct node *node, const uint8_t *request, uint32_t bytes,
		       uint8_t *reply)
{
	const struct wm_udp_header *header = (const void *)request;

	if (bytes < sizeof(*header) || header->vectors >= WM_UDP_MESSAGE_BYTES / WM_VECTOR_BYTES ||
	    bytes != wm_udp_request_bytes(header->vectors))
		return 0;
	memcpy(reply, header, sizeof(*header));
	if (!node->options.no_compute)
		wm_peer_xor(reply + sizeof(*header), request + sizeof(*header), header->vectors);
	return wm_udp_reply_bytes(header->vectors);
}

/* A train of requests to a train of replies. Returns its bytes. */
static uint32_t answer_train(struct node *node, uint32_t index, uint32_t *datagram_bytes)
{
	uint32_t bytes = node->in[index].msg_len, done = 0;
	uint32_t each = wm_udp_datagram_bytes(&node->in[index].msg_hdr, bytes);

	*datagram_bytes = 0;
	for (uint32_t at = 0; at < bytes; at += each) {
		uint32_t length = bytes - at < each ? bytes - at : each;
		uint32_t reply =
			answer(node, node->request[index] + at, length, node->reply[index] + done);

		if (*datagram_bytes == 0)
			*datagram_bytes = reply;
		done += reply;
	}
	return done;
}

static void answer_all(struct node *node, uint32_t count)
{
	uint32_t replies = 0, datagram_bytes, bytes;

	for (uint32_t i = 0; i < count; i++) {
		struct msghdr *message = &node->out[replies].msg_hdr;

		bytes = answer_train(node, i, &datagram_bytes);
		if (bytes == 0)
			continue;
		node->out_piece[replies] = (struct iovec){ node->reply[i], bytes };
		*message = (struct msghdr){
			.msg_name = &node->sender[i],
			.msg_namelen = sizeof(node->sender[i]),
			.msg_iov = &node->out_piece[replies],
			.msg_iovlen = 1,
		};
		if (bytes > datagram_bytes)
			wm_udp_cut(message, &node->out_control[replies], (uint16_t)datagram_bytes);
		replies++;
	}
	/* What cannot be sent is asked for again. */
	for (uint32_t sent = 0; sent < replies;) {
		int ret = sendmmsg(node->fd, node->out + sent, replies - sent, 0);

		sent += ret > 0 ? (uint32_t)ret : 1;
	}
}

static int serve(struct node *node)
{
	for (;;) {
		int count;

		messages_prepare(node);
		count = recvmmsg(node->fd, node->in, WM_UDP_MESSAGES, MSG_WAITFORONE, NULL);
		if (count < 0)
			return -1;
		answer_all(node, (uint32_t)count);
	}
}

int main(int argc, char **argv)
{
	static struct node node;

	if (parse(&node.options, argc, argv) < 0) {
		fputs("wm-peer-udp-node: wrong usage; see --help\n", stderr);
		return 2;
	}
	node.fd = wm_udp_open(NULL, WM_UDP_PORT, BUFFER_BYTES, node.options.trains);
	if (node.fd < 0) {
		fprintf(stderr, "wm-peer-udp-node: no socket at port %u: %s\n", WM_UDP_PORT,
			strerror(-node.fd));
		return 1;
	}
	serve(&node);
	perror("wm-peer-udp-node: receiving");
	return 1;
}
