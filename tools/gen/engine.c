/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's loop, its mailboxes, its memory. Frames: engine_frames.c. */
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "chain.h"
#include "clock.h"
#include "engine_private.h"
#include "wiremill/limits.h"

/* A port that takes nothing for so long is down. */
#define PORT_STUCK_NS (2 * WM_NS_PER_S)

/* ---- memory ---------------------------------------------------------------- */

struct wm_port_config wm_engine_port_config(uint16_t mtu)
{
	return (struct wm_port_config){
		/* the ring being drained + control frames + echoes on their way out + caches */
		.receive_mbufs = WM_LANE_RING_FRAMES_MIN + WM_LINK_CONTROL_FRAMES_MAX + 1024 + 1024,
		.ring_frames = WM_LANE_RING_FRAMES_MIN,
		/* a port's descriptors, a burst, control frames, caches */
		.transmit_mbufs = 1024 + WM_LINK_BURST + WM_LINK_CONTROL_FRAMES_MAX + 1024,
		.mtu = mtu,
		.whole_headers = true, /* frames of a capture are copied */
	};
}

uint32_t wm_engine_hugepages(void)
{
	return 1; /* the filler */
}

static size_t filler_bytes(void)
{
	return ENGINE_FILLER_PLACES * ENGINE_FILLER_STEP_BYTES + WM_MTU_MAX;
}

/* Not zeroes: a link, a switch, or a GPU may treat those better. */
static int filler_create(struct wm_engine *engine)
{
	uint64_t state = 0x9e3779b97f4a7c15u;
	uint8_t *bytes;

	engine->filler = rte_memzone_reserve_aligned("wm-filler", filler_bytes(),
						     (int)rte_socket_id(), 0, RTE_CACHE_LINE_SIZE);
	if (!engine->filler)
		return -ENOMEM;
	bytes = engine->filler->addr;
	/* Knuth's MMIX generator; the high bits are the random ones */
	for (size_t i = 0; i < filler_bytes(); i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (uint8_t)(state >> 56);
	}
	wm_link_share(&engine->filler_attached);
	return 0;
}

int wm_engine_create(struct wm_engine **out, struct wm_port *port, struct wm_recorder *recorder,
		     unsigned lcore, struct wm_error *error)
{
	struct wm_engine *engine = calloc(1, sizeof(*engine));
	int ret;

	if (!engine)
		return wm_error_set(error, ENOMEM, "no memory for the generator");
	engine->recorder = recorder;
	engine->lcore = lcore;
	ret = wm_link_init(&engine->link, port);
	if (ret == 0)
		ret = filler_create(engine);
	if (ret < 0) {
		wm_error_set(error, -ret,
			     "no memory for the generator's rings: more hugepages "
			     "are needed");
		wm_engine_destroy(&engine);
	}
	*out = engine;
	return ret;
}

void wm_engine_destroy(struct wm_engine **out)
{
	struct wm_engine *engine = *out;

	if (!engine)
		return;
	wm_link_fini(&engine->link);
	rte_memzone_free(engine->filler);
	free(engine);
	*out = NULL;
}

/* ---- for the control thread -------------------------------------------------- */

void wm_engine_start(struct wm_engine *engine, struct wm_traffic *traffic)
{
	assert(!wm_engine_is_running(engine));
	__atomic_store_n(&engine->stop, false, __ATOMIC_RELAXED);
	/* What the traffic was made of is seen before the traffic. */
	__atomic_store_n(&engine->traffic, traffic, __ATOMIC_RELEASE);
}

bool wm_engine_is_running(const struct wm_engine *engine)
{
	/* What the lcore counted is seen once it let the traffic go. */
	return __atomic_load_n(&engine->traffic, __ATOMIC_ACQUIRE) != NULL;
}

void wm_engine_stop(struct wm_engine *engine)
{
	__atomic_store_n(&engine->stop, true, __ATOMIC_RELAXED);
}

struct wm_link *wm_engine_get_link(struct wm_engine *engine)
{
	return &engine->link;
}

