/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port that treats mbufs as drivers of real cards do, over whichever it really is:
 * preloaded, this library stands between a program and its port's bursts.
 *
 *   WM_CARD_BUFFER=8192  uses so much of a receive buffer: what is longer comes in
 *                        several segments (e1000e and igb round down to a power of two)
 *   WM_CARD_RING=1024    gives a transmitted mbuf back when so many more were taken, or when
 *                        it is stopped (e1000e frees one when its descriptor is used again);
 *                        says so if the memory that one points into is freed before
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_memzone.h>

#define RING_MAX 4096u
#define BURST_MAX 64u

struct card {
	eth_rx_burst_t receive;
	eth_tx_burst_t transmit;
	struct rte_mbuf *ring[RING_MAX];
	uint64_t taken;
};

/* By queue, as its burst functions are called. */
static struct card cards[RTE_MAX_ETHPORTS];
static void *receive_queues[RTE_MAX_ETHPORTS], *transmit_queues[RTE_MAX_ETHPORTS];

static uint32_t number(const char *name, uint32_t most)
{
	const char *text = getenv(name);
	uint32_t value = text ? (uint32_t)strtoul(text, NULL, 10) : 0;

	return value < most ? value : most;
}

static struct card *card_of(void *const *queues, const void *queue)
{
	for (uint32_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (queues[i] == queue)
			return &cards[i];
	}
	abort();
}

/* ---- receive ------------------------------------------------------------------ */

/* All but the first `bytes` of the segment goes to others of the same pool. */
static void split(struct rte_mbuf *frame, uint32_t bytes)
{
	struct rte_mbuf *last = frame;

	for (uint32_t at = bytes; at < frame->pkt_len; at += bytes) {
		uint32_t rest = frame->pkt_len - at;
		struct rte_mbuf *next = rte_pktmbuf_alloc(frame->pool);

		if (!next)
			abort();
		next->data_len = (uint16_t)(rest < bytes ? rest : bytes);
		memcpy(rte_pktmbuf_mtod(next, void *), rte_pktmbuf_mtod_offset(frame, void *, at),
		       next->data_len);
		last->next = next;
		last = next;
		frame->nb_segs++;
	}
	/* What a driver does not use it does not write either. */
	memset(rte_pktmbuf_mtod_offset(frame, void *, bytes), 0xdb, frame->pkt_len - bytes);
	frame->data_len = (uint16_t)bytes;
}

static uint16_t receive(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	uint32_t bytes = number("WM_CARD_BUFFER", UINT16_MAX);
	uint16_t came = card_of(receive_queues, queue)->receive(queue, frames, count);

	for (uint16_t i = 0; bytes > 0 && i < came; i++) {
		if (frames[i]->pkt_len > bytes)
			split(frames[i], bytes);
	}
	return came;
}

/* ---- transmit ----------------------------------------------------------------- */

static void keep(struct card *card, struct rte_mbuf *frame, uint32_t ring)
{
	struct rte_mbuf **place = &card->ring[card->taken++ % ring];

	rte_pktmbuf_free(*place);
	*place = frame;
}

static uint16_t transmit(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	struct card *card = card_of(transmit_queues, queue);
	uint32_t ring = number("WM_CARD_RING", RING_MAX);
	uint16_t taken;

	if (ring == 0)
		return card->transmit(queue, frames, count);
	count = count < BURST_MAX ? count : BURST_MAX;
	for (uint16_t i = 0; i < count; i++)
		rte_pktmbuf_refcnt_update(frames[i], 1);
	taken = card->transmit(queue, frames, count);
	for (uint16_t i = 0; i < count; i++) {
		if (i < taken)
			keep(card, frames[i], ring);
		else
			rte_pktmbuf_refcnt_update(frames[i], -1);
	}
	return taken;
}

/* ---- between them --------------------------------------------------------------- */

int rte_eth_dev_start(uint16_t port)
{
	int (*real)(uint16_t) = dlsym(RTLD_NEXT, "rte_eth_dev_start");
	struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[port];
	int ret = real(port);

	if (ret < 0)
		return ret;
	cards[port] = (struct card){ .receive = ops->rx_pkt_burst, .transmit = ops->tx_pkt_burst };
	receive_queues[port] = ops->rxq.data[0];
	transmit_queues[port] = ops->txq.data[0];
	ops->rx_pkt_burst = receive;
	ops->tx_pkt_burst = transmit;
	return 0;
}

int rte_eth_dev_stop(uint16_t port)
{
	int (*real)(uint16_t) = dlsym(RTLD_NEXT, "rte_eth_dev_stop");
	uint32_t held = 0;
	int ret = real(port);

	for (uint32_t i = 0; i < RING_MAX; i++) {
		held += cards[port].ring[i] != NULL;
		rte_pktmbuf_free(cards[port].ring[i]);
		cards[port].ring[i] = NULL;
	}
	fprintf(stderr, "card: %u mbufs were in its ring\n", held);
	return ret;
}

/* Frames in a ring whose payload lies there. */
static uint32_t pointing_into(const struct rte_memzone *zone)
{
	const uint8_t *start = zone->addr;
	uint32_t count = 0;

	for (uint32_t i = 0; i < RTE_MAX_ETHPORTS * RING_MAX; i++) {
		const struct rte_mbuf *mbuf = cards[i / RING_MAX].ring[i % RING_MAX];

		for (; mbuf; mbuf = mbuf->next) {
			const uint8_t *bytes = mbuf->buf_addr;

			count += bytes >= start && bytes < start + zone->len;
		}
	}
	return count;
}

int rte_memzone_free(const struct rte_memzone *zone)
{
	int (*real)(const struct rte_memzone *) = dlsym(RTLD_NEXT, "rte_memzone_free");
	uint32_t count = zone ? pointing_into(zone) : 0;

	if (count > 0)
		fprintf(stderr, "card: the memory of %u mbufs in its ring is freed\n", count);
	return real(zone);
}
