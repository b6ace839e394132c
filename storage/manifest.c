/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A journal's CRCs in the order of the extents. The journal has them in the order
 * in which extents were finished, some twice, and is read once for each window of
 * extents: 12 TB are eleven windows, a second or so each, in memory that does not
 * grow with the job.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "file.h"
#include "path.h"
#include "wiremill/journal.h"

#define NEW_SUFFIX ".new"
/* 1 TiB of output, 5 MiB of memory. */
#define WINDOW_EXTENTS (1u << 20)

struct making {
	const char *path;
	const struct wm_journal *journal;
	int fd;
	uint64_t number; /* of the record being visited */
	struct wm_journal_voids voids;
	uint64_t first, count; /* extents of the window */
	uint32_t crc32c;       /* of the windows before */
	uint32_t *crcs;	       /* WINDOW_EXTENTS */
	bool *present;	       /* WINDOW_EXTENTS */
};

static int refuse(const char *path, int code, struct wm_error *error)
{
	return wm_error_set(error, code, "manifest cannot be written (%s): %s", strerror(code),
			    path);
}

/* ---- what counts -------------------------------------------------------- */

static int note_void(void *context, const struct wm_journal_record *record)
{
	struct making *making = context;

	wm_journal_voids_note(&making->voids, record, making->number++);
	return 0;
}

static int note_extent(void *context, const struct wm_journal_record *record)
{
	struct making *making = context;
	uint64_t number = making->number++;
	uint64_t place = record->extent - making->first;

	if (record->type != WM_JOURNAL_EXTENT || place >= making->count)
		return 0;
	making->crcs[place] = record->crc32c;
	making->present[place] = !wm_journal_voids_has(&making->voids, record, number);
	return 0;
}

/* ---- windows ------------------------------------------------------------ */

static int scan(struct making *making, wm_journal_visit *visit, struct wm_error *error)
{
	making->number = 0;
	return wm_journal_scan(making->journal, visit, making, error);
}

static int check_complete(const struct making *making, struct wm_error *error)
{
	const bool *hole = memchr(making->present, false, making->count);

	if (!hole)
		return 0;
	return wm_error_set(
		error, EBADMSG, "journal has no extent %" PRIu64 " that counts, resume the job: %s",
		making->first + (uint64_t)(hole - making->present), making->journal->path);
}

static int write_window(struct making *making, struct wm_error *error)
{
	size_t bytes = making->count * sizeof(making->crcs[0]);
	int ret;

	memset(making->present, 0, making->count * sizeof(making->present[0]));
	ret = scan(making, note_extent, error);
	if (ret == 0)
		ret = check_complete(making, error);
	if (ret < 0)
		return ret;
	making->crc32c = wm_crc32c(making->crc32c, making->crcs, bytes);
	ret = wm_file_write(making->fd, making->crcs, bytes,
			    WM_JOURNAL_HEADER_BYTES + making->first * sizeof(making->crcs[0]));
	return ret < 0 ? refuse(making->path, -ret, error) : 0;
}

static int write_windows(struct making *making, uint64_t extents, struct wm_error *error)
{
	int ret = scan(making, note_void, error);

	for (making->first = 0; ret == 0 && making->first < extents;
	     making->first += WINDOW_EXTENTS) {
		uint64_t left = extents - making->first;

		making->count = left < WINDOW_EXTENTS ? left : WINDOW_EXTENTS;
		ret = write_window(making, error);
	}
	return ret;
}

/* ---- the file ----------------------------------------------------------- */

static int write_ends(const struct making *making, uint64_t extents, struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	int ret;

	wm_manifest_encode_header(header, &making->journal->identity, making->journal->random);
	ret = wm_file_write(making->fd, header, sizeof(header), 0);
	if (ret == 0)
		ret = wm_file_write(making->fd, &making->crc32c, sizeof(making->crc32c),
				    WM_JOURNAL_HEADER_BYTES + extents * sizeof(uint32_t));
	if (ret == 0 && fsync(making->fd) < 0)
		ret = -errno;
	return ret < 0 ? refuse(making->path, -ret, error) : 0;
}

static int publish(const char *path_new, const char *path, struct wm_error *error)
{
	int ret = rename(path_new, path) < 0 ? -errno : wm_path_sync(path);

	return ret < 0 ? refuse(path, -ret, error) : 0;
}

static int write_file(struct making *making, const char *path_new, struct wm_error *error)
{
	uint64_t extents = wm_journal_extents(&making->journal->identity);
	int ret;

	making->fd = wm_path_create(path_new, 0);
	if (making->fd < 0)
		return refuse(making->path, -making->fd, error);
	ret = write_windows(making, extents, error);
	if (ret == 0)
		ret = write_ends(making, extents, error);
	if (ret == 0)
		ret = publish(path_new, making->path, error);
	if (ret < 0)
		unlink(path_new);
	close(making->fd);
	return ret;
}

int wm_manifest_create(const char *path, const struct wm_journal *journal,
		       const struct wm_layout *layout, struct wm_error *error)
{
	struct making making = { .path = path, .journal = journal };
	char path_new[PATH_MAX];
	int ret;

	assert(wm_journal_extents(&journal->identity) == layout->extents);
	if (snprintf(path_new, sizeof(path_new), "%s%s", path, NEW_SUFFIX) >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "manifest path is too long: %s", path);
	making.crcs = malloc(WINDOW_EXTENTS * sizeof(making.crcs[0]));
	making.present = malloc(WINDOW_EXTENTS * sizeof(making.present[0]));
	if (making.crcs && making.present)
		ret = write_file(&making, path_new, error);
	else
		ret = refuse(path, ENOMEM, error);
	free(making.present);
	free(making.crcs);
	return ret;
}

int wm_manifest_identify(const char *path, struct wm_journal_identity *identity, uint32_t *random,
			 struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count = fd < 0 ? -errno : wm_file_read(fd, header, sizeof(header), 0);

	if (fd >= 0)
		close(fd);
	if (count < 0)
		return wm_error_set(error, (int)-count, "manifest cannot be read (%s): %s",
				    strerror((int)-count), path);
	if (count < (ssize_t)sizeof(header) ||
	    wm_manifest_decode_header(header, identity, random) < 0)
		return wm_error_set(error, EBADMSG,
				    "manifest is none, or its header is damaged: %s", path);
	return 0;
}
