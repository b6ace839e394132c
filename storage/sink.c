/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The output's life, as names on the disk:
 *
 *   check     OUTPUT (kept, with force)
 *   claim     OUTPUT (kept, with force)   OUTPUT.wm-partial, locked: empty, or an old one
 *   create    OUTPUT (kept, with force)   OUTPUT.wm-partial, locked, marked and reserved
 *   commit    OUTPUT
 *   abandon   OUTPUT (kept, with force)
 *   suspend   OUTPUT (kept, with force)   OUTPUT.wm-partial, for a later resume
 *
 * An output that is a symbolic link stands for the file it leads to: that one is
 * replaced, beside it lies the partial file, and the link stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backing.h"
#include "file.h"
#include "log.h"
#include "path.h"
#include "queue.h"
#include "sink_private.h"
#include "wiremill/journal.h"
#include "wiremill/side.h"

/* Attempts to make the partial file while somebody else removes it. */
#define CREATE_ATTEMPTS 8

/* ---- names -------------------------------------------------------------- */

/* The name that the partial file gets in the end. */
static void target_of(char target[PATH_MAX], const struct wm_sink *sink)
{
	size_t length = strlen(sink->path_partial);

	if (!sink->block_device)
		length -= strlen(wm_side_suffix(WM_SIDE_PARTIAL));
	memcpy(target, sink->path_partial, length);
	target[length] = '\0';
}

/* ---- claim -------------------------------------------------------------- */

