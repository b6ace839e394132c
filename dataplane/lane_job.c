/* SPDX-License-Identifier: BSD-3-Clause */
/* A lane's job: extents through the slots, batches out and results in. */
#include "lane_private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Nodes that may fail at a batch before the job does. */
#define TRIES_MAX 3u
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

static bool has_tags(const struct wm_lane *lane)
{
	return lane->config.auth == WM_WIRE_AEAD;
}

/* NULL: its frames have no tag. */
static const uint8_t *frame_key_of(const struct wm_lane *lane, const struct lane_node *node)
{
	return has_tags(lane) ? node->frame_key : NULL;
}

/* ---- start and end --------------------------------------------------------- */

static uint32_t queue_target_batches(const struct wm_lane *lane, const struct wm_layout *layout)
{
	uint32_t wire = WIRE_OVERHEAD_BYTES + WM_FRAME_HEADER_BYTES +
			wm_frame_map_bytes(&layout->kernel, layout->batch_elements) +
			(has_tags(lane) ? WM_WIRE_TAG_BYTES : 0);

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

static void count_durable(struct wm_lane *lane)
{
	const struct wm_layout *layout = &lane->job->layout;
	uint64_t durable = lane->job->progress.durable;
	uint64_t bytes = durable * layout->extent_elements * layout->kernel.out_bytes;

	lane->job_counters.extents_done = durable;
	lane->job_counters.output_bytes_done = bytes < layout->output_bytes ? bytes
									    : layout->output_bytes;
}

void wm_lane_job_start(struct wm_lane *lane, struct wm_lane_job *job)
{
	assert(lane->state == LANE_IDLE);
	assert(wm_store_buffer_bytes(&job->layout) <= WM_EXTENT_BUFFER_BYTES);
	lane->job = job;
	lane->state = LANE_RUNNING;
	lane->ending = (struct wm_lane_event){ .op = WM_LANE_JOB_ENDED, .job = job->id };
	lane->source_direct = job->source.direct;
	lane->sink_direct = job->sink.direct;
	lane->in_place = can_write_in_place(lane, job);
	lane->job_counters = (struct wm_lane_job_counters){ .job = job->id };
	count_durable(lane);
	wm_store_attach(lane->store, &job->layout, &job->source, &job->sink);
	wm_dispatch_start(lane->dispatch, &job->layout, queue_target_batches(lane, &job->layout));
	wm_dispatch_audit(lane->dispatch, job->audit_threshold, job->audit_seed);
	lane->identity = wm_identity_find(job->layout.kernel.name);
	lane->quarantine_nodes = job->quarantined;
	lane->quarantine_journalled = 0;
	lane->journalling = false;
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
	wm_lane_audit_clear(lane);
	lane->counters.sent += counters->sent;
	lane->counters.resent += counters->resent;
	lane->counters.results += counters->results;
	lane->counters.duplicates += counters->duplicates;
	lane->state = LANE_IDLE;
	lane->job = NULL;
	wm_lane_raise(lane, &lane->ending);
}

/* ---- storage --------------------------------------------------------------- */

static bool read_extent(struct wm_lane *lane, uint32_t index)
{
	const struct wm_layout *layout = &lane->job->layout;
	struct lane_slot *slot = &lane->slots[index];
	uint64_t extent;

	if (!wm_progress_open(&lane->job->progress, &extent))
		return false;
	if (wm_store_read(lane->store, extent, index) < 0) {
		wm_progress_reopen(&lane->job->progress, extent);
		return false;
	}
	slot->state = SLOT_READING;
	slot->extent = extent;
	slot->nodes = 0;
	slot->is_void = false;
	slot->span = wm_layout_extent(layout, extent);
	slot->batches = wm_layout_extent_batches(layout, extent);
	slot->input = slot->buffer + wm_store_buffer_skew(layout, extent);
	lane->slots_free--;
	return true;
}

static void read_ahead(struct wm_lane *lane)
{
	if (lane->slots_free == 0)
		return;
	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++) {
		/* A frame that points into the buffer may still wait in the port. */
		if (lane->slots[i].state != SLOT_FREE ||
		    rte_mbuf_ext_refcnt_read(&lane->slots[i].attached) != 1)
			continue;
		if (!read_extent(lane, i))
			return;
	}
}

uint8_t *wm_lane_payload(struct rte_mbuf *frame)
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
		uint8_t *start = slot->results[i] ? wm_lane_payload(slot->results[i])
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

static void fail_io(struct wm_lane *lane, enum wm_store_op op, uint64_t extent, int result)
{
	lane->ending.failed_op = op;
	lane->ending.extent = extent;
	wm_lane_job_stop(lane, result);
}

