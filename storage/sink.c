/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The output's life, as names on the disk:
 *
 *   check     OUTPUT (kept, with force)
 *   create    OUTPUT (kept, with force)   OUTPUT.wm-partial, locked and reserved
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
#include <sys/statvfs.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "path.h"
#include "wiremill/journal.h"
#include "wiremill/store.h"

#define PARTIAL_SUFFIX ".wm-partial"

/* Attempts to make the partial file while somebody else removes it. */
#define CREATE_ATTEMPTS 8

/* ---- names -------------------------------------------------------------- */

/* The name that the partial file gets in the end. */
static void target_of(char target[PATH_MAX], const struct wm_sink *sink)
{
	size_t length = strlen(sink->path_partial);

	if (!sink->block_device)
		length -= strlen(PARTIAL_SUFFIX);
	memcpy(target, sink->path_partial, length);
	target[length] = '\0';
}

/* ---- refusals ----------------------------------------------------------- */

static int check_existing(const char *path, const struct stat *status, bool force,
			  const struct wm_source *source, struct wm_error *error)
{
	switch (wm_file_check_type(status)) {
	case 0:
		break;
	case -EISDIR:
		return wm_error_set(error, EISDIR, "output is a directory, give a file: %s", path);
	default:
		return wm_error_set(error, EINVAL,
				    "output is neither a file nor a block device: %s", path);
	}
	if (source && wm_file_is(status, source->device, source->inode))
		return wm_error_set(error, EINVAL, "output is the input: %s", path);
	if (!force && S_ISBLK(status->st_mode))
		return wm_error_set(error, EEXIST,
				    "output is a block device, --force overwrites it: %s", path);
	if (!force)
		return wm_error_set(error, EEXIST, "output exists, --force replaces it: %s", path);
	return 0;
}

