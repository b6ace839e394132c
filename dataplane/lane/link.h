/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a loop has at its port: frames on their way out, mbufs for the next one, and the
 * mailboxes by which control frames come from and go to the control thread. A lane has one,
 * and so has the engine of wiremill-gen.
 *
 *   control thread                              who polls the port
 *   wm_link_send_control     ── ring ────▶  wm_link_gather_control, wm_link_offer
 *   wm_link_receive_control  ◀── ring ────  wm_link_pass_control
 *
 * The rings have one producer and one consumer each. All else is of who polls the port.
 */
#ifndef WM_LINK_H
#define WM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "frame.h"
#include "port.h"
#include "wiremill/limits.h"
#include "wiremill/wire.h"

#define WM_LINK_BURST 32u
#define WM_LINK_CONTROL_FRAMES_MAX 1024u /* that wait, each way */

struct wm_link {
	struct wm_port *port;
	struct rte_ring *control_in, *control_out;
	struct rte_mbuf *transmit[WM_LINK_BURST];
	uint32_t transmit_count;
	struct rte_mbuf *spare_header, *spare_attach;
};

/* A control frame that came. */
struct wm_link_control {
	uint8_t source[WM_ETHER_ADDR_BYTES];
	struct wm_wire_header header;
	const uint8_t *body; /* in frame; of an ECHO that came back NULL */
	uint8_t frame[WM_FRAME_HEADER_BYTES + WM_MESSAGE_BYTES_MAX];
};

/* Before anybody polls, and after: takes its rings, gives all mbufs back. -ENOMEM. */
int wm_link_init(struct wm_link *link, struct wm_port *port);
void wm_link_fini(struct wm_link *link);

/* ---- for the control thread ---- */

/* Queues a frame, which may be as large as the port takes. False: no room. */
bool wm_link_send_control(struct wm_link *link, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			  const struct wm_wire_header *header, const void *body, size_t body_bytes);
/* The next one, checked for header, length and CRC. False: there is none. */
bool wm_link_receive_control(struct wm_link *link, struct wm_link_control *control);

/* ---- for who polls the port ---- */

/* Queues what the control thread sends, as far as the burst has room. Returns how many. */
uint32_t wm_link_gather_control(struct wm_link *link);
/* Offers what is queued to the port. Returns how much it took, and the bytes of that; what
 * it took is the port's, and its place stays until wm_link_drop_sent. Without frames too:
 * net_af_xdp completes earlier ones only then. */
uint16_t wm_link_offer(struct wm_link *link, uint64_t *bytes);
void wm_link_drop_sent(struct wm_link *link, uint16_t sent);
/* Is the frame what its header says? */
enum wm_drop wm_link_check_control(const struct rte_mbuf *frame);
/* Hands a checked frame to the control thread, or frees it if it is to be dropped. Returns
 * why, or WM_DROP_FULL. */
enum wm_drop wm_link_pass_control(struct wm_link *link, struct rte_mbuf *frame, enum wm_drop drop);
/* Memory that frames have attached: its owner's reference is the last to go. */
void wm_link_share(struct rte_mbuf_ext_shared_info *attached);

static inline struct wm_ether_header *wm_link_ether(const struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod(frame, struct wm_ether_header *);
}

static inline struct wm_wire_header *wm_link_header(const struct rte_mbuf *frame)
{
	return (struct wm_wire_header *)(wm_link_ether(frame) + 1);
}

static inline bool wm_link_is_ours(const struct rte_mbuf *frame)
{
	const struct wm_ether_header *ether = wm_link_ether(frame);

	return frame->data_len >= sizeof(*ether) && ether->ethertype[0] == WM_ETHERTYPE >> 8 &&
	       ether->ethertype[1] == (WM_ETHERTYPE & 0xff);
}

/* Has what the next frame is made of been taken from the pools? */
static inline bool wm_link_take_spares(struct wm_link *link)
{
	if (!link->spare_header)
		link->spare_header = rte_pktmbuf_alloc(link->port->header);
	if (!link->spare_attach && link->port->multi_segment)
		link->spare_attach = rte_pktmbuf_alloc(link->port->attach);
	return link->spare_header && (link->spare_attach || !link->port->multi_segment);
}

static inline struct rte_mbuf *wm_link_use_header(struct wm_link *link)
{
	struct rte_mbuf *frame = link->spare_header;

	link->spare_header = NULL;
	return frame;
}

/* As the second segment of a frame, in place. */
static inline void wm_link_attach(struct wm_link *link, struct rte_mbuf *frame, uint8_t *bytes,
				  uint16_t count, struct rte_mbuf_ext_shared_info *attached)
{
	struct rte_mbuf *tail = link->spare_attach;

	link->spare_attach = NULL;
	rte_mbuf_ext_refcnt_update(attached, 1);
	rte_pktmbuf_attach_extbuf(tail, bytes, (rte_iova_t)(uintptr_t)bytes, count, attached);
	tail->data_off = 0;
	tail->data_len = count;
	frame->next = tail;
	frame->nb_segs = 2;
	frame->pkt_len += count;
}

static inline void wm_link_queue(struct wm_link *link, struct rte_mbuf *frame)
{
	link->transmit[link->transmit_count++] = frame;
}

#endif
