/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An output against its manifest. Extents are read ahead, several at once, and
 * compared in order: so the first that differs is the first, and while one is
 * compared the disk has the others to do.
 */
#include <errno.h>
#include <inttypes.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "file.h"
#include "ring.h"
#include "wiremill/journal.h"
#include "wiremill/limits.h"

/* Extents in flight. The buffers are not registered with the ring, so that no limit
 * on locked memory keeps an ordinary user from verifying. */
#define DEPTH 8u
/* CRCs of the manifest in memory at once. */
#define CRCS_MAX 16384u
/* Extents between two calls of the progress function. */
#define PROGRESS_EXTENTS 16u

struct slot {
	uint8_t *memory; /* WM_EXTENT_BYTES */
	uint64_t offset;
	uint32_t needed_bytes, have_bytes;
	bool ready;
	int result;
};

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
	struct io_uring ring;
	unsigned in_flight;
	uint64_t queued; /* the next extent to read */
	struct slot slots[DEPTH];
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

/* ---- reading ahead ------------------------------------------------------ */

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

/* Whole pages, as O_DIRECT wants them; the file ends where it ends. */
static void queue(struct check *check, struct slot *slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&check->ring);
	uint32_t room = (slot->needed_bytes + WM_STORE_ALIGN_BYTES - 1) / WM_STORE_ALIGN_BYTES *
			WM_STORE_ALIGN_BYTES;

	assert(sqe);
	io_uring_prep_read(sqe, check->output.fd, slot->memory + slot->have_bytes,
			   room - slot->have_bytes, slot->offset + slot->have_bytes);
	io_uring_sqe_set_data(sqe, slot);
	check->in_flight++;
}

static void queue_extent(struct check *check, uint64_t extent)
{
	struct slot *slot = &check->slots[extent % DEPTH];
	uint64_t left = check->identity.output_bytes - extent * check->extent_bytes;

	slot->offset = extent * check->extent_bytes;
	slot->needed_bytes = (uint32_t)(left < check->extent_bytes ? left : check->extent_bytes);
	slot->have_bytes = 0;
	slot->ready = false;
	slot->result = 0;
	queue(check, slot);
}

static void complete(struct check *check, struct slot *slot, int res)
{
	check->in_flight--;
	if (res == -EAGAIN || res == -EINTR) {
		queue(check, slot);
		return;
	}
	slot->have_bytes += res > 0 ? (uint32_t)res : 0;
	slot->ready = true;
	if (res < 0)
		slot->result = res;
	else if (slot->have_bytes >= slot->needed_bytes)
		slot->result = 0;
	else if (res == 0 || slot->have_bytes % check->align_bytes)
		slot->result = -ENODATA; /* it shrank meanwhile */
	else
		slot->ready = false, queue(check, slot);
}

/* One completion; it may be the slot's, or another's. */
static int wait_one(struct check *check)
{
	struct io_uring_cqe *cqe;
	int ret = io_uring_submit_and_wait(&check->ring, 1);

	if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
		return ret;
	while (io_uring_peek_cqe(&check->ring, &cqe) == 0) {
		struct slot *slot = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&check->ring, cqe);
		complete(check, slot, res);
	}
	return 0;
}

static int wait_for(struct check *check, const struct slot *slot, struct wm_error *error)
{
	int ret = 0;

	while (ret == 0 && !slot->ready)
		ret = wait_one(check);
	if (ret == 0)
		ret = slot->result;
	if (ret == 0)
		return 0;
	return wm_error_set(error, -ret, "output cannot be read at %" PRIu64 " (%s): %s",
			    slot->offset, strerror(-ret), check->output_path);
}

/* Memory that the kernel may still write to must not be given back. */
static void drain(struct check *check)
{
	while (check->in_flight > 0 && wait_one(check) == 0)
		;
}

/* ---- comparison --------------------------------------------------------- */

static bool go_on(const struct check *check, uint64_t extent, uint64_t done_bytes)
{
	if (!check->progress || (extent % PROGRESS_EXTENTS && extent + 1 < check->whole))
		return true;
	return check->progress(check->context, done_bytes, check->identity.output_bytes);
}

/* 0: as it should be; 1: it differs. */
static int compare_extent(struct check *check, uint64_t extent, uint32_t crc32c,
			  struct wm_verify_result *result, struct wm_error *error)
{
	struct slot *slot = &check->slots[extent % DEPTH];
	int ret;

	for (; check->queued < check->whole && check->queued < extent + DEPTH; check->queued++)
		queue_extent(check, check->queued);
	ret = wait_for(check, slot, error);
	if (ret < 0)
		return ret;
	result->offset = slot->offset;
	if (wm_crc32c(0, slot->memory, slot->needed_bytes) != crc32c)
		return 1;
	result->bytes_checked = slot->offset + slot->needed_bytes;
	if (!go_on(check, extent, result->bytes_checked))
		return wm_error_set(error, ECANCELED, "verification was stopped");
	return 0;
}

static int compare_extents(struct check *check, struct wm_verify_result *result,
			   struct wm_error *error)
{
	int ret = 0;

	for (uint64_t extent = 0, count; ret == 0 && extent < check->whole; extent++) {
		if (extent % CRCS_MAX == 0)
			ret = load_crcs(check, extent, &count, error);
		if (ret == 0)
			ret = compare_extent(check, extent, check->crcs[extent % CRCS_MAX], result,
					     error);
	}
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

static int allocate(struct check *check, struct wm_error *error)
{
	for (unsigned i = 0; i < DEPTH; i++) {
		check->slots[i].memory = aligned_alloc(WM_STORE_ALIGN_BYTES, WM_EXTENT_BYTES);
		if (!check->slots[i].memory)
			return wm_error_set(error, ENOMEM,
					    "no memory to verify with: needs %u bytes",
					    DEPTH * WM_EXTENT_BYTES);
	}
	return 0;
}

static void free_memory(struct check *check)
{
	for (unsigned i = 0; i < DEPTH; i++)
		free(check->slots[i].memory);
	free(check);
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
	ret = allocate(check, error);
	if (ret < 0)
		goto free_check;
	ret = open_both(check, error);
	if (ret < 0)
		goto free_check;
	ret = wm_ring_create(&check->ring, DEPTH, 0, error);
	if (ret < 0)
		goto close_both;

	wm_file_set_direct(check->output.fd, check->output.block_device, &check->align_bytes);
	measure(check);
	*result = (struct wm_verify_result){ .equal = false };
	ret = compare(check, result, error);
	drain(check);
	io_uring_queue_exit(&check->ring);

close_both:
	close(check->output.fd);
	close(check->manifest.fd);
free_check:
	free_memory(check);
	return ret;
}
