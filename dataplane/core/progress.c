/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "wiremill/limits.h"

/* One fdatasync for 16 MiB, or for what a slow job does in 100 ms: that much is
 * computed again after a crash. */
#define GROUP 16u
#define GROUP_NS (100 * WM_NS_PER_MS)

static_assert(WM_PROGRESS_GAPS_MAX >= WM_LANE_EXTENTS_MAX + WM_PROGRESS_BACKLOG_MAX,
	      "what one life leaves undone can be replayed");

void wm_progress_init(struct wm_progress *progress, uint64_t extents)
{
	memset(progress, 0, sizeof(*progress));
	progress->extents = extents;
}

/* ---- gaps, ascending -------------------------------------------------------- */

/* Where this extent is among the gaps, or would be. */
static uint32_t gap_place(const struct wm_progress *progress, uint64_t extent)
{
	uint32_t low = 0, high = progress->gap_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (progress->gaps[middle] < extent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_gap(const struct wm_progress *progress, uint64_t extent)
{
	uint32_t place = gap_place(progress, extent);

	return place < progress->gap_count && progress->gaps[place] == extent;
}

static void gap_insert(struct wm_progress *progress, uint64_t extent)
{
	uint32_t place = gap_place(progress, extent);

	assert(progress->gap_count < WM_PROGRESS_GAPS_MAX);
	assert(place == progress->gap_count || progress->gaps[place] != extent);
	memmove(&progress->gaps[place + 1], &progress->gaps[place],
		(progress->gap_count - place) * sizeof(progress->gaps[0]));
	progress->gaps[place] = extent;
	progress->gap_count++;
}

static void gap_remove(struct wm_progress *progress, uint32_t place)
{
	progress->gap_count--;
	memmove(&progress->gaps[place], &progress->gaps[place + 1],
		(progress->gap_count - place) * sizeof(progress->gaps[0]));
}

/* ---- an earlier life ---------------------------------------------------------- */

int wm_progress_replay(struct wm_progress *progress, uint64_t extent)
{
	if (extent >= progress->extents)
		return -EBADMSG;
	if (extent < progress->next) {
		/* Not a gap: made again, since an earlier result was invalid. */
		if (is_gap(progress, extent)) {
			gap_remove(progress, gap_place(progress, extent));
			progress->durable++;
		}
		return 0;
	}
	if (extent - progress->next > WM_PROGRESS_GAPS_MAX - progress->gap_count)
		return -EBADMSG;
	while (progress->next < extent)
		gap_insert(progress, progress->next++);
	progress->next++;
	progress->durable++;
	return 0;
}

/* ---- this life ------------------------------------------------------------------ */

bool wm_progress_open(struct wm_progress *progress, uint64_t *extent)
{
	/* Every open extent will need a place in the FIFO. */
	if (progress->open + progress->written_count >= WM_PROGRESS_BACKLOG_MAX)
		return false;
	if (progress->gap_count > 0) {
		*extent = progress->gaps[0];
		gap_remove(progress, 0);
	} else if (progress->next < progress->extents) {
		*extent = progress->next++;
	} else {
		return false;
	}
	progress->open++;
	return true;
}

void wm_progress_reopen(struct wm_progress *progress, uint64_t extent)
{
	assert(progress->open > 0);
	progress->open--;
	gap_insert(progress, extent);
}

static bool is_waiting(const struct wm_progress *progress, uint64_t extent)
{
	for (uint32_t i = 0; i < progress->written_count; i++) {
		if (progress->written[i].extent == extent)
			return true;
	}
	return false;
}

bool wm_progress_invalidate(struct wm_progress *progress, uint64_t extent)
{
	/* Room stays for what is open and may be reopened. */
	if (progress->gap_count + WM_PROGRESS_BACKLOG_MAX >= WM_PROGRESS_GAPS_MAX)
		return false;
	if (!is_gap(progress, extent) && !is_waiting(progress, extent)) {
		assert(progress->durable > 0);
		progress->durable--;
		gap_insert(progress, extent);
	}
	return true;
}

void wm_progress_written(struct wm_progress *progress, const struct wm_progress_extent *extent,
			 uint64_t now_ns)
{
	assert(progress->open > 0);
	assert(progress->written_count < WM_PROGRESS_BACKLOG_MAX);
	progress->open--;
	if (progress->written_count == progress->syncing)
		progress->oldest_ns = now_ns;
	progress->written[progress->written_count++] = *extent;
}

void wm_progress_invalidate_waiting(struct wm_progress *progress, uint64_t nodes)
{
	uint32_t kept = progress->syncing;

	/* What is under way becomes durable first, and is found through the journal. */
	for (uint32_t i = progress->syncing; i < progress->written_count; i++) {
		if (progress->written[i].nodes & nodes)
			gap_insert(progress, progress->written[i].extent);
		else
			progress->written[kept++] = progress->written[i];
	}
	progress->written_count = kept;
}

uint32_t wm_progress_sync(struct wm_progress *progress, uint64_t now_ns, bool drain,
			  const struct wm_progress_extent **group)
{
	uint32_t waiting = progress->written_count;

	if (progress->syncing > 0 || waiting == 0)
		return 0;
	if (waiting < GROUP && !drain && now_ns - progress->oldest_ns < GROUP_NS)
		return 0;
	progress->syncing = waiting;
	*group = progress->written;
	return waiting;
}

void wm_progress_synced(struct wm_progress *progress)
{
	uint32_t left = progress->written_count - progress->syncing;

	assert(progress->syncing > 0);
	progress->durable += progress->syncing;
	memmove(progress->written, progress->written + progress->syncing,
		left * sizeof(progress->written[0]));
	progress->written_count = left;
	progress->syncing = 0;
}

bool wm_progress_is_complete(const struct wm_progress *progress)
{
	return progress->durable == progress->extents;
}

bool wm_progress_has_more(const struct wm_progress *progress)
{
	return progress->gap_count > 0 || progress->next < progress->extents;
}

bool wm_progress_is_draining(const struct wm_progress *progress)
{
	return !wm_progress_has_more(progress) && progress->open == 0;
}
