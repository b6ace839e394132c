/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: which batches of the open extents are to do, in flight, done.
 *
 * A lane opens an extent in one of its slots when its input has arrived. From
 * then on every batch of it is taken, and either completed or lost and taken
 * again, until all are done; the extent then closes by itself. A batch may be in
 * flight several times at once; its first result counts.
 *
 *            open                take                complete
 *   (closed) ----> to do, fresh ------> in flight (1+) ------> done
 *                  to do, again <------      lose (last copy)
 *
 * A token names one batch of one opening of a slot, so that what is still in
 * flight when a slot is used again can never touch its next extent. Its highest
 * bit is 0.
 *
 * Pure: no clock, no I/O, no allocation but in create; one thread. Every call
 * takes constant time, but for find, which scans the slots.
 */
#ifndef WM_LEDGER_H
#define WM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/layout.h"

/* Never a valid token. */
#define WM_TOKEN_NONE 0ull

struct wm_ledger;

struct wm_ledger_batch {
	uint64_t token;
	uint64_t batch; /* index in the job */
	uint32_t slot;	/* of its extent */
	uint32_t place; /* number in its extent */
	uint32_t count; /* elements of output */
	bool again;	/* was sent before and lost */
};

enum wm_ledger_verdict {
	WM_LEDGER_NEW,	     /* the first result of this batch */
	WM_LEDGER_DUPLICATE, /* it was done already */
	WM_LEDGER_UNKNOWN,   /* no such batch in this job, or never sent */
};

struct wm_ledger *wm_ledger_create(uint32_t slots_max, uint32_t batches_per_extent_max);
void wm_ledger_destroy(struct wm_ledger **ledger);

/* Forgets everything and begins a job. */
void wm_ledger_start(struct wm_ledger *ledger, const struct wm_layout *layout);
/* The slot is closed, the extent in no other slot. */
void wm_ledger_open(struct wm_ledger *ledger, uint32_t slot, uint64_t extent);

/* Is there a batch to send? Lost ones go first, then the extents in order of opening. */
bool wm_ledger_has_work(struct wm_ledger *ledger);
/* Takes it: it is in flight once more. False: there is none. */
bool wm_ledger_take(struct wm_ledger *ledger, struct wm_ledger_batch *batch);
/* One copy in flight is lost. Nothing happens if the batch is done meanwhile. */
void wm_ledger_lose(struct wm_ledger *ledger, uint64_t token);

/* The batch that this token names, if it is still of an open extent. */
bool wm_ledger_look(const struct wm_ledger *ledger, uint64_t token, struct wm_ledger_batch *batch);
/* The token of a batch by its index: of an open extent, else WM_TOKEN_NONE. */
uint64_t wm_ledger_find(const struct wm_ledger *ledger, uint64_t batch);
/* A result for this token arrived. *extent_done: it was the extent's last, whose
 * slot is closed now. */
enum wm_ledger_verdict wm_ledger_complete(struct wm_ledger *ledger, uint64_t token,
					  bool *extent_done);

/* Batches of open extents that are not done. */
uint64_t wm_ledger_remaining(const struct wm_ledger *ledger);

#endif
