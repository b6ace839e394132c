/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame that its driver handed over in several segments. Some take receive buffers of
 * a power of two only (e1000e, igb), some of one size: a frame of 8234 bytes then comes as
 * 8192 and 42, each in a buffer that has room for all of it.
 *
 *    |headroom|eth|header|payload ....... 8150 |  room  |     |headroom|42|   room   |
 *                                               ^--------- copied ------'
 *
 * So the rest is copied behind the first segment, which stays where it is: its payload is
 * written from there as if it had come whole. Any thread that owns the frame.
 */
#ifndef WM_CHAIN_H
#define WM_CHAIN_H

#include <errno.h>
#include <stdint.h>

#include <rte_mbuf.h>

/* Makes it one segment. Returns how many bytes were copied; -EMSGSIZE: it is longer than
 * any frame of this port, and as it was. */
static inline int32_t wm_chain_join(struct rte_mbuf *frame)
{
	uint32_t rest = frame->pkt_len - frame->data_len;

	return rte_pktmbuf_linearize(frame) < 0 ? -EMSGSIZE : (int32_t)rest;
}

#endif
