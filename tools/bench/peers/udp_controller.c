/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wm-peer-udp: what a good engineer would write in a day with plain UDP sockets. It
 * streams a file through wm-peer-udp-node on each of several machines.
 *
 *   a chunk:  to do ──send──▶ in flight ──reply──▶ done
 *                ▲────── 200 ms pass ──┘
 *
 * One thread, one socket, dozens of messages a system call, a fixed window for each
 * node, payloads sent from where the disk put them. When nothing is left to do it
 * sleeps until the socket or the disk has something.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "number.h"
#include "peer.h"
#include "udp.h"

#define NODES_MAX 64u
/* Of the smallest chunk: 8 vectors. */
#define CHUNKS_MAX (WM_BLOCK_VECTORS / 8)
#define TIMEOUT_NS (200 * WM_NS_PER_MS)
#define SCAN_NS (50 * WM_NS_PER_MS)
/* Datagrams in a row to one node, so that it finds several in one call. */
#define TURN 8u
#define BUFFER_BYTES (64 << 20)

enum chunk_state { TO_DO, IN_FLIGHT, DONE };

struct chunk {
	uint64_t sent_ns;
	uint8_t state;
	uint8_t node;
};

struct slot {
	struct wm_block *block;	      /* NULL: none is open here */
	uint32_t chunks, fresh, done; /* of the block; fresh: first never sent */
	uint32_t again;		      /* in state TO_DO below fresh */
	struct chunk chunk[CHUNKS_MAX];
};

struct node {
	struct sockaddr_in address;
	uint32_t in_flight;
};

struct options {
	const char *input, *output;
	uint64_t vectors, window, trains; /* trains: datagrams in a message, 1: none */
};

struct controller {
	struct options options;
	struct wm_blocks *blocks;
	struct node node[NODES_MAX];
	uint32_t nodes, turn;
	uint32_t chunks_per_block;
	int fd;
	uint64_t now_ns, scan_ns, sent, resent;
	struct slot slot[WM_BLOCKS_MAX];
	uint32_t order[WM_BLOCKS_MAX]; /* open slots, oldest first */
	uint32_t open;

	struct mmsghdr out[WM_UDP_MESSAGES];
	struct wm_udp_header header[WM_UDP_MESSAGES][WM_UDP_SEGMENTS_MAX];
	struct iovec out_piece[WM_UDP_MESSAGES][2 * WM_UDP_SEGMENTS_MAX];
	union wm_udp_control out_control[WM_UDP_MESSAGES];

	struct mmsghdr in[WM_UDP_MESSAGES];
	struct iovec in_piece[WM_UDP_MESSAGES];
	union wm_udp_control in_control[WM_UDP_MESSAGES];
	uint8_t reply[WM_UDP_MESSAGES][1 << 16];
};

/* ---- options ------------------------------------------------------------------ */

static const char usage_text[] =
	"Usage: wm-peer-udp --input FILE --output FILE [OPTION]... ADDRESS...\n"
	"XORs each 32-byte vector with the next, on nodes at these IPv4 addresses.\n"
	"\n"
	"  --vectors N   of output in one datagram, 8 to 2045 (256)\n"
	"  --window N    datagrams in flight to a node, 1 to 4096 (32)\n"
	"  --trains N    datagrams that are handed to the kernel at once (UDP GSO), 1 to 64 (1)\n"
	"  --help        print this text\n"
	"\n"
	"Prints one JSON object. Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static int parse_one(struct controller *controller, int key)
{
	struct options *options = &controller->options;

	switch (key) {
	case 'i':
		options->input = optarg;
		return 0;
	case 'o':
		options->output = optarg;
		return 0;
	case 'v':
		return wm_number_parse(optarg, 8, 2045, &options->vectors);
	case 'w':
		return wm_number_parse(optarg, 1, 4096, &options->window);
	case 't':
		return wm_number_parse(optarg, 1, WM_UDP_SEGMENTS_MAX, &options->trains);
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		return -EINVAL;
	}
}

static int parse_nodes(struct controller *controller, int argc, char **argv)
{
	if (optind == argc || argc - optind > (int)NODES_MAX)
		return -EINVAL;
	for (; optind < argc; optind++) {
		struct sockaddr_in *address = &controller->node[controller->nodes++].address;

		address->sin_family = AF_INET;
		address->sin_port = htons(WM_UDP_PORT);
		if (inet_pton(AF_INET, argv[optind], &address->sin_addr) != 1)
			return -EINVAL;
	}
	return 0;
}

