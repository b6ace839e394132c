/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"
#include "wiremill/side.h"

#define SUFFIX ".wmk"
#define DIGITS (WM_KERNEL_HASH_TEXT_BYTES - 1)

/* ---- names ------------------------------------------------------------------------- */

static int file_path(char path[PATH_MAX], const char *directory,
		     const uint8_t hash[WM_KERNEL_HASH_BYTES], struct wm_error *error)
{
	char digits[WM_KERNEL_HASH_TEXT_BYTES];

	wm_kernel_hash_text(digits, hash);
	if (snprintf(path, PATH_MAX, "%s/%s" SUFFIX, directory, digits) < PATH_MAX)
		return 0;
	return wm_error_set(error, ENAMETOOLONG, "the state directory's path is too long");
}

static bool begins_as_one(const char *name, uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	char digits[WM_KERNEL_HASH_TEXT_BYTES], again[WM_KERNEL_HASH_TEXT_BYTES];

	if (strlen(name) < DIGITS)
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)DIGITS, name);
	if (wm_kernel_hash_parse(hash, digits) < 0)
		return false;
	wm_kernel_hash_text(again, hash); /* one file has one name */
	return strcmp(digits, again) == 0;
}

bool wm_kernel_file_is_named(const char *name, uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	return begins_as_one(name, hash) && strcmp(name + DIGITS, SUFFIX) == 0;
}

bool wm_kernel_file_is_left_over(const char *name)
{
	uint8_t hash[WM_KERNEL_HASH_BYTES];

	return begins_as_one(name, hash) && strcmp(name + DIGITS, SUFFIX WM_REPLACE_SUFFIX) == 0;
}

/* ---- in ---------------------------------------------------------------------------- */

static int refuse(const char *path, int code, struct wm_error *error)
{
	if (code == ENOENT)
		return wm_error_set(error, code, "%.300s is not there", path);
	return wm_error_set(error, code, "cannot read %.300s: %s", path, wm_errno_text(code));
}

static int damaged(const char *path, const char *what, struct wm_error *error)
{
	return wm_error_set(error, EBADMSG,
			    "%.300s is damaged (%.100s): remove it, and add the kernel again", path,
			    what);
}

static int read_whole(int fd, uint8_t *bytes, size_t bytes_count)
{
	size_t done = 0;

	while (done < bytes_count) {
		ssize_t got = read(fd, bytes + done, bytes_count - done);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return -ENODATA;
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int read_open(int fd, const char *path, uint8_t **bytes, size_t *bytes_count,
		     struct wm_error *error)
{
	struct stat status;
	int ret;

	if (fstat(fd, &status) < 0)
		return refuse(path, errno, error);
	if (status.st_size < (off_t)WM_KERNEL_OBJECT_HEADER_BYTES ||
	    status.st_size > (off_t)WM_KERNEL_OBJECT_BYTES_MAX)
		return damaged(path, "no object has its length", error);
	*bytes_count = (size_t)status.st_size;
	*bytes = malloc(*bytes_count);
	if (!*bytes)
		return refuse(path, ENOMEM, error);
	ret = read_whole(fd, *bytes, *bytes_count);
	if (ret == 0)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return ret == -ENODATA ? damaged(path, "it became shorter", error)
			       : refuse(path, -ret, error);
}

static int check(const char *path, const uint8_t hash[WM_KERNEL_HASH_BYTES],
		 struct wm_kernel_object *object, const uint8_t *bytes, size_t bytes_count,
		 struct wm_error *error)
{
	struct wm_error reason = { "" };

	if (wm_kernel_object_decode(object, bytes, bytes_count, &reason) < 0)
		return damaged(path, reason.text, error);
	if (memcmp(object->kernel.hash, hash, WM_KERNEL_HASH_BYTES) != 0)
		return damaged(path, "its bytes have another hash", error);
	return 0;
}

int wm_kernel_file_read(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			struct wm_kernel_object *object, uint8_t **bytes, size_t *bytes_count,
			struct wm_error *error)
{
	char path[PATH_MAX];
	int fd, ret = file_path(path, directory, hash, error);

	*bytes = NULL;
	if (ret < 0)
		return ret;
	fd = wm_side_open(path, O_RDONLY);
	if (fd == -EISDIR || fd == -EINVAL || fd == -ELOOP)
		return damaged(path, "it is no file", error);
	if (fd < 0)
		return refuse(path, -fd, error);
	ret = read_open(fd, path, bytes, bytes_count, error);
	close(fd);
	if (ret == 0)
		ret = check(path, hash, object, *bytes, *bytes_count, error);
	if (ret < 0) {
		free(*bytes);
		*bytes = NULL;
	}
	return ret;
}

/* ---- out --------------------------------------------------------------------------- */

int wm_kernel_file_write(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			 const uint8_t *bytes, size_t bytes_count, struct wm_error *error)
{
	char path[PATH_MAX];
	int ret = file_path(path, directory, hash, error);

	return ret < 0 ? ret : wm_replace_file(path, 0640, bytes, bytes_count, error);
}

int wm_kernel_file_remove(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			  struct wm_error *error)
{
	char path[PATH_MAX];
	int ret = file_path(path, directory, hash, error);

	if (ret < 0)
		return ret;
	if (unlink(path) < 0 && errno != ENOENT)
		ret = -errno;
	if (ret == 0)
		ret = wm_replace_sync_directory(directory);
	return ret == 0 ? 0
			: wm_error_set(error, -ret, "cannot remove %.300s: %s", path,
				       wm_errno_text(-ret));
}

uint64_t wm_kernel_file_used_ms(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	char path[PATH_MAX];
	struct stat status;

	if (file_path(path, directory, hash, NULL) < 0 || lstat(path, &status) < 0 ||
	    status.st_mtim.tv_sec < 0)
		return 0;
	return (uint64_t)status.st_mtim.tv_sec * 1000 + (uint64_t)status.st_mtim.tv_nsec / 1000000;
}

void wm_kernel_file_touch(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	char path[PATH_MAX];

	if (file_path(path, directory, hash, NULL) == 0)
		(void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}
