/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lead of a job: which extent is made next, what is journalled, whether all is
 * done. It joins progress (which extents) with quarantines (which of them to trust):
 *
 *   wm_lead_open       ──▶ an extent to make       wm_lead_reopen   it was not made
 *   wm_lead_written    ◀── it is in the output     wm_lead_void     ... and is void
 *   wm_lead_records    ──▶ what to journal now     wm_lead_journalled  it is durable
 *
 * A node that computes wrong: its QUARANTINE record goes before any record of an
 * extent that is made after it was caught, so that none of these is taken for one made
 * before. What is durable by then is found through the journal, by the control
 * thread, which names it (wm_lead_void); the job is not complete before that is done.
 *
 * Pure: no clock, no I/O, no allocation; one thread, the lane's.
 */
#ifndef WM_LEAD_H
#define WM_LEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "progress.h"
#include "wiremill/journal.h"

struct wm_lane_job;

struct wm_lead {
	struct wm_lane_job *job;
	uint64_t open[WM_PROGRESS_BACKLOG_MAX]; /* extents being made, in no order */
	uint32_t open_count;
	uint64_t quarantine_nodes;	/* to be journalled */
	uint64_t quarantine_journalled; /* on its way */
	uint32_t journalled_extents;	/* likewise */
	bool journalling;		/* one group is on its way */
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
void wm_lead_void(struct wm_lead *lead, uint64_t extent);

/* The group to journal now; 0: none is due, or one is on its way. */
uint32_t wm_lead_records(struct wm_lead *lead, uint64_t now_ns,
			 struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX]);
/* It is durable. Returns the nodes whose quarantine was in it; *record: its number. */
uint64_t wm_lead_journalled(struct wm_lead *lead, uint32_t *record);

/* Every extent is durable, and none of them rests on a node that computed wrong. */
bool wm_lead_is_complete(const struct wm_lead *lead);
bool wm_lead_has_more(const struct wm_lead *lead);

#endif
