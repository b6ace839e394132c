/* SPDX-License-Identifier: BSD-3-Clause */
/* Does an output really hold what its journal vouches for? */
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

/* Not when a later record is of the same extent, or makes it void: then it may be on
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

static int check_extent(int fd, const struct wm_layout *layout,
			const struct wm_journal_record *record, uint8_t *buffer,
			const char *output_path, struct wm_error *error)
{
	struct wm_span span = wm_layout_extent(layout, record->extent);
	ssize_t ret = wm_file_read(fd, buffer, span.out_bytes, span.out_offset);

	if (ret < 0)
		return wm_error_set(error, (int)-ret, "cannot read output (%s): %s",
				    strerror((int)-ret), output_path);
	if ((size_t)ret == span.out_bytes && wm_crc32c(0, buffer, span.out_bytes) == record->crc32c)
		return 0;
	return wm_error_set(error, EINVAL,
			    "output is not what its journal vouches for at extent %" PRIu64
			    ", begin anew with --force: %s",
			    record->extent, output_path);
}

int wm_journal_check_output(const struct wm_journal *journal, const struct wm_layout *layout,
			    const char *output_path, struct wm_error *error)
{
	struct wm_journal_record records[RECORDS_CHECKED];
	uint32_t count = journal->records < RECORDS_CHECKED ? journal->records : RECORDS_CHECKED;
	uint8_t *buffer = malloc(wm_layout_extent(layout, 0).out_bytes);
	struct wm_file output = { .fd = -1 };
	int ret = 0, found;

	if (!buffer)
		ret = wm_error_set(error, ENOMEM, "cannot read output (no memory): %s",
				   output_path);
	if (ret == 0)
		ret = wm_file_open(&output, output_path, "output", error);
	if (ret < 0)
		goto free_buffer;
	found = wm_journal_read(journal, journal->records - count, records, count);
	for (int i = 0; i < found && ret == 0; i++) {
		if (still_counts(records, i, found))
			ret = check_extent(output.fd, layout, &records[i], buffer, output_path,
					   error);
	}
	close(output.fd);

free_buffer:
	free(buffer);
	return ret;
}
