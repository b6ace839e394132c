/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An append to a journal, as requests on a lane's ring: one after the other,
 *
 *   fdatasync of the output ─▶ a look at the input ─▶ one write of the records, O_DSYNC
 *
 * Each is queued when the one before has succeeded, not as a chain of
 * IOSQE_IO_LINK: where the kernel runs out of memory in the middle it submits
 * the first alone, and the next, asked for again, would no longer wait for it.
 *
 * fdatasync covers the inode, so also what went through the sink's other
 * descriptor (fd_tail), and the size and blocks that reading it back needs. That
 * holds for writes that were reported before; none that is still in flight.
 *
 * The input is looked at (statx) after all reads that the records rest on: if it is still
 * what was opened, so was what they saw. As a request, which a thread of the kernel's
 * carries out, since a file system may ask another machine; once a group, not an extent.
 * Not of a block device, whose node tells nothing.
 *
 * O_DSYNC and one write, not a write and an fsync: what the completion says is
 * durable, and no time lies between in which a record is there but may vanish.
 */
#ifndef WM_APPEND_H
#define WM_APPEND_H

#include <liburing.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "wiremill/journal.h"

enum wm_append_step { WM_APPEND_SYNC, WM_APPEND_LOOK, WM_APPEND_WRITE };

struct wm_append {
	struct wm_journal *journal; /* NULL: none under way */
	const struct wm_source *source;
	int fd_output;
	enum wm_append_step step;
	struct statx input;
	uint32_t record_count;
	uint32_t done_bytes; /* of the records */
	uint8_t bytes[WM_STORE_JOURNAL_RECORDS_MAX * WM_JOURNAL_RECORD_BYTES];
};

/* Encodes the records. */
void wm_append_begin(struct wm_append *append, struct wm_journal *journal,
		     const struct wm_source *source, int fd_output,
		     const struct wm_journal_record *records, uint32_t record_count);
/* The next request. */
void wm_append_prepare(struct wm_append *append, struct io_uring_sqe *sqe);
/* Takes its completion: true when the append has ended, with its result. */
bool wm_append_advance(struct wm_append *append, int res, int *result);

#endif
