/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What control/job/files.c does with files, on the simulated disk, and where the
 * controller may die in the middle of it. Called by the real queue.c, run.c and recompute.c.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bug.h"
#include "check.h"
#include "controller.h"
#include "dataset.h"
#include "disk.h"
#include "files.h"
#include "kernel_library.h"
#include "replay.h"

/* ---- opening ----------------------------------------------------------------------- */

static void identify(struct sim *sim, struct wm_journal_identity *identity)
{
	const struct wm_layout *layout = &sim->plan.layout;

	*identity = (struct wm_journal_identity){ .input_bytes = layout->input_bytes,
						  .input_mtime_ns = sim_disk_input_changes(sim),
						  .output_bytes = layout->output_bytes,
						  .extent_elements = layout->extent_elements,
						  .kernel = layout->kernel,
						  .input_path = "/input" };
}

int __wrap_wm_kernel_library_init(struct wm_kernel_library *library, const char *state_directory,
				  bool (*is_named)(void *context,
						   const uint8_t hash[WM_KERNEL_HASH_BYTES]),
				  void *context, struct wm_error *error);

/* Its jobs are of a kernel that is built in; what a node gets is played (controller.c). */
int __wrap_wm_kernel_library_init(struct wm_kernel_library *library, const char *state_directory,
				  bool (*is_named)(void *context,
						   const uint8_t hash[WM_KERNEL_HASH_BYTES]),
				  void *context, struct wm_error *error)
{
	(void)state_directory;
	(void)error;
	*library = (struct wm_kernel_library){ .is_named = is_named, .context = context };
	return 0;
}

int wm_job_files_check(struct wm_job *job, uint32_t mtu, const char *state_directory,
		       struct wm_error *error)
{
	(void)mtu;
	(void)state_directory;
	job->lane.layout = sim_current->plan.layout;
	if (!job->resume && sim_disk_names(sim_current)->committed)
		return wm_error_set(error, EEXIST, "the output exists");
	return 0;
}

int wm_job_files_recall(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	struct wm_journal_identity identity;
	uint32_t random;

	(void)state_directory;
	if (wm_journal_decode_header(sim_disk_current(sim_current, SIM_LOG), &identity, &random) <
	    0)
		return wm_error_set(error, EBADMSG, "the journal has no header");
	strcpy(job->input, identity.input_path);
	job->kernel = *wm_kernel_find("xor"); /* as it was submitted; the layout has its own */
	job->audit_ppm = identity.audit_ppm;
	job->fail_after_ns = identity.fail_after_ns;
	return 0;
}

static int open_fresh(struct sim *sim, struct wm_job *job, struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	struct wm_journal_identity identity;

	if (sim_disk_names(sim)->committed)
		return wm_error_set(error, EEXIST, "the output exists");
	identify(sim, &identity);
	identity.audit_ppm = job->audit_ppm;
	identity.fail_after_ns = job->fail_after_ns;
	job->lane.journal.random = (uint32_t)wm_random(&sim->random);
	job->lane.journal.records = 0;
	job->lane.journal.identity = identity;
	sim_dataset_compute(sim);
	wm_journal_encode_header(header, &identity, job->lane.journal.random);
	sim_disk_make_sink(sim);
	if (sim_controller_dies_here(sim))
		return wm_error_set(error, EINTR, "it dies");
	sim_disk_make_journal(sim, header);
	return 0;
}

/* A job is only given up before anything of it is durable. */
static int without_sink(struct sim *sim, struct wm_job *job, struct wm_error *error)
{
	if (job->lane.journal.records > 0) {
		sim_violate(sim, "a journal of %u records has no output",
			    job->lane.journal.records);
		return wm_error_set(error, ENOENT, "the partial output does not exist");
	}
	sim_disk_names(sim)->journal = false;
	job->resume = false;
	return open_fresh(sim, job, error);
}

/* The good records, and the rest is cut off. */
static int open_resumed(struct sim *sim, struct wm_job *job, struct wm_error *error)
{
	struct wm_journal *journal = &job->lane.journal;
	uint64_t end = sim_disk_bytes(sim, SIM_LOG);
	struct wm_journal_identity identity;
	struct wm_journal_record record;

	sim->tally.resumes++;
	if (wm_journal_decode_header(sim_disk_current(sim, SIM_LOG), &journal->identity,
				     &journal->random) < 0) {
		sim_violate(sim, "the journal has no header");
		return wm_error_set(error, EBADMSG, "the journal has no header");
	}
	identify(sim, &identity);
	if (wm_journal_match(&journal->identity, &identity, error) < 0)
		return -EINVAL;
	journal->records = 0;
	while (wm_journal_read(journal, journal->records, &record, 1) == 1) {
		if (wm_job_replay(job, &record, journal->records) < 0) {
			sim_violate(sim, "record %u does not replay", journal->records);
			return wm_error_set(error, EBADMSG, "a record does not replay");
		}
		journal->records++;
	}
	end = WM_JOURNAL_HEADER_BYTES + (uint64_t)journal->records * WM_JOURNAL_RECORD_BYTES;
	sim_disk_cut_journal(sim, end);
	if (wm_job_replay_end(job) < 0)
		return wm_error_set(
			error, EBADMSG,
			"what a node in quarantine made cannot be looked up in the journal");
	job->committed = wm_job_is_made(job) && sim_disk_names(sim)->committed;
	if (!job->committed && !sim_disk_names(sim)->sink)
		return without_sink(sim, job, error);
	sim_check_resumed(sim);
	sim_trace(sim, "controller: resumes with %llu of %llu extents, %u records",
		  (unsigned long long)job->lane.progress.durable,
		  (unsigned long long)job->lane.progress.extents, journal->records);
	return 0;
}

