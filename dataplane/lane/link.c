/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

/* ---- life ------------------------------------------------------------------------ */

static struct rte_ring *ring_create(const struct wm_port *port, const char *what)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "wm-control-%s-%u", what, port->id);
	return rte_ring_create(name, WM_LINK_CONTROL_FRAMES_MAX, port->socket,
			       RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int wm_link_init(struct wm_link *link, struct wm_port *port)
{
	*link = (struct wm_link){
		.port = port,
		.control_in = ring_create(port, "in"),
		.control_out = ring_create(port, "out"),
	};
	return link->control_in && link->control_out ? 0 : -ENOMEM;
}

static void ring_drain(struct rte_ring *ring)
{
	void *frame;

	while (ring && rte_ring_sc_dequeue(ring, &frame) == 0)
		rte_pktmbuf_free(frame);
	rte_ring_free(ring);
}

void wm_link_fini(struct wm_link *link)
{
	rte_pktmbuf_free(link->spare_header);
	rte_pktmbuf_free(link->spare_attach);
	rte_pktmbuf_free_bulk(link->transmit, link->transmit_count);
	ring_drain(link->control_out);
	ring_drain(link->control_in);
}

/* ---- for the control thread -------------------------------------------------------- */

/* As much of it as one mbuf takes; NULL: there is none. */
static struct rte_mbuf *copy_piece(struct rte_mempool *pool, const uint8_t *bytes, size_t count)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	if (!mbuf)
		return NULL;
	if (count > rte_pktmbuf_tailroom(mbuf))
		count = rte_pktmbuf_tailroom(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)count), bytes, count);
	return mbuf;
}

/* A port that takes no chain has mbufs for whole frames. What is larger than a header's
 * goes on in those of the other pool, which are as large as frames that come. */
static bool copy_frame(const struct wm_port *port, struct rte_mbuf **frame, const uint8_t *bytes,
		       size_t count)
{
	struct rte_mbuf *piece;
	size_t done;

	*frame = copy_piece(port->header, bytes, count);
	if (!*frame)
		return false;
	for (done = (*frame)->data_len; done < count; done += piece->data_len) {
		if (!port->multi_segment)
			return false;
		piece = copy_piece(port->receive, bytes + done, count - done);
		if (!piece)
			return false;
		(void)rte_pktmbuf_chain(*frame, piece); /* a handful: it fits */
	}
	return true;
}

bool wm_link_send_control(struct wm_link *link, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			  const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	uint8_t frame[WM_ETHER_HEADER_BYTES + WM_MTU_MAX];
	size_t bytes = wm_frame_encode_control(frame, sizeof(frame), mac, link->port->mac, header,
					       body, body_bytes);
	struct rte_mbuf *mbuf;

	assert(bytes > 0); /* no message is larger than a frame */
	if (copy_frame(link->port, &mbuf, frame, bytes) &&
	    rte_ring_sp_enqueue(link->control_out, mbuf) == 0)
		return true;
	rte_pktmbuf_free(mbuf);
	return false;
}

static size_t take(struct wm_link *link, struct wm_link_control *control)
{
	struct rte_mbuf *mbuf;
	size_t bytes = 0;
	void *object;

	if (rte_ring_sc_dequeue(link->control_in, &object) < 0)
		return 0;
	mbuf = object;
	if (mbuf->pkt_len <= sizeof(control->frame)) {
		bytes = mbuf->pkt_len;
		memcpy(control->frame, rte_pktmbuf_mtod(mbuf, void *), bytes);
	}
	rte_pktmbuf_free(mbuf);
	return bytes;
}

/* Who passed it has checked it; decoding again finds header and body. */
static bool decode(struct wm_link_control *control, size_t bytes)
{
	const struct wm_ether_header *ether = (const struct wm_ether_header *)control->frame;

	memcpy(control->source, ether->source, sizeof(control->source));
	memcpy(&control->header, ether + 1, sizeof(control->header));
	control->body = NULL;
	return control->header.op == WM_OP_ECHO ||
	       wm_frame_decode_control(control->frame, bytes, &control->header, &control->body) ==
		       WM_DROP_NONE;
}

bool wm_link_receive_control(struct wm_link *link, struct wm_link_control *control)
{
	size_t bytes;

	while ((bytes = take(link, control)) > 0) {
		if (decode(control, bytes))
			return true;
	}
	return false;
}

/* ---- for who polls the port --------------------------------------------------------- */

uint32_t wm_link_gather_control(struct wm_link *link)
{
	uint32_t count = 0;
	void *frame;

	for (; link->transmit_count < WM_LINK_BURST &&
	       rte_ring_sc_dequeue(link->control_out, &frame) == 0;
	     count++)
		wm_link_queue(link, frame);
	return count;
}

uint16_t wm_link_offer(struct wm_link *link, uint64_t *bytes)
{
	uint16_t sent;

	/* The port may free what it takes. */
	*bytes = 0;
	for (uint32_t i = 0; i < link->transmit_count; i++)
		*bytes += link->transmit[i]->pkt_len;
	sent = rte_eth_tx_burst(link->port->id, 0, link->transmit, (uint16_t)link->transmit_count);
	for (uint32_t i = sent; i < link->transmit_count; i++)
		*bytes -= link->transmit[i]->pkt_len;
	return sent;
}

void wm_link_drop_sent(struct wm_link *link, uint16_t sent)
{
	link->transmit_count -= sent;
	memmove(link->transmit, link->transmit + sent,
		link->transmit_count * sizeof(link->transmit[0]));
}

enum wm_drop wm_link_check_control(const struct rte_mbuf *frame)
{
	struct wm_wire_header header;
	const uint8_t *body;

	return wm_frame_decode_control(wm_link_ether(frame), frame->pkt_len, &header, &body);
}

enum wm_drop wm_link_pass_control(struct wm_link *link, struct rte_mbuf *frame, enum wm_drop drop)
{
	if (drop == WM_DROP_NONE && rte_ring_sp_enqueue(link->control_in, frame) < 0)
		drop = WM_DROP_FULL;
	if (drop != WM_DROP_NONE)
		rte_pktmbuf_free(frame);
	return drop;
}

static void shared_free(void *address, void *context)
{
	(void)address;
	(void)context;
	assert(!"memory that frames have attached lost the reference of its owner");
}

void wm_link_share(struct rte_mbuf_ext_shared_info *attached)
{
	attached->free_cb = shared_free;
	rte_mbuf_ext_refcnt_set(attached, 1);
}
