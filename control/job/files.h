/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of a job: source, sink, journal, manifest; opened, resumed, given up
 * and finished together. Blocks; one thread at a time per job.
 *
 *   fresh      sink claimed ─▶ old journal removed ─▶ sink made ─▶ journal ─▶ manifest's space
 *   resumed    journal read and matched with the input ─▶ sink opened again
 *   finished   sink committed ─▶ manifest ─▶ journal removed
 *
 *   abandoned  records forgotten ─▶ sink removed ─▶ manifest's space ─▶ journal removed
 *
 * In that order, so that a journal never vouches for a sink that is not there, and
 * a crash between any two steps leaves what the next life can go on from.
 */
#ifndef WM_FILES_H
#define WM_FILES_H

#include "job.h"

/* What can be refused without writing anything. Fills in layout and sizes. */
int wm_job_files_check(struct wm_job *job, uint32_t mtu, const char *state_directory,
		       struct wm_error *error);
/* Opens, or resumes if job->resume; sets job->open. */
int wm_job_files_open(struct wm_job *job, uint32_t mtu, const char *state_directory,
		      struct wm_error *error);
/* Reads from its journal which job an output belongs to: kernel, input, options (but a
 * fail_after_ns that is set stays). */
int wm_job_files_recall(struct wm_job *job, const char *state_directory, struct wm_error *error);
/* Did an earlier life get to the last step, the removal of its journal? Its manifest
 * says that it is of that journal. Then layout and sizes are filled in. */
bool wm_job_files_are_finished(struct wm_job *job, const char *state_directory);
/* Removes what an earlier life of it left beside the output, if nobody is at it: journal,
 * partial file and a manifest's reserved space, named in lane.journal.path,
 * lane.sink.path_partial and lane.source.path ("": there was none).
 * Of a job that is known (its kernel is set) only what is its own. */
int wm_job_files_discard(struct wm_job *job, const char *state_directory, struct wm_error *error);
/* Closes; what is durable stays for a resume. */
void wm_job_files_suspend(struct wm_job *job);
/* Closes; nothing stays. */
void wm_job_files_abandon(struct wm_job *job);
/* Everything is durable: gives the output its name and its manifest. Closes. */
int wm_job_files_finish(struct wm_job *job, struct wm_error *error);

#endif
