/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk that takes no time: the lane's side of wiremill/store.h, linked in place of
 * storage/ where a lane is measured by itself. Every read and write is done when the
 * lane next asks; reads leave the buffers as they are, writes look at nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "wiremill/journal.h"
#include "wiremill/store.h"

struct wm_store {
	const struct wm_layout *layout;
	struct wm_store_counters counters;
	uint32_t depth;
	uint32_t head, tail; /* of the ring of what is done */
	struct wm_store_event done[];
};

uint32_t wm_store_buffer_skew(const struct wm_layout *layout, uint64_t extent)
{
	return (uint32_t)(wm_layout_extent(layout, extent).in_offset % WM_STORE_ALIGN_BYTES);
}

uint32_t wm_store_buffer_bytes(const struct wm_layout *layout)
{
	return wm_layout_extent(layout, 0).in_bytes + 2 * WM_STORE_ALIGN_BYTES;
}

int wm_store_create(struct wm_store **store, const struct wm_store_config *config,
		    struct wm_error *error)
{
	uint32_t depth = config->depth + 1; /* the journal's */

	*store = calloc(1, sizeof(**store) + depth * sizeof((*store)->done[0]));
	if (!*store)
		return wm_error_set(error, ENOMEM, "no memory for %u storage requests", depth);
	(*store)->depth = depth;
	return 0;
}

void wm_store_destroy(struct wm_store **store)
{
	free(*store);
	*store = NULL;
}

void wm_store_attach(struct wm_store *store, const struct wm_layout *layout,
		     const struct wm_source *source, const struct wm_sink *sink)
{
	(void)source;
	(void)sink;
	store->layout = layout;
}

uint32_t wm_store_in_flight(const struct wm_store *store)
{
	return store->tail - store->head;
}

int wm_store_detach(struct wm_store *store)
{
	return wm_store_in_flight(store) ? -EBUSY : 0;
}

static int finish(struct wm_store *store, enum wm_store_op op, uint64_t extent)
{
	if (wm_store_in_flight(store) == store->depth)
		return -EAGAIN;
	store->done[store->tail++ % store->depth] =
		(struct wm_store_event){ .op = op, .extent = extent };
	return 0;
}

int wm_store_read(struct wm_store *store, uint64_t extent, uint32_t buffer)
{
	(void)buffer;
	store->counters.reads++;
	store->counters.read_bytes += wm_layout_extent(store->layout, extent).in_bytes;
	return finish(store, WM_STORE_READ, extent);
}

int wm_store_write(struct wm_store *store, uint64_t extent, const struct iovec *parts,
		   uint32_t part_count)
{
	(void)parts;
	(void)part_count;
	store->counters.writes++;
	store->counters.write_bytes += wm_layout_extent(store->layout, extent).out_bytes;
	return finish(store, WM_STORE_WRITE, extent);
}

int wm_store_journal(struct wm_store *store, struct wm_journal *journal,
		     const struct wm_journal_record *records, uint32_t record_count)
{
	(void)records;
	journal->records += record_count;
	return finish(store, WM_STORE_JOURNAL, record_count);
}

int wm_store_submit(struct wm_store *store)
{
	(void)store;
	return 0;
}

unsigned wm_store_poll(struct wm_store *store, struct wm_store_event *events, unsigned events_max)
{
	unsigned count = 0;

	while (store->head != store->tail && count < events_max)
		events[count++] = store->done[store->head++ % store->depth];
	return count;
}

void wm_store_get_counters(const struct wm_store *store, struct wm_store_counters *counters)
{
	*counters = store->counters;
}