static void write_extent(struct wm_lane *lane, struct lane_slot *slot)
{
	uint32_t count = gather_parts(lane, slot);
	int ret;

	slot->crc32c = 0;
	for (uint32_t i = 0; i < count; i++)
		slot->crc32c = wm_frame_crc_add(slot->crc32c, lane->parts[i].iov_base,
						lane->parts[i].iov_len);
	ret = wm_store_write(lane->store, slot->extent, lane->parts, count);
	if (ret < 0)
		fail_io(lane, WM_STORE_WRITE, slot->extent, ret);
	else
		slot->state = SLOT_WRITING;
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

static void extent_read(struct wm_lane *lane, struct lane_slot *slot)
{
	slot->state = SLOT_OPEN;
	if (lane->state == LANE_RUNNING)
		wm_dispatch_extent_open(lane->dispatch, (uint32_t)(slot - lane->slots),
					slot->extent);
}

static void extent_written(struct wm_lane *lane, struct lane_slot *slot)
{
	struct wm_progress_extent extent = {
		.extent = slot->extent,
		.nodes = slot->nodes,
		.crc32c = slot->crc32c,
	};

	if (slot->is_void)
		wm_progress_reopen(&lane->job->progress, slot->extent);
	else
		wm_progress_written(&lane->job->progress, &extent, lane->now_ns);
	slot_release(lane, slot);
}

static void journalled(struct wm_lane *lane)
{
	struct wm_lane_event event = {
		.op = WM_LANE_REDO,
		.job = lane->job->id,
		.nodes = lane->quarantine_journalled,
		.record = lane->job->journal.records - lane->journalled_extents - 1,
	};

	if (lane->journalled_extents > 0)
		wm_progress_synced(&lane->job->progress);
	if (lane->quarantine_journalled) {
		event.extent = ++lane->job->redo_wanted;
		wm_lane_raise(lane, &event);
	}
	lane->journalled_extents = 0;
	lane->quarantine_journalled = 0;
	lane->journalling = false;
	count_durable(lane);
}

/* Every extent is durable, and none of them rests on a node that computed wrong. */
static bool is_complete(const struct wm_lane *lane)
{
	return wm_progress_is_complete(&lane->job->progress) && !lane->quarantine_nodes &&
	       !lane->quarantine_journalled && lane->job->redo_done == lane->job->redo_wanted;
}

static void store_event(struct wm_lane *lane, const struct wm_store_event *event)
{
	struct lane_slot *slot;

	if (event->result < 0) {
		fail_io(lane, event->op, event->extent, event->result);
		return;
	}
	switch (event->op) {
	case WM_STORE_READ:
		slot = slot_of(lane, event->extent, SLOT_READING);
		extent_read(lane, slot);
		break;
	case WM_STORE_WRITE:
		slot = slot_of(lane, event->extent, SLOT_WRITING);
		extent_written(lane, slot);
		break;
	case WM_STORE_JOURNAL:
		journalled(lane);
		break;
	}
}

/* A quarantine goes first, so that no record of an extent made after it is taken
 * for one made before. */
static uint32_t gather_records(struct wm_lane *lane, struct wm_journal_record *records)
{
	struct wm_progress *progress = &lane->job->progress;
	const struct wm_progress_extent *group;
	uint32_t count = 0, extents;

	extents =
		wm_progress_sync(progress, lane->now_ns, wm_progress_is_draining(progress), &group);
	if (lane->quarantine_nodes)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_QUARANTINE,
							       .nodes = lane->quarantine_nodes };
	for (uint32_t i = 0; i < extents; i++)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_EXTENT,
							       .extent = group[i].extent,
							       .nodes = group[i].nodes,
							       .crc32c = group[i].crc32c };
	lane->journalled_extents = extents;
	lane->quarantine_journalled = lane->quarantine_nodes;
	lane->quarantine_nodes = 0;
	return count;
}

/* One fdatasync and one append for a group of extents. */
static void journal(struct wm_lane *lane)
{
	struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX];
	uint32_t count;
	int ret;

	if (lane->journalling)
		return;
	count = gather_records(lane, records);
	if (count == 0)
		return;
	ret = wm_store_journal(lane->store, &lane->job->journal, records, count);
	if (ret < 0)
		fail_io(lane, WM_STORE_JOURNAL, 0, ret);
	else
		lane->journalling = true;
}

