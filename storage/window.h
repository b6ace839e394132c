/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A journal's CRCs in the order of the extents. The journal has them in the order in which
 * extents were finished, some twice, and is read once for each window of extents: 12 TB are
 * eleven windows, a second or so each, in memory that does not grow with the job.
 *
 * One thread, which may block.
 */
#ifndef WM_WINDOW_H
#define WM_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/journal.h"

/* 1 TiB of output, 5 MiB of memory. */
#define WM_WINDOW_EXTENTS (1u << 20)

struct wm_window {
	const struct wm_journal *journal;
	uint64_t number; /* of the record being visited */
	struct wm_journal_invalid invalid;
	uint64_t first, count; /* extents of the window */
	uint32_t *crcs;	       /* of each, WM_WINDOW_EXTENTS */
	bool *present;	       /* it has a record that counts: the last of it is not invalid */
};

/* Reads the journal through for what is invalid. */
int wm_window_init(struct wm_window *window, const struct wm_journal *journal,
		   struct wm_error *error);
void wm_window_fini(struct wm_window *window);
/* The window that begins with that extent. */
int wm_window_load(struct wm_window *window, uint64_t first, struct wm_error *error);

#endif
