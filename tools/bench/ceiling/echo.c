/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end of the memif: gives every frame back at once, as a rack that takes no
 * time would, and counts.
 *
 *   wm-ceiling-echo --socket PATH --cpu N --element BYTES --crc full|known --seconds N
 *
 * A MAP comes back as the RESULT of its batch, which is `count` elements of output; any
 * other frame as it is. The payload stays what it was: the lane sends zeroes, and
 * zeroes are what xor makes of them. With `known` the CRC of a full batch is put
 * together from a table, so that the responder has less to do than what it measures;
 * with `full` it is computed as a node does.
 *
 * Prints one JSON object of what it saw in so many seconds, which begin half a second
 * after the first frame, and goes on until it is killed.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "clock.h"
#include "crc32c.h"
#include "frame.h"
#include "memif.h"
#include "number.h"
#include "wiremill/limits.h"

#define BURST 64u
#define WARM_UP_NS (500 * WM_NS_PER_MS)
/* Nobody connects, or nothing comes any more. */
#define PATIENCE_NS (10 * WM_NS_PER_S)

/* The CRC of a full batch of zeroes, and what it takes to put a header before it. */
struct known_crc {
	uint32_t payload_bytes;
	uint32_t payload;
	struct wm_crc32c_shift shift;
};

struct options {
	const char *socket_path;
	uint64_t cpu, element_bytes, seconds;
	bool is_known;
};

struct echo {
	struct wm_port port;
	uint32_t element_bytes;
	bool is_known;
	struct known_crc known;
	struct rte_mbuf *burst[BURST];
	uint16_t count, sent; /* of the burst */
	uint64_t frames, bytes_in, bytes_out;
};

static void known_init(struct known_crc *known, uint32_t payload_bytes)
{
	known->payload_bytes = payload_bytes;
	known->payload = wm_crc32c_zeroes(0, payload_bytes);
	wm_crc32c_shift_init(&known->shift, payload_bytes);
}

static uint32_t result_crc(struct echo *echo, const struct wm_wire_header *header,
			   uint32_t payload_bytes)
{
	uint32_t crc = wm_frame_crc(header);

	/* The first batch is a full one. */
	if (echo->is_known && echo->known.payload_bytes == 0)
		known_init(&echo->known, payload_bytes);
	if (payload_bytes == echo->known.payload_bytes)
		return wm_crc32c_join(&echo->known.shift, crc, echo->known.payload);
	return wm_frame_crc_add(crc, header + 1, payload_bytes);
}

static void make_result(struct echo *echo, struct rte_mbuf *frame)
{
	struct wm_ether_header *ether = rte_pktmbuf_mtod(frame, struct wm_ether_header *);
	struct wm_wire_header *header = (struct wm_wire_header *)(ether + 1);
	uint32_t payload_bytes = header->count * echo->element_bytes;

	wm_frame_ether(ether, ether->source, ether->destination);
	header->op = WM_OP_RESULT;
	header->crc32c = result_crc(echo, header, payload_bytes);
	rte_pktmbuf_trim(frame, (uint16_t)(frame->pkt_len - WM_FRAME_HEADER_BYTES - payload_bytes));
}

/* A frame of this lane that is well-formed; testpmd's are not. */
static bool is_map(const struct echo *echo, const struct rte_mbuf *frame)
{
	const struct wm_ether_header *ether =
		rte_pktmbuf_mtod(frame, const struct wm_ether_header *);
	const struct wm_wire_header *header = (const struct wm_wire_header *)(ether + 1);

	return frame->nb_segs == 1 && frame->pkt_len >= WM_FRAME_HEADER_BYTES &&
	       ether->ethertype[0] == WM_ETHERTYPE >> 8 &&
	       ether->ethertype[1] == (WM_ETHERTYPE & 0xff) && header->op == WM_OP_MAP &&
	       header->count * echo->element_bytes <= frame->pkt_len - WM_FRAME_HEADER_BYTES;
}

static void receive(struct echo *echo)
{
	uint16_t count = rte_eth_rx_burst(echo->port.id, 0, echo->burst, BURST);

	for (uint16_t i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(echo->burst[i], void *));
	for (uint16_t i = 0; i < count; i++) {
		echo->bytes_in += echo->burst[i]->pkt_len;
		if (is_map(echo, echo->burst[i]))
			make_result(echo, echo->burst[i]);
		echo->bytes_out += echo->burst[i]->pkt_len;
	}
	echo->frames += count;
	echo->count = count;
	echo->sent = 0;
}

