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
 * Second opinions. The first result of a batch may be held instead of completing
 * it; the batch then is to do again, for a node that has no part in it. If the
 * second result agrees, the batch is done and confirmed; if not, it is disputed,
 * and a third decides.
 *
 *   in flight ── hold ──▶ held, to do again ── complete (agrees) ──▶ done, confirmed
 *                                   └── dispute ──▶ disputed, to do again ── complete ──▶
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

#define WM_LEDGER_NOBODY UINT16_MAX

struct wm_ledger_batch {
	uint64_t token;
	uint64_t batch; /* index in the job */
	uint32_t slot;	/* of its extent */
	uint32_t place; /* number in its extent */
	uint32_t count; /* elements of output */
	bool again;	/* was sent before */
	bool in_flight; /* another copy still is */
	bool held, disputed, done;
	uint8_t failures; /* nodes that could not compute it */
	uint16_t from[2]; /* whose results are held; of a done one: whose it is, and who agreed */
};

enum wm_ledger_verdict {
	WM_LEDGER_NEW,	     /* the first result of this batch */
	WM_LEDGER_DUPLICATE, /* it was done already */
	WM_LEDGER_UNKNOWN,   /* no such batch in this job, or never sent */
	WM_LEDGER_HELD,	     /* audited: to be kept for comparison */
	WM_LEDGER_COMPARE,   /* audited: to be compared with what was kept */
};

struct wm_ledger *wm_ledger_create(uint32_t slots_max, uint32_t batches_per_extent_max);
void wm_ledger_destroy(struct wm_ledger **ledger);

/* Forgets everything and begins a job. */
void wm_ledger_start(struct wm_ledger *ledger, const struct wm_layout *layout);
/* The slot is closed, the extent in no other slot. */
void wm_ledger_open(struct wm_ledger *ledger, uint32_t slot, uint64_t extent);

/* Closes every extent that is open: nothing of them is to be done any more. */
void wm_ledger_close(struct wm_ledger *ledger);

/* Is there a batch to send? What has no result goes first, then second opinions, then
 * the extents in order of opening. */
bool wm_ledger_has_work(struct wm_ledger *ledger);
/* Takes it. False: there is none. */
bool wm_ledger_take(struct wm_ledger *ledger, struct wm_ledger_batch *batch);
/* Like take, of batches to do again only: those of which no result is held, or the others. */
bool wm_ledger_take_again(struct wm_ledger *ledger, bool opinion, struct wm_ledger_batch *batch);
/* Is there one that was never sent? */
bool wm_ledger_has_fresh(const struct wm_ledger *ledger);
/* Like take, of batches never sent only. */
bool wm_ledger_take_fresh(struct wm_ledger *ledger, struct wm_ledger_batch *batch);
/* What take gave goes to this node, which has no part in it: a copy is in flight... */
void wm_ledger_sent_to(struct wm_ledger *ledger, uint64_t token, uint16_t node);
/* ... or is put back, since no node that may do it has room. */
void wm_ledger_put_back(struct wm_ledger *ledger, uint64_t token);
/* One more copy is to be sent, though the batch is in flight. Nothing happens if
 * it is done or queued, or two copies are in flight. True: it is queued now. */
bool wm_ledger_copy(struct wm_ledger *ledger, uint64_t token);
/* This node's copy is in flight no more: answered, whatever that is worth, or lost. */
void wm_ledger_answer(struct wm_ledger *ledger, uint64_t token, uint16_t node);
/* It gave no result. The batch is to do again, unless it is done, or a node is at it
 * whose result would count. */
void wm_ledger_lose(struct wm_ledger *ledger, uint64_t token);
/* Is a copy in flight to this node, or a result of it held? Of a token that take gave. */
bool wm_ledger_has_part(const struct wm_ledger *ledger, uint64_t token, uint16_t node);
/* Is it among the first three that could not compute it? */
bool wm_ledger_has_failed(const struct wm_ledger *ledger, uint64_t token, uint16_t node);

/* The batch that this token names, if it is still of an open extent. */
bool wm_ledger_look(const struct wm_ledger *ledger, uint64_t token, struct wm_ledger_batch *batch);
/* The token of a batch by its index: of an open extent, else WM_TOKEN_NONE. */
uint64_t wm_ledger_find(const struct wm_ledger *ledger, uint64_t batch);
/* A result of this node for this token arrived, and counts. *extent_done: it was
 * the extent's last, whose slot is closed now. */
enum wm_ledger_verdict wm_ledger_complete(struct wm_ledger *ledger, uint64_t token, uint16_t node,
					  bool *extent_done);
/* The batch is neither done nor held: this node's result is held. */
void wm_ledger_hold(struct wm_ledger *ledger, uint64_t token, uint16_t node);
/* The batch is held, not disputed: this node's result differs. */
void wm_ledger_dispute(struct wm_ledger *ledger, uint64_t token, uint16_t node);
/* This node's result agrees with a held one, which completes the batch next. */
void wm_ledger_agree(struct wm_ledger *ledger, uint64_t token, uint16_t node);
/* Batches in dispute. */
uint32_t wm_ledger_disputed(const struct wm_ledger *ledger);
/* The node could not compute it. Returns how many nodes could not, however often each of
 * them tried; it is to do again. 0: the token names none, or it is done. */
uint32_t wm_ledger_fail(struct wm_ledger *ledger, uint64_t token, uint16_t node);
/* Goes on from *cursor (0 at first) to the next batch of an open extent with a result
 * of this node, done or held, and forgets all its results: it is to do again. */
bool wm_ledger_invalidate_next(struct wm_ledger *ledger, uint16_t node, uint32_t *cursor,
			       struct wm_ledger_batch *batch);

/* Batches of open extents that are not done. */
uint64_t wm_ledger_remaining(const struct wm_ledger *ledger);

#endif
