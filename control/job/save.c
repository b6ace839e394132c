/* SPDX-License-Identifier: BSD-3-Clause */
#include "save.h"

#include "log.h"
#include "spool.h"

void wm_jobs_save(const struct wm_jobs *jobs)
{
	struct wm_error error = { "" };

	if (wm_spool_save(jobs, &error) < 0)
		wm_log_error("%s: after a restart jobs must be resumed by hand, and who "
			     "is in quarantine is let in",
			     error.text);
}
