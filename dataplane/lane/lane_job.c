/* SPDX-License-Identifier: BSD-3-Clause */
/* What a lane's stream asks for: its I/O, and frames out. */
#include "lane_private.h"

#include <assert.h>
#include <string.h>

/* Preamble, gap and FCS: what a frame takes on the wire beside itself. */
#define WIRE_OVERHEAD_BYTES 24u

static bool has_tags(const struct wm_lane *lane)
{
	return lane->config.auth == WM_WIRE_AEAD;
}

/* ---- start and end --------------------------------------------------------- */

static uint32_t queue_target_batches(const struct wm_lane *lane, const struct wm_layout *layout)
{
	uint32_t wire = WIRE_OVERHEAD_BYTES + WM_FRAME_HEADER_BYTES +
			wm_frame_map_bytes(&layout->kernel, layout->batch_elements) +
			(has_tags(lane) ? WM_WIRE_TAG_BYTES : 0);

	return lane->config.queue_target_bytes / wire;
}

/* Why results are copied before they are written; NULL: they are written in place. */
static const char *why_copied(const struct wm_lane *lane, const struct wm_lane_job *job)
{
	uint32_t batch = wm_frame_result_bytes(&job->layout.kernel, job->layout.batch_elements);
	uint32_t align = wm_port_payload_align_bytes(lane->link.port->mtu);

	if (wm_lane_held_results(lane->link.port->mtu, lane->config.auth) == 0)
		return "small frames";
	if (!job->sink.direct)
		return NULL;
	if (align % job->sink.align_bytes || batch % job->sink.align_bytes)
		return "the disk's blocks are larger";
	return wm_queue_takes_pieces(&job->sink.queue, batch, align)
		       ? NULL
		       : "the drive would get a command for each frame";
}

/* Of the payload of a frame that is written from where it is; 0: none is. */
static uint32_t keep_align_bytes(const struct wm_lane *lane, const struct wm_lane_job *job)
{
	const struct wm_sink *sink = &job->sink;

	if (lane->why_copied)
		return 0;
	return sink->direct && sink->queue.boundary_bytes > sink->align_bytes
		       ? sink->queue.boundary_bytes
		       : sink->align_bytes;
}

void wm_lane_job_start(struct wm_lane *lane, struct wm_lane_job *job)
{
	assert(wm_store_buffer_bytes(&job->layout) <= WM_EXTENT_BUFFER_BYTES);
	lane->source_direct = job->source.direct;
	lane->sink_direct = job->sink.direct;
	lane->why_copied = why_copied(lane, job);
	wm_store_attach(lane->store, &job->layout, &job->source, &job->sink);
	wm_stream_job_start(lane->stream, job, queue_target_batches(lane, &job->layout),
			    keep_align_bytes(lane, job));
}

static void job_end(struct wm_lane *lane)
{
	const struct wm_dispatch_counters *counters =
		wm_dispatch_get_counters(wm_stream_dispatch(lane->stream));
	int ret = wm_store_detach(lane->store);

	assert(ret == 0);
	(void)ret;
	lane->counters.sent += counters->sent;
	lane->counters.resent += counters->resent;
	lane->counters.results += counters->results;
	lane->counters.duplicates += counters->duplicates;
	wm_stream_job_end(lane->stream);
}

/* ---- what the stream asks for ------------------------------------------------- */

/* The lane's own reference is the last. */
static bool is_idle(void *context, uint32_t slot)
{
	const struct wm_lane *lane = context;

	return rte_mbuf_ext_refcnt_read(&lane->inputs[slot].attached) == 1;
}

static int read_extent(void *context, uint32_t slot, uint64_t extent, uint8_t **input)
{
	struct wm_lane *lane = context;

	*input = lane->inputs[slot].buffer +
		 wm_store_buffer_skew(&wm_stream_job(lane->stream)->layout, extent);
	return wm_store_read(lane->store, extent, slot);
}

static int write_extent(void *context, uint32_t slot, uint64_t extent, const struct iovec *parts,
			uint32_t part_count)
{
	struct wm_lane *lane = context;

	(void)slot;
	return wm_store_write(lane->store, extent, parts, part_count);
}

static int write_journal(void *context, const struct wm_journal_record *records, uint32_t count)
{
	struct wm_lane *lane = context;

	return wm_store_journal(lane->store, &wm_stream_job(lane->stream)->journal, records, count);
}

static void raise_event(void *context, const struct wm_lane_event *event)
{
	wm_lane_raise(context, event);
}

static void free_frame(void *context, void *frame)
{
	(void)context;
	rte_pktmbuf_free(frame);
}

static void send_message(void *context, uint32_t index, const struct wm_leader_message *message)
{
	struct wm_lane *lane = context;
	int ret;

	/* Whoever is told that the job ended wants the final counters of all. */
	if (message->op == WM_LEADER_ENDED)
		wm_lane_publish(lane);
	ret = rte_ring_sp_enqueue_elem(lane->to_lane[index], (void *)(uintptr_t)message,
				       sizeof(*message));
	assert(ret == 0);
	(void)ret;
}

