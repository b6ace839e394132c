/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a job comes from: who submitted it, under which name, and its times of day. A job
 * object has it, and the spool keeps it; with the number, `submitted` tells a job apart from
 * one of the same number after the state of a controller was lost.
 */
#ifndef WM_ORIGIN_H
#define WM_ORIGIN_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "wiremill/error.h"

#define WM_JOB_USER_BYTES 40
#define WM_JOB_NAME_BYTES 64

struct wm_job_origin {
	char user[WM_JOB_USER_BYTES]; /* of whom; "" where nobody knows */
	char name[WM_JOB_NAME_BYTES]; /* as the submitter calls the job; "" */
	/* Of day, in milliseconds since 1970; 0: not yet, or not known. started: its first life. */
	uint64_t submitted_ms, started_ms, ended_ms;
};

/* By the user's number (-1: not known) and the name for the job: -EINVAL for one that is
 * longer than WM_JOB_NAME_BYTES - 1, or not printable. */
int wm_job_origin_init(struct wm_job_origin *origin, uid_t uid, const char *name,
		       struct wm_error *error);
/* For operators: "user", "name", "submitted", "started", "ended" (ISO 8601, or null). */
void wm_job_origin_describe(json_t *object, const struct wm_job_origin *origin);
/* For the spool. What an older one lacks is empty; -EBADMSG: what is there is wrong. */
void wm_job_origin_put(json_t *entry, const struct wm_job_origin *origin);
int wm_job_origin_take(json_t *entry, struct wm_job_origin *origin);

#endif
