/* SPDX-License-Identifier: BSD-3-Clause */
/* Which job a journal belongs to. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "file.h"
#include "wiremill/journal.h"

#define SAMPLE_PIECES 64u
#define SAMPLE_BYTES WM_STORE_ALIGN_BYTES

/* ---- the sample --------------------------------------------------------- */

/* Piece i of all that are taken: the first is the file's first, the last its last. */
static uint64_t sample_offset(uint64_t pieces, uint64_t taken, uint64_t i)
{
	uint64_t steps = taken - 1, last = pieces - 1;

	if (steps == 0)
		return 0;
	/* last * i / steps, without its overflow */
	return (last / steps * i + last % steps * i / steps) * SAMPLE_BYTES;
}

/* Pieces that suit O_DIRECT, so that the source's own descriptor serves. */
static int sample_source(const struct wm_source *source, uint32_t *sample, struct wm_error *error)
{
	uint8_t piece[SAMPLE_BYTES] __attribute__((aligned(SAMPLE_BYTES)));
	uint64_t pieces = (source->bytes + SAMPLE_BYTES - 1) / SAMPLE_BYTES;
	uint64_t taken = pieces < SAMPLE_PIECES ? pieces : SAMPLE_PIECES;

	*sample = 0;
	for (uint64_t i = 0; i < taken; i++) {
		uint64_t offset = sample_offset(pieces, taken, i);
		uint64_t left = source->bytes - offset;
		size_t expected = left < SAMPLE_BYTES ? left : SAMPLE_BYTES;
		ssize_t count = pread(source->fd, piece, SAMPLE_BYTES, (off_t)offset);

		if (count < 0)
			return wm_error_set(error, errno,
					    "input cannot be read at %" PRIu64 " (%s): %s", offset,
					    strerror(errno), source->path);
		if ((size_t)count < expected)
			return wm_error_set(error, ENODATA, "input is shorter than it was: %s",
					    source->path);
		*sample = wm_crc32c(*sample, piece, expected);
	}
	return 0;
}

int wm_journal_identify(struct wm_journal_identity *identity, const struct wm_source *source,
			const struct wm_layout *layout, bool force, bool drop_tail,
			struct wm_error *error)
{
	*identity = (struct wm_journal_identity){
		.input_bytes = source->bytes,
		.input_mtime_ns = source->modified_ns,
		.force = force,
		.drop_tail = drop_tail,
		.output_bytes = layout->output_bytes,
		.extent_elements = layout->extent_elements,
		.kernel = layout->kernel,
	};
	strcpy(identity->input_path, source->path);
	return sample_source(source, &identity->input_sample, error);
}

/* ---- comparison --------------------------------------------------------- */

static int match_kernel(const struct wm_kernel *journal, const struct wm_kernel *job,
			struct wm_error *error)
{
	if (strncmp(journal->name, job->name, WM_KERNEL_NAME_BYTES) != 0)
		return wm_error_set(error, EINVAL, "journal is of kernel %.31s, the job of %.31s",
				    journal->name, job->name);
	if (memcmp(journal->hash, job->hash, WM_KERNEL_HASH_BYTES) != 0)
		return wm_error_set(
			error, EINVAL,
			"kernel %.31s: its source, parameters or compiler changed since the "
			"journal was begun",
			job->name);
	if (!wm_kernel_is_same(journal, job))
		return wm_error_set(
			error, EINVAL,
			"kernel %.31s has another shape than when the journal was begun",
			job->name);
	return 0;
}

static int match_input(const struct wm_journal_identity *journal,
		       const struct wm_journal_identity *job, struct wm_error *error)
{
	if (journal->input_bytes != job->input_bytes)
		return wm_error_set(error, EINVAL,
				    "journal is of an input of %" PRIu64
				    " bytes, this one has %" PRIu64 ": %s",
				    journal->input_bytes, job->input_bytes, job->input_path);
	if (journal->input_mtime_ns != job->input_mtime_ns)
		return wm_error_set(error, EINVAL,
				    "input was modified since the journal was begun: %s",
				    job->input_path);
	if (journal->input_sample != job->input_sample)
		return wm_error_set(error, EINVAL,
				    "input has other content than when the journal was begun: %s",
				    job->input_path);
	return 0;
}

static int match_options(const struct wm_journal_identity *journal,
			 const struct wm_journal_identity *job, struct wm_error *error)
{
	if (journal->drop_tail != job->drop_tail)
		return wm_error_set(error, EINVAL, "journal is of a job with --tail %s",
				    journal->drop_tail ? "drop" : "refuse");
	if (journal->force != job->force)
		return wm_error_set(error, EINVAL, "journal is of a job %s --force",
				    journal->force ? "with" : "without");
	return 0;
}

int wm_journal_match(const struct wm_journal_identity *journal,
		     const struct wm_journal_identity *job, struct wm_error *error)
{
	int ret = match_input(journal, job, error);

	if (ret < 0)
		return ret;
	ret = match_kernel(&journal->kernel, &job->kernel, error);
	if (ret < 0)
		return ret;
	ret = match_options(journal, job, error);
	if (ret < 0)
		return ret;
	if (journal->output_bytes != job->output_bytes)
		return wm_error_set(error, EINVAL,
				    "journal is of an output of %" PRIu64
				    " bytes, the job's has %" PRIu64,
				    journal->output_bytes, job->output_bytes);
	if (journal->extent_elements != job->extent_elements)
		return wm_error_set(error, EINVAL,
				    "journal is in extents of %" PRIu32
				    " elements, the job in %" PRIu32
				    ": it is of another version of Wiremill",
				    journal->extent_elements, job->extent_elements);
	return 0;
}
