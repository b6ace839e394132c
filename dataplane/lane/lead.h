/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lead of a job: which extent is made next, what is journalled, whether all is
 * done. It joins progress (which extents) with quarantines (which of them to trust):
 *
 *   wm_lead_open       ──▶ an extent to make       wm_lead_reopen   it was not made
 *   wm_lead_written    ◀── it is in the output     wm_lead_invalidate     ... and is invalid
 *   wm_lead_records    ──▶ what to journal now     wm_lead_journalled  it is durable
 *
 * A node that computes wrong: its QUARANTINE record goes before any record of an
 * extent that is made after it was caught, so that none of these is taken for one made
 * before. What is durable by then is found through the journal, by the control
 * thread, which names it (wm_lead_invalidate); the job is not complete before that is done.
 *
 * Of several lanes the first leads. The others follow: each asks for extents, makes
 * them, tells what it wrote, by messages in order both ways (a ring each):
 *
 *   follower                                lead
 *     WANT      so many extents more    ──▶
 *     WRITTEN, RETURNED                 ──▶
 *     WRONG     a node computed wrong   ──▶
 *     VOIDED    VOID was obeyed         ──▶
 *     FAILED    the job cannot go on    ──▶
 *     ENDED     the last message        ──▶
 *                                       ◀──  EXTENT  make this one
 *                                       ◀──  VOID    what rests on that node
 *                                       ◀──  STOP    the last message
 *
 * A node may have had a part in extents of two lanes, since it can move from one port to
 * another. So who is found wrong by one lane is invalid in all, and until a lane has
 * answered VOID, what it says to have written with a part of that node is made again.
 *
 * Pure: no clock, no I/O, no allocation; one thread, the lane's.
 */
#ifndef WM_LEAD_H
#define WM_LEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "progress.h"
#include "wiremill/journal.h"

/* A port, and a core, each. */
#define WM_LANES_MAX 4u

struct wm_lane_job;

enum wm_lead_op {
	WM_LEAD_WANT,
	WM_LEAD_WRITTEN,
	WM_LEAD_RETURNED,
	WM_LEAD_WRONG,
	WM_LEAD_INVALIDATED,
	WM_LEAD_FAILED,
	WM_LEAD_ENDED,
	WM_LEAD_EXTENT,
	WM_LEAD_INVALIDATE,
	WM_LEAD_STOP,
};

struct wm_lead_message {
	enum wm_lead_op op;
	uint32_t node;	/* WRONG, VOID */
	uint64_t nodes; /* its bit; of WRITTEN: with a part in it */
	uint64_t extent;
	uint32_t crc32c;
	uint32_t count;	    /* WANT */
	int32_t result;	    /* FAILED, as in struct wm_lane_event */
	uint32_t failed_op; /* likewise */
};

/* What the lead knows of a lane that follows it. */
struct wm_follower {
	uint32_t wanted;	/* extents that it asked for and did not get yet */
	uint32_t invalid;	/* VOIDs that it did not answer yet */
	uint64_t invalid_nodes; /* of these */
	bool stopped, ended;
};

struct wm_lead {
	struct wm_lane_job *job;
	uint64_t open[WM_PROGRESS_BACKLOG_MAX]; /* extents being made, in no order */
	uint32_t open_count;
	uint64_t quarantine_nodes;		    /* to be journalled */
	uint64_t quarantine_journalled;		    /* on its way */
	uint32_t journalled_extents;		    /* likewise */
	bool journalling;			    /* one group is on its way */
	struct wm_follower followers[WM_LANES_MAX]; /* but the first, which is the lead's own */
};

void wm_lead_start(struct wm_lead *lead, struct wm_lane_job *job);

/* False: none now, or none at all. */
bool wm_lead_open(struct wm_lead *lead, uint64_t *extent);
void wm_lead_reopen(struct wm_lead *lead, uint64_t extent);
void wm_lead_written(struct wm_lead *lead, const struct wm_progress_extent *extent,
		     uint64_t now_ns);
/* A node of that bit computed wrong: what waits to be journalled is to be made again. */
void wm_lead_quarantine(struct wm_lead *lead, uint64_t bit);
/* An extent that was durable rests on such a node. Nothing if it is being made. */
void wm_lead_invalidate(struct wm_lead *lead, uint64_t extent);

/* The group to journal now; 0: none is due, or one is on its way. */
uint32_t wm_lead_records(struct wm_lead *lead, uint64_t now_ns,
			 struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX]);
/* It is durable. Returns the nodes whose quarantine was in it; *record: its number. */
uint64_t wm_lead_journalled(struct wm_lead *lead, uint32_t *record);

/* The next extent for that lane, which asked for some. */
bool wm_lead_grant(struct wm_lead *lead, uint32_t lane, uint64_t *extent);
/* A message of that lane, but WRONG and FAILED: these are for all. */
void wm_lead_heard(struct wm_lead *lead, uint32_t lane, const struct wm_lead_message *message,
		   uint64_t now_ns);
/* The lane is told of a node that computed wrong. */
void wm_lead_invalidation_sent(struct wm_lead *lead, uint32_t lane, uint64_t bit);

/* Every extent is durable, none of them rests on a node that computed wrong, and those of an
 * earlier life were read back. */
bool wm_lead_is_complete(const struct wm_lead *lead);
bool wm_lead_has_more(const struct wm_lead *lead);

#endif
