/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Progress: which extents are open, written, durable; what to open next, what to
 * journal now. It is the journal's other half: the lane (and the simulator) asks
 * it, storage carries it out.
 *
 *    next ──open──▶ open ──written──▶ written ──journal begins──▶ syncing ──▶ durable
 *                     │                  └── FIFO, at most BACKLOG_MAX ──┘
 *                     └── invalid (a node computed wrong) ──▶ gap ──▶ open again
 *
 * Extents are opened in ascending order, but gaps first: those that an earlier
 * life opened and did not make durable, and those whose result turned out to be
 * invalid. So what is not durable is always `next` and above, and a few gaps below:
 * memory is the same for a job of 12 GB and one of 12 TB, and a journal in any
 * order replays in that memory.
 *
 * Records are journalled in groups, since a group costs one fdatasync: as soon as
 * none is under way and GROUP extents wait, or the oldest has waited GROUP_NS.
 *
 * Pure: no clock, no I/O, no allocation; one thread.
 */
#ifndef WM_PROGRESS_H
#define WM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Open, or written and not yet durable, at most: what one append of records holds
 * beside a quarantine (WM_STORE_JOURNAL_RECORDS_MAX). */
#define WM_PROGRESS_BACKLOG_MAX 120u
/* Open + written, so what one life can leave undone below `next`; and what may be
 * fed for doing again at once. */
#define WM_PROGRESS_GAPS_MAX 512u

struct wm_progress_extent {
	uint64_t extent;
	uint64_t nodes; /* a bit of each node with a part in it */
	uint32_t crc32c;
	uint32_t pad;
};

struct wm_progress {
	uint64_t extents; /* in the job */
	uint64_t next;	  /* first never opened */
	uint64_t durable; /* journalled and not void */
	uint64_t open;	  /* opened, not written */
	uint32_t gap_count;
	uint32_t written_count; /* in the FIFO below, the first `syncing` under way */
	uint32_t syncing;
	uint64_t oldest_ns;		     /* when the oldest that is not under way was written */
	uint64_t gaps[WM_PROGRESS_GAPS_MAX]; /* ascending */
	struct wm_progress_extent written[WM_PROGRESS_BACKLOG_MAX];
};

void wm_progress_init(struct wm_progress *progress, uint64_t extents);

/* Replays one record of an earlier life, in order of the journal. -EBADMSG: no
 * such extent, or more gaps than any life leaves. */
int wm_progress_replay(struct wm_progress *progress, uint64_t extent);

/* The next extent to open. False: none now (backlog), or none at all. */
bool wm_progress_open(struct wm_progress *progress, uint64_t *extent);
/* It could not be opened after all, or has to be done again: a gap once more. */
void wm_progress_reopen(struct wm_progress *progress, uint64_t extent);
/* An extent that was durable is invalid: its bytes may be wrong. Nothing happens if it
 * waits to be made or to be journalled. False: no room now. */
bool wm_progress_invalidate(struct wm_progress *progress, uint64_t extent);
/* What waits to be journalled, and has a part of these nodes, is to be made again. */
void wm_progress_invalidate_waiting(struct wm_progress *progress, uint64_t nodes);
/* Its data was written (not yet synced). */
void wm_progress_written(struct wm_progress *progress, const struct wm_progress_extent *extent,
			 uint64_t now_ns);

/* Is a group due? Then *group is the first of the FIFO; returns how many (0: not
 * now). They stay until wm_progress_synced. `drain`: as soon as anything waits. */
uint32_t wm_progress_sync(struct wm_progress *progress, uint64_t now_ns, bool drain,
			  const struct wm_progress_extent **group);
/* The group is durable. */
void wm_progress_synced(struct wm_progress *progress);

/* Every extent is durable. */
bool wm_progress_is_complete(const struct wm_progress *progress);
/* Is anything left to be opened, now or after a journal entry? */
bool wm_progress_has_more(const struct wm_progress *progress);
/* Nothing is left to be opened: what remains is open or on its way to the disk. */
bool wm_progress_is_draining(const struct wm_progress *progress);

#endif
