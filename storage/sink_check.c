/* SPDX-License-Identifier: BSD-3-Clause */
/* What an output is refused for, before anything is written. */
#include "sink_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backing.h"
#include "file.h"
#include "path.h"
#include "wiremill/side.h"

static int check_type(const char *path, const struct stat *status, struct wm_error *error)
{
	switch (wm_file_check_type(status)) {
	case 0:
		return 0;
	case -EISDIR:
		return wm_error_set(error, EISDIR, "output is a directory, give a file: %s", path);
	default:
		return wm_error_set(error, EINVAL,
				    "output is neither a file nor a block device: %s", path);
	}
}

static int refuse_existing(const char *path, const struct stat *status, bool resumes,
			   struct wm_error *error)
{
	if (resumes)
		return wm_error_set(error, EEXIST,
				    "output exists, and was not to be replaced: move it away, and "
				    "resume again: %s",
				    path);
	if (S_ISBLK(status->st_mode))
		return wm_error_set(error, EEXIST,
				    "output is a block device, --force overwrites it: %s", path);
	return wm_error_set(error, EEXIST, "output exists, --force replaces it: %s", path);
}

/*
 * Directly, or as a loop device and its file, a partition and its disk, and so on. Of an
 * output that is not there yet that is the device of its file system.
 */
static int check_apart(const struct wm_sink *sink, const struct wm_source *source,
		       struct wm_error *error)
{
	struct wm_backing input, output;
	struct stat status, status_source;
	char directory[PATH_MAX];

	wm_path_directory(directory, sink->path_partial);
	if (!source || fstat(source->fd, &status_source) < 0 ||
	    (stat(sink->path_partial, &status) < 0 && stat(directory, &status) < 0))
		return 0;
	if (wm_file_is(&status, source->device, source->inode))
		return wm_error_set(error, EINVAL, "output is the input: %s", sink->path);
	wm_backing_find(&input, &status_source, WM_BACKING_SYSFS);
	wm_backing_find(&output, &status, WM_BACKING_SYSFS);
	if (!wm_backing_overlaps(&input, &output))
		return 0;
	return wm_error_set(error, EINVAL,
			    "output is stored where the input is, and would overwrite it: %s",
			    sink->path);
}

static int check_directory(const char *path_partial, struct wm_error *error)
{
	char directory[PATH_MAX];
	struct stat status;

	wm_path_directory(directory, path_partial);
	if (stat(directory, &status) < 0)
		return wm_error_set(error, errno, "output directory cannot be used (%s): %s",
				    wm_errno_text(errno), directory);
	if (!S_ISDIR(status.st_mode))
		return wm_error_set(error, ENOTDIR, "output directory is no directory: %s",
				    directory);
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	if (errno == EROFS)
		return wm_error_set(error, EROFS,
				    "output is on a file system mounted read-only: %s", directory);
	return wm_error_set(error, errno, "output directory may not be written by user %u: %s",
			    geteuid(), directory);
}

int wm_sink_refuse_full(const char *path, uint64_t bytes, uint64_t free_bytes,
			struct wm_error *error)
{
	return wm_error_set(error, ENOSPC,
			    "output needs %" PRIu64 " bytes, only %" PRIu64 " are free: %s", bytes,
			    free_bytes, path);
}

/* Only what is certain: quotas and reserved blocks show when space is taken. */
static int check_space(const struct wm_sink *sink, struct wm_error *error)
{
	char directory[PATH_MAX];
	struct statvfs disk;
	struct stat stale;
	uint64_t free_bytes;

	wm_path_directory(directory, sink->path_partial);
	if (statvfs(directory, &disk) < 0 || disk.f_blocks == 0)
		return 0;
	free_bytes = (uint64_t)disk.f_bfree * disk.f_frsize;
	if (lstat(sink->path_partial, &stale) == 0)
		free_bytes += (uint64_t)stale.st_blocks * 512;
	if (sink->bytes <= free_bytes)
		return 0;
	return wm_sink_refuse_full(sink->path, sink->bytes, free_bytes, error);
}

/* ---- the lock ----------------------------------------------------------- */

