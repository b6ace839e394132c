/* SPDX-License-Identifier: BSD-3-Clause */
/* Is that the output which a journal vouches for? All of it is read back later (readback.c). */
#include "wiremill/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "file.h"

/* Looked at: the newest, which a disk that lost something lost first. */
#define RECORDS_CHECKED 16u

/* Not when a later record is of the same extent, or makes it invalid: then it may be on
 * its way to be made again. */
static bool still_counts(const struct wm_journal_record *records, int index, int count)
{
	const struct wm_journal_record *record = &records[index];

	if (record->type != WM_JOURNAL_EXTENT)
		return false;
	for (int i = index + 1; i < count; i++) {
		if (records[i].type == WM_JOURNAL_EXTENT ? records[i].extent == record->extent
							 : (records[i].nodes & record->nodes) != 0)
			return false;
	}
	return true;
}

/* 1: it is there; 0: something else is. */
static int has_extent(int fd, const struct wm_layout *layout,
		      const struct wm_journal_record *record, uint8_t *buffer,
		      const char *output_path, struct wm_error *error)
{
	struct wm_span span = wm_layout_extent(layout, record->extent);
	ssize_t ret = wm_file_read(fd, buffer, span.out_bytes, span.out_offset);

	if (ret < 0 && ret != -EIO)
		return wm_error_set(error, (int)-ret, "cannot read output (%s): %s",
				    strerror((int)-ret), output_path);
	return ret == (ssize_t)span.out_bytes &&
	       wm_crc32c(0, buffer, span.out_bytes) == record->crc32c;
}

static int refuse(const char *output_path, uint64_t extent, struct wm_error *error)
{
	return wm_error_set(error, EINVAL,
			    "output is not what its journal vouches for at extent %" PRIu64
			    ", begin anew with --force: %s",
			    extent, output_path);
}

static int check_newest(int fd, const struct wm_journal *journal, const struct wm_layout *layout,
			uint8_t *buffer, const char *output_path, bool each, struct wm_error *error)
{
	struct wm_journal_record records[RECORDS_CHECKED];
	uint32_t count = journal->records < RECORDS_CHECKED ? journal->records : RECORDS_CHECKED;
	int found = wm_journal_read(journal, journal->records - count, records, count);
	uint64_t differs = 0;
	bool any_differs = false;

	/* The newest of all first, since that one is named. */
	for (int i = found - 1; i >= 0; i--) {
		int ret = 0;

		if (!still_counts(records, i, found))
			continue;
		ret = has_extent(fd, layout, &records[i], buffer, output_path, error);
		if (ret < 0 || (ret > 0 && !each))
			return ret < 0 ? ret : 0;
		if (ret == 0 && !any_differs)
			differs = records[i].extent;
		any_differs |= ret == 0;
	}
	return any_differs ? refuse(output_path, differs, error) : 0;
}

int wm_journal_check_output(const struct wm_journal *journal, const struct wm_layout *layout,
			    const char *output_path, bool each, struct wm_error *error)
{
	uint8_t *buffer = malloc(wm_layout_extent(layout, 0).out_bytes);
	struct wm_file output = { .fd = -1 };
	int ret = 0;

	if (!buffer)
		ret = wm_error_set(error, ENOMEM, "cannot read output (no memory): %s",
				   output_path);
	if (ret == 0)
		ret = wm_file_open(&output, output_path, "output", error);
	if (ret == 0) {
		ret = check_newest(output.fd, journal, layout, buffer, output_path, each, error);
		close(output.fd);
	}
	free(buffer);
	return ret;
}
