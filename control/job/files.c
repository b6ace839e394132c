/* SPDX-License-Identifier: BSD-3-Clause */
#include "files.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay.h"
#include "wiremill/side.h"

static int check_tail(const struct wm_job *job, const struct wm_source *source,
		      struct wm_error *error)
{
	uint64_t tail = source->bytes % job->kernel.in_bytes;

	if (tail == 0 || job->drop_tail)
		return 0;
	return wm_error_set(error, EINVAL,
			    "%.300s has %" PRIu64 " bytes, %" PRIu64
			    " more than whole elements of %" PRIu32
			    ": cut it, or leave the rest out with --tail drop",
			    source->path, source->bytes, tail, job->kernel.in_bytes);
}

static int make_layout(struct wm_job *job, const struct wm_source *source, uint32_t mtu,
		       struct wm_error *error)
{
	int ret = check_tail(job, source, error);

	if (ret < 0)
		return ret;
	job->input_bytes = source->bytes;
	job->dropped_tail_bytes = source->bytes % job->kernel.in_bytes;
	return wm_layout_init(&job->lane.layout, &job->kernel,
			      source->bytes - job->dropped_tail_bytes, mtu, error);
}

static int journal_path(char path[PATH_MAX], const struct wm_job *job, const char *state_directory,
			struct wm_error *error)
{
	return wm_side_path(path, job->output, WM_SIDE_JOURNAL, state_directory, error);
}

/* Beside that journal, and not where the output's name leads by now: somebody may have made a
 * link of it. */
static int manifest_path(char path[PATH_MAX], const char *journal_path, struct wm_error *error)
{
	size_t length = strlen(journal_path) - strlen(wm_side_suffix(WM_SIDE_JOURNAL));

	if (snprintf(path, PATH_MAX, "%.*s%s", (int)length, journal_path,
		     wm_side_suffix(WM_SIDE_MANIFEST)) < PATH_MAX)
		return 0;
	return wm_error_set(error, ENAMETOOLONG, "output path is too long: %s", journal_path);
}

/* A journal without --force is work of an earlier life that would be lost. */
static int check_no_journal(const struct wm_job *job, const char *path, struct wm_error *error)
{
	if (job->force || access(path, F_OK) < 0)
		return 0;
	return wm_error_set(error, EEXIST,
			    "%.300s holds the progress of an unfinished job: go on with "
			    "'wiremill job resume OUTPUT', begin anew with --force, or remove it "
			    "with 'wiremill job discard OUTPUT'",
			    path);
}

int wm_job_files_check(struct wm_job *job, uint32_t mtu, const char *state_directory,
		       struct wm_error *error)
{
	struct wm_source source;
	char path[PATH_MAX];
	int ret;

	ret = wm_source_open(&source, job->input, error);
	if (ret < 0)
		return ret;
	ret = wm_source_check_identity(&source, &job->meant, error);
	if (ret == 0)
		ret = make_layout(job, &source, mtu, error);
	if (ret == 0)
		ret = wm_side_check(job->output, state_directory, &source, error);
	if (ret < 0 || job->resume)
		goto close_source;
	ret = wm_sink_check(job->output, job->lane.layout.output_bytes, job->force, &source, error);
	if (ret < 0)
		goto close_source;
	ret = journal_path(path, job, state_directory, error);
	if (ret == 0)
		ret = wm_side_check_space(job->output, state_directory,
					  job->lane.layout.output_bytes, job->lane.layout.extents,
					  error);
	if (ret == 0)
		ret = check_no_journal(job, path, error);

close_source:
	wm_source_close(&source);
	return ret;
}

/* ---- fresh ------------------------------------------------------------------- */

/* Durable, before the partial file that it vouches for makes way for a new one. */
static int remove_old_journal(const char *path, struct wm_error *error)
{
	int ret = wm_side_remove(path, WM_SIDE_JOURNAL);

	return ret < 0 ? wm_side_refuse(path, WM_SIDE_JOURNAL, -ret, error) : 0;
}

