/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "files.h"

int wm_job_files_discard(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	const struct wm_discard_owner owner = { .journal = job->journal };
	const bool is_known = job->kernel.name[0] != '\0';
	struct wm_discarded removed;
	int ret = wm_output_discard(&removed, job->output, state_directory,
				    is_known ? &owner : NULL, error);

	strcpy(job->lane.journal.path, removed.journal);
	strcpy(job->lane.sink.path_partial, removed.partial);
	strcpy(job->lane.source.path, removed.reserved);
	if (ret == 0 && !is_known && !removed.journal[0] && !removed.partial[0] &&
	    !removed.reserved[0])
		return wm_error_set(error, ENOENT,
				    "nothing to discard: no unfinished job left anything beside %s",
				    job->output);
	return ret;
}
