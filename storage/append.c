/* SPDX-License-Identifier: BSD-3-Clause */
#include "append.h"

#include <errno.h>
#include <fcntl.h>

#include "source.h"

static uint32_t total_bytes(const struct wm_append *append)
{
	return append->record_count * WM_JOURNAL_RECORD_BYTES;
}

void wm_append_begin(struct wm_append *append, struct wm_journal *journal,
		     const struct wm_source *source, int fd_output,
		     const struct wm_journal_record *records, uint32_t record_count)
{
	append->journal = journal;
	append->source = source;
	append->fd_output = fd_output;
	append->step = WM_APPEND_SYNC;
	append->record_count = record_count;
	append->done_bytes = 0;
	for (uint32_t i = 0; i < record_count; i++)
		wm_journal_encode_record(append->bytes + i * WM_JOURNAL_RECORD_BYTES, &records[i],
					 journal->random, journal->records + i);
}

void wm_append_prepare(struct wm_append *append, struct io_uring_sqe *sqe)
{
	const struct wm_journal *journal = append->journal;
	uint64_t offset = WM_JOURNAL_HEADER_BYTES +
			  (uint64_t)journal->records * WM_JOURNAL_RECORD_BYTES;

	switch (append->step) {
	case WM_APPEND_SYNC:
		io_uring_prep_fsync(sqe, append->fd_output, IORING_FSYNC_DATASYNC);
		break;
	case WM_APPEND_LOOK:
		io_uring_prep_statx(sqe, append->source->fd, "", AT_EMPTY_PATH,
				    WM_SOURCE_STATX_MASK, &append->input);
		break;
	case WM_APPEND_WRITE:
		io_uring_prep_write(sqe, journal->fd, append->bytes + append->done_bytes,
				    total_bytes(append) - append->done_bytes,
				    offset + append->done_bytes);
		break;
	}
}

/* What is left in the file after a failure may outlive a later, shorter append and
 * follow it with numbers that fit. So the journal takes no more until it is opened
 * again, which reads what is there. */
static bool fail(struct wm_append *append, int code, int *result)
{
	append->journal->failed = true;
	append->journal = NULL;
	*result = code;
	return true;
}

static bool advance_write(struct wm_append *append, int res, int *result)
{
	if (res == 0)
		return fail(append, -EIO, result);
	append->done_bytes += (uint32_t)res;
	if (append->done_bytes < total_bytes(append))
		return false;
	append->journal->records += append->record_count;
	append->journal = NULL;
	*result = 0;
	return true;
}

bool wm_append_advance(struct wm_append *append, int res, int *result)
{
	if (res == -EAGAIN || res == -EINTR)
		return false;
	if (res < 0)
		return fail(append, append->step == WM_APPEND_LOOK ? -WM_STORE_INPUT_CHANGED : res,
			    result);
	switch (append->step) {
	case WM_APPEND_SYNC:
		append->step = append->source->block_device ? WM_APPEND_WRITE : WM_APPEND_LOOK;
		return false;
	case WM_APPEND_LOOK:
		if (wm_source_compare(append->source, &append->input))
			return fail(append, -WM_STORE_INPUT_CHANGED, result);
		append->step = WM_APPEND_WRITE;
		return false;
	default:
		return advance_write(append, res, result);
	}
}