/* What the other end has no room for now is sent before more is taken. */
static void step(struct echo *echo)
{
	if (echo->sent == echo->count)
		receive(echo);
	echo->sent += rte_eth_tx_burst(echo->port.id, 0, echo->burst + echo->sent,
				       echo->count - echo->sent);
}

static void run_for(struct echo *echo, uint64_t ns)
{
	uint64_t end_ns = wm_clock_ns() + ns;

	while (wm_clock_ns() < end_ns)
		step(echo);
}

static int wait_for_first(struct echo *echo, struct wm_error *error)
{
	uint64_t end_ns = wm_clock_ns() + PATIENCE_NS;

	while (echo->frames == 0) {
		if (wm_clock_ns() >= end_ns)
			return wm_error_set(error, ETIMEDOUT, "no frame came within %llu s",
					    PATIENCE_NS / WM_NS_PER_S);
		step(echo);
	}
	return 0;
}

static void measure(struct echo *echo, uint64_t seconds)
{
	uint64_t begin_ns, ns;

	run_for(echo, WARM_UP_NS);
	echo->frames = echo->bytes_in = echo->bytes_out = 0;
	begin_ns = wm_clock_ns();
	run_for(echo, seconds * WM_NS_PER_S);
	ns = wm_clock_ns() - begin_ns;
	printf("{\"ns\": %" PRIu64 ", \"frames\": %" PRIu64 ", \"bytes_in\": %" PRIu64
	       ", \"bytes_out\": %" PRIu64 "}\n",
	       ns, echo->frames, echo->bytes_in, echo->bytes_out);
	fflush(stdout);
}

/* The other end may not lose us while it uses our memory. */
static void go_on(struct echo *echo)
{
	for (;;)
		step(echo);
}

static int run(const struct options *options, struct wm_error *error)
{
	static struct echo echo;
	/* What the two rings and the burst hold, and caches. */
	const struct wm_port_config config = { .receive_mbufs = 8192,
					       .ring_frames = 1024,
					       .transmit_mbufs = 1024,
					       .mtu = WM_MTU_MAX };
	struct wm_memif memif = { .socket_path = options->socket_path, .role = "server" };
	int ret;

	echo.element_bytes = (uint32_t)options->element_bytes;
	echo.is_known = options->is_known;
	snprintf(memif.lcores, sizeof(memif.lcores), "0@%" PRIu64, options->cpu);
	ret = wm_memif_open(&echo.port, &memif, &config, error);
	if (ret < 0)
		return ret;
	ret = wait_for_first(&echo, error);
	if (ret == 0) {
		measure(&echo, options->seconds);
		go_on(&echo);
	}
	wm_memif_close(&echo.port);
	return ret;
}

/* ---- options --------------------------------------------------------------- */

static int wrong_usage(const char *what, const char *value)
{
	fprintf(stderr, "wm-ceiling-echo: %s'%s'\n", what, value);
	return -EINVAL;
}

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 's':
		options->socket_path = optarg;
		return 0;
	case 'p':
		return wm_number_parse(optarg, 0, 1023, &options->cpu);
	case 'e':
		return wm_number_parse(optarg, 1, WM_MTU_MAX, &options->element_bytes);
	case 't':
		return wm_number_parse(optarg, 1, 3600, &options->seconds);
	case 'c':
		options->is_known = strcmp(optarg, "known") == 0;
		return options->is_known || strcmp(optarg, "full") == 0 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static int take_options(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "cpu", required_argument, NULL, 'p' },
		{ "element", required_argument, NULL, 'e' },
		{ "crc", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == '?')
			return -EINVAL;
		if (take_option(options, option) < 0)
			return wrong_usage("not a value it takes: ", optarg);
	}
	if (optind < argc)
		return wrong_usage("unexpected argument ", argv[optind]);
	return options->socket_path ? 0 : wrong_usage("missing option ", "--socket");
}

int main(int argc, char **argv)
{
	struct options options = { .cpu = 1, .element_bytes = 32, .seconds = 1 };
	struct wm_error error = { "" };

	if (take_options(argc, argv, &options) < 0)
		return 2;
	if (run(&options, &error) < 0) {
		fprintf(stderr, "wm-ceiling-echo: %s\n", error.text);
		return 1;
	}
	return 0;
}
