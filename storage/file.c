/* SPDX-License-Identifier: BSD-3-Clause */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"
#include "wiremill/side.h"
#include "wiremill/store.h"

int wm_file_check_type(const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		return -EISDIR;
	return S_ISREG(status->st_mode) || S_ISBLK(status->st_mode) ? 0 : -EINVAL;
}

int wm_file_device_bytes(int fd, uint64_t *bytes)
{
	return ioctl(fd, BLKGETSIZE64, bytes) < 0 ? -errno : 0;
}

static dev_t identity_device(const struct stat *status)
{
	return S_ISBLK(status->st_mode) ? status->st_rdev : status->st_dev;
}

/* One device may have several nodes in several file systems. */
static ino_t identity_inode(const struct stat *status)
{
	return S_ISBLK(status->st_mode) ? 0 : status->st_ino;
}

bool wm_file_is(const struct stat *status, dev_t device, ino_t inode)
{
	return identity_device(status) == device && identity_inode(status) == inode;
}

bool wm_file_is_named(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
	       wm_file_is(&named, identity_device(&opened), identity_inode(&opened));
}

void wm_file_set_mode(int fd, const struct stat *owner, mode_t mode, const char *path)
{
	if (owner && fchown(fd, owner->st_uid, owner->st_gid) < 0 && errno != EPERM)
		wm_log_warning("owner cannot be set (%s): %s", strerror(errno), path);
	if (fchmod(fd, mode) < 0)
		wm_log_warning("mode %03o cannot be set (%s): %s", mode, strerror(errno), path);
}

static int inspect(struct wm_file *file)
{
	struct stat status;
	int ret;

	if (fstat(file->fd, &status) < 0)
		return -errno;
	ret = wm_file_check_type(&status);
	if (ret < 0)
		return ret;
	file->block_device = S_ISBLK(status.st_mode);
	file->device = identity_device(&status);
	file->inode = identity_inode(&status);
	file->bytes = (uint64_t)status.st_size;
	return file->block_device ? wm_file_device_bytes(file->fd, &file->bytes) : 0;
}

static int refuse(const char *path, const char *role, int code, struct wm_error *error)
{
	switch (code) {
	case ENOENT:
		return wm_error_set(error, code, "%s does not exist: %s", role, path);
	case EISDIR:
		return wm_error_set(error, code,
				    "%s is a directory, give a file or a block device: %s", role,
				    path);
	case EINVAL:
	case ENXIO:
		return wm_error_set(error, code, "%s is neither a file nor a block device: %s",
				    role, path);
	case EACCES:
	case EPERM:
		return wm_error_set(error, code, "%s may not be read by user %u: %s", role,
				    geteuid(), path);
	default:
		return wm_error_set(error, code, "%s cannot be opened (%s): %s", role,
				    wm_errno_text(code), path);
	}
}

int wm_file_open(struct wm_file *file, const char *path, const char *role, struct wm_error *error)
{
	int ret;

	/* A pipe without a writer would block here before it could be refused. */
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return refuse(path, role, errno, error);
	ret = inspect(file);
	if (ret < 0)
		goto close_file;
	/* io_uring fails instead of waiting where O_NONBLOCK is set. */
	if (fcntl(file->fd, F_SETFL, 0) < 0) {
		ret = -errno;
		goto close_file;
	}
	return 0;

close_file:
	close(file->fd);
	return refuse(path, role, -ret, error);
}

ssize_t wm_file_read(int fd, void *bytes, size_t count, uint64_t offset)
{
	size_t have = 0;

	while (have < count) {
		ssize_t n =
			pread(fd, (uint8_t *)bytes + have, count - have, (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

int wm_file_write(int fd, const void *bytes, size_t count, uint64_t offset)
{
	size_t done = 0;

	while (done < count) {
		ssize_t n = pwrite(fd, (const uint8_t *)bytes + done, count - done,
				   (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* 0 where direct I/O is not to be had, or not known to be. */
static uint32_t direct_align_bytes(int fd, bool block_device)
{
	struct statx status;
	int block_bytes;

	if (block_device)
		return ioctl(fd, BLKSSZGET, &block_bytes) < 0 ? 0 : (uint32_t)block_bytes;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) < 0 ||
	    !(status.stx_mask & STATX_DIOALIGN))
		return 0;
	return status.stx_dio_mem_align > status.stx_dio_offset_align ? status.stx_dio_mem_align
								      : status.stx_dio_offset_align;
}

bool wm_file_set_direct(int fd, bool block_device, uint32_t *align_bytes)
{
	uint32_t align = direct_align_bytes(fd, block_device);
	bool direct = align > 0 && align <= WM_STORE_ALIGN_BYTES &&
		      fcntl(fd, F_SETFL, O_DIRECT) == 0;

	*align_bytes = direct ? align : 1;
	return direct;
}
