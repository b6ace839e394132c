/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wiremill/limits.h"

#define SLOTS_MAX 64u
#define EVENTS_MAX 64u
/* Smallest part: an extent of these is more than two of IOV_MAX. */
#define PART_BYTES_MIN 480u

struct slot {
	bool busy;
	uint64_t extent;
	uint8_t *in, *out;
};

struct lane {
	const struct wm_stream *stream;
	const struct wm_layout *layout;
	struct wm_store *store;
	struct slot slots[SLOTS_MAX];
	uint64_t extents_begun, extents_done;
	uint8_t *reads_seen, *writes_seen; /* by extent */
	int result;
};

void *wm_stream_memory(size_t bytes)
{
	void *memory = aligned_alloc(WM_STORE_ALIGN_BYTES, (bytes + WM_STORE_ALIGN_BYTES - 1) /
								   WM_STORE_ALIGN_BYTES *
								   WM_STORE_ALIGN_BYTES);

	if (!memory)
		abort();
	memset(memory, 0xee, bytes);
	return memory;
}

void wm_stream_xor(uint8_t *out, const uint8_t *in, size_t count)
{
	for (size_t i = 0; i + 32 < count; i++)
		out[i] = in[i] ^ in[i + 32];
}

static void fail(struct lane *lane, int result)
{
	if (lane->result == 0)
		lane->result = result;
}

static struct slot *slot_of(struct lane *lane, uint64_t extent)
{
	for (uint32_t i = 0; i < lane->stream->depth; i++) {
		if (lane->slots[i].busy && lane->slots[i].extent == extent)
			return &lane->slots[i];
	}
	abort();
}

static void begin_reads(struct lane *lane)
{
	uint64_t extents = lane->layout->extents;

	for (uint32_t i = 0; i < lane->stream->depth && lane->extents_begun < extents; i++) {
		struct slot *slot = &lane->slots[i];
		int ret;

		if (slot->busy || lane->result < 0)
			continue;
		slot->busy = true;
		slot->extent = lane->stream->reverse ? extents - 1 - lane->extents_begun
						     : lane->extents_begun;
		lane->extents_begun++;
		ret = wm_store_read(lane->store, slot->extent, i);
		if (ret < 0)
			fail(lane, ret);
	}
}

static void write_extent(struct lane *lane, struct slot *slot)
{
	static struct iovec parts[WM_EXTENT_BYTES / PART_BYTES_MIN + 1];
	struct wm_span span = wm_layout_extent(lane->layout, slot->extent);
	uint32_t size = lane->stream->part_bytes ? lane->stream->part_bytes : span.out_bytes;
	uint32_t count = 0;
	int ret;

	wm_stream_xor(slot->out, slot->in + wm_store_buffer_skew(lane->layout, slot->extent),
		      span.in_bytes);
	for (uint32_t offset = 0; offset < span.out_bytes; offset += size) {
		uint32_t left = span.out_bytes - offset;

		parts[count++] = (struct iovec){ slot->out + offset, left < size ? left : size };
	}
	ret = wm_store_write(lane->store, slot->extent, parts, count);
	/* The array is the caller's again. */
	memset(parts, 0, count * sizeof(parts[0]));
	if (ret < 0) {
		slot->busy = false;
		fail(lane, ret);
	}
}

static void handle(struct lane *lane, const struct wm_store_event *event)
{
	struct slot *slot = slot_of(lane, event->extent);
	uint8_t *seen = event->op == WM_STORE_READ ? lane->reads_seen : lane->writes_seen;

	if (seen[event->extent]++)
		fail(lane, -EALREADY);
	if (event->result < 0) {
		slot->busy = false;
		fail(lane, event->result);
	} else if (event->op == WM_STORE_READ) {
		write_extent(lane, slot);
	} else {
		slot->busy = false;
		lane->extents_done++;
	}
}

static void run(struct lane *lane)
{
	unsigned events_max = lane->stream->events_max ? lane->stream->events_max : EVENTS_MAX;
	struct wm_store_event events[EVENTS_MAX];

	do {
		unsigned count;

		begin_reads(lane);
		if (wm_store_submit(lane->store) < 0)
			abort();
		count = wm_store_poll(lane->store, events, events_max);
		if (count > events_max)
			abort();
		for (unsigned i = 0; i < count; i++)
			handle(lane, &events[i]);
	} while (wm_store_in_flight(lane->store) > 0 ||
		 (lane->result == 0 && lane->extents_begun < lane->layout->extents));
	if (lane->result == 0 && lane->extents_done != lane->layout->extents)
		lane->result = -EPROTO;
}

int wm_stream_run(const struct wm_stream *stream, const struct wm_layout *layout,
		  const struct wm_source *source, const struct wm_sink *sink,
		  struct wm_store_counters *counters)
{
	struct lane lane = { .stream = stream, .layout = layout };
	struct iovec buffers[SLOTS_MAX];
	struct wm_store_config config = { stream->depth, buffers, stream->depth };

	lane.reads_seen = calloc(2, layout->extents);
	lane.writes_seen = lane.reads_seen + layout->extents;
	for (uint32_t i = 0; i < stream->depth; i++) {
		buffers[i].iov_len = wm_store_buffer_bytes(layout);
		buffers[i].iov_base = lane.slots[i].in = wm_stream_memory(buffers[i].iov_len);
		lane.slots[i].out = wm_stream_memory(WM_EXTENT_BYTES);
	}

	lane.result = wm_store_create(&lane.store, &config, NULL);
	if (lane.result == 0) {
		wm_store_attach(lane.store, layout, source, sink);
		run(&lane);
		wm_store_get_counters(lane.store, counters);
		if (wm_store_detach(lane.store) < 0)
			abort();
		wm_store_destroy(&lane.store);
	}

	for (uint32_t i = 0; i < stream->depth; i++) {
		free(lane.slots[i].in);
		free(lane.slots[i].out);
	}
	free(lane.reads_seen);
	return lane.result;
}
