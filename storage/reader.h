/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extents of an output, several in flight at once, and each reduced to its CRC32C: at the
 * speed of the disk, in memory that does not grow with the output. The buffers are not
 * registered with the ring, so that no limit on locked memory keeps an ordinary user from it.
 *
 * One thread at a time, which may block. Between two calls nothing is in flight, so that
 * they may come from different threads.
 */
#ifndef WM_READER_H
#define WM_READER_H

#include <stdint.h>

#include "wiremill/error.h"

struct wm_reader;

struct wm_reader_extent {
	uint64_t offset;
	uint32_t bytes;	 /* WM_EXTENT_BYTES at most */
	uint32_t crc32c; /* of what is there */
	int result;	 /* 0 or a negative errno; -ENODATA: the file ends before */
};

/* -ENOMEM, or what wm_ring_create says, with the line. */
int wm_reader_create(struct wm_reader **reader, struct wm_error *error);
/* Leaves NULL. */
void wm_reader_destroy(struct wm_reader **reader);

/* Reads them from that descriptor, which wants multiples of align_bytes (1: any). 0, or a
 * negative errno of the ring itself: then none of them counts. */
int wm_reader_run(struct wm_reader *reader, int fd, uint32_t align_bytes,
		  struct wm_reader_extent *extents, unsigned count);

#endif
