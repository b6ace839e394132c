/* SPDX-License-Identifier: BSD-3-Clause */
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, size_t bytes_count)
{
	while (bytes_count > 0) {
		ssize_t ret = write(fd, bytes, bytes_count);

		if (ret < 0 && errno != EINTR)
			return -errno;
		if (ret > 0) {
			bytes += ret;
			bytes_count -= (size_t)ret;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Always a new file: a pipe of that name would wait for its reader, a link would have what
 * it leads to overwritten. */
static int create_file(const char *path, unsigned mode)
{
	int fd;

	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	return fd < 0 ? -errno : fd;
}

static int write_file(const char *path, unsigned mode, const void *bytes, size_t bytes_count)
{
	int fd = create_file(path, mode), ret;

	if (fd < 0)
		return fd;
	ret = write_all(fd, bytes, bytes_count);
	close(fd);
	return ret;
}

int wm_replace_sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	/* EINVAL: a file system whose directories need no such thing. */
	if (fsync(fd) < 0 && errno != EINVAL)
		ret = -errno;
	close(fd);
	return ret;
}

static int refuse(const char *path, int code, struct wm_error *error)
{
	return wm_error_set(error, code, "cannot write %.300s: %s", path, wm_errno_text(code));
}

int wm_replace_file(const char *path, unsigned mode, const void *bytes, size_t bytes_count,
		    struct wm_error *error)
{
	const char *name = strrchr(path, '/');
	char aside[PATH_MAX], directory[PATH_MAX];
	int ret;

	if (snprintf(aside, PATH_MAX, "%s" WM_REPLACE_SUFFIX, path) >= PATH_MAX)
		return refuse(path, ENAMETOOLONG, error);
	snprintf(directory, PATH_MAX, "%.*s", name ? (int)(name - path) + 1 : 2,
		 name ? path : "./");
	ret = write_file(aside, mode, bytes, bytes_count);
	if (ret < 0)
		return refuse(aside, -ret, error);
	if (rename(aside, path) < 0)
		return refuse(path, errno, error);
	ret = wm_replace_sync_directory(directory);
	return ret < 0 ? refuse(directory, -ret, error) : 0;
}