static int check_directory(const char *path_partial, struct wm_error *error)
{
	char directory[PATH_MAX];
	struct stat status;

	wm_path_directory(directory, path_partial);
	if (stat(directory, &status) < 0)
		return wm_error_set(error, errno, "output directory cannot be used (%s): %s",
				    strerror(errno), directory);
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

static int refuse_full(const char *path, uint64_t bytes, uint64_t free_bytes,
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
	return refuse_full(sink->path, sink->bytes, free_bytes, error);
}

static struct flock whole_file_lock(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static int refuse_busy(const char *path, struct wm_error *error)
{
	return wm_error_set(error, EBUSY, "output is being written by another job: %s", path);
}

static int refuse_partial(const struct wm_sink *sink, int code, struct wm_error *error)
{
	return wm_error_set(error, code, "output cannot be written (%s): %s", strerror(code),
			    sink->path_partial);
}

/*
 * A partial file that nobody holds is a remainder of a job that died. The lock
 * belongs to the open file, not to the process: so it also keeps two jobs of one
 * daemon apart, and ends with its holder.
 */
static int open_stale(const struct wm_sink *sink, struct wm_error *error)
{
	int fd = open(sink->path_partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : refuse_partial(sink, errno, error);
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return refuse_partial(sink, EINVAL, error);
	}
	return fd;
}

static int check_unclaimed(const struct wm_sink *sink, struct wm_error *error)
{
	struct flock lock = whole_file_lock();
	int fd = open_stale(sink, error);
	int ret;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ret = fcntl(fd, F_OFD_GETLK, &lock) < 0 ? refuse_partial(sink, errno, error)
	      : lock.l_type != F_UNLCK		? refuse_busy(sink->path, error)
						: 0;
	close(fd);
	return ret;
}

static int refuse_device(const char *path, int code, struct wm_error *error)
{
	if (code == EBUSY)
		return wm_error_set(error, code, "output device is mounted or in use: %s", path);
	return wm_error_set(error, code, "output device cannot be written (%s): %s", strerror(code),
			    path);
}

/* O_EXCL on a block device: not while it is mounted, or another job writes it. */
static int open_device(const struct wm_sink *sink, int mode, struct wm_error *error)
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
		ret = refuse_full(sink->path, sink->bytes, device_bytes, error);
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
	fd = open_device(sink, O_RDONLY, error);
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

/* Fills in all but the descriptors. */
static int prepare(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		   const struct wm_source *source, struct wm_error *error)
{
	struct stat status;
	int ret;

	*sink = (struct wm_sink){ .fd = -1, .fd_tail = -1, .bytes = bytes, .force = force };
	ret = wm_path_output(sink->path_partial, path, error);
	if (ret < 0)
		return ret;
	memcpy(sink->path, path, strlen(path) + 1);

	if (stat(sink->path_partial, &status) == 0) {
		ret = check_existing(path, &status, force, source, error);
		if (ret < 0)
			return ret;
		sink->block_device = S_ISBLK(status.st_mode);
	}
	if (sink->block_device)
		return check_device(sink, error);
	strcat(sink->path_partial, PARTIAL_SUFFIX);
	return check_file(sink, error);
}

int wm_sink_check(const char *path, uint64_t bytes, bool force, const struct wm_source *source,
		  struct wm_error *error)
{
	struct wm_sink sink;

	return prepare(&sink, path, bytes, force, source, error);
}

/* ---- creation ----------------------------------------------------------- */

static bool lock_file(int fd)
{
	struct flock lock = whole_file_lock();

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool still_named(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
	       wm_file_is(&named, opened.st_dev, opened.st_ino);
}

/* Removed, not truncated: it may be another name of a file that matters. */
static int remove_stale(const struct wm_sink *sink, struct wm_error *error)
{
	int fd = open_stale(sink, error);
	int ret = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!lock_file(fd))
		ret = refuse_busy(sink->path, error);
	else if (still_named(fd, sink->path_partial) && unlink(sink->path_partial) < 0)
		ret = refuse_partial(sink, errno, error);
	close(fd);
	return ret;
}

/* A new file that this job holds the lock of, under the partial name. */
static int create_partial(const struct wm_sink *sink, struct wm_error *error)
{
	for (unsigned i = 0; i < CREATE_ATTEMPTS; i++) {
		int ret = remove_stale(sink, error);
		int fd;

		if (ret < 0)
			return ret;
		fd = open(sink->path_partial, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW,
			  0666);
		if (fd < 0 && errno != EEXIST)
			return refuse_partial(sink, errno, error);
		if (fd < 0)
			continue;
		/* Until it is locked, another job may take it for a remainder. */
		if (lock_file(fd) && still_named(fd, sink->path_partial))
			return fd;
		close(fd);
	}
	return refuse_busy(sink->path, error);
}

static void remove_partial(const struct wm_sink *sink)
{
	if (still_named(sink->fd, sink->path_partial))
		unlink(sink->path_partial);
}

static int refuse_reservation(const struct wm_sink *sink, int code, struct wm_error *error)
{
	char directory[PATH_MAX];
	struct statvfs disk;

	remove_partial(sink);
	wm_path_directory(directory, sink->path_partial);
	if (code == ENOSPC && statvfs(directory, &disk) == 0)
		return refuse_full(sink->path, sink->bytes, (uint64_t)disk.f_bavail * disk.f_frsize,
				   error);
	return wm_error_set(error, code, "output of %" PRIu64 " bytes cannot be reserved (%s): %s",
			    sink->bytes, strerror(code), sink->path);
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

static int open_file(struct wm_sink *sink, struct wm_error *error)
{
	int ret;

	sink->fd = create_partial(sink, error);
	if (sink->fd < 0)
		return sink->fd;
	ret = reserve(sink, error);
	if (ret < 0)
		close(sink->fd);
	return ret;
}

static int open_ends(struct wm_sink *sink, struct wm_error *error)
{
	if (!sink->block_device)
		return open_file(sink, error);
	sink->fd = open_device(sink, O_RDWR, error);
	return sink->fd < 0 ? sink->fd : 0;
}

static int open_tail(struct wm_sink *sink, struct wm_error *error)
{
	sink->direct = wm_file_set_direct(sink->fd, sink->block_device, &sink->align_bytes);
	if (!sink->direct)
		return 0;
	/* A second open file: O_DIRECT belongs to it, dup() would share it. */
	sink->fd_tail = open(sink->path_partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return sink->fd_tail < 0 ? refuse_partial(sink, errno, error) : 0;
}

int wm_sink_create(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		   const struct wm_source *source, struct wm_error *error)
{
	int ret = prepare(sink, path, bytes, force, source, error);

	if (ret == 0)
		ret = open_ends(sink, error);
	if (ret < 0)
		return ret;
	ret = open_tail(sink, error);
	if (ret < 0)
		wm_sink_abandon(sink);
	return ret;
}

/* ---- resumption --------------------------------------------------------- */

/* The lock is held, and it is still there. */
static int check_left(const struct wm_sink *sink, int fd, struct wm_error *error)
{
	struct stat status;

	if (!lock_file(fd) || !still_named(fd, sink->path_partial))
		return refuse_busy(sink->path, error);
	if (fstat(fd, &status) < 0 || fcntl(fd, F_SETFL, 0) < 0)
		return refuse_partial(sink, errno, error);
	if ((uint64_t)status.st_size == sink->bytes)
		return 0;
	return wm_error_set(error, EINVAL,
			    "partial output has %" PRIu64 " bytes, the job's has %" PRIu64
			    ", begin the job again: %s",
			    (uint64_t)status.st_size, sink->bytes, sink->path_partial);
}

static int open_left(struct wm_sink *sink, struct wm_error *error)
{
	int fd = open_stale(sink, error);
	int ret;

	if (fd == -ENOENT)
		return wm_error_set(error, ENOENT,
				    "partial output does not exist, begin the job again: %s",
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
	int ret = prepare(sink, path, bytes, force, source, error);

	if (ret < 0)
		return ret;
	sink->fd = sink->block_device ? open_device(sink, O_RDWR, error) : open_left(sink, error);
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
	struct flock unlock = whole_file_lock();

	/* Else it would last while a child between fork and exec, or somebody who
	 * looks into /proc, still has the open file. */
	unlock.l_type = F_UNLCK;
	fcntl(sink->fd, F_OFD_SETLK, &unlock);
	if (sink->fd_tail >= 0)
		close(sink->fd_tail);
	close(sink->fd);
	sink->fd = sink->fd_tail = -1;
}

static int give_name(const struct wm_sink *sink, const char *target)
{
	if (!sink->force)
		return wm_path_rename_new(sink->path_partial, target);
	return rename(sink->path_partial, target) < 0 ? -errno : 0;
}

static int publish(const struct wm_sink *sink, struct wm_error *error)
{
	char target[PATH_MAX];
	int ret;

	target_of(target, sink);
	ret = give_name(sink, target);
	if (ret < 0)
		return wm_error_set(
			error, -ret,
			"output is complete but cannot get its name (%s), take it from %s",
			strerror(-ret), sink->path_partial);
	ret = wm_path_sync(target);
	if (ret < 0)
		return wm_error_set(error, -ret,
				    "output's directory cannot be made durable (%s): %s",
				    strerror(-ret), sink->path);
	return 0;
}

int wm_sink_commit(struct wm_sink *sink, struct wm_error *error)
{
	int ret = 0;

	if (fsync(sink->fd) < 0) {
		/* What the disk refused is lost: never try again on it. */
		ret = wm_error_set(error, errno, "output cannot be made durable (%s): %s",
				   strerror(errno), sink->path);
		wm_sink_abandon(sink);
		return ret;
	}
	if (!sink->block_device)
		ret = publish(sink, error);
	close_both(sink);
	return ret;
}

void wm_sink_abandon(struct wm_sink *sink)
{
	if (!sink->block_device)
		remove_partial(sink);
	close_both(sink);
}

void wm_sink_suspend(struct wm_sink *sink)
{
	close_both(sink);
}
