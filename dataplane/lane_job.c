/* SPDX-License-Identifier: BSD-3-Clause */
/* A lane's job: extents through the slots, batches out and results in. */
#include "lane_private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

/* Preamble, gap and FCS: what a frame takes on the wire beside itself. */
#define WIRE_OVERHEAD_BYTES 24u

static void slot_release(struct wm_lane *lane, struct lane_slot *slot)
{
	if (slot->state == SLOT_FREE)
		return;
	for (uint32_t i = 0; i < slot->batches; i++) {
		rte_pktmbuf_free(slot->results[i]);
		slot->results[i] = NULL;
	}
	slot->state = SLOT_FREE;
	lane->slots_free++;
}

/* ---- start and end --------------------------------------------------------- */

static uint32_t queue_target_batches(const struct wm_lane *lane, const struct wm_layout *layout)
{
	uint32_t wire = WIRE_OVERHEAD_BYTES + WM_FRAME_HEADER_BYTES +
			wm_frame_map_bytes(&layout->kernel, layout->batch_elements);

	return lane->config.queue_target_bytes / wire;
}

static bool can_write_in_place(const struct wm_lane *lane, const struct wm_lane_job *job)
{
	uint32_t batch = wm_frame_result_bytes(&job->layout.kernel, job->layout.batch_elements);

	if (job->layout.batches_per_extent > lane->held_batches)
		return false;
	return !job->sink.direct || (WM_PORT_PAYLOAD_ALIGN_BYTES % job->sink.align_bytes == 0 &&
				     batch % job->sink.align_bytes == 0);
}

void wm_lane_job_start(struct wm_lane *lane, const struct wm_lane_job *job)
{
	assert(lane->state == LANE_IDLE);
	assert(wm_store_buffer_bytes(&job->layout) <= WM_EXTENT_BUFFER_BYTES);
	lane->job = job;
	lane->state = LANE_RUNNING;
	lane->ending = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED, .job = job->id };
	lane->next_extent = 0;
	lane->in_place = can_write_in_place(lane, job);
	lane->job_counters = (struct wm_lane_job_counters){ .job = job->id };
	wm_store_attach(lane->store, &job->layout, &job->source, &job->sink);
	wm_dispatch_start(lane->dispatch, &job->layout, queue_target_batches(lane, &job->layout));
}

void wm_lane_job_stop(struct wm_lane *lane, int result)
{
	if (lane->state != LANE_RUNNING)
		return;
	lane->state = LANE_STOPPING;
	lane->ending.result = result;
}

static void job_end(struct wm_lane *lane)
{
	const struct wm_dispatch_counters *counters = wm_dispatch_counters(lane->dispatch);
	int ret = wm_store_detach(lane->store);

	assert(ret == 0);
	(void)ret;
	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++)
		slot_release(lane, &lane->slots[i]);
	lane->counters.sent += counters->sent;
	lane->counters.resent += counters->resent;
	lane->counters.results += counters->results;
	lane->counters.duplicates += counters->duplicates;
	lane->state = LANE_IDLE;
	lane->job = NULL;
	wm_lane_raise(lane, &lane->ending);
}

/* ---- storage --------------------------------------------------------------- */

static void read_ahead(struct wm_lane *lane)
{
	if (lane->slots_free == 0 || lane->next_extent == lane->job->layout.extents)
		return;
	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++) {
		struct lane_slot *slot = &lane->slots[i];

		if (lane->next_extent == lane->job->layout.extents)
			return;
		/* A frame that points into the buffer may still wait in the port. */
		if (slot->state != SLOT_FREE || rte_mbuf_ext_refcnt_read(&slot->attached) != 1)
			continue;
		if (wm_store_read(lane->store, lane->next_extent, i) < 0)
			return;
		slot->state = SLOT_READING;
		lane->slots_free--;
		slot->extent = lane->next_extent++;
		slot->span = wm_layout_extent(&lane->job->layout, slot->extent);
		slot->batches = wm_layout_extent_batches(&lane->job->layout, slot->extent);
		slot->input = slot->buffer + wm_store_buffer_skew(&lane->job->layout, slot->extent);
	}
}

static uint8_t *result_payload(struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod_offset(frame, uint8_t *, WM_FRAME_HEADER_BYTES);
}

/* The results of an extent in order; neighbours in memory become one part. */
static uint32_t gather_parts(struct wm_lane *lane, struct lane_slot *slot)
{
	const struct wm_layout *layout = &lane->job->layout;
	uint32_t batch_bytes = layout->batch_elements * layout->kernel.out_bytes;
	uint32_t left = slot->span.out_bytes, count = 0;
	uint8_t *end = NULL;

	for (uint32_t i = 0; i < slot->batches; i++) {
		uint32_t bytes = left < batch_bytes ? left : batch_bytes;
		uint8_t *start = slot->results[i] ? result_payload(slot->results[i])
						  : slot->output + (size_t)i * batch_bytes;

		if (start == end)
			lane->parts[count - 1].iov_len += bytes;
		else
			lane->parts[count++] =
				(struct iovec){ .iov_base = start, .iov_len = bytes };
		end = start + bytes;
		left -= bytes;
	}
	assert(left == 0);
	return count;
}