/* Only who has the output's lock may remove what another job may still write. */
static int make_sink(struct wm_job *job, const char *path, struct wm_error *error)
{
	struct wm_lane_job *lane = &job->lane;
	int ret = wm_sink_claim(&lane->sink, job->output, lane->layout.output_bytes, job->force,
				&lane->source, error);

	if (ret < 0)
		return ret;
	ret = job->force ? remove_old_journal(path, error) : check_no_journal(job, path, error);
	if (ret == 0)
		return wm_sink_make(&lane->sink, error);
	wm_sink_abandon(&lane->sink);
	return ret;
}

static int open_fresh(struct wm_job *job, const char *path, const char *path_manifest,
		      const struct wm_journal_identity *identity, struct wm_error *error)
{
	struct wm_lane_job *lane = &job->lane;
	int ret = make_sink(job, path, error);

	if (ret < 0)
		return ret;
	ret = wm_journal_create(&lane->journal, path, identity, error);
	if (ret < 0)
		goto abandon_sink;
	ret = wm_manifest_reserve(path_manifest, &lane->journal, error);
	if (ret < 0)
		goto remove_journal;
	return 0;

remove_journal:
	wm_journal_remove(&lane->journal);
abandon_sink:
	wm_sink_abandon(&lane->sink);
	return ret;
}

/* ---- resumed ------------------------------------------------------------------- */

struct replay {
	struct wm_job *job;
	uint32_t number; /* of the record */
	struct wm_error *error;
};

static int replay_record(void *context, const struct wm_journal_record *record)
{
	struct replay *state = context;
	int ret = wm_job_replay(state->job, record, state->number++);

	if (ret < 0)
		wm_error_set(state->error, -ret,
			     "journal leaves more than %u extents out, as no controller does, at "
			     "record %" PRIu32 ": 'wiremill job discard OUTPUT' removes it: %.200s",
			     WM_PROGRESS_GAPS_MAX, state->number - 1,
			     state->job->lane.journal.path);
	return ret;
}

static bool has_output(const struct wm_job *job, uint64_t bytes)
{
	struct stat status;

	return stat(job->output, &status) == 0 &&
	       (S_ISBLK(status.st_mode) ||
		(S_ISREG(status.st_mode) && (uint64_t)status.st_size == bytes));
}

/* Complete, and committed before the journal could be removed? */
static bool is_committed(const struct wm_job *job)
{
	return wm_job_is_made(job) && has_output(job, job->lane.layout.output_bytes);
}

/* A crash may have come between the commit and the removal of the journal. */
static int resume_committed(struct wm_job *job, struct wm_error *error)
{
	job->committed = true;
	job->lane.sink = (struct wm_sink){ .fd = -1, .fd_tail = -1 };
	return wm_journal_check_output(&job->lane.journal, &job->lane.layout, job->output, true,
				       error);
}

static int resume_sink(struct wm_job *job, struct wm_error *error)
{
	struct wm_lane_job *lane = &job->lane;
	int ret = wm_sink_resume(&lane->sink, job->output, lane->layout.output_bytes, job->force,
				 &lane->source, error);

	if ((ret == -ENOENT || ret == -EEXIST) && is_committed(job))
		return resume_committed(job, error);
	if (ret < 0)
		return ret;
	ret = wm_journal_check_output(&lane->journal, &lane->layout, lane->sink.path_partial,
				      job->trust_output, error);
	if (ret < 0)
		wm_sink_suspend(&lane->sink);
	lane->unchecked = !job->trust_output && lane->progress.durable > 0;
	return ret;
}

static int look_for_invalid(struct wm_job *job, struct wm_error *error)
{
	int ret = wm_job_replay_end(job);

	return ret < 0 ? wm_error_set(error, -ret, "journal cannot be read (%s): %s",
				      strerror(-ret), job->lane.journal.path)
		       : 0;
}

static int reserve_again(struct wm_job *job, const char *path_manifest, struct wm_error *error)
{
	int ret = wm_manifest_reserve(path_manifest, &job->lane.journal, error);

	if (ret < 0 && job->lane.sink.fd >= 0)
		wm_sink_suspend(&job->lane.sink);
	return ret;
}

