/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What engine.c (the loop, the mailboxes) and engine_frames.c (what is sent, and what
 * came) share. Everything here belongs to the lcore but for the rings, traffic, stop
 * and quit.
 */
#ifndef WM_GEN_ENGINE_PRIVATE_H
#define WM_GEN_ENGINE_PRIVATE_H

#include <rte_memzone.h>

#include "engine.h"
#include "link.h"

/* Payloads begin at this many places, so that batches differ. */
#define ENGINE_FILLER_PLACES 64u
#define ENGINE_FILLER_STEP_BYTES 4096u

struct wm_engine {
	struct wm_link link;
	struct wm_recorder *recorder; /* NULL: none */
	unsigned lcore;
	struct wm_traffic *traffic; /* passes between the threads */
	bool stop, quit;

	uint64_t now_ns;
	uint64_t taken_ns;		  /* when the port last took a frame, or had none to take */
	const struct rte_memzone *filler; /* random bytes */
	struct rte_mbuf_ext_shared_info filler_attached;
	struct wm_engine_counters counters;
	uint64_t over_ns; /* since when the traffic is over and frames still come; 0: it is not */
};

struct rte_mbuf *wm_engine_build(struct wm_engine *engine, const struct wm_traffic *traffic,
				 const struct wm_traffic_send *send);
/* An ECHO, a RESULT: frees it, or sends it back. Returns why it was of no use. traffic
 * NULL: none runs. */
enum wm_drop wm_engine_take_echo(struct wm_engine *engine, struct wm_traffic *traffic,
				 struct rte_mbuf *frame);
enum wm_drop wm_engine_take_result(struct wm_engine *engine, struct wm_traffic *traffic,
				   struct rte_mbuf *frame);

#endif
