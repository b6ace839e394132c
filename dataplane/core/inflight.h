/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many batches may be on their way at once, to all nodes of a lane.
 *
 * As much as the rack holds while its line is full (rate times round trip) has to be, and
 * all of it may come back while the lane is not scheduled: then the port's ring has to hold
 * it. So the ring that is asked for follows from the first, and what may be in flight from
 * the ring that was obtained.
 *
 * Pure; any thread.
 */
#ifndef WM_INFLIGHT_H
#define WM_INFLIGHT_H

#include <stdint.h>

#include "wiremill/limits.h"

/* Preamble, gap, FCS, Ethernet header: what a frame takes on the wire beside its MTU. */
#define WM_INFLIGHT_WIRE_BYTES 38u

/* Frames of an MTU's size, three quarters of a ring of so many descriptors. */
static inline uint32_t wm_inflight_max(uint32_t ring_frames, uint32_t segments)
{
	uint32_t frames = ring_frames / segments * 3 / 4;

	return frames ? frames : 1;
}

/* The ring to ask for: a power of two, as many drivers want it. */
static inline uint32_t wm_inflight_ring_frames(uint16_t mtu)
{
	uint32_t wanted = WM_LANE_IN_FLIGHT_BYTES / (mtu + WM_INFLIGHT_WIRE_BYTES);
	uint32_t ring = WM_LANE_RING_FRAMES_MIN;

	while (ring < WM_LANE_RING_FRAMES_MAX && wm_inflight_max(ring, 1) < wanted)
		ring *= 2;
	return ring;
}

#endif