/* A remainder of a job that died: locked, and still there. -ENOENT: there is none. */
static int claim_left(const struct wm_sink *sink, struct wm_error *error)
{
	int fd = wm_sink_open_partial(sink, error);
	int ret;

	if (fd < 0)
		return fd;
	ret = wm_sink_lock(sink, fd, error);
	if (ret == 0 && !wm_file_is_named(fd, sink->path_partial))
		ret = -ENOENT;
	if (ret < 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

/* An empty one. -EEXIST, without a line: somebody else was faster. */
static int claim_new(const struct wm_sink *sink, struct wm_error *error)
{
	int fd = open(sink->path_partial, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	int ret;

	if (fd < 0)
		return errno == EEXIST ? -EEXIST : wm_sink_refuse_partial(sink, errno, error);
	ret = wm_sink_lock(sink, fd, error);
	/* Until it was locked, another job may have taken it for a remainder. */
	if (ret == -EBUSY || (ret == 0 && !wm_file_is_named(fd, sink->path_partial)))
		ret = -EEXIST;
	else if (ret < 0)
		unlink(sink->path_partial);
	if (ret < 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

static int claim_file(struct wm_sink *sink, struct wm_error *error)
{
	for (unsigned i = 0; i < CREATE_ATTEMPTS; i++) {
		int fd = claim_left(sink, error);

		sink->left = fd >= 0;
		if (fd == -ENOENT)
			fd = claim_new(sink, error);
		if (fd != -EEXIST || sink->left)
			return fd;
	}
	return wm_sink_refuse_busy(sink->path, error);
}

int wm_sink_claim(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		  const struct wm_source *source, struct wm_error *error)
{
	int ret = wm_sink_prepare(sink, path, bytes, force, false, source, error);

	if (ret < 0)
		return ret;
	sink->fd = sink->block_device ? wm_sink_open_device(sink, O_RDWR, error)
				      : claim_file(sink, error);
	return sink->fd < 0 ? sink->fd : 0;
}

/* ---- creation ----------------------------------------------------------- */

/* Removed, not truncated: it may be another name of a file that matters. The old lock is
 * held until the new one is. */
static int replace_left(struct wm_sink *sink, struct wm_error *error)
{
	int fd;

	if (unlink(sink->path_partial) < 0 && errno != ENOENT)
		return wm_sink_refuse_partial(sink, errno, error);
	fd = claim_new(sink, error);
	if (fd < 0)
		return fd == -EEXIST ? wm_sink_refuse_busy(sink->path, error) : fd;
	close(sink->fd);
	sink->fd = fd;
	sink->left = false;
	return 0;
}

static void remove_partial(const struct wm_sink *sink)
{
	if (wm_file_is_named(sink->fd, sink->path_partial))
		unlink(sink->path_partial);
}

static int refuse_reservation(const struct wm_sink *sink, int code, struct wm_error *error)
{
	char directory[PATH_MAX];
	struct statvfs disk;

	/* What is free shows when its own part is. */
	remove_partial(sink);
	wm_path_directory(directory, sink->path_partial);
	if (code == ENOSPC && statvfs(directory, &disk) == 0)
		return wm_sink_refuse_full(sink->path, sink->bytes,
					   (uint64_t)disk.f_bavail * disk.f_frsize, error);
	return wm_error_set(error, code, "output of %" PRIu64 " bytes cannot be reserved (%s): %s",
			    sink->bytes, wm_errno_text(code), sink->path);
}

/* Durable before there is more of the file, so that it never is one without. The first
 * extent overwrites it. */
static int write_mark(const struct wm_sink *sink, struct wm_error *error)
{
	size_t count = sink->bytes < WM_SIDE_MARK_BYTES ? sink->bytes : WM_SIDE_MARK_BYTES;
	int ret = wm_file_write(sink->fd, wm_side_mark(WM_SIDE_PARTIAL), count, 0);

	if (ret == 0 && fsync(sink->fd) < 0)
		ret = -errno;
	return ret < 0 ? refuse_reservation(sink, -ret, error) : 0;
}

static int reserve(const struct wm_sink *sink, struct wm_error *error)
{
	int ret;

	do {
		ret = fallocate(sink->fd, 0, 0, (off_t)sink->bytes);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0 && errno == EOPNOTSUPP) {
		wm_log_warning("file system cannot reserve space, the disk may fill up: %s",
			       sink->path);
		ret = ftruncate(sink->fd, (off_t)sink->bytes);
	}
	return ret < 0 ? refuse_reservation(sink, errno, error) : 0;
}

static int make_file(struct wm_sink *sink, struct wm_error *error)
{
	int ret = sink->left ? replace_left(sink, error) : 0;

	if (ret == 0)
		ret = write_mark(sink, error);
	return ret == 0 ? reserve(sink, error) : ret;
}

static int open_tail(struct wm_sink *sink, struct wm_error *error)
{
	struct stat status;

	if (fstat(sink->fd, &status) == 0)
		wm_queue_find(&sink->queue, &status, WM_BACKING_SYSFS);
	sink->direct = wm_file_set_direct(sink->fd, sink->block_device, &sink->align_bytes);
	if (!sink->direct)
		return 0;
	/* A second open file: O_DIRECT belongs to it, dup() would share it. */
	sink->fd_tail = open(sink->path_partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return sink->fd_tail < 0 ? wm_sink_refuse_partial(sink, errno, error) : 0;
}

int wm_sink_make(struct wm_sink *sink, struct wm_error *error)
{
	int ret = sink->block_device ? 0 : make_file(sink, error);

	if (ret == 0)
		ret = open_tail(sink, error);
	if (ret < 0)
		wm_sink_abandon(sink);
	return ret;
}

int wm_sink_create(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		   const struct wm_source *source, struct wm_error *error)
{
	int ret = wm_sink_claim(sink, path, bytes, force, source, error);

	return ret < 0 ? ret : wm_sink_make(sink, error);
}

/* ---- resumption --------------------------------------------------------- */

static int check_left(const struct wm_sink *sink, int fd, struct wm_error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return wm_sink_refuse_partial(sink, errno, error);
	if ((uint64_t)status.st_size == sink->bytes)
		return 0;
	return wm_error_set(error, EINVAL,
			    "partial output has %" PRIu64 " bytes, the job's has %" PRIu64
			    ", begin anew with --force: %s",
			    (uint64_t)status.st_size, sink->bytes, sink->path_partial);
}

static int open_left(struct wm_sink *sink, struct wm_error *error)
{
	int fd = claim_left(sink, error);
	int ret;

	if (fd == -ENOENT)
		return wm_error_set(error, ENOENT,
				    "partial output does not exist, begin anew with --force: %s",
				    sink->path_partial);
	if (fd < 0)
		return fd;
	ret = check_left(sink, fd, error);
	if (ret < 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

int wm_sink_resume(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		   const struct wm_source *source, struct wm_error *error)
{
	int ret = wm_sink_prepare(sink, path, bytes, force, true, source, error);

	if (ret < 0)
		return ret;
	sink->fd = sink->block_device ? wm_sink_open_device(sink, O_RDWR, error)
				      : open_left(sink, error);
	if (sink->fd < 0)
		return sink->fd;
	ret = open_tail(sink, error);
	if (ret < 0)
		wm_sink_suspend(sink);
	return ret;
}

/* ---- the end ------------------------------------------------------------ */

static void close_both(struct wm_sink *sink)
{
	/* Else it would last while a child between fork and exec, or somebody who
	 * looks into /proc, still has the open file. */
	wm_sink_unlock(sink->fd);
	if (sink->fd_tail >= 0)
		close(sink->fd_tail);
	close(sink->fd);
	sink->fd = sink->fd_tail = -1;
}

/* As cp would: of an output that is replaced its own, else that of a new file; in no case
 * open to more than the input. */
static void set_mode(const struct wm_sink *sink, const char *target)
{
	struct stat old;
	bool replaces = stat(target, &old) == 0 && S_ISREG(old.st_mode);
	mode_t mode = replaces ? old.st_mode & 0777 : 0666 & ~wm_path_umask();

	wm_file_set_mode(sink->fd, replaces ? &old : NULL, mode & sink->mode_max, sink->path);
}

static int give_name(const struct wm_sink *sink, const char *target)
{
	if (!sink->force)
		return wm_path_rename_new(sink->path_partial, target);
	return rename(sink->path_partial, target) < 0 ? -errno : 0;
}

/* Whatever took the name meanwhile would be published as the output. */
static int check_partial(const struct wm_sink *sink, struct wm_error *error)
{
	if (wm_file_is_named(sink->fd, sink->path_partial))
		return 0;
	return wm_error_set(error, ESTALE,
			    "output was moved, removed or replaced where it was written: put it "
			    "back, or begin anew: %s",
			    sink->path_partial);
}

static int publish(const struct wm_sink *sink, const char *target, struct wm_error *error)
{
	int ret = check_partial(sink, error);

	if (ret < 0)
		return ret;
	ret = give_name(sink, target);
	if (ret < 0)
		return wm_error_set(
			error, -ret,
			"output is complete but cannot get its name (%s), take it from %s",
			wm_errno_text(-ret), sink->path_partial);
	ret = wm_path_sync(target);
	if (ret < 0)
		return wm_error_set(error, -ret,
				    "output's directory cannot be made durable (%s): %s",
				    wm_errno_text(-ret), sink->path);
	return 0;
}

int wm_sink_commit(struct wm_sink *sink, struct wm_error *error)
{
	char target[PATH_MAX];
	int ret = 0;

	target_of(target, sink);
	if (!sink->block_device)
		set_mode(sink, target);
	if (fsync(sink->fd) < 0)
		ret = -errno;
	/* The file stays: every extent was made durable before its record was. */
	if (ret < 0)
		ret = wm_error_set(error, -ret, "output cannot be made durable (%s): %s",
				   wm_errno_text(-ret), sink->path);
	else if (!sink->block_device)
		ret = publish(sink, target, error);
	close_both(sink);
	return ret;
}

void wm_sink_abandon(struct wm_sink *sink)
{
	/* One that was only claimed is another job's work. */
	if (!sink->block_device && !sink->left)
		remove_partial(sink);
	close_both(sink);
}

void wm_sink_suspend(struct wm_sink *sink)
{
	close_both(sink);
}
