/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers of a job, as operators see them and as the spool remembers them. */
#ifndef WM_NUMBERS_H
#define WM_NUMBERS_H

#include "job.h"
#include "json_table.h"

void wm_job_numbers_put(json_t *object, const struct wm_job *job,
			const struct wm_lane_job_counters *counters);
/* -EBADMSG: they are not all there. */
int wm_job_numbers_take(const json_t *object, struct wm_job *job);

#endif