static int open_resumed(struct wm_job *job, const char *path, const char *path_manifest,
			const struct wm_journal_identity *identity, struct wm_error *error)
{
	struct wm_lane_job *lane = &job->lane;
	struct replay state = { .job = job, .error = error };
	int ret = wm_journal_open(&lane->journal, path, NULL, NULL, error);

	if (ret < 0)
		return ret;
	ret = wm_journal_match(&lane->journal.identity, identity, error);
	if (ret == 0)
		ret = wm_journal_scan(&lane->journal, replay_record, &state, error);
	if (ret == 0)
		ret = look_for_invalid(job, error);
	if (ret < 0)
		goto close_journal;
	ret = resume_sink(job, error);
	if (ret == 0)
		ret = reserve_again(job, path_manifest, error);
	if (ret == 0)
		return 0;
	/* Nothing was durable yet, so maybe not even the sink: begin anew. */
	if (lane->journal.records == 0 && (ret == -ENOENT || ret == -EINVAL)) {
		wm_journal_remove(&lane->journal);
		job->resume = false;
		return open_fresh(job, path, path_manifest, identity, error);
	}

close_journal:
	wm_journal_close(&lane->journal);
	return ret;
}

int wm_job_files_open(struct wm_job *job, uint32_t mtu, const char *state_directory,
		      struct wm_error *error)
{
	struct wm_lane_job *lane = &job->lane;
	struct wm_journal_identity identity;
	char path[PATH_MAX], path_manifest[PATH_MAX];
	int ret;

	ret = wm_source_open(&lane->source, job->input, error);
	if (ret < 0)
		return ret;
	ret = make_layout(job, &lane->source, mtu, error);
	if (ret == 0)
		ret = wm_side_check(job->output, state_directory, &lane->source, error);
	if (ret == 0)
		ret = wm_journal_identify(&identity, &lane->source, &lane->layout, job->force,
					  job->drop_tail, error);
	if (ret == 0)
		ret = journal_path(path, job, state_directory, error);
	if (ret == 0)
		ret = manifest_path(path_manifest, path, error);
	if (ret < 0)
		goto close_source;

	identity.audit_ppm = job->audit_ppm;
	identity.fail_after_ns = job->fail_after_ns;
	wm_job_replay_begin(job);
	/* An earlier life ended before it had a journal, or knew its own: what lies there may
	 * be that of the output which it was to replace. */
	if (access(path, F_OK) < 0 || (job->force && job->journal == 0))
		job->resume = false;
	ret = job->resume ? open_resumed(job, path, path_manifest, &identity, error)
			  : open_fresh(job, path, path_manifest, &identity, error);
	if (ret < 0)
		goto close_source;
	job->open = true;
	return 0;

close_source:
	wm_source_close(&lane->source);
	return ret;
}

/* A file that anybody may have put there: what is not a path such as a submitter gives would
 * be in the queue, and in what is kept of it. */
static int check_recalled(const struct wm_journal *journal, struct wm_error *error)
{
	const char *input = journal->identity.input_path;
	json_t *text = json_string(input);
	bool utf8 = text != NULL;

	json_decref(text);
	if (input[0] == '/' && utf8)
		return 0;
	return wm_error_set(error, EBADMSG,
			    "journal's input is no absolute path in UTF-8, so that it is none of "
			    "ours: 'wiremill job discard OUTPUT' removes it: %.300s",
			    journal->path);
}

/* Whether the library has one that is not built in is seen by who has the library. */
static int recall_kernel(struct wm_kernel *kernel, const struct wm_journal *journal,
			 struct wm_error *error)
{
	const struct wm_kernel *named = &journal->identity.kernel;

	if (wm_kernel_is_builtin(named))
		named = wm_kernel_find(named->name);
	if (!named)
		return wm_error_set(error, ENOENT, "%.300s: its kernel '%s' is not here",
				    journal->path, journal->identity.kernel.name);
	*kernel = *named;
	return 0;
}

int wm_job_files_recall(struct wm_job *job, const char *state_directory, struct wm_error *error)
{
	struct wm_journal journal;
	char path[PATH_MAX];
	int ret;

	ret = journal_path(path, job, state_directory, error);
	if (ret < 0)
		return ret;
	if (access(path, F_OK) < 0)
		return wm_error_set(
			error, ENOENT,
			"no journal at %.300s: there is no unfinished job of that output", path);
	ret = wm_journal_open(&journal, path, NULL, NULL, error);
	if (ret < 0)
		return ret;
	ret = check_recalled(&journal, error);
	job->journal = journal.random;
	strcpy(job->input, journal.identity.input_path);
	job->force = journal.identity.force;
	job->drop_tail = journal.identity.drop_tail;
	job->audit_ppm = journal.identity.audit_ppm;
	if (job->fail_after_ns == 0)
		job->fail_after_ns = journal.identity.fail_after_ns;
	if (ret == 0)
		ret = recall_kernel(&job->kernel, &journal, error);
	wm_journal_close(&journal);
	return ret;
}

