/* SPDX-License-Identifier: BSD-3-Clause */
#include "lead.h"

#include <assert.h>

#include "course.h"

void wm_lead_start(struct wm_lead *lead, struct wm_lane_job *job)
{
	*lead = (struct wm_lead){ .job = job, .quarantine_nodes = job->quarantined };
}

/* ---- extents ------------------------------------------------------------------ */

/* Where it is among those being made; open_count: it is not. */
static uint32_t place_of(const struct wm_lead *lead, uint64_t extent)
{
	uint32_t place = 0;

	while (place < lead->open_count && lead->open[place] != extent)
		place++;
	return place;
}

static void forget(struct wm_lead *lead, uint64_t extent)
{
	uint32_t place = place_of(lead, extent);

	assert(place < lead->open_count);
	lead->open[place] = lead->open[--lead->open_count];
}

bool wm_lead_open(struct wm_lead *lead, uint64_t *extent)
{
	if (!wm_progress_open(&lead->job->progress, extent))
		return false;
	lead->open[lead->open_count++] = *extent;
	return true;
}

void wm_lead_reopen(struct wm_lead *lead, uint64_t extent)
{
	forget(lead, extent);
	wm_progress_reopen(&lead->job->progress, extent);
}

void wm_lead_written(struct wm_lead *lead, const struct wm_progress_extent *extent, uint64_t now_ns)
{
	forget(lead, extent->extent);
	wm_progress_written(&lead->job->progress, extent, now_ns);
}

void wm_lead_quarantine(struct wm_lead *lead, uint64_t bit)
{
	wm_progress_invalid_waiting(&lead->job->progress, bit);
	lead->quarantine_nodes |= bit;
}

void wm_lead_invalidate(struct wm_lead *lead, uint64_t extent)
{
	if (place_of(lead, extent) < lead->open_count)
		return;
	if (!wm_progress_invalidate(&lead->job->progress, extent))
		assert(!"more extents were declared void than the lane said it has room for");
}

/* ---- lanes that follow ----------------------------------------------------------- */

bool wm_lead_grant(struct wm_lead *lead, uint32_t lane, uint64_t *extent)
{
	struct wm_follower *follower = &lead->followers[lane];

	if (follower->wanted == 0 || follower->stopped || !wm_lead_open(lead, extent))
		return false;
	follower->wanted--;
	return true;
}

void wm_lead_invalidation_sent(struct wm_lead *lead, uint32_t lane, uint64_t bit)
{
	lead->followers[lane].invalid++;
	lead->followers[lane].invalid_nodes |= bit;
}

static void invalidated(struct wm_follower *follower)
{
	assert(follower->invalid > 0);
	if (--follower->invalid == 0)
		follower->invalid_nodes = 0;
}

static void follower_wrote(struct wm_lead *lead, const struct wm_follower *follower,
			   const struct wm_lead_message *message, uint64_t now_ns)
{
	const struct wm_progress_extent written = { .extent = message->extent,
						    .nodes = message->nodes,
						    .crc32c = message->crc32c };

	if (message->nodes & follower->invalid_nodes)
		wm_lead_reopen(lead, message->extent);
	else
		wm_lead_written(lead, &written, now_ns);
}

void wm_lead_heard(struct wm_lead *lead, uint32_t lane, const struct wm_lead_message *message,
		   uint64_t now_ns)
{
	struct wm_follower *follower = &lead->followers[lane];

	assert(!follower->ended);
	switch (message->op) {
	case WM_LEAD_WANT:
		follower->wanted += message->count;
		break;
	case WM_LEAD_WRITTEN:
		follower_wrote(lead, follower, message, now_ns);
		break;
	case WM_LEAD_RETURNED:
		wm_lead_reopen(lead, message->extent);
		break;
	case WM_LEAD_INVALIDATED:
		invalidated(follower);
		break;
	case WM_LEAD_ENDED:
		follower->ended = true;
		break;
	default:
		assert(!"a message that no follower sends, or that is for the course");
	}
}

/* ---- the journal ---------------------------------------------------------------- */

uint32_t wm_lead_records(struct wm_lead *lead, uint64_t now_ns,
			 struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX])
{
	struct wm_progress *progress = &lead->job->progress;
	const struct wm_progress_extent *group;
	uint32_t count = 0, extents;

	if (lead->journalling)
		return 0;
	extents = wm_progress_sync(progress, now_ns, wm_progress_is_draining(progress), &group);
	if (lead->quarantine_nodes)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_QUARANTINE,
							       .nodes = lead->quarantine_nodes };
	for (uint32_t i = 0; i < extents; i++)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_EXTENT,
							       .extent = group[i].extent,
							       .nodes = group[i].nodes,
							       .crc32c = group[i].crc32c };
	lead->journalled_extents = extents;
	lead->quarantine_journalled = lead->quarantine_nodes;
	lead->quarantine_nodes = 0;
	lead->journalling = count > 0;
	return count;
}

uint64_t wm_lead_journalled(struct wm_lead *lead, uint32_t *record)
{
	uint64_t nodes = lead->quarantine_journalled;

	*record = lead->job->journal.records - lead->journalled_extents - 1;
	if (lead->journalled_extents > 0)
		wm_progress_synced(&lead->job->progress);
	lead->journalled_extents = 0;
	lead->quarantine_journalled = 0;
	lead->journalling = false;
	return nodes;
}

bool wm_lead_is_complete(const struct wm_lead *lead)
{
	const struct wm_lane_job *job = lead->job;

	return wm_progress_is_complete(&job->progress) && !lead->quarantine_nodes &&
	       !lead->quarantine_journalled && job->recompute_done == job->recompute_wanted &&
	       !job->unchecked;
}

bool wm_lead_has_more(const struct wm_lead *lead)
{
	return wm_progress_has_more(&lead->job->progress);
}