void wm_engine_get_counters(const struct wm_engine *engine, struct wm_engine_counters *counters)
{
	*counters = engine->counters;
}

/* ---- frames out -------------------------------------------------------------- */

static void generate(struct wm_engine *engine, struct wm_traffic *traffic)
{
	struct wm_traffic_send send;

	while (engine->link.transmit_count < WM_LINK_BURST && wm_link_take_spares(&engine->link) &&
	       wm_traffic_next(traffic, engine->now_ns, &send))
		wm_link_queue(&engine->link, wm_engine_build(engine, traffic, &send));
}

/* What the port does not take now stays for the next round. */
static void transmit(struct wm_engine *engine)
{
	struct wm_link *link = &engine->link;
	uint64_t bytes;
	uint16_t sent;

	if (engine->recorder)
		wm_recorder_hold(link->transmit, link->transmit_count);
	sent = wm_link_offer(link, &bytes);
	if (engine->recorder)
		wm_recorder_sent(engine->recorder, link->transmit, link->transmit_count, sent);
	wm_link_drop_sent(link, sent);
	engine->counters.frames_sent += sent;
	engine->counters.bytes_sent += bytes;
	if (sent > 0 || link->transmit_count == 0)
		engine->taken_ns = engine->now_ns;
}

/* ---- frames in --------------------------------------------------------------- */

static enum wm_drop pass_control(struct wm_engine *engine, struct rte_mbuf *frame)
{
	engine->counters.control_received++;
	return wm_link_pass_control(&engine->link, frame, wm_link_check_control(frame));
}

/* Whoever gets the frame frees it, or sends it back. */
static enum wm_drop pass_frame(struct wm_engine *engine, struct wm_traffic *traffic,
			       struct rte_mbuf *frame)
{
	const struct wm_wire_header *header = wm_link_header(frame);
	enum wm_drop drop = frame->nb_segs == 1 ? wm_frame_check_header(header, frame->pkt_len)
						: WM_DROP_LENGTH;

	if (drop == WM_DROP_NONE && header->op == WM_OP_ECHO)
		return wm_engine_take_echo(engine, traffic, frame);
	if (drop == WM_DROP_NONE && header->op == WM_OP_RESULT)
		return wm_engine_take_result(engine, traffic, frame);
	if (drop == WM_DROP_NONE && header->op >= WM_OP_HELLO)
		return pass_control(engine, frame);
	rte_pktmbuf_free(frame);
	return drop == WM_DROP_NONE ? WM_DROP_OP : drop;
}

static bool is_damage(enum wm_drop drop)
{
	return drop == WM_DROP_SHORT || drop == WM_DROP_VERSION || drop == WM_DROP_OP ||
	       drop == WM_DROP_LENGTH || drop == WM_DROP_CRC || drop == WM_DROP_WRONG;
}

static void receive_frame(struct wm_engine *engine, struct wm_traffic *traffic,
			  struct rte_mbuf *frame)
{
	uint8_t source[WM_ETHER_ADDR_BYTES];
	enum wm_drop drop;

	engine->counters.frames_received++;
	engine->counters.bytes_received += frame->pkt_len;
	if (frame->nb_segs > 1)
		wm_chain_join(frame);
	if (!wm_link_is_ours(frame)) {
		engine->counters.foreign++;
		rte_pktmbuf_free(frame);
		return;
	}
	memcpy(source, wm_link_ether(frame)->source, sizeof(source));
	drop = pass_frame(engine, traffic, frame);
	engine->counters.drops.count[drop]++;
	if (traffic && is_damage(drop))
		wm_traffic_damaged(traffic, source);
}

