/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a port sends and receives, written to a pcapng: each frame with its direction and
 * its time in ns. The blocks are made and written by DPDK's librte_pcapng.
 *
 *   engine's lcore                                      control thread
 *   wm_recorder_sent, _received: copy    ── ring ──▶   wm_recorder_serve: writev
 *   one mbuf of a pool                   ◀── pool ──   frees it
 *
 * The lcore waits for nothing. Where the pool is empty, since the control thread or the
 * disk is slower than the frames come, a frame is not recorded, and counted as missed. A
 * file that fails is cut behind its last whole frame; nothing more is recorded.
 */
#ifndef WM_GEN_RECORDER_H
#define WM_GEN_RECORDER_H

#include <stdint.h>

#include <rte_mbuf.h>

#include "port.h"
#include "wiremill/error.h"

struct wm_recorder;

struct wm_recorder_counts {
	uint64_t frames; /* in the file */
	uint64_t missed; /* not in it */
};

/* snap_bytes: what is kept of a frame at most; 0: all. A file that is there is replaced.
 * After the port is open. */
int wm_recorder_create(struct wm_recorder **recorder, const struct wm_port *port, const char *path,
		       uint32_t snap_bytes, struct wm_error *error);
/* Nothing is recorded any more. Leaves NULL. */
void wm_recorder_destroy(struct wm_recorder **recorder);
/* Hugepages that it takes at that MTU. */
uint32_t wm_recorder_hugepages(uint16_t mtu, uint32_t snap_bytes);

/*
 * On the lcore, around a transmit burst: the port may free what it takes, so all frames
 * are held before, and those that were sent are recorded after, with the time at which
 * the port had them.
 */
void wm_recorder_hold(struct rte_mbuf *const *frames, uint32_t count);
void wm_recorder_sent(struct wm_recorder *recorder, struct rte_mbuf *const *frames, uint32_t count,
		      uint32_t sent);
void wm_recorder_received(struct wm_recorder *recorder, struct rte_mbuf *const *frames,
			  uint32_t count);

/* On the control thread, every few milliseconds: writes what came. */
void wm_recorder_serve(struct wm_recorder *recorder);
/* The lcore records no more: writes the rest and closes the file. 0, or what was wrong
 * with the file first. */
int wm_recorder_finish(struct wm_recorder *recorder, struct wm_error *error);
struct wm_recorder_counts wm_recorder_get_counts(const struct wm_recorder *recorder);

#endif
