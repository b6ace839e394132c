/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The leader of a job: which extent is made next, what is journalled, whether all is
 * done. It joins progress (which extents) with quarantines (which of them to trust):
 *
 *   wm_leader_open       ──▶ an extent to make       wm_leader_reopen      it was not made
 *   wm_leader_written    ◀── it is in the output     wm_leader_invalidate  ... and is invalid
 *   wm_leader_records    ──▶ what to journal now     wm_leader_journalled  it is durable
 *
 * A node that computes wrong: its QUARANTINE record goes before any record of an
 * extent that is made after it was caught, so that none of these is taken for one made
 * before. What is durable by then is found through the journal, by the control
 * thread, which names it (wm_leader_invalidate); the job is not complete before that is done.
 *
 * Of several lanes the first leads. The others follow: each asks for extents, makes
 * them, tells what it wrote, by messages in order both ways (a ring each):
 *
 *   follower                                   leader
 *     WANT         so many extents more    ──▶
 *     WRITTEN, RETURNED                    ──▶
 *     WRONG        a node computed wrong   ──▶
 *     INVALIDATED  INVALIDATE was handled  ──▶
 *     FAILED       the job cannot go on    ──▶
 *     ENDED        the last message        ──▶
 *                                          ◀──  EXTENT      make this one
 *                                          ◀──  INVALIDATE  what rests on that node
 *                                          ◀──  STOP        the last message
 *
 * A node may have had a part in extents of two lanes, since it can move from one port to
 * another. So who is found wrong by one lane is invalid in all, and until a lane has
 * answered INVALIDATE, what it says to have written with a part of that node is made again.
 *
 * Pure: no clock, no I/O, no allocation; one thread, the lane's.
 */
#ifndef WM_LEADER_H
#define WM_LEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "lane_mailbox.h"
#include "progress.h"
#include "wiremill/journal.h"

/* A port, and a core, each. */
#define WM_LANES_MAX 4u

enum wm_leader_op {
	WM_LEADER_WANT,
	WM_LEADER_WRITTEN,
	WM_LEADER_RETURNED,
	WM_LEADER_WRONG,
	WM_LEADER_INVALIDATED,
	WM_LEADER_FAILED,
	WM_LEADER_ENDED,
	WM_LEADER_EXTENT,
	WM_LEADER_INVALIDATE,
	WM_LEADER_STOP,
};

struct wm_leader_message {
	enum wm_leader_op op;
	uint32_t node;	/* WRONG, INVALIDATE */
	uint64_t nodes; /* its bit; of WRITTEN: with a part in it */
	uint64_t extent;
	uint32_t crc32c;
	uint32_t count;		      /* WANT */
	struct wm_lane_ending ending; /* FAILED */
};

/* What the leader knows of a lane that follows it. */
struct wm_follower {
	uint32_t wanted;	/* extents that it asked for and did not get yet */
	uint32_t invalidations; /* INVALIDATEs that it did not answer yet */
	uint64_t invalid_nodes; /* of these */
	bool stopped, ended;
};

struct wm_leader {
	struct wm_lane_job *job;
	uint64_t open[WM_PROGRESS_BACKLOG_MAX]; /* extents being made, in no order */
	uint32_t open_count;
	uint64_t quarantine_nodes;		    /* to be journalled */
	uint64_t quarantine_journalled;		    /* on its way */
	uint32_t journalled_extents;		    /* likewise */
	bool journalling;			    /* one group is on its way */
	struct wm_follower followers[WM_LANES_MAX]; /* but the first, which is the leader's own */
};

void wm_leader_start(struct wm_leader *leader, struct wm_lane_job *job);

/* False: none now, or none at all. */
bool wm_leader_open(struct wm_leader *leader, uint64_t *extent);
void wm_leader_reopen(struct wm_leader *leader, uint64_t extent);
void wm_leader_written(struct wm_leader *leader, const struct wm_progress_extent *extent,
		       uint64_t now_ns);
/* A node of that bit computed wrong: what waits to be journalled is to be made again. */
void wm_leader_quarantine(struct wm_leader *leader, uint64_t bit);
/* An extent that was durable rests on such a node. Nothing if it is being made. */
void wm_leader_invalidate(struct wm_leader *leader, uint64_t extent);

/* The group to journal now; 0: none is due, or one is on its way. */
uint32_t wm_leader_records(struct wm_leader *leader, uint64_t now_ns,
			   struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX]);
/* It is durable. Returns the nodes whose quarantine was in it; *record: its number. */
uint64_t wm_leader_journalled(struct wm_leader *leader, uint32_t *record);

/* The next extent for that lane, which asked for some. */
bool wm_leader_grant(struct wm_leader *leader, uint32_t lane, uint64_t *extent);
/* A message of that lane, but WRONG and FAILED: these are for all. */
void wm_leader_receive(struct wm_leader *leader, uint32_t lane,
		       const struct wm_leader_message *message, uint64_t now_ns);
/* The lane is told of a node that computed wrong. */
void wm_leader_invalidation_sent(struct wm_leader *leader, uint32_t lane, uint64_t bit);

/* Every extent is durable, none of them rests on a node that computed wrong, and those of an
 * earlier life were read back. */
bool wm_leader_is_complete(const struct wm_leader *leader);
bool wm_leader_has_more(const struct wm_leader *leader);

#endif
