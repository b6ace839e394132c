/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's loop: one lcore that polls the port, sends what a traffic (traffic.h)
 * says, and tells the traffic what came back.
 *
 *   control thread                                engine's lcore
 *   wm_engine_start(traffic)  ── pointer ──▶  the traffic is the engine's until
 *   wm_engine_is_running    ◀── NULL ─────  it is over
 *   wm_engine_stop          ── flag ─────▶  sends no more, waits for answers
 *   wm_engine_get_link      ◀── rings ───▶  control frames (link.h)
 *   wm_recorder_serve       ◀── ring ─────  copies of all frames, where they are recorded
 *
 * A probe's filler is attached in place where the port takes a chain. On the lcore
 * nothing is allocated but mbufs, and nothing is asked of the system but the time and,
 * in a round that did nothing, sched_yield().
 *
 * All functions but what the lcore runs are for one control thread.
 */
#ifndef WM_GEN_ENGINE_H
#define WM_GEN_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "port.h"
#include "recorder.h"
#include "traffic.h"
#include "wiremill/error.h"

struct wm_engine;
struct wm_link;

/* Of the port since the engine was made: all frames, and the control frames in it. */
struct wm_engine_counters {
	uint64_t frames_sent, bytes_sent, control_sent;
	uint64_t frames_received, bytes_received, control_received;
	uint64_t foreign; /* received, of another EtherType */
	struct wm_drops drops;
};

/* Takes all its memory. After EAL and port. recorder: of all frames; NULL: none. */
int wm_engine_create(struct wm_engine **engine, struct wm_port *port, struct wm_recorder *recorder,
		     unsigned lcore, struct wm_error *error);
/* Nothing runs on its lcore. Leaves NULL. */
void wm_engine_destroy(struct wm_engine **engine);
int wm_engine_launch(struct wm_engine *engine, struct wm_error *error);
/* Sends what is queued, ends the loop, and waits for that. No traffic is running. */
void wm_engine_quit(struct wm_engine *engine);

/* What the port's pools have to hold, and hugepages beside those of the port. */
struct wm_port_config wm_engine_port_config(uint16_t mtu);
uint32_t wm_engine_hugepages(void);

/* The traffic belongs to the engine until it is over. */
void wm_engine_start(struct wm_engine *engine, struct wm_traffic *traffic);
bool wm_engine_is_running(const struct wm_engine *engine);
/* The traffic that runs sends no more. */
void wm_engine_stop(struct wm_engine *engine);

/* For control frames. */
struct wm_link *wm_engine_get_link(struct wm_engine *engine);

/* Exact while no traffic runs. */
void wm_engine_get_counters(const struct wm_engine *engine, struct wm_engine_counters *counters);

#endif