bool wm_lane_job_store(struct wm_lane *lane)
{
	struct wm_store_event events[LANE_BURST];
	unsigned count = wm_store_poll(lane->store, events, LANE_BURST);

	for (unsigned i = 0; i < count; i++)
		store_event(lane, &events[i]);
	if (lane->state == LANE_RUNNING) {
		read_ahead(lane);
		journal(lane);
		wm_dispatch_drain(lane->dispatch, !wm_progress_has_more(&lane->job->progress));
		if (is_complete(lane))
			wm_lane_job_stop(lane, 0);
	}
	wm_store_submit(lane->store);
	if (lane->state == LANE_STOPPING && wm_store_in_flight(lane->store) == 0)
		job_end(lane);
	return count > 0;
}

/* ---- batches out ------------------------------------------------------------ */

static bool take_spares(struct wm_lane *lane)
{
	if (!lane->spare_header)
		lane->spare_header = rte_pktmbuf_alloc(lane->port->header);
	if (!lane->spare_attach && lane->port->multi_segment)
		lane->spare_attach = rte_pktmbuf_alloc(lane->port->attach);
	if (!lane->spare_tag && lane->port->multi_segment && has_tags(lane))
		lane->spare_tag = rte_pktmbuf_alloc(lane->port->header);
	if (!lane->port->multi_segment)
		return lane->spare_header;
	return lane->spare_header && lane->spare_attach && (lane->spare_tag || !has_tags(lane));
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
	const struct wm_tag_payload sealed = { { { payload, bytes } }, 1 };
	const uint8_t *key = frame_key_of(lane, node);
	uint8_t tag[WM_WIRE_TAG_BYTES];

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
	wm_tag_seal(header, &sealed, key, tag);

	frame->data_len = WM_FRAME_HEADER_BYTES;
	frame->pkt_len = WM_FRAME_HEADER_BYTES + bytes;
	if (lane->port->multi_segment)
		attach_payload(lane, frame, slot, payload, (uint16_t)bytes);
	else
		copy_payload(lane, frame, payload, (uint16_t)bytes);
	if (key && lane->port->multi_segment)
		attach_tag(lane, frame, tag);
	else if (key)
		copy_tag(frame, tag);
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

uint8_t *wm_lane_kept(struct wm_lane *lane, const struct wm_ledger_batch *batch)
{
	const struct wm_layout *layout = &lane->job->layout;
	struct lane_slot *slot = &lane->slots[batch->slot];

	if (slot->results[batch->place])
		return wm_lane_payload(slot->results[batch->place]);
	return slot->output +
	       (size_t)batch->place * layout->batch_elements * layout->kernel.out_bytes;
}

/* The frame itself stays until its extent is written, or its payload is copied to
 * where that write can take it from. */
void wm_lane_keep(struct wm_lane *lane, struct rte_mbuf *frame, const struct wm_ledger_batch *batch)
{
	uint32_t bytes = wm_frame_result_bytes(&lane->job->layout.kernel, batch->count);
	uint8_t *payload = wm_lane_payload(frame);

	lane->counters.receive_payload_bytes += bytes;
	if (lane->in_place && (uintptr_t)payload % WM_PORT_PAYLOAD_ALIGN_BYTES == 0) {
		lane->slots[batch->slot].results[batch->place] = frame;
		return;
	}
	memcpy(wm_lane_kept(lane, batch), payload, bytes);
	lane->counters.receive_copied_bytes += bytes;
	rte_pktmbuf_free(frame);
}

void wm_lane_forget(struct wm_lane *lane, const struct wm_ledger_batch *batch)
{
	struct rte_mbuf **kept = &lane->slots[batch->slot].results[batch->place];

	rte_pktmbuf_free(*kept);
	*kept = NULL;
}

/* Everything about a RESULT that does not need the ledger. */
static enum wm_drop check_result(const struct wm_lane *lane, const struct rte_mbuf *frame)
{
	const struct wm_wire_header *header =
		rte_pktmbuf_mtod_offset(frame, struct wm_wire_header *, WM_ETHER_HEADER_BYTES);
	const struct lane_node *node = &lane->nodes[header->session & WM_SESSION_NODE_MASK];
	const uint8_t *key = frame_key_of(lane, node), *payload = (const uint8_t *)(header + 1);
	const struct wm_layout *layout;
	struct wm_tag_payload sealed;
	enum wm_drop drop;
	uint32_t bytes;

	if (lane->state != LANE_RUNNING || header->job != lane->job->id)
		return WM_DROP_JOB;
	layout = &lane->job->layout;
	if (header->count > layout->batch_elements)
		return WM_DROP_LENGTH;
	bytes = wm_frame_result_bytes(&layout->kernel, header->count);
	if (wm_frame_check_length(frame->pkt_len, bytes + wm_tag_bytes(key)) != WM_DROP_NONE)
		return WM_DROP_LENGTH;
	/* The key is the session's. */
	if (header->session == 0 || node->session != header->session)
		return WM_DROP_SESSION;
	sealed = (struct wm_tag_payload){ { { (void *)(uintptr_t)payload, bytes } }, 1 };
	drop = wm_tag_check(header, &sealed, key, payload + bytes);
	if (drop != WM_DROP_NONE)
		return drop;
	return header->batch < layout->batches ? WM_DROP_NONE : WM_DROP_BATCH;
}

/* Count 0: the node could not. Another may; three that cannot are no accident. */
static enum wm_drop take_failure(struct wm_lane *lane, const struct wm_wire_header *header,
				 uint32_t node)
{
	struct wm_dispatch_receipt receipt;

	if (wm_dispatch_failed(lane->dispatch, node, header->batch, header->stamp, lane->now_ns,
			       &receipt) >= TRIES_MAX) {
		lane->ending.failed_op = WM_LANE_FAILED_COMPUTE;
		lane->ending.extent = header->batch;
		wm_lane_job_stop(lane, -EILSEQ);
	}
	return WM_DROP_FAILED;
}

/* Can this be the result? Only a batch that is open has its input at hand. */
static enum wm_drop check_content(struct wm_lane *lane, struct rte_mbuf *frame,
				  const struct wm_wire_header *header, uint32_t node)
{
	const struct wm_layout *layout = &lane->job->layout;
	struct wm_ledger_batch expected;
	const uint8_t *input;

	if (!wm_dispatch_expect(lane->dispatch, node, header->batch, header->stamp, &expected))
		return WM_DROP_NONE; /* the ledger will say what it is */
	if (expected.count != header->count)
		return WM_DROP_BATCH;
	input = lane->slots[expected.slot].input +
		(size_t)expected.place * layout->batch_elements * layout->kernel.in_bytes;
	if (!lane->identity || lane->identity(input, wm_lane_payload(frame), header->count))
		return WM_DROP_NONE;
	wm_lane_quarantine(lane, node, header->batch);
	return WM_DROP_WRONG;
}

static void batch_done(struct wm_lane *lane, const struct wm_dispatch_receipt *receipt)
{
	lane->job_counters.batches_done++;
	if (receipt->extent_done)
		write_extent(lane, &lane->slots[receipt->batch.slot]);
}

static void add_part(struct wm_lane *lane, const struct wm_ledger_batch *batch, uint32_t node)
{
	lane->slots[batch->slot].nodes |= wm_journal_node_bit(lane->nodes[node].mac);
}

static enum wm_drop take_result(struct wm_lane *lane, struct rte_mbuf *frame,
				const struct wm_wire_header *header, uint32_t node)
{
	struct wm_dispatch_receipt receipt;
	enum wm_ledger_verdict verdict = wm_dispatch_result(lane->dispatch, node, header->batch,
							    header->stamp, lane->now_ns, &receipt);

	switch (verdict) {
	case WM_LEDGER_NEW:
	case WM_LEDGER_HELD:
		add_part(lane, &receipt.batch, node);
		wm_lane_keep(lane, frame, &receipt.batch);
		if (verdict == WM_LEDGER_NEW)
			batch_done(lane, &receipt);
		return WM_DROP_NONE;
	case WM_LEDGER_COMPARE:
		add_part(lane, &receipt.batch, node);
		if (wm_lane_audit(lane, frame, node, &receipt))
			batch_done(lane, &receipt);
		/* Only now: an extent that this batch completed is on its way to disk. */
		if (receipt.wrong_node != WM_LEDGER_NOBODY)
			wm_lane_quarantine(lane, receipt.wrong_node, receipt.batch.batch);
		return WM_DROP_NONE;
	case WM_LEDGER_DUPLICATE:
		rte_pktmbuf_free(frame);
		return WM_DROP_DUPLICATE;
	case WM_LEDGER_UNKNOWN:
		break;
	}
	rte_pktmbuf_free(frame);
	return WM_DROP_BATCH;
}

enum wm_drop wm_lane_job_result(struct wm_lane *lane, struct rte_mbuf *frame)
{
	const struct wm_wire_header *header =
		rte_pktmbuf_mtod_offset(frame, struct wm_wire_header *, WM_ETHER_HEADER_BYTES);
	uint32_t node = header->session & WM_SESSION_NODE_MASK;
	enum wm_drop drop = check_result(lane, frame);

	if (drop == WM_DROP_NONE && header->count == 0)
		drop = take_failure(lane, header, node);
	else if (drop == WM_DROP_NONE)
		drop = check_content(lane, frame, header, node);
	if (drop == WM_DROP_NONE)
		return take_result(lane, frame, header, node);
	rte_pktmbuf_free(frame);
	return drop;
}
