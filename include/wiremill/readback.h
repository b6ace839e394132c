/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an earlier life of a job has written, read back: all that its journal vouches for is
 * compared with the output, in the background, while the rest is computed. A disk that
 * changed a bit meanwhile, or does not give a piece back, is found out before the output
 * gets its name, and those extents are made again.
 *
 *   wm_readback_create ─▶ wm_readback_next, until found->finished ─▶ wm_readback_destroy
 *
 * Each extent is read once, in the order of the output. One that is made again meanwhile,
 * for its nodes were wrong, is not what the journal says any more: what differs is looked up
 * in the journal as it is by then, and named only if it is vouched for still.
 *
 * One thread at a time, which may block; between two calls nothing is in flight. Journal,
 * sink and layout are the job's, and stay open; of the journal, to which the lane appends
 * meanwhile, what never changes is looked at. Memory: 13 MiB, however large the job is.
 */
#ifndef WIREMILL_READBACK_H
#define WIREMILL_READBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/journal.h"
#include "wiremill/layout.h"
#include "wiremill/store.h"

/* Extents read by one call. */
#define WM_READBACK_BURST 64u

struct wm_readback;

struct wm_readback_found {
	uint64_t extents[WM_READBACK_BURST]; /* that differ, ascending */
	uint32_t count;
	uint64_t bytes; /* read by this call */
	bool finished;	/* nothing is left; then the above is empty */
};

/* Before the lane has the job: the records that the journal has now are those that count. */
int wm_readback_create(struct wm_readback **readback, const struct wm_journal *journal,
		       const struct wm_sink *sink, const struct wm_layout *layout,
		       struct wm_error *error);
/* 0, or a negative errno, with the line. */
int wm_readback_next(struct wm_readback *readback, struct wm_readback_found *found,
		     struct wm_error *error);
/* Leaves NULL. */
void wm_readback_destroy(struct wm_readback **readback);

#endif
