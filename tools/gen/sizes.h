/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame sizes, as a user lists them: points, separated by commas, that are
 * measured one after the other.
 *
 *   1518          every frame has this size
 *   64-1518       every size from 64 to 1518, equally often
 *   64-1518:64    every 64th of them
 *   imix          64, 594 and 1518, 7 : 4 : 1 (simple IMIX: IP packets of 40, 576 and
 *                 1500 bytes, in Ethernet frames; RFC 6985 on such mixtures)
 *   jumbo         the largest frame of the MTU
 *   rfc2544       64,128,256,512,1024,1280,1518 (RFC 2544 section 9.1)
 *
 * Sizes are with the FCS (see rate.h). The sizes of a mixture stand in one cycle,
 * in an order that follows from a seed; it is repeated, so that the shares are
 * exact whenever a cycle is full.
 */
#ifndef WM_GEN_SIZES_H
#define WM_GEN_SIZES_H

#include <stdbool.h>
#include <stdint.h>

#include "rate.h"
#include "wiremill/error.h"
#include "wiremill/limits.h"

#define WM_SIZES_POINTS_MAX 64u
#define WM_SIZE_NAME_BYTES 24u
#define WM_SIZE_CYCLE_MAX \
	(WM_MTU_MAX + WM_ETHER_HEADER_BYTES + WM_ETHER_FCS_BYTES - WM_FRAME_SIZE_MIN + 1u)

struct wm_size_point {
	char name[WM_SIZE_NAME_BYTES]; /* as in the list: "64", "64-1518:64", "imix" */
	uint32_t first, last, step;    /* bytes; first = last: one size */
	bool imix;
};

struct wm_sizes {
	uint32_t count;
	struct wm_size_point points[WM_SIZES_POINTS_MAX];
};

/* Caller's memory, 18 KiB. */
struct wm_size_cycle {
	uint32_t count, position;
	uint16_t bytes[WM_SIZE_CYCLE_MAX];
};

/* -EINVAL with the reason: what cannot be read, what the MTU does not carry. */
int wm_sizes_parse(const char *text, uint32_t mtu, struct wm_sizes *sizes, struct wm_error *error);

void wm_size_cycle_init(struct wm_size_cycle *cycle, const struct wm_size_point *point,
			uint64_t seed);

/* The size of the next frame. */
static inline uint32_t wm_size_cycle_next(struct wm_size_cycle *cycle)
{
	uint32_t bytes = cycle->bytes[cycle->position];

	cycle->position = cycle->position + 1 < cycle->count ? cycle->position + 1 : 0;
	return bytes;
}

#endif
