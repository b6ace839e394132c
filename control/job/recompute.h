/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Computing again what a wrong node had a part in. The lane forgets what is open by
 * itself; what is durable already is found here, by reading the journal from its
 * start, a few records at a time, and naming to the lane every extent that is invalid:
 * whose last record a quarantine has made invalid. What was made again since has a later
 * record, so nothing is done twice, whatever life of the job did it.
 *
 *   lane: quarantine ─▶ its record is durable ─▶ WM_LANE_RECOMPUTE
 *   control: wm_recompute_begin ─▶ wm_recompute_feed, by a thread (feed.h)
 *            ─▶ WM_LANE_EXTENT_INVALIDATE ... ─▶ the end of the journal was reached
 *            ─▶ WM_LANE_RECOMPUTE_DONE
 *
 * A resumed job whose journal leaves something invalid begins with a pass, too. Bounded
 * memory: the journal is on disk, a bit for each extent of a window is here while a
 * pass lasts, and the lane takes few extents at a time.
 */
#ifndef WM_RECOMPUTE_H
#define WM_RECOMPUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/journal.h"

/* Extents named at once: what progress has room for beside what is open. */
#define WM_RECOMPUTE_BURST 64u
/* For which the journal is read once: 16 TiB of output, 2 MiB of memory. */
#define WM_RECOMPUTE_WINDOW (1u << 24)

struct wm_recompute {
	struct wm_journal_invalid invalid;
	uint64_t extents;     /* of the job */
	uint64_t first;	      /* of the window */
	uint64_t place;	      /* in the window: those before it were named */
	uint64_t *is_invalid; /* a bit for each extent of the window: its last record so far */
	uint32_t end;	      /* the journal has at least so many records */
	uint32_t cursor;      /* next record to look at */
	uint32_t pass;	      /* the lane's number of what is being done; 0: the resume's own */
	bool active;
};

void wm_recompute_init(struct wm_recompute *recompute, uint64_t extents);
/* Of a pass that was begun: gives its memory back. */
void wm_recompute_fini(struct wm_recompute *recompute);
/* Notes a quarantine record of that number, and begins a pass over all before it. */
void wm_recompute_begin(struct wm_recompute *recompute, uint64_t nodes, uint32_t number,
			uint32_t pass);
/* Takes over what was begun meanwhile, as a pass of its own: `begun` is no longer active. */
void wm_recompute_join(struct wm_recompute *recompute, struct wm_recompute *begun);
/* The next extents that are invalid, WM_RECOMPUTE_BURST at most. Returns how many, perhaps none
 * yet; 0 with *finished: the pass is over; or a negative errno. -EBADMSG: a record
 * before the quarantine's does not read, so what is invalid is not known; -ENOMEM. */
int wm_recompute_feed(struct wm_recompute *recompute, const struct wm_journal *journal,
		      uint64_t extents[WM_RECOMPUTE_BURST], bool *finished);

#endif
