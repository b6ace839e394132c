/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What engine.c (the loop, the mailboxes) and engine_frames.c (what is sent, and what
 * came) share. Everything here belongs to the lcore but for the rings, traffic, stop
 * and quit.
 */
#ifndef WM_GEN_ENGINE_PRIVATE_H
#define WM_GEN_ENGINE_PRIVATE_H

#include <rte_memzone.h>
#include <rte_ring.h>

#include "engine.h"

#define ENGINE_BURST 32u
/* Payloads begin at this many places, so that batches differ. */
#define ENGINE_FILLER_PLACES 64u
#define ENGINE_FILLER_STEP_BYTES 4096u

struct wm_engine {
	struct wm_port *port;
	struct wm_recorder *recorder; /* NULL: none */
	unsigned lcore;
	struct rte_ring *control_in, *control_out;
	struct wm_traffic *traffic; /* passes between the threads */
	bool stop, quit;

	uint64_t now_ns;
	uint64_t taken_ns; /* when the port last took a frame, or had none to take */
	struct rte_mbuf *transmit[ENGINE_BURST];
	uint32_t transmit_count;
	struct rte_mbuf *spare_header, *spare_attach;
	const struct rte_memzone *filler; /* random bytes */
	struct rte_mbuf_ext_shared_info filler_attached;
	struct wm_engine_counters counters;
	uint64_t over_ns; /* since when the traffic is over and frames still come; 0: it is not */
};

/* Has what the next frame is made of been taken from the pools? */
bool wm_engine_take_spares(struct wm_engine *engine);
struct rte_mbuf *wm_engine_build(struct wm_engine *engine, const struct wm_traffic *traffic,
				 const struct wm_traffic_send *send);
/* An ECHO, a RESULT: frees it, or sends it back. Returns why it was of no use. traffic
 * NULL: none runs. */
enum wm_drop wm_engine_take_echo(struct wm_engine *engine, struct wm_traffic *traffic,
				 struct rte_mbuf *frame);
enum wm_drop wm_engine_take_result(struct wm_engine *engine, struct wm_traffic *traffic,
				   struct rte_mbuf *frame);

static inline struct wm_ether_header *wm_engine_ether(const struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod(frame, struct wm_ether_header *);
}

static inline struct wm_wire_header *wm_engine_header(const struct rte_mbuf *frame)
{
	return (struct wm_wire_header *)(wm_engine_ether(frame) + 1);
}

#endif