static void write_extent(struct wm_lane *lane, struct lane_slot *slot)
{
	int ret = wm_store_write(lane->store, slot->extent, lane->parts, gather_parts(lane, slot));

	if (ret == 0) {
		slot->state = SLOT_WRITING;
		return;
	}
	lane->ending.failed_op = WM_STORE_WRITE;
	lane->ending.extent = slot->extent;
	wm_lane_job_stop(lane, ret);
}

static struct lane_slot *slot_of(struct wm_lane *lane, uint64_t extent, enum slot_state state)
{
	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++) {
		if (lane->slots[i].state == state && lane->slots[i].extent == extent)
			return &lane->slots[i];
	}
	assert(!"an event for an extent that is not in any slot");
	return NULL;
}

static void store_event(struct wm_lane *lane, const struct wm_store_event *event)
{
	bool reading = event->op == WM_STORE_READ;
	struct lane_slot *slot =
		slot_of(lane, event->extent, reading ? SLOT_READING : SLOT_WRITING);

	if (event->result < 0) {
		lane->ending.failed_op = event->op;
		lane->ending.extent = event->extent;
		wm_lane_job_stop(lane, event->result);
		slot_release(lane, slot);
	} else if (!reading) {
		lane->job_counters.extents_done++;
		lane->job_counters.output_bytes_done += slot->span.out_bytes;
		slot_release(lane, slot);
	} else {
		slot->state = SLOT_OPEN;
		if (lane->state == LANE_RUNNING)
			wm_dispatch_extent_open(lane->dispatch, (uint32_t)(slot - lane->slots),
						slot->extent);
	}
}

void wm_lane_job_store(struct wm_lane *lane)
{
	struct wm_store_event events[LANE_BURST];
	unsigned count = wm_store_poll(lane->store, events, LANE_BURST);

	for (unsigned i = 0; i < count; i++)
		store_event(lane, &events[i]);
	if (lane->state == LANE_RUNNING) {
		read_ahead(lane);
		if (lane->job_counters.extents_done == lane->job->layout.extents)
			wm_lane_job_stop(lane, 0);
	}
	wm_store_submit(lane->store);
	if (lane->state == LANE_STOPPING && wm_store_in_flight(lane->store) == 0)
		job_end(lane);
}

/* ---- batches out ------------------------------------------------------------ */

static bool take_spares(struct wm_lane *lane)
{
	if (!lane->spare_header)
		lane->spare_header = rte_pktmbuf_alloc(lane->port->header);
	if (!lane->spare_attach && lane->port->multi_segment)
		lane->spare_attach = rte_pktmbuf_alloc(lane->port->attach);
	return lane->spare_header && (lane->spare_attach || !lane->port->multi_segment);
}

static void attach_payload(struct wm_lane *lane, struct rte_mbuf *frame, struct lane_slot *slot,
			   uint8_t *payload, uint16_t payload_bytes)
{
	struct rte_mbuf *tail = lane->spare_attach;

	lane->spare_attach = NULL;
	rte_mbuf_ext_refcnt_update(&slot->attached, 1);
	rte_pktmbuf_attach_extbuf(tail, payload, (rte_iova_t)(uintptr_t)payload, payload_bytes,
				  &slot->attached);
	tail->data_off = 0;
	tail->data_len = payload_bytes;
	frame->next = tail;
	frame->nb_segs = 2;
}

static void copy_payload(struct wm_lane *lane, struct rte_mbuf *frame, const uint8_t *payload,
			 uint16_t payload_bytes)
{
	memcpy(rte_pktmbuf_mtod_offset(frame, uint8_t *, WM_FRAME_HEADER_BYTES), payload,
	       payload_bytes);
	frame->data_len += payload_bytes;
	lane->counters.transmit_copied_bytes += payload_bytes;
}

static struct rte_mbuf *map_frame(struct wm_lane *lane, const struct wm_dispatch_send *send)
{
	const struct wm_layout *layout = &lane->job->layout;
	const struct lane_node *node = &lane->nodes[send->node];
	struct lane_slot *slot = &lane->slots[send->batch.slot];
	uint8_t *payload = slot->input + (size_t)send->batch.place * layout->batch_elements *
						 layout->kernel.in_bytes;
	uint32_t bytes = wm_frame_map_bytes(&layout->kernel, send->batch.count);
	struct rte_mbuf *frame = lane->spare_header;
	struct wm_ether_header *ether = rte_pktmbuf_mtod(frame, struct wm_ether_header *);
	struct wm_wire_header *header = (struct wm_wire_header *)(ether + 1);

