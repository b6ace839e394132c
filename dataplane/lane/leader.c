/* SPDX-License-Identifier: BSD-3-Clause */
#include "leader.h"

#include <assert.h>

void wm_leader_start(struct wm_leader *leader, struct wm_lane_job *job)
{
	*leader = (struct wm_leader){ .job = job, .quarantine_nodes = job->quarantined };
}

/* ---- extents ------------------------------------------------------------------ */

/* Where it is among those being made; open_count: it is not. */
static uint32_t place_of(const struct wm_leader *leader, uint64_t extent)
{
	uint32_t place = 0;

	while (place < leader->open_count && leader->open[place] != extent)
		place++;
	return place;
}

static void forget(struct wm_leader *leader, uint64_t extent)
{
	uint32_t place = place_of(leader, extent);

	assert(place < leader->open_count);
	leader->open[place] = leader->open[--leader->open_count];
}

bool wm_leader_open(struct wm_leader *leader, uint64_t *extent)
{
	if (!wm_progress_open(&leader->job->progress, extent))
		return false;
	leader->open[leader->open_count++] = *extent;
	return true;
}

void wm_leader_reopen(struct wm_leader *leader, uint64_t extent)
{
	forget(leader, extent);
	wm_progress_reopen(&leader->job->progress, extent);
}

void wm_leader_written(struct wm_leader *leader, const struct wm_progress_extent *extent,
		       uint64_t now_ns)
{
	forget(leader, extent->extent);
	wm_progress_written(&leader->job->progress, extent, now_ns);
}

void wm_leader_quarantine(struct wm_leader *leader, uint64_t bit)
{
	wm_progress_invalidate_waiting(&leader->job->progress, bit);
	leader->quarantine_nodes |= bit;
}

void wm_leader_invalidate(struct wm_leader *leader, uint64_t extent)
{
	if (place_of(leader, extent) < leader->open_count)
		return;
	if (!wm_progress_invalidate(&leader->job->progress, extent))
		assert(!"more extents were declared invalid than the lane said it has room for");
}

/* ---- lanes that follow ----------------------------------------------------------- */

bool wm_leader_grant(struct wm_leader *leader, uint32_t lane, uint64_t *extent)
{
	struct wm_follower *follower = &leader->followers[lane];

	if (follower->wanted == 0 || follower->stopped || !wm_leader_open(leader, extent))
		return false;
	follower->wanted--;
	return true;
}

void wm_leader_invalidation_sent(struct wm_leader *leader, uint32_t lane, uint64_t bit)
{
	leader->followers[lane].invalidations++;
	leader->followers[lane].invalid_nodes |= bit;
}

static void invalidated(struct wm_follower *follower)
{
	assert(follower->invalidations > 0);
	if (--follower->invalidations == 0)
		follower->invalid_nodes = 0;
}

static void follower_wrote(struct wm_leader *leader, const struct wm_follower *follower,
			   const struct wm_leader_message *message, uint64_t now_ns)
{
	const struct wm_progress_extent written = { .extent = message->extent,
						    .nodes = message->nodes,
						    .crc32c = message->crc32c };

	if (message->nodes & follower->invalid_nodes)
		wm_leader_reopen(leader, message->extent);
	else
		wm_leader_written(leader, &written, now_ns);
}

void wm_leader_receive(struct wm_leader *leader, uint32_t lane,
		       const struct wm_leader_message *message, uint64_t now_ns)
{
	struct wm_follower *follower = &leader->followers[lane];

	assert(!follower->ended);
	switch (message->op) {
	case WM_LEADER_WANT:
		follower->wanted += message->count;
		break;
	case WM_LEADER_WRITTEN:
		follower_wrote(leader, follower, message, now_ns);
		break;
	case WM_LEADER_RETURNED:
		wm_leader_reopen(leader, message->extent);
		break;
	case WM_LEADER_INVALIDATED:
		invalidated(follower);
		break;
	case WM_LEADER_ENDED:
		follower->ended = true;
		break;
	default:
		assert(!"a message that no follower sends, or that is for the stream");
	}
}

/* ---- the journal ---------------------------------------------------------------- */

uint32_t wm_leader_records(struct wm_leader *leader, uint64_t now_ns,
			   struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX])
{
	struct wm_progress *progress = &leader->job->progress;
	const struct wm_progress_extent *group;
	uint32_t count = 0, extents;

	if (leader->journalling)
		return 0;
	extents = wm_progress_sync(progress, now_ns, wm_progress_is_draining(progress), &group);
	if (leader->quarantine_nodes)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_QUARANTINE,
							       .nodes = leader->quarantine_nodes };
	for (uint32_t i = 0; i < extents; i++)
		records[count++] = (struct wm_journal_record){ .type = WM_JOURNAL_EXTENT,
							       .extent = group[i].extent,
							       .nodes = group[i].nodes,
							       .crc32c = group[i].crc32c };
	leader->journalled_extents = extents;
	leader->quarantine_journalled = leader->quarantine_nodes;
	leader->quarantine_nodes = 0;
	leader->journalling = count > 0;
	return count;
}

uint64_t wm_leader_journalled(struct wm_leader *leader, uint32_t *record)
{
	uint64_t nodes = leader->quarantine_journalled;

	*record = leader->job->journal.records - leader->journalled_extents - 1;
	if (leader->journalled_extents > 0)
		wm_progress_synced(&leader->job->progress);
	leader->journalled_extents = 0;
	leader->quarantine_journalled = 0;
	leader->journalling = false;
	return nodes;
}

bool wm_leader_is_complete(const struct wm_leader *leader)
{
	const struct wm_lane_job *job = leader->job;

	return wm_progress_is_complete(&job->progress) && !leader->quarantine_nodes &&
	       !leader->quarantine_journalled && job->recompute_done == job->recompute_wanted &&
	       !job->unchecked;
}

bool wm_leader_has_more(const struct wm_leader *leader)
{
	return wm_progress_has_more(&leader->job->progress);
}
