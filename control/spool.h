/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The spool: the queue of jobs on disk, so that a controller that starts again
 * goes on where it was. One file, STATE/jobs.json, replaced as a whole (written
 * aside, fsync, rename, fsync of its directory) whenever a job is submitted, starts
 * or ends; what a job has done is in its own journal.
 *
 *   { "next": 7, "jobs": [ { "job": 5, "kernel": "xor", "input": "/a", "output": "/b",
 *     "force": false, "drop_tail": false, "fail_after_ms": 0, "audit_ppm": 0,
 *     "started": true } ] }
 */
#ifndef WM_SPOOL_H
#define WM_SPOOL_H

#include "jobs.h"

/* Makes the directory if it is missing. */
int wm_spool_prepare(const char *state_directory, struct wm_error *error);
/* Queued and running jobs. An error is logged by the caller; nothing is lost but
 * the going on by itself. */
int wm_spool_save(const struct wm_jobs *jobs, struct wm_error *error);
/* Appends the jobs of the file to jobs, started ones as resumed. A missing file is
 * an empty one; a damaged one is refused: -EBADMSG. */
int wm_spool_load(struct wm_jobs *jobs, struct wm_error *error);
/* The same from memory: for the fuzzer. */
int wm_spool_parse(struct wm_jobs *jobs, const char *text, size_t text_bytes,
		   struct wm_error *error);

#endif
