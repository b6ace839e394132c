/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The spool: what a controller that starts again has to know. The queue, so that it goes
 * on where it was; the jobs that have ended, so that it can tell of them; and who is in
 * quarantine. One file, STATE/jobs.json, replaced as a whole (written aside, fsync, rename,
 * fsync of its directory) whenever a job is submitted, starts or ends, or a node is caught
 * or trusted again; what a job has done is in its own journal.
 *
 *   { "next": 8,
 *     "jobs": [ { "job": 7, "kernel": "xor", "input": "/a", "output": "/b", "force": false,
 *       "drop_tail": false, "fail_after_ms": 0, "audit_ppm": 0, "started": true,
 *       "user": "root", "name": "", "submitted_ms": 1795787045007, "started_ms": 0,
 *       "ended_ms": 0, "journal": 3735928559 } ],
 *     "ended": [ { "job": 6, "kernel": ..., "state": "failed", "reason": "...",
 *       "run_ns": 17000000, the numbers of numbers.c } ],
 *     "quarantine": [ { "mac": "02:00:00:00:01:0a", "name": "n3", "reason": "computed ..." } ] }
 *
 * journal: the random identity of the one it has, once it has one. cancelled (if it is there):
 * on request, and what is left of it goes; discarded: that was removed. kernel_hash: 64 digits,
 * of a kernel that is not built in. A list that is not there is empty, and so is the origin
 * (origin.h) of an entry without submitted_ms.
 */
#ifndef WM_SPOOL_H
#define WM_SPOOL_H

#include "jobs.h"

/* Makes the directory if it is missing. */
int wm_spool_prepare(const char *state_directory, struct wm_error *error);
/* An error is logged by the caller; nothing is lost but what this file is for. */
int wm_spool_save(const struct wm_jobs *jobs, struct wm_error *error);
/* Adds the jobs of the file to jobs, started ones as resumed, in order of submission, and
 * puts nodes into quarantine. A missing file is an empty one; a damaged one is refused:
 * -EBADMSG; so is what is no file, which is neither waited for nor followed. */
int wm_spool_load(struct wm_jobs *jobs, struct wm_error *error);
/* The same from memory: for the fuzzer. */
int wm_spool_parse(struct wm_jobs *jobs, const char *text, size_t text_bytes,
		   struct wm_error *error);

#endif
