/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An output against its manifest. Extents are read several at once (reader.h), and
 * compared in order: so the first that differs is the first.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "file.h"
#include "reader.h"
#include "wiremill/journal.h"
#include "wiremill/limits.h"

/* CRCs of the manifest in memory at once, and extents that are read between two calls of
 * the progress function. */
#define CRCS_MAX 16384u
#define AT_ONCE 32u
static_assert(CRCS_MAX % AT_ONCE == 0, "no reading needs CRCs that are not there yet");

struct check {
	const char *manifest_path, *output_path;
	struct wm_file manifest, output;
	uint32_t align_bytes;
	struct wm_journal_identity identity;
	uint64_t extents, extent_bytes;
	uint64_t found_bytes; /* the output's length */
	uint64_t whole;	      /* extents that it holds */
	uint32_t crcs[CRCS_MAX];
	wm_verify_progress *progress;
	void *context;
	struct wm_reader *reader;
	struct wm_reader_extent read[AT_ONCE];
};

/* ---- the manifest ------------------------------------------------------- */

static uint64_t crc_offset(uint64_t extent)
{
	return WM_JOURNAL_HEADER_BYTES + extent * sizeof(uint32_t);
}

static int refuse_manifest(const struct check *check, const char *what, struct wm_error *error)
{
	return wm_error_set(error, EBADMSG, "manifest %s: %s", what, check->manifest_path);
}

static int read_manifest(const struct check *check, void *bytes, size_t count, uint64_t offset,
			 struct wm_error *error)
{
	ssize_t n = wm_file_read(check->manifest.fd, bytes, count, offset);

	if (n < 0)
		return wm_error_set(error, (int)-n, "manifest cannot be read (%s): %s",
				    strerror((int)-n), check->manifest_path);
	return (size_t)n < count ? refuse_manifest(check, "is cut short", error) : 0;
}

/* The CRCs from `extent` on, as many as fit. */
static int load_crcs(struct check *check, uint64_t extent, uint64_t *count, struct wm_error *error)
{
	uint64_t left = check->extents - extent;

	*count = left < CRCS_MAX ? left : CRCS_MAX;
	return read_manifest(check, check->crcs, *count * sizeof(check->crcs[0]),
			     crc_offset(extent), error);
}

static int check_closing(struct check *check, struct wm_error *error)
{
	uint32_t crc32c = 0, closing;
	uint64_t count;
	int ret;

	for (uint64_t extent = 0; extent < check->extents; extent += count) {
		ret = load_crcs(check, extent, &count, error);
		if (ret < 0)
			return ret;
		crc32c = wm_crc32c(crc32c, check->crcs, count * sizeof(check->crcs[0]));
	}
	ret = read_manifest(check, &closing, sizeof(closing), crc_offset(check->extents), error);
	if (ret < 0)
		return ret;
	return closing == crc32c ? 0 : refuse_manifest(check, "is damaged", error);
}

static int check_manifest(struct check *check, struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	uint32_t random;
	int ret = read_manifest(check, header, sizeof(header), 0, error);

	if (ret < 0)
		return ret;
	if (wm_manifest_decode_header(header, &check->identity, &random) < 0)
		return refuse_manifest(check, "is none, or its header is damaged", error);
	check->extents = wm_journal_extents(&check->identity);
	check->extent_bytes = (uint64_t)check->identity.extent_elements *
			      check->identity.kernel.out_bytes;
	if (check->manifest.bytes != crc_offset(check->extents + 1))
		return refuse_manifest(check, "has not the length that its header says", error);
	return check_closing(check, error);
}

/* ---- comparison --------------------------------------------------------- */

static void measure(struct check *check)
{
	uint64_t expected_bytes = check->identity.output_bytes;

	check->found_bytes = check->output.bytes;
	/* A device is larger than what was written to it, and that is right. */
	if (check->output.block_device && check->found_bytes > expected_bytes)
		check->found_bytes = expected_bytes;
	check->whole = check->found_bytes < expected_bytes
			       ? check->found_bytes / check->extent_bytes
			       : check->extents;
}

/* The extents from `first` on, as many as are read at once. */
static int read_extents(struct check *check, uint64_t first, unsigned *count,
			struct wm_error *error)
{
	uint64_t left = check->whole - first;
	int ret;