/* No more than what can be sent back. */
static uint16_t receive(struct wm_engine *engine, struct wm_traffic *traffic)
{
	struct rte_mbuf *frames[WM_LINK_BURST];
	uint16_t count = rte_eth_rx_burst(engine->link.port->id, 0, frames,
					  (uint16_t)(WM_LINK_BURST - engine->link.transmit_count));

	if (engine->recorder)
		wm_recorder_received(engine->recorder, frames, count);
	for (uint16_t i = 0; i < count; i++) {
		if (i + 1 < count)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 1], void *));
		receive_frame(engine, traffic, frames[i]);
	}
	return count;
}

/* ---- the loop ------------------------------------------------------------------ */

/* Lets the traffic go. What it counted is seen before that. */
static void end_traffic(struct wm_engine *engine)
{
	__atomic_store_n(&engine->traffic, NULL, __ATOMIC_RELEASE);
}

/* The link is down: what waits for it will not be sent. */
static void drop_stuck(struct wm_engine *engine, struct wm_traffic *traffic)
{
	rte_pktmbuf_free_bulk(engine->link.transmit, engine->link.transmit_count);
	engine->link.transmit_count = 0;
	wm_traffic_fail(traffic, -EIO, engine->now_ns);
}

static bool is_stuck(const struct wm_engine *engine)
{
	return engine->now_ns > engine->taken_ns + PORT_STUCK_NS;
}

static void serve_traffic(struct wm_engine *engine, struct wm_traffic *traffic)
{
	if (__atomic_load_n(&engine->stop, __ATOMIC_RELAXED))
		wm_traffic_stop(traffic, engine->now_ns);
	generate(engine, traffic);
}

/* The traffic is over. An answer that waits in the port is not lost; but others may send
 * without end. */
static bool is_drained(struct wm_engine *engine, uint16_t received)
{
	if (engine->over_ns == 0)
		engine->over_ns = engine->now_ns;
	if ((received > 0 || engine->link.transmit_count > 0) &&
	    engine->now_ns < engine->over_ns + PORT_STUCK_NS)
		return false;
	engine->over_ns = 0;
	return true;
}

/* One round. Returns whether anything was done. */
static bool step(struct wm_engine *engine, struct wm_traffic *traffic)
{
	uint16_t received = receive(engine, traffic);
	bool busy;

	engine->counters.control_sent += wm_link_gather_control(&engine->link);
	if (traffic)
		serve_traffic(engine, traffic);
	busy = received > 0 || engine->link.transmit_count > 0;
	transmit(engine);
	if (traffic && is_stuck(engine))
		drop_stuck(engine, traffic);
	if (traffic && wm_traffic_is_over(traffic, engine->now_ns) && is_drained(engine, received))
		end_traffic(engine);
	return busy;
}

static int run(void *argument)
{
	struct wm_engine *engine = argument;
	bool busy = false;

	while (!__atomic_load_n(&engine->quit, __ATOMIC_RELAXED)) {
		struct wm_traffic *traffic = __atomic_load_n(&engine->traffic, __ATOMIC_ACQUIRE);
		uint64_t now_ns = wm_clock_ns();

		if (busy && traffic)
			traffic->busy_ns += now_ns - engine->now_ns;
		engine->now_ns = now_ns;
		busy = step(engine, traffic);
		if (!busy)
			/* On a core of its own this returns at once; on a shared one
			 * the nodes that we wait for get to run. */
			sched_yield();
	}
	return 0;
}

int wm_engine_launch(struct wm_engine *engine, struct wm_error *error)
{
	int ret = rte_eal_remote_launch(run, engine, engine->lcore);

	if (ret < 0)
		return wm_error_set(error, -ret, "lcore %u does not run the generator: %s",
				    engine->lcore, strerror(-ret));
	return 0;
}

void wm_engine_quit(struct wm_engine *engine)
{
	const uint64_t deadline_ns = wm_clock_ns() + PORT_STUCK_NS;

	assert(!wm_engine_is_running(engine));
	while (!rte_ring_empty(engine->link.control_out) && wm_clock_ns() < deadline_ns)
		usleep(1000);
	__atomic_store_n(&engine->quit, true, __ATOMIC_RELAXED);
	rte_eal_wait_lcore(engine->lcore);
}