static int parse(struct controller *controller, int argc, char **argv)
{
	static const struct option known[] = {
		{ "input", required_argument, NULL, 'i' },
		{ "output", required_argument, NULL, 'o' },
		{ "vectors", required_argument, NULL, 'v' },
		{ "window", required_argument, NULL, 'w' },
		{ "trains", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options *options = &controller->options;
	int key;

	*options = (struct options){ .vectors = 256, .window = 32, .trains = 1 };
	while ((key = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (parse_one(controller, key) < 0)
			return -EINVAL;
	}
	if (!options->input || !options->output ||
	    options->trains * wm_udp_request_bytes((uint32_t)options->vectors) >
		    WM_UDP_MESSAGE_BYTES)
		return -EINVAL;
	return parse_nodes(controller, argc, argv);
}

/* ---- what to send ---------------------------------------------------------------- */

static void open_blocks(struct controller *controller)
{
	uint32_t vectors = (uint32_t)controller->options.vectors;
	struct wm_block *block;

	while ((block = wm_blocks_take(controller->blocks))) {
		struct slot *slot = &controller->slot[block->slot];

		slot->block = block;
		slot->chunks = (block->vectors + vectors - 1) / vectors;
		slot->fresh = slot->done = slot->again = 0;
		controller->order[controller->open++] = block->slot;
	}
}

static void close_block(struct controller *controller, struct slot *slot)
{
	uint32_t index = slot->block->slot, kept = 0;

	for (uint32_t i = 0; i < controller->open; i++) {
		if (controller->order[i] != index)
			controller->order[kept++] = controller->order[i];
	}
	controller->open = kept;
	wm_blocks_give(controller->blocks, slot->block);
	slot->block = NULL;
}

/* What was lost, if anything, else the next in order. False: nothing is to do. */
static bool slot_take(struct slot *slot, uint32_t *place)
{
	if (slot->again > 0) {
		for (uint32_t i = 0; i < slot->fresh; i++) {
			if (slot->chunk[i].state != TO_DO)
				continue;
			slot->again--;
			*place = i;
			return true;
		}
	}
	if (slot->fresh == slot->chunks)
		return false;
	*place = slot->fresh++;
	return true;
}

static struct slot *take_chunk(struct controller *controller, uint32_t *place)
{
	for (uint32_t i = 0; i < controller->open; i++) {
		struct slot *slot = &controller->slot[controller->order[i]];

		if (slot_take(slot, place))
			return slot;
	}
	return NULL;
}

static uint32_t chunk_vectors(const struct controller *controller, const struct slot *slot,
			      uint32_t place)
{
	uint32_t vectors = (uint32_t)controller->options.vectors;
	uint32_t left = slot->block->vectors - place * vectors;

	return left < vectors ? left : vectors;
}

/* ---- sending --------------------------------------------------------------------- */

/* Puts one chunk into a message as its datagram number `index`. Its vectors; 0: there
 * is nothing to send. */
static uint32_t add_datagram(struct controller *controller, uint32_t node, uint32_t message,
			     uint32_t index)
{
	struct iovec *piece = &controller->out_piece[message][2 * index];
	struct wm_udp_header *header = &controller->header[message][index];
	uint32_t place, vectors;
	struct slot *slot = take_chunk(controller, &place);

	if (!slot)
		return 0;
	vectors = chunk_vectors(controller, slot, place);
	*header = (struct wm_udp_header){
		.chunk = slot->block->number * controller->chunks_per_block + place,
		.vectors = vectors,
	};
	piece[0] = (struct iovec){ header, sizeof(*header) };
	piece[1].iov_base = (void *)(slot->block->in +
				     (size_t)place * controller->options.vectors * WM_VECTOR_BYTES);
	piece[1].iov_len = (size_t)(vectors + 1) * WM_VECTOR_BYTES;
	slot->chunk[place] = (struct chunk){ controller->now_ns, IN_FLIGHT, (uint8_t)node };
	controller->node[node].in_flight++;
	controller->sent++;
	return vectors;
}

/* A message of up to `room` datagrams; only the last may be short. False: empty. */
static bool add_message(struct controller *controller, uint32_t node, uint32_t index, uint32_t room)
{
	struct msghdr *message = &controller->out[index].msg_hdr;
	uint32_t full = (uint32_t)controller->options.vectors, count = 0, vectors;

	if (room > controller->options.trains)
		room = (uint32_t)controller->options.trains;
	do {
		vectors = add_datagram(controller, node, index, count);
		count += vectors > 0;
	} while (vectors == full && count < room);
	*message = (struct msghdr){
		.msg_name = &controller->node[node].address,
		.msg_namelen = sizeof(controller->node[node].address),
		.msg_iov = controller->out_piece[index],
		.msg_iovlen = 2 * count,
	};
	if (count > 1)
		wm_udp_cut(message, &controller->out_control[index],
			   (uint16_t)wm_udp_request_bytes(full));
	return count > 0;
}

/* The messages of one node's turn. Returns how many there are now. */
static uint32_t add_turn(struct controller *controller, uint32_t node, uint32_t messages)
{
	uint32_t window = (uint32_t)controller->options.window;
	uint32_t end = controller->node[node].in_flight + TURN;

	if (end > window)
		end = window;
	while (controller->node[node].in_flight < end && messages < WM_UDP_MESSAGES &&
	       add_message(controller, node, messages, end - controller->node[node].in_flight))
		messages++;
	return messages;
}

static int send_messages(struct controller *controller, uint32_t count)
{
	for (uint32_t sent = 0; sent < count;) {
		int ret = sendmmsg(controller->fd, controller->out + sent, count - sent, 0);

		if (ret < 0 && errno != ENOBUFS && errno != EAGAIN)
			return -errno;
		/* What finds no room is sent again when its time has passed. */
		sent += ret > 0 ? (uint32_t)ret : 1;
	}
	return 0;
}

/* Each node's turn once. 1: something was sent. */
static int send_some(struct controller *controller)
{
	uint32_t messages = 0;
	int ret;

	for (uint32_t i = 0; i < controller->nodes && messages < WM_UDP_MESSAGES; i++) {
		messages = add_turn(controller, controller->turn, messages);
		controller->turn = (controller->turn + 1) % controller->nodes;
	}
	if (messages == 0)
		return 0;
	ret = send_messages(controller, messages);
	return ret < 0 ? ret : 1;
}

/* ---- receiving ------------------------------------------------------------------- */

static struct slot *slot_of(struct controller *controller, uint64_t number)
{
	for (uint32_t i = 0; i < controller->open; i++) {
		struct slot *slot = &controller->slot[controller->order[i]];

		if (slot->block->number == number)
			return slot;
	}
	return NULL;
}

static void receive_reply(struct controller *controller, const uint8_t *reply, uint32_t bytes)
{
	const struct wm_udp_header *header = (const void *)reply;
	struct chunk *chunk;
	struct slot *slot;
	uint32_t place;

	if (bytes < sizeof(*header))
		return;
	slot = slot_of(controller, header->chunk / controller->chunks_per_block);
	place = (uint32_t)(header->chunk % controller->chunks_per_block);
	if (!slot || place >= slot->fresh || slot->chunk[place].state == DONE ||
	    header->vectors != chunk_vectors(controller, slot, place) ||
	    bytes != wm_udp_reply_bytes(header->vectors))
		return;
	chunk = &slot->chunk[place];
	if (chunk->state == IN_FLIGHT)
		controller->node[chunk->node].in_flight--;
	else
		slot->again--;
	chunk->state = DONE;
	memcpy(slot->block->out + (size_t)place * controller->options.vectors * WM_VECTOR_BYTES,
	       reply + sizeof(*header), bytes - sizeof(*header));
	if (++slot->done == slot->chunks)
		close_block(controller, slot);
}

static void receive_train(struct controller *controller, uint32_t index)
{
	uint32_t bytes = controller->in[index].msg_len;
	uint32_t each = wm_udp_datagram_bytes(&controller->in[index].msg_hdr, bytes);

	for (uint32_t at = 0; at < bytes; at += each)
		receive_reply(controller, controller->reply[index] + at,
			      bytes - at < each ? bytes - at : each);
}

/* 1: something came. */
static int receive_some(struct controller *controller)
{
	int count;

	for (uint32_t i = 0; i < WM_UDP_MESSAGES; i++) {
		controller->in_piece[i] =
			(struct iovec){ controller->reply[i], sizeof(controller->reply[i]) };
		controller->in[i].msg_hdr = (struct msghdr){
			.msg_iov = &controller->in_piece[i],
			.msg_iovlen = 1,
			.msg_control = &controller->in_control[i],
			.msg_controllen = sizeof(controller->in_control[i]),
		};
	}
	count = recvmmsg(controller->fd, controller->in, WM_UDP_MESSAGES, MSG_DONTWAIT, NULL);
	if (count < 0)
		return errno == EAGAIN || errno == ECONNREFUSED ? 0 : -errno;
	for (int i = 0; i < count; i++)
		receive_train(controller, (uint32_t)i);
	return 1;
}

/* ---- the loop --------------------------------------------------------------------- */

static void expire_slot(struct controller *controller, struct slot *slot)
{
	for (uint32_t i = 0; i < slot->fresh; i++) {
		struct chunk *chunk = &slot->chunk[i];

		if (chunk->state != IN_FLIGHT || controller->now_ns - chunk->sent_ns < TIMEOUT_NS)
			continue;
		controller->node[chunk->node].in_flight--;
		chunk->state = TO_DO;
		slot->again++;
		controller->resent++;
	}
}

static void expire(struct controller *controller)
{
	if (controller->now_ns < controller->scan_ns)
		return;
	controller->scan_ns = controller->now_ns + SCAN_NS;
	for (uint32_t i = 0; i < controller->open; i++)
		expire_slot(controller, &controller->slot[controller->order[i]]);
}

static void sleep_until_something(const struct controller *controller)
{
	struct pollfd files[] = {
		{ .fd = controller->fd, .events = POLLIN },
		{ .fd = wm_blocks_fd(controller->blocks), .events = POLLIN },
	};

	poll(files, 2, (int)(SCAN_NS / WM_NS_PER_MS));
}

static int step(struct controller *controller)
{
	int disk, received, sent;

	controller->now_ns = wm_clock_ns();
	received = receive_some(controller);
	if (received < 0)
		return received;
	disk = wm_blocks_step(controller->blocks);
	if (disk < 0)
		return disk;
	open_blocks(controller);
	expire(controller);
	sent = send_some(controller);
	if (sent < 0)
		return sent;
	if (!received && !disk && !sent)
		sleep_until_something(controller);
	return 0;
}

static int run(struct controller *controller)
{
	int ret = 0;

	while (ret == 0 && !wm_blocks_are_done(controller->blocks))
		ret = step(controller);
	return ret < 0 ? ret : wm_blocks_finish(controller->blocks);
}

static void report(const struct controller *controller, uint64_t began_ns)
{
	const struct options *options = &controller->options;
	const struct wm_peer_report done = {
		.bytes = wm_blocks_input_bytes(controller->blocks),
		.seconds = (double)(wm_clock_ns() - began_ns) / 1e9,
		.cpu_seconds_controller = wm_peer_cpu_seconds(),
		.cpu_seconds_nodes = -1,
		.nodes = controller->nodes,
		.chunk_bytes = (uint32_t)options->vectors * WM_VECTOR_BYTES,
		.window = (uint32_t)options->window,
		.chunks = controller->sent - controller->resent,
		.resent = controller->resent,
	};

	wm_peer_report_print(&done);
}

int main(int argc, char **argv)
{
	static struct controller controller;
	struct options *options = &controller.options;
	uint64_t began_ns = wm_clock_ns();
	struct wm_error error;
	int ret;

	if (parse(&controller, argc, argv) < 0) {
		fputs("wm-peer-udp: wrong usage; see --help\n", stderr);
		return 2;
	}
	controller.fd = wm_udp_open(NULL, 0, BUFFER_BYTES, options->trains > 1);
	if (controller.fd < 0) {
		fprintf(stderr, "wm-peer-udp: no socket: %s\n", strerror(-controller.fd));
		return 1;
	}
	if (wm_blocks_open(&controller.blocks, options->input, options->output, &error) < 0) {
		fprintf(stderr, "wm-peer-udp: %s\n", error.text);
		return 1;
	}
	controller.chunks_per_block =
		(uint32_t)((WM_BLOCK_VECTORS + options->vectors - 1) / options->vectors);
	ret = run(&controller);
	if (ret < 0)
		fprintf(stderr, "wm-peer-udp: %s\n", strerror(-ret));
	else
		report(&controller, began_ns);
	wm_blocks_close(&controller.blocks);
	return ret < 0;
}