static bool receive_message(void *context, uint32_t index, struct wm_leader_message *message)
{
	struct wm_lane *lane = context;

	return rte_ring_sc_dequeue_elem(lane->from_lane[index], message, sizeof(*message)) == 0;
}

const struct wm_stream_calls wm_lane_stream_calls = {
	.is_idle = is_idle,
	.read = read_extent,
	.write = write_extent,
	.journal = write_journal,
	.raise = raise_event,
	.free_frame = free_frame,
	.send_message = send_message,
	.receive_message = receive_message,
};

bool wm_lane_job_store(struct wm_lane *lane)
{
	struct wm_store_event events[WM_LINK_BURST];
	unsigned count = wm_store_poll(lane->store, events, WM_LINK_BURST);

	for (unsigned i = 0; i < count; i++)
		wm_stream_stored(lane->stream, &events[i], lane->now_ns);
	wm_stream_round(lane->stream, lane->now_ns);
	wm_store_submit(lane->store);
	if (wm_stream_can_end(lane->stream) && wm_store_in_flight(lane->store) == 0)
		job_end(lane);
	return count > 0;
}

/* ---- batches out ------------------------------------------------------------ */

/* A tag behind an attached payload is an mbuf of its own. */
static bool take_spares(struct wm_lane *lane)
{
	bool has_spares = wm_link_take_spares(&lane->link);

	if (!has_tags(lane) || !lane->link.port->multi_segment)
		return has_spares;
	if (!lane->spare_tag)
		lane->spare_tag = rte_pktmbuf_alloc(lane->link.port->header);
	return has_spares && lane->spare_tag;
}

static void attach_payload(struct wm_lane *lane, struct rte_mbuf *frame,
			   const struct wm_stream_map *map)
{
	wm_link_attach(&lane->link, frame, map->payload, (uint16_t)map->payload_bytes,
		       &lane->inputs[map->slot].attached);
}

/* As the last segment. */
static void attach_tag(struct wm_lane *lane, struct rte_mbuf *frame,
		       const uint8_t tag[WM_WIRE_TAG_BYTES])
{
	struct rte_mbuf *tail = lane->spare_tag;

	lane->spare_tag = NULL;
	memcpy(rte_pktmbuf_mtod(tail, uint8_t *), tag, WM_WIRE_TAG_BYTES);
	tail->data_len = WM_WIRE_TAG_BYTES;
	frame->next->next = tail;
	frame->nb_segs = 3;
	frame->pkt_len += WM_WIRE_TAG_BYTES;
}

static void copy_tag(struct rte_mbuf *frame, const uint8_t tag[WM_WIRE_TAG_BYTES])
{
	memcpy(rte_pktmbuf_mtod_offset(frame, uint8_t *, frame->data_len), tag, WM_WIRE_TAG_BYTES);
	frame->data_len += WM_WIRE_TAG_BYTES;
	frame->pkt_len += WM_WIRE_TAG_BYTES;
}

static void copy_payload(struct wm_lane *lane, struct rte_mbuf *frame,
			 const struct wm_stream_map *map)
{
	memcpy(rte_pktmbuf_mtod_offset(frame, uint8_t *, WM_FRAME_HEADER_BYTES), map->payload,
	       map->payload_bytes);
	frame->data_len += (uint16_t)map->payload_bytes;
	frame->pkt_len += map->payload_bytes;
	lane->counters.transmit_copied_bytes += map->payload_bytes;
}

static struct rte_mbuf *fill_frame(struct wm_lane *lane, struct wm_wire_header *header,
				   const struct wm_stream_map *map)
{
	const struct wm_tag_payload sealed = { { { map->payload, map->payload_bytes } }, 1 };
	struct rte_mbuf *frame = wm_link_use_header(&lane->link);
	uint8_t tag[WM_WIRE_TAG_BYTES];

	wm_frame_ether(wm_link_ether(frame), map->mac, lane->link.port->mac);
	wm_tag_seal(header, &sealed, map->key, tag);
	frame->data_len = WM_FRAME_HEADER_BYTES;
	frame->pkt_len = WM_FRAME_HEADER_BYTES;
	if (lane->link.port->multi_segment)
		attach_payload(lane, frame, map);
	else
		copy_payload(lane, frame, map);
	if (map->key && lane->link.port->multi_segment)
		attach_tag(lane, frame, tag);
	else if (map->key)
		copy_tag(frame, tag);
	lane->counters.transmit_payload_bytes += map->payload_bytes;
	return frame;
}

void wm_lane_job_send(struct wm_lane *lane)
{
	struct wm_wire_header *header;
	struct wm_stream_map map;

	while (lane->link.transmit_count < WM_LINK_BURST && take_spares(lane)) {
		header = wm_link_header(lane->link.spare_header);
		if (!wm_stream_next(lane->stream, lane->now_ns, header, &map))
			return;
		wm_link_queue(&lane->link, fill_frame(lane, header, &map));
	}
}
