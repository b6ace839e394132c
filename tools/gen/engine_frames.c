/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of the engine: probes, batches, and what comes back of them. */
#include <string.h>

#include "engine_private.h"
#include "probe.h"

#define COPIED_BYTES_MAX 1024u

/* ---- out ----------------------------------------------------------------------- */

static uint8_t *filler_of(const struct wm_engine *engine, uint64_t sequence)
{
	return (uint8_t *)engine->filler->addr +
	       sequence % ENGINE_FILLER_PLACES * ENGINE_FILLER_STEP_BYTES;
}

/* So few bytes are cheaper to copy than a second segment is. A port that takes no chain
 * has all of them copied. */
static void add_bytes(struct wm_engine *engine, struct rte_mbuf *frame, uint8_t *bytes,
		      uint16_t count)
{
	if (engine->link.port->multi_segment && count > COPIED_BYTES_MAX)
		wm_link_attach(&engine->link, frame, bytes, count, &engine->filler_attached);
	else
		memcpy(rte_pktmbuf_append(frame, count), bytes, count);
}

/* All but count and CRC of the wire header. */
static struct rte_mbuf *begin_frame(struct wm_engine *engine, const struct wm_traffic_send *send,
				    enum wm_op op)
{
	struct rte_mbuf *frame = wm_link_use_header(&engine->link);

	rte_pktmbuf_append(frame, WM_FRAME_HEADER_BYTES);
	wm_frame_ether(wm_link_ether(frame), send->mac, engine->link.port->mac);
	*wm_link_header(frame) = (struct wm_wire_header){
		.version = WM_WIRE_VERSION,
		.op = (uint8_t)op,
		.session = send->session,
		.batch = send->sequence,
		.job = send->run,
		.sequence = send->batch_sequence,
	};
	return frame;
}

static struct rte_mbuf *probe_frame(struct wm_engine *engine, const struct wm_traffic_send *send)
{
	struct rte_mbuf *frame = begin_frame(engine, send, WM_OP_ECHO);
	struct wm_wire_header *header = wm_link_header(frame);
	struct wm_probe *probe = (struct wm_probe *)rte_pktmbuf_append(frame, WM_PROBE_BYTES);
	uint8_t *filler = filler_of(engine, 0);

	header->count = (uint16_t)(wm_rate_buffer_bytes(send->bytes) - WM_FRAME_HEADER_BYTES);
	*probe = (struct wm_probe){ .intended_ns = send->intended_ns, .flow = send->flow };
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), probe, WM_PROBE_BYTES);
	header->crc32c = wm_frame_crc_add(header->crc32c, filler, header->count - WM_PROBE_BYTES);
	add_bytes(engine, frame, filler, (uint16_t)(header->count - WM_PROBE_BYTES));
	return frame;
}

static struct rte_mbuf *map_frame(struct wm_engine *engine, const struct wm_kernel *kernel,
				  const struct wm_traffic_send *send)
{
	struct rte_mbuf *frame = begin_frame(engine, send, WM_OP_MAP);
	struct wm_wire_header *header = wm_link_header(frame);
	uint16_t bytes = (uint16_t)wm_frame_map_bytes(kernel, send->elements);
	uint8_t *input = filler_of(engine, send->sequence);

	header->count = send->elements;
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), input, bytes);
	add_bytes(engine, frame, input, bytes);
	return frame;
}

/* The pool's buffers hold any frame of this port. */
static struct rte_mbuf *recorded_frame(struct wm_engine *engine, const struct wm_traffic *traffic,
				       const struct wm_traffic_send *send)
{
	struct rte_mbuf *frame = wm_link_use_header(&engine->link);
	struct wm_ether_header *ether;

	ether = (struct wm_ether_header *)rte_pktmbuf_append(frame, (uint16_t)send->recorded_bytes);
	memcpy(ether, send->recorded, send->recorded_bytes);
	if (send->mac)
		memcpy(ether->destination, send->mac, sizeof(ether->destination));
	if (!traffic->config.keep_source)
		memcpy(ether->source, engine->link.port->mac, sizeof(ether->source));
	return frame;
}

struct rte_mbuf *wm_engine_build(struct wm_engine *engine, const struct wm_traffic *traffic,
				 const struct wm_traffic_send *send)
{
	const struct wm_kernel *kernel = traffic->config.kernel;

	if (send->recorded)
		return recorded_frame(engine, traffic, send);
	return kernel ? map_frame(engine, kernel, send) : probe_frame(engine, send);
}