	*count = left < AT_ONCE ? (unsigned)left : AT_ONCE;
	for (unsigned i = 0; i < *count; i++) {
		uint64_t offset = (first + i) * check->extent_bytes;
		uint64_t rest = check->identity.output_bytes - offset;

		check->read[i] = (struct wm_reader_extent){
			.offset = offset,
			.bytes =
				(uint32_t)(rest < check->extent_bytes ? rest : check->extent_bytes),
		};
	}
	ret = wm_reader_run(check->reader, check->output.fd, check->align_bytes, check->read,
			    *count);
	return ret < 0 ? wm_error_set(error, -ret, "output cannot be read (%s): %s", strerror(-ret),
				      check->output_path)
		       : 0;
}

/* 0: as it should be; 1: it differs. */
static int compare_extent(const struct check *check, const struct wm_reader_extent *extent,
			  uint32_t crc32c, struct wm_verify_result *result, struct wm_error *error)
{
	if (extent->result < 0)
		return wm_error_set(error, -extent->result,
				    "output cannot be read at %" PRIu64 " (%s): %s", extent->offset,
				    strerror(-extent->result), check->output_path);
	result->offset = extent->offset;
	if (extent->crc32c != crc32c)
		return 1;
	result->bytes_checked = extent->offset + extent->bytes;
	return 0;
}

static int go_on(const struct check *check, uint64_t done_bytes, struct wm_error *error)
{
	if (!check->progress ||
	    check->progress(check->context, done_bytes, check->identity.output_bytes))
		return 0;
	return wm_error_set(error, ECANCELED, "verification was stopped");
}

/* CRCS_MAX is a multiple of AT_ONCE: those of one reading are loaded together. */
static int compare_some(struct check *check, uint64_t first, unsigned *count,
			struct wm_verify_result *result, struct wm_error *error)
{
	uint64_t loaded;
	int ret = 0;

	if (first % CRCS_MAX == 0)
		ret = load_crcs(check, first, &loaded, error);
	if (ret == 0)
		ret = read_extents(check, first, count, error);
	for (unsigned i = 0; ret == 0 && i < *count; i++)
		ret = compare_extent(check, &check->read[i], check->crcs[(first + i) % CRCS_MAX],
				     result, error);
	return ret == 0 ? go_on(check, result->bytes_checked, error) : ret;
}

static int compare_extents(struct check *check, struct wm_verify_result *result,
			   struct wm_error *error)
{
	unsigned count = 0;
	int ret = 0;

	for (uint64_t extent = 0; ret == 0 && extent < check->whole; extent += count)
		ret = compare_some(check, extent, &count, result, error);
	return ret;
}

static int compare(struct check *check, struct wm_verify_result *result, struct wm_error *error)
{
	uint64_t expected_bytes = check->identity.output_bytes;
	int ret = compare_extents(check, result, error);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	result->equal = check->found_bytes == expected_bytes;
	result->offset = check->found_bytes < expected_bytes ? check->found_bytes : expected_bytes;
	return 0;
}

/* ---- life --------------------------------------------------------------- */

static int open_both(struct check *check, struct wm_error *error)
{
	int ret = wm_file_open(&check->manifest, check->manifest_path, "manifest", error);

	if (ret < 0)
		return ret;
	ret = check_manifest(check, error);
	if (ret == 0)
		ret = wm_file_open(&check->output, check->output_path, "output", error);
	if (ret < 0)
		close(check->manifest.fd);
	return ret;
}

int wm_manifest_verify(const char *manifest_path, const char *output_path,
		       wm_verify_progress *progress, void *context, struct wm_verify_result *result,
		       struct wm_error *error)
{
	struct check *check = calloc(1, sizeof(*check));
	int ret;

	if (!check)
		return wm_error_set(error, ENOMEM, "no memory to verify with");
	check->manifest_path = manifest_path;
	check->output_path = output_path;
	check->progress = progress;
	check->context = context;
	ret = wm_reader_create(&check->reader, error);
	if (ret < 0)
		goto free_check;
	ret = open_both(check, error);
	if (ret < 0)
		goto free_check;

	wm_file_set_direct(check->output.fd, check->output.block_device, &check->align_bytes);
	measure(check);
	*result = (struct wm_verify_result){ .equal = false,
					     .expected_bytes = check->identity.output_bytes,
					     .found_bytes = check->found_bytes };
	ret = compare(check, result, error);
	close(check->output.fd);
	close(check->manifest.fd);

free_check:
	wm_reader_destroy(&check->reader);
	free(check);
	return ret;
}
