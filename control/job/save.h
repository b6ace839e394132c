/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of all jobs, to the spool, whenever it has changed. One thread (the daemon's). */
#ifndef WM_SAVE_H
#define WM_SAVE_H

#include "jobs.h"

/* What cannot be written is said in the log. */
void wm_jobs_save(const struct wm_jobs *jobs);

#endif
