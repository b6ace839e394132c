/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast to send, as a user says it, and what it means on the wire.
 *
 *   2000pps  1.5Mpps     frames a second                         WM_RATE_FRAMES
 *   900mbit  2.5Gbit     bits a second on the wire (layer 1)     WM_RATE_BITS_L1
 *   900mbit/l2           bits a second of frames (layer 2)       WM_RATE_BITS_L2
 *   50%  99.5%           of the line's rate, layer 1             WM_RATE_BITS_L1
 *   max                  as fast as it goes                      WM_RATE_MAX
 *                        when frames of a capture came           WM_RATE_RECORDED
 *
 * k, M, G (in any case) are powers of 1000, and up to nine digits may follow the
 * point.
 *
 * The size of a frame is with its FCS everywhere in wiremill-gen, as RFC 1242 and
 * RFC 2544 have it: 64 to MTU + 18. What a NIC is given is 4 bytes less
 * (wm_rate_buffer_bytes is the one place that knows), and what a wire carries 20
 * bytes more: preamble and start (8), gap (12).
 */
#ifndef WM_GEN_RATE_H
#define WM_GEN_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/wire.h"

#define WM_ETHER_FCS_BYTES 4u
#define WM_ETHER_GAP_BYTES 20u
#define WM_FRAME_SIZE_MIN (WM_FRAME_BYTES_MIN + WM_ETHER_FCS_BYTES)
/* 1 Tb/s, and as many frames: what 64-bit sums in wm_bucket carry. */
#define WM_RATE_PER_S_MAX 1000000000000ull

enum wm_rate_unit {
	WM_RATE_MAX,
	WM_RATE_FRAMES,
	WM_RATE_BITS_L2,
	WM_RATE_BITS_L1,
	WM_RATE_RECORDED, /* never read from text */
};

struct wm_rate {
	enum wm_rate_unit unit;
	uint64_t per_s; /* not 0, except for WM_RATE_MAX; recorded: millionths of that speed */
};

/* line_bits_per_s: what a percentage is of; 0: not known, then a percentage is
 * refused. -EINVAL with the reason. */
int wm_rate_parse(const char *text, uint64_t line_bits_per_s, struct wm_rate *rate,
		  struct wm_error *error);
/* "1.50 Mpps", "900 Mbit/s", "900 Mbit/s of layer 2", "max", "2 x recorded". Returns text. */
char *wm_rate_format(char *text, size_t text_bytes, struct wm_rate rate);

/* What one frame takes of a second's worth: 1, or its bits. Not for WM_RATE_MAX
 * and WM_RATE_RECORDED. */
uint64_t wm_rate_cost(enum wm_rate_unit unit, uint32_t frame_bytes);

/* Bytes of a frame in memory, without the FCS that the NIC adds. */
static inline uint32_t wm_rate_buffer_bytes(uint32_t frame_bytes)
{
	return frame_bytes - WM_ETHER_FCS_BYTES;
}

/* The size of a frame that lies in memory; a NIC pads it to the least. */
static inline uint32_t wm_rate_frame_bytes(uint32_t buffer_bytes)
{
	return (buffer_bytes > WM_FRAME_BYTES_MIN ? buffer_bytes : WM_FRAME_BYTES_MIN) +
	       WM_ETHER_FCS_BYTES;
}

/* The largest frame of an MTU. */
static inline uint32_t wm_rate_frame_bytes_max(uint32_t mtu)
{
	return mtu + WM_ETHER_HEADER_BYTES + WM_ETHER_FCS_BYTES;
}

#endif