static struct flock whole_file_lock(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

int wm_sink_refuse_busy(const char *path, struct wm_error *error)
{
	return wm_error_set(error, EBUSY, "output is being written by another job: %s", path);
}

/* A file system that has no locks says so, and is not somebody else's job. */
static int refuse_lock(const struct wm_sink *sink, int code, struct wm_error *error)
{
	if (code == EAGAIN || code == EACCES)
		return wm_sink_refuse_busy(sink->path, error);
	return wm_error_set(error, code,
			    "output's file system gives no lock (%s), so that two jobs could write "
			    "it, choose another: %s",
			    wm_errno_text(code), sink->path);
}

int wm_sink_lock(const struct wm_sink *sink, int fd, struct wm_error *error)
{
	struct flock lock = whole_file_lock(F_WRLCK);

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? refuse_lock(sink, errno, error) : 0;
}

void wm_sink_unlock(int fd)
{
	struct flock unlock = whole_file_lock(F_UNLCK);

	fcntl(fd, F_OFD_SETLK, &unlock);
}

int wm_sink_refuse_partial(const struct wm_sink *sink, int code, struct wm_error *error)
{
	return wm_error_set(error, code, "output cannot be written (%s): %s", wm_errno_text(code),
			    sink->path_partial);
}

int wm_sink_open_partial(const struct wm_sink *sink, struct wm_error *error)
{
	int fd = wm_side_open(sink->path_partial, O_RDWR);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return wm_side_refuse(sink->path_partial, WM_SIDE_PARTIAL, -fd, error);
	if (wm_side_is_ours(fd, sink->path_partial, WM_SIDE_PARTIAL))
		return fd;
	close(fd);
	return wm_side_refuse(sink->path_partial, WM_SIDE_PARTIAL, EEXIST, error);
}

static int check_unclaimed(const struct wm_sink *sink, struct wm_error *error)
{
	struct flock lock = whole_file_lock(F_WRLCK);
	int fd = wm_sink_open_partial(sink, error);
	int ret;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ret = fcntl(fd, F_OFD_GETLK, &lock) < 0 ? refuse_lock(sink, errno, error)
	      : lock.l_type != F_UNLCK		? wm_sink_refuse_busy(sink->path, error)
						: 0;
	close(fd);
	return ret;
}

/* ---- devices ------------------------------------------------------------ */

static int refuse_device(const char *path, int code, struct wm_error *error)
{
	if (code == EBUSY)
		return wm_error_set(error, code, "output device is mounted or in use: %s", path);
	return wm_error_set(error, code, "output device cannot be written (%s): %s",
			    wm_errno_text(code), path);
}

/* O_EXCL on a block device: not while it is mounted, or another job writes it. */
int wm_sink_open_device(const struct wm_sink *sink, int mode, struct wm_error *error)
{
	int fd = open(sink->path_partial, mode | O_EXCL | O_CLOEXEC);
	uint64_t device_bytes;
	int ret;

	if (fd < 0)
		return refuse_device(sink->path, errno, error);
	ret = wm_file_device_bytes(fd, &device_bytes);
	if (ret < 0)
		ret = refuse_device(sink->path, -ret, error);
	else if (device_bytes < sink->bytes)
		ret = wm_sink_refuse_full(sink->path, sink->bytes, device_bytes, error);
	if (ret < 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

static int check_device(const struct wm_sink *sink, struct wm_error *error)
{
	int fd;

	if (faccessat(AT_FDCWD, sink->path_partial, W_OK, AT_EACCESS) < 0)
		return refuse_device(sink->path, errno, error);
	/* Read-only: a device closed after writing makes udev look at it. */
	fd = wm_sink_open_device(sink, O_RDONLY, error);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int check_file(const struct wm_sink *sink, struct wm_error *error)
{
	int ret = check_directory(sink->path_partial, error);

	if (ret == 0)
		ret = check_unclaimed(sink, error);
	return ret == 0 ? check_space(sink, error) : ret;
}

/* What the output may be readable by, and is when there is none yet. */
static mode_t mode_of(const struct wm_source *source)
{
	struct stat status;

	if (!source)
		return 0666;
	return fstat(source->fd, &status) == 0 ? status.st_mode & 0777 : 0600;
}

int wm_sink_prepare(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		    bool resumes, const struct wm_source *source, struct wm_error *error)
{
	struct stat status;
	bool exists;
	int ret;

	*sink = (struct wm_sink){ .fd = -1, .fd_tail = -1, .bytes = bytes, .force = force };
	ret = wm_path_output(sink->path_partial, path, error);
	if (ret < 0)
		return ret;
	memcpy(sink->path, path, strlen(path) + 1);
	sink->mode_max = mode_of(source);

	exists = stat(sink->path_partial, &status) == 0;
	if (exists)
		ret = check_type(path, &status, error);
	if (ret == 0)
		ret = check_apart(sink, source, error);
	if (ret == 0 && exists && !force)
		ret = refuse_existing(path, &status, resumes, error);
	if (ret < 0)
		return ret;
	sink->block_device = exists && S_ISBLK(status.st_mode);
	if (sink->block_device)
		return check_device(sink, error);
	strcat(sink->path_partial, wm_side_suffix(WM_SIDE_PARTIAL));
	return check_file(sink, error);
}

int wm_sink_check(const char *path, uint64_t bytes, bool force, const struct wm_source *source,
		  struct wm_error *error)
{
	struct wm_sink sink;

	return wm_sink_prepare(&sink, path, bytes, force, false, source, error);
}
