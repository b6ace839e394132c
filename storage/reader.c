/* SPDX-License-Identifier: BSD-3-Clause */
#include "reader.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

#include "crc32c.h"
#include "ring.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"

/* In flight: while one is reduced the disk has the others to do. */
#define DEPTH 8u

struct slot {
	uint8_t *memory;		 /* WM_EXTENT_BYTES */
	struct wm_reader_extent *extent; /* NULL: free */
	uint32_t have_bytes;
};

struct wm_reader {
	struct io_uring ring;
	int fd;
	uint32_t align_bytes;
	unsigned in_flight;
	struct slot slots[DEPTH];
};

static void free_memory(struct wm_reader *reader)
{
	for (unsigned i = 0; i < DEPTH; i++)
		free(reader->slots[i].memory);
	free(reader);
}

static int allocate(struct wm_reader *reader)
{
	for (unsigned i = 0; i < DEPTH; i++) {
		reader->slots[i].memory = aligned_alloc(WM_STORE_ALIGN_BYTES, WM_EXTENT_BYTES);
		if (!reader->slots[i].memory)
			return -ENOMEM;
	}
	return 0;
}

int wm_reader_create(struct wm_reader **reader, struct wm_error *error)
{
	struct wm_reader *made = calloc(1, sizeof(*made));
	int ret = made ? allocate(made) : -ENOMEM;

	if (ret < 0)
		wm_error_set(error, ENOMEM, "no memory to read an output with: needs %u bytes",
			     DEPTH * WM_EXTENT_BYTES);
	else
		ret = wm_ring_create(&made->ring, DEPTH, 0, error);
	if (ret < 0 && made)
		free_memory(made);
	*reader = ret < 0 ? NULL : made;
	return ret;
}

void wm_reader_destroy(struct wm_reader **reader)
{
	if (!*reader)
		return;
	io_uring_queue_exit(&(*reader)->ring);
	free_memory(*reader);
	*reader = NULL;
}

/* Whole pages, as O_DIRECT wants them; the file ends where it ends. */
static void queue(struct wm_reader *reader, struct slot *slot)
{
	const struct wm_reader_extent *extent = slot->extent;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&reader->ring);
	uint32_t room = (extent->bytes + WM_STORE_ALIGN_BYTES - 1) / WM_STORE_ALIGN_BYTES *
			WM_STORE_ALIGN_BYTES;

	assert(sqe);
	io_uring_prep_read(sqe, reader->fd, slot->memory + slot->have_bytes,
			   room - slot->have_bytes, extent->offset + slot->have_bytes);
	io_uring_sqe_set_data(sqe, slot);
	reader->in_flight++;
}

static void end(struct slot *slot, int result)
{
	slot->extent->result = result;
	if (result == 0)
		slot->extent->crc32c = wm_crc32c(0, slot->memory, slot->extent->bytes);
	slot->extent = NULL;
}

static void complete(struct wm_reader *reader, struct slot *slot, int res)
{
	reader->in_flight--;
	if (res == -EAGAIN || res == -EINTR) {
		queue(reader, slot);
		return;
	}
	slot->have_bytes += res > 0 ? (uint32_t)res : 0;
	if (res < 0)
		end(slot, res);
	else if (slot->have_bytes >= slot->extent->bytes)
		end(slot, 0);
	else if (res == 0 || slot->have_bytes % reader->align_bytes)
		end(slot, -ENODATA);
	else
		queue(reader, slot);
}

static int wait_some(struct wm_reader *reader)
{
	struct io_uring_cqe *cqe;
	int ret = io_uring_submit_and_wait(&reader->ring, 1);

	if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
		return ret;
	while (io_uring_peek_cqe(&reader->ring, &cqe) == 0) {
		struct slot *slot = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&reader->ring, cqe);
		complete(reader, slot, res);
	}
	return 0;
}

/* Fills what is free. Returns how many of the extents are begun by now. */
static unsigned begin_some(struct wm_reader *reader, struct wm_reader_extent *extents,
			   unsigned begun, unsigned count)
{
	for (unsigned i = 0; i < DEPTH && begun < count; i++) {
		struct slot *slot = &reader->slots[i];

		if (slot->extent)
			continue;
		assert(extents[begun].bytes <= WM_EXTENT_BYTES);
		slot->extent = &extents[begun++];
		slot->have_bytes = 0;
		queue(reader, slot);
	}
	return begun;
}

int wm_reader_run(struct wm_reader *reader, int fd, uint32_t align_bytes,
		  struct wm_reader_extent *extents, unsigned count)
{
	unsigned begun = 0;
	int ret = 0;

	reader->fd = fd;
	reader->align_bytes = align_bytes;
	while (ret == 0 && (begun < count || reader->in_flight > 0)) {
		begun = begin_some(reader, extents, begun, count);
		ret = wait_some(reader);
	}
	return ret;
}
