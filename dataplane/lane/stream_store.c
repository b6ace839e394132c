/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_store.h"

#include "clock.h"
#include "stream_lanes.h"
#include "stream_slot.h"

/* A ring of a port's whole memory takes a tenth of that on a slow link. */
#define LEAVES_NS (1 * WM_NS_PER_S)

/* ---- reading ---------------------------------------------------------------------- */

static bool read_extent(struct wm_stream *stream, struct stream_job *job, uint32_t index,
			uint64_t now_ns)
{
	struct stream_slot *slot = &stream->slots[index];
	uint64_t extent;

	if (!stream_extent_open(stream, job, &extent))
		return false;
	if (stream->config.calls.read(stream->config.context, index, extent, &slot->input) < 0) {
		stream_extent_return(stream, job, extent);
		return false;
	}
	stream_slot_take(stream, job, slot, extent, now_ns);
	return true;
}

/*
 * No frame that points into it waits in the port: each was given back, or one that was
 * sent later is answered. A driver may keep an mbuf until its descriptor is used again,
 * long after the frame has left; with small jobs that is never. A frame that was not
 * answered after so long is one of a job that was stopped, or of a port whose link is
 * down; should it leave yet, it is one whose CRC is wrong, of a batch nobody waits for.
 */
static bool is_idle(const struct wm_stream *stream, uint32_t index, uint64_t now_ns)
{
	const struct stream_slot *slot = &stream->slots[index];

	return slot->sent_ns < wm_dispatch_left_ns(stream->dispatch) ||
	       now_ns > slot->sent_ns + LEAVES_NS ||
	       stream->config.calls.is_idle(stream->config.context, index);
}

static bool may_read(const struct wm_stream *stream, const struct stream_job *job)
{
	return stream->config.dispatch.extents_max - stream->slots_free < job->slots_used_max &&
	       job->slots_ahead < wm_readahead_depth(&job->readahead);
}

void stream_read_ahead(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns)
{
	for (uint32_t i = 0; may_read(stream, job) && i < stream->config.dispatch.extents_max;
	     i++) {
		if (stream->slots[i].state != SLOT_FREE || !is_idle(stream, i, now_ns))
			continue;
		if (!read_extent(stream, job, i, now_ns))
			return;
	}
}

void stream_read_done(struct wm_stream *stream, struct stream_job *job, uint64_t extent,
		      uint64_t now_ns)
{
	struct stream_slot *slot = stream_slot_find(stream, job, extent, SLOT_READING);

	wm_readahead_arrived(&job->readahead, now_ns - slot->asked_ns);
	slot->state = SLOT_OPEN;
	if (job->state == WM_STREAM_RUNNING)
		wm_dispatch_extent_open(stream->dispatch, (uint32_t)(slot - stream->slots), extent);
}

/* ---- writing ---------------------------------------------------------------------- */

void stream_write_extent(struct wm_stream *stream, struct stream_slot *slot)
{
	uint32_t count = stream_slot_gather(stream, slot);
	int ret;

	slot->crc32c = stream_slot_crc(slot);
	/* Before the call: who carries it out may be done at once. */
	slot->state = SLOT_WRITING;
	ret = stream->config.calls.write(stream->config.context, (uint32_t)(slot - stream->slots),
					 slot->extent, stream->parts, count);
	if (ret < 0)
		stream_stop(stream, slot->job,
			    &(struct wm_lane_ending){ .result = ret,
						      .failed_op = WM_STORE_WRITE,
						      .extent = slot->extent });
}

void stream_write_done(struct wm_stream *stream, struct stream_job *job, uint64_t extent,
		       uint64_t now_ns)
{
	struct stream_slot *slot = stream_slot_find(stream, job, extent, SLOT_WRITING);
	struct wm_progress_extent written = {
		.extent = extent,
		.nodes = slot->nodes,
		.crc32c = slot->crc32c,
	};

	if (slot->is_invalid)
		stream_extent_return(stream, job, extent);
	else
		stream_extent_written(stream, job, &written, now_ns);
	stream_slot_release(stream, slot);
}

/* ---- the journal ------------------------------------------------------------------ */

void stream_journal(struct wm_stream *stream, struct stream_job *job, uint64_t now_ns)
{
	struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX];
	uint32_t count = wm_leader_records(&job->leader, now_ns, records);
	int ret;

	if (count == 0)
		return;
	ret = stream->config.calls.journal(stream->config.context, records, count);
	if (ret < 0)
		stream_stop(
			stream, job,
			&(struct wm_lane_ending){ .result = ret, .failed_op = WM_STORE_JOURNAL });
}

void stream_journal_done(struct wm_stream *stream, struct stream_job *job)
{
	struct wm_lane_event event = { .op = WM_LANE_RECOMPUTE, .job = job->lane->id };

	event.recompute.nodes = wm_leader_journalled(&job->leader, &event.recompute.record);
	if (event.recompute.nodes == 0)
		return;
	event.recompute.pass = ++job->lane->recompute_wanted;
	stream->config.calls.raise(stream->config.context, &event);
}
