/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A probe: the frame that the generator measures with. It is an ECHO frame
 * (wiremill/wire.h), so that a node answers it before its GPU, and fits the
 * smallest frame of Ethernet: 14 + 28 + 10 bytes of 60, 64 with the FCS.
 *
 *   wire header   session   the node's, 0 to a machine that is no node
 *                 batch     number of the frame in its flow: 0, 1, ...
 *                 job       the run: random, so that no run takes another's frames
 *                 sequence     number of the frame to its target: 0, 1, ...
 *
 *   payload  0 u64  intended   when it should have left
 *            8 u16  flow
 *           10      filler, the same in every frame
 *
 * The time is the sender's CLOCK_MONOTONIC in ns, and means nothing to anybody else. It
 * is not when the frame left: a sender that is held up sends late, and a latency that
 * counts from then hides the wait ("coordinated omission", Tene 2013).
 */
#ifndef WM_GEN_PROBE_H
#define WM_GEN_PROBE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/wire.h"

#define WM_PROBE_BYTES 10u

struct __attribute__((packed)) wm_probe {
	uint64_t intended_ns;
	uint16_t flow;
};

static_assert(sizeof(struct wm_probe) == WM_PROBE_BYTES, "probe size");
static_assert(offsetof(struct wm_probe, intended_ns) == 0, "intended");
static_assert(offsetof(struct wm_probe, flow) == 8, "flow");
static_assert(WM_FRAME_HEADER_BYTES + WM_PROBE_BYTES <= WM_FRAME_BYTES_MIN,
	      "no frame is too small");

#endif