/* What is known of a job by its manifest, which is all that is left to ask. */
static void fill_from_manifest(struct wm_job *job, const struct wm_journal_identity *identity)
{
	job->input_bytes = identity->input_bytes;
	job->dropped_tail_bytes = identity->input_bytes % identity->kernel.in_bytes;
	job->lane.layout = (struct wm_layout){
		.kernel = identity->kernel,
		.elements = identity->output_bytes / identity->kernel.out_bytes,
		.input_bytes = identity->input_bytes - job->dropped_tail_bytes,
		.output_bytes = identity->output_bytes,
		.extents = wm_journal_extents(identity),
		.extent_elements = identity->extent_elements,
	};
}

bool wm_job_files_are_finished(struct wm_job *job, const char *state_directory)
{
	struct wm_journal_identity identity;
	struct wm_error error = { "" };
	char path[PATH_MAX], path_manifest[PATH_MAX];
	uint32_t random;

	if (job->journal == 0 || journal_path(path, job, state_directory, &error) < 0 ||
	    access(path, F_OK) == 0)
		return false;
	if (manifest_path(path_manifest, path, &error) < 0 ||
	    wm_manifest_identify(path_manifest, &identity, &random, &error) < 0)
		return false;
	if (random != job->journal || strcmp(identity.kernel.name, job->kernel.name) != 0 ||
	    memcmp(identity.kernel.hash, job->kernel.hash, WM_KERNEL_HASH_BYTES) != 0 ||
	    !has_output(job, identity.output_bytes))
		return false;
	fill_from_manifest(job, &identity);
	return true;
}

/* ---- the end --------------------------------------------------------------------- */

void wm_job_files_suspend(struct wm_job *job)
{
	if (!job->open)
		return;
	wm_journal_close(&job->lane.journal);
	if (job->lane.sink.fd >= 0)
		wm_sink_suspend(&job->lane.sink);
	wm_source_close(&job->lane.source);
	job->open = false;
}

void wm_job_files_abandon(struct wm_job *job)
{
	char path[PATH_MAX];

	if (!job->open)
		return;
	/* The journal last, since it says what the others are; but no record outlives them. */
	wm_journal_forget(&job->lane.journal);
	if (job->lane.sink.fd >= 0)
		wm_sink_abandon(&job->lane.sink);
	if (manifest_path(path, job->lane.journal.path, NULL) == 0)
		wm_manifest_unreserve(path);
	wm_journal_remove(&job->lane.journal);
	wm_source_close(&job->lane.source);
	job->open = false;
}

int wm_job_files_finish(struct wm_job *job, struct wm_error *error)
{
	struct wm_lane_job *lane = &job->lane;
	char path[PATH_MAX];
	int ret;

	ret = wm_source_check(&lane->source, error);
	if (ret == 0)
		ret = manifest_path(path, lane->journal.path, error);
	if (ret < 0)
		goto suspend;
	/* That of an output which is being replaced must not stand beside the new one. */
	ret = wm_side_remove(path, WM_SIDE_MANIFEST);
	if (ret < 0) {
		wm_side_refuse(path, WM_SIDE_MANIFEST, -ret, error);
		goto suspend;
	}
	if (lane->sink.fd >= 0) {
		ret = wm_sink_commit(&lane->sink, error);
		lane->sink.fd = -1;
		if (ret < 0)
			goto suspend;
	}
	ret = wm_manifest_create(path, job->output, &lane->journal, &lane->layout, error);
	if (ret < 0)
		goto suspend;
	wm_journal_remove(&lane->journal);
	wm_source_close(&lane->source);
	job->open = false;
	return 0;

suspend:
	wm_job_files_suspend(job);
	return ret;
}
