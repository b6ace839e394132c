/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

void wm_job_replay_begin(struct wm_job *job)
{
	wm_progress_init(&job->lane.progress, job->lane.layout.extents);
	wm_recompute_init(&job->recompute, job->lane.layout.extents);
	job->lane.recompute_wanted = job->lane.recompute_done = 0;
	job->lane.unchecked = false;
	job->unsettled_nodes = 0;
	job->committed = false;
}

int wm_job_replay(struct wm_job *job, const struct wm_journal_record *record, uint32_t number)
{
	if (record->type == WM_JOURNAL_EXTENT) {
		job->unsettled_nodes |= record->nodes;
		return wm_progress_replay(&job->lane.progress, record->extent);
	}
	job->unsettled_nodes &= ~record->nodes;
	wm_recompute_begin(&job->recompute, record->nodes, number, 1);
	return 0;
}

int wm_job_replay_end(struct wm_job *job)
{
	uint64_t extents[WM_RECOMPUTE_BURST];
	bool finished = !job->recompute.active;
	int found = 0;

	while (found == 0 && !finished)
		found = wm_recompute_feed(&job->recompute, &job->lane.journal, extents, &finished);
	if (found <= 0) {
		wm_recompute_fini(&job->recompute);
		return found;
	}
	/* Those just found are named in a pass of their own. */
	wm_recompute_begin(&job->recompute, 0, 0, 1);
	job->lane.recompute_wanted = 1;
	return 0;
}

bool wm_job_is_made(const struct wm_job *job)
{
	return wm_progress_is_complete(&job->lane.progress) && !job->recompute.active;
}