int wm_job_files_open(struct wm_job *job, uint32_t mtu, const char *state_directory,
		      struct wm_error *error)
{
	struct sim *sim = sim_current;
	int ret;

	(void)mtu;
	(void)state_directory;
	job->lane.layout = sim->plan.layout;
	wm_job_replay_begin(job);
	if (!sim_disk_names(sim)->journal)
		job->resume = false;
	ret = job->resume ? open_resumed(sim, job, error) : open_fresh(sim, job, error);
	job->open = ret == 0;
	return ret;
}

/* Up to count records from number `first` on. */
int __wrap_wm_journal_read(const struct wm_journal *journal, uint32_t first,
			   struct wm_journal_record *records, uint32_t count);

int __wrap_wm_journal_read(const struct wm_journal *journal, uint32_t first,
			   struct wm_journal_record *records, uint32_t count)
{
	const uint8_t *bytes = sim_disk_current(sim_current, SIM_LOG);
	uint64_t end = sim_disk_bytes(sim_current, SIM_LOG);
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint64_t at = WM_JOURNAL_HEADER_BYTES +
			      (uint64_t)(first + i) * WM_JOURNAL_RECORD_BYTES;

		if (at + WM_JOURNAL_RECORD_BYTES > end ||
		    wm_journal_decode_record(bytes + at, &records[i], journal->random, first + i) <
			    0)
			break;
	}
	return (int)i;
}

bool wm_job_files_are_finished(struct wm_job *job, const char *state_directory)
{
	const struct sim_names *names = sim_disk_names(sim_current);

	(void)state_directory;
	job->lane.layout = sim_current->plan.layout;
	return names->committed && !names->journal && job->journal == names->manifest;
}

/* ---- the end ---------------------------------------------------------------------------- */

void wm_job_files_suspend(struct wm_job *job)
{
	job->open = false;
}

void wm_job_files_abandon(struct wm_job *job)
{
	struct sim_names *names = sim_disk_names(sim_current);

	if (!job->open)
		return;
	job->open = false;
	sim_disk_cut_journal(sim_current, WM_JOURNAL_HEADER_BYTES);
	if (sim_controller_dies_here(sim_current))
		return;
	names->sink = false;
	if (!sim_controller_dies_here(sim_current))
		names->journal = false;
}

/* No simulated operator cancels, or discards. */
int wm_job_files_discard(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	(void)job, (void)state_directory;
	return wm_error_set(error, ENOSYS, "nothing is discarded here");
}

/* Each step is durable before the next. */
int wm_job_files_finish(struct wm_job *job, struct wm_error *error)
{
	struct sim *sim = sim_current;
	struct sim_names *names = sim_disk_names(sim);

	job->open = false;
	if (sim_controller_dies_here(sim))
		return wm_error_set(error, EINTR, "it dies");
	if (sim_disk_input_differs(sim, &job->lane.journal) && sim_bug != SIM_BUG_NO_LOOK)
		return wm_error_set(error, WM_STORE_INPUT_CHANGED, "the input has changed");
	if (!names->committed) {
		if (sim_disk_sync(sim) < 0)
			return wm_error_set(error, EIO, "the output could not be made durable");
		names->committed = true;
		names->sink = false;
	}
	if (sim_controller_dies_here(sim))
		return wm_error_set(error, EINTR, "it dies");
	sim_check_manifest(sim);
	if (sim_disk_input_differs(sim, &job->lane.journal))
		sim_violate(sim, "the job gets done, though its input has changed");
	names->manifest = job->lane.journal.random;
	if (sim_controller_dies_here(sim))
		return wm_error_set(error, EINTR, "it dies");
	names->journal = false;
	/* After that, before the spool knows. */
	if (sim_controller_dies_here(sim))
		return wm_error_set(error, EINTR, "it dies");
	return 0;
}

/* ---- the threads of a job: at once --------------------------------------------- */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument)
{
	(void)attributes;
	memset(thread, 0, sizeof(*thread));
	start(argument);
	return 0;
}
