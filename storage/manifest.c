/* SPDX-License-Identifier: BSD-3-Clause */
/* A journal's CRCs in the order of the extents (window.h), as a file. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "file.h"
#include "log.h"
#include "path.h"
#include "window.h"
#include "wiremill/journal.h"
#include "wiremill/side.h"

#define NEW_SUFFIX ".new"

struct making {
	const char *path;
	const struct wm_journal *journal;
	int fd;
	struct wm_window window;
	uint32_t crc32c; /* of the windows before */
};

static int refuse(const char *path, int code, struct wm_error *error)
{
	return wm_error_set(error, code, "manifest cannot be written (%s): %s", wm_errno_text(code),
			    path);
}

/* ---- windows ------------------------------------------------------------ */

static int check_complete(const struct making *making, struct wm_error *error)
{
	const struct wm_window *window = &making->window;
	const bool *hole = memchr(window->present, false, window->count);

	if (!hole)
		return 0;
	return wm_error_set(
		error, EBADMSG, "journal has no extent %" PRIu64 " that counts, resume the job: %s",
		window->first + (uint64_t)(hole - window->present), making->journal->path);
}

static int write_window(struct making *making, uint64_t first, struct wm_error *error)
{
	const struct wm_window *window = &making->window;
	size_t bytes;
	int ret = wm_window_load(&making->window, first, error);

	if (ret == 0)
		ret = check_complete(making, error);
	if (ret < 0)
		return ret;
	bytes = window->count * sizeof(window->crcs[0]);
	making->crc32c = wm_crc32c(making->crc32c, window->crcs, bytes);
	ret = wm_file_write(making->fd, window->crcs, bytes,
			    WM_JOURNAL_HEADER_BYTES + first * sizeof(window->crcs[0]));
	return ret < 0 ? refuse(making->path, -ret, error) : 0;
}

static int write_windows(struct making *making, uint64_t extents, struct wm_error *error)
{
	int ret = 0;

	for (uint64_t first = 0; ret == 0 && first < extents; first += WM_WINDOW_EXTENTS)
		ret = write_window(making, first, error);
	return ret;
}

/* ---- the file ----------------------------------------------------------- */

static uint64_t crc_offset(uint64_t extent)
{
	return WM_JOURNAL_HEADER_BYTES + extent * sizeof(uint32_t);
}

uint64_t wm_manifest_bytes(uint64_t extents)
{
	return crc_offset(extents + 1);
}

/* What an earlier life reserved, if it is ours alone: another name of it may matter. */
static int open_reserved(const char *path_new)
{
	int fd = wm_side_open(path_new, O_RDWR);
	struct stat status;

	if (fd < 0)
		return fd;
	if (wm_side_is_ours(fd, path_new, WM_SIDE_MANIFEST_NEW) && fstat(fd, &status) == 0 &&
	    status.st_nlink == 1)
		return fd;
	close(fd);
	return -ENOENT;
}

/* Durable, so that nobody else's file ever looks like it. */
static int write_header(int fd, const struct wm_journal *journal)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	int ret;

	wm_manifest_encode_header(header, &journal->identity, journal->random);
	ret = wm_file_write(fd, header, sizeof(header), 0);
	return ret == 0 && fsync(fd) < 0 ? -errno : ret;
}

static int reserve(int fd, const struct wm_journal *journal)
{
	off_t bytes = (off_t)wm_manifest_bytes(wm_journal_extents(&journal->identity));

	if (fallocate(fd, 0, 0, bytes) < 0 && errno != EOPNOTSUPP)
		return -errno;
	return ftruncate(fd, bytes) < 0 ? -errno : 0;
}

/* A descriptor of the whole file, full of nothing yet. */
static int open_new(const char *path_new, const struct wm_journal *journal, struct wm_error *error)
{
	int fd = open_reserved(path_new);
	int ret;

	if (fd < 0)
		fd = wm_side_create(path_new, WM_SIDE_MANIFEST_NEW, 0);
	if (fd < 0)
		return wm_side_refuse(path_new, WM_SIDE_MANIFEST_NEW, -fd, error);
	ret = write_header(fd, journal);
	if (ret == 0)
		ret = reserve(fd, journal);
	if (ret == 0)
		return fd;
	unlink(path_new);
	close(fd);
	return refuse(path_new, -ret, error);
}