	lane->spare_header = NULL;
	wm_frame_ether(ether, node->mac, lane->port->mac);
	*header = (struct wm_wire_header){
		.version = WM_WIRE_VERSION,
		.op = WM_OP_MAP,
		.count = (uint16_t)send->batch.count,
		.session = node->session,
		.batch = send->batch.batch,
		.job = lane->job->id,
		.stamp = send->stamp,
	};
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), payload, bytes);

	frame->data_len = WM_FRAME_HEADER_BYTES;
	frame->pkt_len = WM_FRAME_HEADER_BYTES + bytes;
	if (lane->port->multi_segment)
		attach_payload(lane, frame, slot, payload, (uint16_t)bytes);
	else
		copy_payload(lane, frame, payload, (uint16_t)bytes);
	lane->counters.transmit_payload_bytes += bytes;
	return frame;
}

void wm_lane_job_send(struct wm_lane *lane)
{
	struct wm_dispatch_send send;

	while (lane->transmit_count < LANE_BURST && take_spares(lane) &&
	       wm_dispatch_next(lane->dispatch, lane->now_ns, &send))
		lane->transmit[lane->transmit_count++] = map_frame(lane, &send);
}

/* ---- results in ------------------------------------------------------------- */

/* Keeps the frame until its extent is written, or copies its payload to where
 * that write can take it from. Takes the frame over. */
static void keep_result(struct wm_lane *lane, struct rte_mbuf *frame,
			const struct wm_ledger_batch *batch)
{
	const struct wm_layout *layout = &lane->job->layout;
	uint32_t batch_bytes = layout->batch_elements * layout->kernel.out_bytes;
	uint32_t bytes = batch->count * layout->kernel.out_bytes;
	struct lane_slot *slot = &lane->slots[batch->slot];
	uint8_t *payload = result_payload(frame);

	lane->counters.receive_payload_bytes += bytes;
	if (lane->in_place && (uintptr_t)payload % WM_PORT_PAYLOAD_ALIGN_BYTES == 0) {
		slot->results[batch->place] = frame;
		return;
	}
	memcpy(slot->output + (size_t)batch->place * batch_bytes, payload, bytes);
	lane->counters.receive_copied_bytes += bytes;
	rte_pktmbuf_free(frame);
}

/* Everything about a RESULT that does not need the ledger. */
static enum wm_drop check_result(const struct wm_lane *lane, const struct rte_mbuf *frame)
{
	const struct wm_wire_header *header =
		rte_pktmbuf_mtod_offset(frame, struct wm_wire_header *, WM_ETHER_HEADER_BYTES);
	const struct wm_layout *layout;
	uint32_t bytes;

	if (lane->state != LANE_RUNNING || header->job != lane->job->id)
		return WM_DROP_JOB;
	layout = &lane->job->layout;
	if (header->count == 0 || header->count > layout->batch_elements)
		return WM_DROP_LENGTH;
	bytes = wm_frame_result_bytes(&layout->kernel, header->count);
	if (wm_frame_check_length(frame->pkt_len, bytes) != WM_DROP_NONE)
		return WM_DROP_LENGTH;
	if (wm_frame_check_crc(header, (const uint8_t *)(header + 1), bytes) != WM_DROP_NONE)
		return WM_DROP_CRC;
	if (header->session == 0 ||
	    lane->nodes[header->session & WM_SESSION_NODE_MASK].session != header->session)
		return WM_DROP_SESSION;
	return header->batch < layout->batches ? WM_DROP_NONE : WM_DROP_BATCH;
}

enum wm_drop wm_lane_job_result(struct wm_lane *lane, struct rte_mbuf *frame)
{
	const struct wm_wire_header *header =
		rte_pktmbuf_mtod_offset(frame, struct wm_wire_header *, WM_ETHER_HEADER_BYTES);
	uint32_t node = header->session & WM_SESSION_NODE_MASK;
	struct wm_dispatch_receipt receipt;
	struct wm_ledger_batch expected;
	enum wm_drop drop = check_result(lane, frame);

	if (drop == WM_DROP_NONE &&
	    wm_dispatch_expect(lane->dispatch, node, header->batch, header->stamp, &expected) &&
	    expected.count != header->count)
		drop = WM_DROP_BATCH;
	if (drop != WM_DROP_NONE)
		goto drop_frame;

	switch (wm_dispatch_result(lane->dispatch, node, header->batch, header->stamp, lane->now_ns,
				   &receipt)) {
	case WM_LEDGER_NEW:
		break;
	case WM_LEDGER_DUPLICATE:
		drop = WM_DROP_DUPLICATE;
		goto drop_frame;
	case WM_LEDGER_UNKNOWN:
		drop = WM_DROP_BATCH;
		goto drop_frame;
	}
	keep_result(lane, frame, &receipt.batch);
	lane->job_counters.batches_done++;
	if (receipt.extent_done)
		write_extent(lane, &lane->slots[receipt.batch.slot]);
	return WM_DROP_NONE;

drop_frame:
	rte_pktmbuf_free(frame);
	return drop;
}
