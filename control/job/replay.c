/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

void wm_job_replay_begin(struct wm_job *job)
{
	wm_progress_init(&job->lane.progress, job->lane.layout.extents);
	wm_redo_init(&job->redo, job->lane.layout.extents);
	job->lane.redo_wanted = job->lane.redo_done = 0;
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
	wm_redo_begin(&job->redo, record->nodes, number, 1);
	return 0;
}

int wm_job_replay_end(struct wm_job *job)
{
	uint64_t extents[WM_REDO_BURST];
	bool finished = !job->redo.active;
	int found = 0;

	while (found == 0 && !finished)
		found = wm_redo_feed(&job->redo, &job->lane.journal, extents, &finished);
	if (found <= 0) {
		wm_redo_fini(&job->redo);
		return found;
	}
	/* Those just found are named in a pass of their own. */
	wm_redo_begin(&job->redo, 0, 0, 1);
	job->lane.redo_wanted = 1;
	return 0;
}

bool wm_job_is_made(const struct wm_job *job)
{
	return wm_progress_is_complete(&job->lane.progress) && !job->redo.active;
}