static int name_new(char path_new[PATH_MAX], const char *path, struct wm_error *error)
{
	if (snprintf(path_new, PATH_MAX, "%s%s", path, NEW_SUFFIX) >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "manifest path is too long: %s", path);
	return 0;
}

int wm_manifest_reserve(const char *path, const struct wm_journal *journal, struct wm_error *error)
{
	char path_new[PATH_MAX];
	int ret = name_new(path_new, path, error);
	int fd = ret < 0 ? ret : open_new(path_new, journal, error);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

void wm_manifest_unreserve(const char *path)
{
	char path_new[PATH_MAX];
	int ret = name_new(path_new, path, NULL);

	if (ret == 0)
		ret = wm_side_remove(path_new, WM_SIDE_MANIFEST_NEW);
	if (ret < 0)
		wm_log_warning("a manifest's reserved space cannot be removed (%s): %s",
			       wm_errno_text(-ret), path);
}

static int write_closing(const struct making *making, uint64_t extents, struct wm_error *error)
{
	int ret = wm_file_write(making->fd, &making->crc32c, sizeof(making->crc32c),
				crc_offset(extents));

	return ret < 0 ? refuse(making->path, -ret, error) : 0;
}

/* It tells of the output, so whoever may read that may read it. */
static int set_mode(const struct making *making, const char *output_path, struct wm_error *error)
{
	struct stat output;

	if (stat(output_path, &output) < 0)
		return refuse(making->path, errno, error);
	wm_file_set_mode(making->fd, &output, output.st_mode & 0666, making->path);
	return fsync(making->fd) < 0 ? refuse(making->path, errno, error) : 0;
}

static int publish(const char *path_new, const char *path, struct wm_error *error)
{
	int ret = wm_side_remove(path, WM_SIDE_MANIFEST);

	if (ret == 0)
		ret = wm_path_rename_new(path_new, path);
	if (ret == 0)
		ret = wm_path_sync(path);
	return ret < 0 ? wm_side_refuse(path, WM_SIDE_MANIFEST, -ret, error) : 0;
}

static int write_file(struct making *making, const char *path_new, const char *output_path,
		      struct wm_error *error)
{
	uint64_t extents = wm_journal_extents(&making->journal->identity);
	int ret;

	making->fd = open_new(path_new, making->journal, error);
	if (making->fd < 0)
		return making->fd;
	ret = write_windows(making, extents, error);
	if (ret == 0)
		ret = write_closing(making, extents, error);
	if (ret == 0)
		ret = set_mode(making, output_path, error);
	if (ret == 0)
		ret = publish(path_new, making->path, error);
	close(making->fd);
	return ret;
}

int wm_manifest_create(const char *path, const char *output_path, const struct wm_journal *journal,
		       const struct wm_layout *layout, struct wm_error *error)
{
	struct making making = { .path = path, .journal = journal };
	char path_new[PATH_MAX];
	int ret = name_new(path_new, path, error);

	assert(wm_journal_extents(&journal->identity) == layout->extents);
	if (ret < 0)
		return ret;
	ret = wm_window_init(&making.window, journal, error);
	if (ret < 0)
		return ret;
	ret = write_file(&making, path_new, output_path, error);
	wm_window_fini(&making.window);
	return ret;
}

int wm_manifest_identify(const char *path, struct wm_journal_identity *identity, uint32_t *random,
			 struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	int fd = wm_side_open(path, O_RDONLY);
	ssize_t count = fd < 0 ? fd : wm_file_read(fd, header, sizeof(header), 0);

	if (fd >= 0)
		close(fd);
	if (count < 0)
		return wm_error_set(error, (int)-count, "manifest cannot be read (%s): %s",
				    wm_errno_text((int)-count), path);
	if (count < (ssize_t)sizeof(header) ||
	    wm_manifest_decode_header(header, identity, random) < 0)
		return wm_error_set(error, EBADMSG,
				    "manifest is none, or its header is damaged: %s", path);
	return 0;
}
