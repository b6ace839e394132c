/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/readback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "window.h"

struct wm_readback {
	struct wm_journal journal; /* as it was; the descriptor is the job's */
	const struct wm_sink *sink;
	const struct wm_layout *layout;
	struct wm_reader *reader;
	struct wm_window window;
	uint64_t next; /* the first extent that was not looked at */
};

/* ---- which ------------------------------------------------------------------ */

/* Of the window, from `next` on. Returns how many. */
static unsigned take_vouched(struct wm_readback *readback, uint64_t extents[WM_READBACK_BURST])
{
	const struct wm_window *window = &readback->window;
	unsigned count = 0;

	for (; readback->next < window->first + window->count && count < WM_READBACK_BURST;
	     readback->next++) {
		if (window->present[readback->next - window->first])
			extents[count++] = readback->next;
	}
	return count;
}

/* Returns how many there are, 0 at the end, or a negative errno. */
static int next_vouched(struct wm_readback *readback, uint64_t extents[WM_READBACK_BURST],
			struct wm_error *error)
{
	unsigned count = 0;
	int ret;

	while (count == 0 && readback->next < readback->layout->extents) {
		if (readback->next >= readback->window.first + readback->window.count) {
			ret = wm_window_load(&readback->window, readback->next, error);
			if (ret < 0)
				return ret;
		}
		count = take_vouched(readback, extents);
	}
	return (int)count;
}

/* ---- what differs ------------------------------------------------------------ */

/* An extent that differs, and what the journal says of it last. */
struct doubt {
	uint64_t extent, nodes;
	uint32_t vouched, crc32c; /* when it was read; by now */
	bool counts;
};

/* What the disk does not give back, it may take again. */
static bool is_lost(int result)
{
	return result == -EIO || result == -ENODATA || result == -EILSEQ || result == -EBADMSG;
}

static int compare(const struct wm_readback *readback, const struct wm_reader_extent *read,
		   const uint64_t *extents, unsigned count, struct doubt doubts[WM_READBACK_BURST],
		   struct wm_error *error)
{
	int found = 0;

	for (unsigned i = 0; i < count; i++) {
		uint32_t vouched = readback->window.crcs[extents[i] - readback->window.first];

		if (read[i].result < 0 && !is_lost(read[i].result))
			return wm_error_set(
				error, -read[i].result,
				"output cannot be read back at extent %" PRIu64 " (%s): %s",
				extents[i], strerror(-read[i].result), readback->sink->path);
		if (read[i].result == 0 && read[i].crc32c == vouched)
			continue;
		doubts[found++] = (struct doubt){ .extent = extents[i], .vouched = vouched };
	}
	return found;
}

static void note_record(struct doubt *doubt, const struct wm_journal_record *record)
{
	if (record->type == WM_JOURNAL_EXTENT && record->extent == doubt->extent) {
		doubt->nodes = record->nodes;
		doubt->crc32c = record->crc32c;
		doubt->counts = true;
	} else if (record->type == WM_JOURNAL_QUARANTINE && record->nodes & doubt->nodes) {
		doubt->counts = false;
	}
}

/* The journal as it is by now: a quarantine is in it before what rests on that node is
 * written over. Rare, so that it is read through. */
static int look_up(const struct wm_readback *readback, struct doubt *doubts, int count)
{
	struct wm_journal_record records[WM_JOURNAL_READ_MAX];
	uint32_t number = 0;
	int read;

	do {
		read = wm_journal_read(&readback->journal, number, records, WM_JOURNAL_READ_MAX);
		for (int i = 0; i < read; i++) {
			for (int k = 0; k < count; k++)
				note_record(&doubts[k], &records[i]);
		}
		number += read > 0 ? (uint32_t)read : 0;
	} while (read == (int)WM_JOURNAL_READ_MAX);
	return read < 0 ? read : 0;
}

static int take_differing(const struct wm_readback *readback, struct doubt *doubts, int count,
			  struct wm_readback_found *found, struct wm_error *error)
{
	int ret = count > 0 ? look_up(readback, doubts, count) : 0;

	if (ret < 0)
		return wm_error_set(error, -ret, "journal cannot be read (%s): %s", strerror(-ret),
				    readback->journal.path);
	for (int i = 0; i < count; i++) {
		if (doubts[i].counts && doubts[i].crc32c == doubts[i].vouched)
			found->extents[found->count++] = doubts[i].extent;
	}
	return 0;
}

int wm_readback_next(struct wm_readback *readback, struct wm_readback_found *found,
		     struct wm_error *error)
{
	struct wm_reader_extent read[WM_READBACK_BURST];
	struct doubt doubts[WM_READBACK_BURST];
	uint64_t extents[WM_READBACK_BURST];
	int ret, count = next_vouched(readback, extents, error);

	*found = (struct wm_readback_found){ .finished = count == 0 };
	if (count <= 0)
		return count;
	for (int i = 0; i < count; i++) {
		struct wm_span span = wm_layout_extent(readback->layout, extents[i]);

		read[i] = (struct wm_reader_extent){ .offset = span.out_offset,
						     .bytes = span.out_bytes };
		found->bytes += span.out_bytes;
	}
	ret = wm_reader_run(readback->reader, readback->sink->fd, readback->sink->align_bytes, read,
			    (unsigned)count);
	if (ret < 0)
		return wm_error_set(error, -ret, "output cannot be read back (%s): %s",
				    strerror(-ret), readback->sink->path);
	ret = compare(readback, read, extents, (unsigned)count, doubts, error);
	return ret < 0 ? ret : take_differing(readback, doubts, ret, found, error);
}

/* ---- life --------------------------------------------------------------------- */

int wm_readback_create(struct wm_readback **readback, const struct wm_journal *journal,
		       const struct wm_sink *sink, const struct wm_layout *layout,
		       struct wm_error *error)
{
	struct wm_readback *made = malloc(sizeof(*made));
	int ret;

	*readback = NULL;
	if (!made)
		return wm_error_set(error, ENOMEM, "no memory to read back with: %s", sink->path);
	*made = (struct wm_readback){ .journal = *journal, .sink = sink, .layout = layout };
	ret = wm_window_init(&made->window, &made->journal, error);
	if (ret == 0)
		ret = wm_reader_create(&made->reader, error);
	*readback = made;
	if (ret < 0)
		wm_readback_destroy(readback);
	return ret;
}

void wm_readback_destroy(struct wm_readback **readback)
{
	if (!*readback)
		return;
	wm_reader_destroy(&(*readback)->reader);
	wm_window_fini(&(*readback)->window);
	free(*readback);
	*readback = NULL;
}