/* ---- in ------------------------------------------------------------------------ */

static enum wm_drop check_whole(const struct rte_mbuf *frame, uint32_t payload_bytes)
{
	const struct wm_wire_header *header = wm_link_header(frame);
	enum wm_drop drop = wm_frame_check_length(frame->pkt_len, payload_bytes);

	return drop == WM_DROP_NONE ? wm_frame_check_crc(header, header + 1, payload_bytes) : drop;
}

static struct wm_traffic_arrival arrival_of(const struct wm_engine *engine,
					    const struct rte_mbuf *frame)
{
	const struct wm_wire_header *header = wm_link_header(frame);
	struct wm_traffic_arrival arrival = {
		.now_ns = engine->now_ns,
		.bytes = wm_rate_frame_bytes(frame->pkt_len),
		.session = header->session,
		.run = header->job,
		.sequence = header->batch,
		.batch_sequence = header->sequence,
	};

	memcpy(arrival.mac, wm_link_ether(frame)->source, sizeof(arrival.mac));
	return arrival;
}

static enum wm_drop count_probe(const struct wm_engine *engine, struct wm_traffic *traffic,
				const struct rte_mbuf *frame)
{
	const struct wm_wire_header *header = wm_link_header(frame);
	const struct wm_probe *probe = (const struct wm_probe *)(header + 1);
	struct wm_traffic_arrival arrival = arrival_of(engine, frame);

	if (header->count < WM_PROBE_BYTES)
		return WM_DROP_BODY;
	arrival.flow = probe->flow;
	arrival.intended_ns = probe->intended_ns;
	return wm_traffic_arrived(traffic, &arrival);
}

/* As it is, to where it came from. */
static void reflect(struct wm_engine *engine, struct rte_mbuf *frame)
{
	uint8_t source[WM_ETHER_ADDR_BYTES];

	memcpy(source, wm_link_ether(frame)->source, sizeof(source));
	wm_frame_ether(wm_link_ether(frame), source, engine->link.port->mac);
	wm_link_queue(&engine->link, frame);
}

enum wm_drop wm_engine_take_echo(struct wm_engine *engine, struct wm_traffic *traffic,
				 struct rte_mbuf *frame)
{
	enum wm_drop drop = check_whole(frame, wm_link_header(frame)->count);

	bool whole = drop == WM_DROP_NONE;

	if (whole)
		drop = traffic && !traffic->config.kernel ? count_probe(engine, traffic, frame)
							  : WM_DROP_JOB;
	/* What is whole goes back, known or not. */
	if (whole && traffic && wm_traffic_reflects(traffic))
		reflect(engine, frame);
	else
		rte_pktmbuf_free(frame);
	return drop;
}

/* Can it be what the kernel makes of the input that was sent? */
static enum wm_drop check_output(const struct wm_engine *engine, const struct wm_kernel *kernel,
				 const struct wm_wire_header *header)
{
	wm_kernel_invariant *invariant = wm_kernel_find_invariant(kernel);
	const uint8_t *output = (const uint8_t *)(header + 1);

	if (header->count == 0)
		return WM_DROP_FAILED;
	if (invariant && !invariant(filler_of(engine, header->batch), output, header->count))
		return WM_DROP_WRONG;
	return WM_DROP_NONE;
}

static enum wm_drop count_result(const struct wm_engine *engine, struct wm_traffic *traffic,
				 const struct rte_mbuf *frame)
{
	const struct wm_wire_header *header = wm_link_header(frame);
	const struct wm_kernel *kernel = traffic->config.kernel;
	struct wm_traffic_arrival arrival = arrival_of(engine, frame);
	enum wm_drop drop = WM_DROP_LENGTH;

	if (header->count <= traffic->config.elements_max)
		drop = check_whole(frame, wm_frame_result_bytes(kernel, header->count));
	if (drop == WM_DROP_NONE)
		drop = check_output(engine, kernel, header);
	return drop == WM_DROP_NONE ? wm_traffic_arrived(traffic, &arrival) : drop;
}

enum wm_drop wm_engine_take_result(struct wm_engine *engine, struct wm_traffic *traffic,
				   struct rte_mbuf *frame)
{
	enum wm_drop drop = WM_DROP_JOB;

	if (traffic && traffic->config.kernel)
		drop = count_result(engine, traffic, frame);
	rte_pktmbuf_free(frame);
	return drop;
}
