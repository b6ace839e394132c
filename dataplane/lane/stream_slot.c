/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_slot.h"

#include <assert.h>
#include <string.h>

/* ---- kept until written --------------------------------------------------------- */

static struct kept *place_of(const struct wm_stream *stream, const struct wm_ledger_batch *batch)
{
	return &stream->slots[batch->slot].kept[batch->place];
}

const uint8_t *stream_kept(const struct wm_stream *stream, const struct wm_ledger_batch *batch)
{
	return place_of(stream, batch)->payload;
}

static void kept_free(struct wm_stream *stream, struct kept *kept)
{
	if (kept->frame)
		stream->kept_frames--;
	stream_free(stream, kept->frame);
	*kept = (struct kept){ 0 };
}

void stream_forget(struct wm_stream *stream, const struct wm_ledger_batch *batch)
{
	kept_free(stream, place_of(stream, batch));
}

/* Batches of a job may be smaller than those that the pool was made for, and so more. */
static bool can_keep(const struct wm_stream *stream, const struct stream_job *job,
		     const uint8_t *payload)
{
	return stream->kept_frames < stream->config.keep_frames_max && job->keep_align_bytes > 0 &&
	       (uintptr_t)payload % job->keep_align_bytes == 0;
}

/* The frame itself stays until its extent is written, or its payload is copied to
 * where that write can take it from. */
void stream_keep(struct wm_stream *stream, struct stream_job *job, const struct kept *result,
		 const struct wm_ledger_batch *batch)
{
	const struct wm_layout *layout = &job->lane->layout;
	uint32_t bytes = wm_frame_result_bytes(&layout->kernel, batch->count);
	struct kept *kept = place_of(stream, batch);

	stream->counters.receive_payload_bytes += bytes;
	if (can_keep(stream, job, result->payload)) {
		*kept = *result;
		stream->kept_frames++;
		return;
	}
	kept->crc32c = result->crc32c;
	kept->payload = stream->slots[batch->slot].output +
			(size_t)batch->place * layout->batch_elements * layout->kernel.out_bytes;
	memcpy(kept->payload, result->payload, bytes);
	stream->counters.receive_copied_bytes += bytes;
	stream_free(stream, result->frame);
}

/* ---- taken and free ------------------------------------------------------------- */

void stream_slot_take(struct wm_stream *stream, struct stream_job *job, struct stream_slot *slot,
		      uint64_t extent, uint64_t now_ns)
{
	const struct wm_layout *layout = &job->lane->layout;

	slot->state = SLOT_READING;
	slot->job = job;
	slot->extent = extent;
	slot->asked_ns = now_ns;
	slot->is_ahead = true;
	slot->nodes = 0;
	slot->is_invalid = false;
	slot->out_bytes = wm_layout_extent(layout, extent).out_bytes;
	slot->batches = wm_layout_extent_batches(layout, extent);
	stream->slots_free--;
	job->slots_ahead++;
}

void stream_slot_used(struct stream_slot *slot)
{
	slot->job->slots_ahead -= slot->is_ahead;
	slot->is_ahead = false;
}

void stream_slot_release(struct wm_stream *stream, struct stream_slot *slot)
{
	if (slot->state == SLOT_FREE)
		return;
	for (uint32_t i = 0; i < slot->batches; i++)
		kept_free(stream, &slot->kept[i]);
	stream_slot_used(slot);
	slot->state = SLOT_FREE;
	stream->slots_free++;
}

void stream_slots_release(struct wm_stream *stream, struct stream_job *job)
{
	for (uint32_t i = 0; i < stream->config.dispatch.extents_max; i++)
		if (stream->slots[i].job == job)
			stream_slot_release(stream, &stream->slots[i]);
}

struct stream_slot *stream_slot_find(struct wm_stream *stream, struct stream_job *job,
				     uint64_t extent, enum slot_state state)
{
	for (uint32_t i = 0; i < stream->config.dispatch.extents_max; i++) {
		struct stream_slot *slot = &stream->slots[i];

		if (slot->state == state && slot->job == job && slot->extent == extent)
			return slot;
	}
	assert(!"an event for an extent that is not in any slot");
	return NULL;
}

/* ---- what is written ------------------------------------------------------------- */

uint32_t stream_slot_gather(struct wm_stream *stream, const struct stream_slot *slot)
{
	const struct wm_layout *layout = &slot->job->lane->layout;
	uint32_t batch_bytes = layout->batch_elements * layout->kernel.out_bytes;
	uint32_t left = slot->out_bytes, count = 0;
	uint8_t *end = NULL;

	for (uint32_t i = 0; i < slot->batches; i++) {
		uint32_t bytes = left < batch_bytes ? left : batch_bytes;
		uint8_t *start = slot->kept[i].payload;

		if (start == end)
			stream->parts[count - 1].iov_len += bytes;
		else
			stream->parts[count++] =
				(struct iovec){ .iov_base = start, .iov_len = bytes };
		end = start + bytes;
		left -= bytes;
	}
	assert(left == 0);
	return count;
}

/* Of what the nodes sent, not of what is in memory by now: it is cold, and should it
 * have changed since, verify will find it. */
uint32_t stream_slot_crc(const struct stream_slot *slot)
{
	const struct wm_layout *layout = &slot->job->lane->layout;
	uint32_t batch_bytes = wm_frame_result_bytes(&layout->kernel, layout->batch_elements);
	uint32_t full = slot->out_bytes / batch_bytes, crc = 0;

	for (uint32_t i = 0; i < full; i++)
		crc = wm_crc32c_join(&slot->job->batch_shift, crc, slot->kept[i].crc32c);
	if (full < slot->batches)
		crc = wm_crc32c(crc, slot->kept[full].payload,
				slot->out_bytes - full * batch_bytes);
	return crc;
}
