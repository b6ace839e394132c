/* SPDX-License-Identifier: BSD-3-Clause */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "path.h"

static int refuse_descriptor(const char *path, struct wm_error *error)
{
	if (wm_path_is_made_up(path))
		return wm_error_set(error, EINVAL,
				    "input is in /proc, where the kernel makes up what is read: "
				    "write it to a file first: %s",
				    path);
	return wm_error_set(
		error, EINVAL,
		"input is a descriptor of a process, which the controller has not: give "
		"a file's own name, and write to a file first what comes through a "
		"pipe: %s",
		path);
}

#define INODE_BITS INT64_MAX

int wm_source_identify(struct wm_source_identity *identity, const char *path,
		       struct wm_error *error)
{
	struct stat status;

	*identity = (struct wm_source_identity){ 0 };
	if (strlen(path) < PATH_MAX && wm_path_is_of_process(path))
		return refuse_descriptor(path, error);
	if (stat(path, &status) < 0)
		return 0;
	if (wm_file_check_type(&status) == -EINVAL)
		return wm_error_set(error, EINVAL,
				    "input is neither a file nor a block device, write what it "
				    "gives to a file first: %s",
				    path);
	identity->device = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;
	identity->inode = S_ISBLK(status.st_mode) ? 0 : status.st_ino & INODE_BITS;
	return 0;
}

int wm_source_check_identity(const struct wm_source *source,
			     const struct wm_source_identity *identity, struct wm_error *error)
{
	if (identity->device == 0 && identity->inode == 0)
		return 0;
	if (identity->device == source->device &&
	    identity->inode == ((uint64_t)source->inode & INODE_BITS))
		return 0;
	return wm_error_set(error, ESTALE,
			    "input is another file to the controller than to who asked (it was "
			    "replaced just now, or one of both runs in a container): %s",
			    source->path);
}

static int64_t to_ns(const struct statx_timestamp *time)
{
	return time->tv_sec * 1000000000 + time->tv_nsec;
}

static int look(const struct wm_source *source, struct statx *now)
{
	return statx(source->fd, "", AT_EMPTY_PATH, WM_SOURCE_STATX_MASK, now) < 0 ? -errno : 0;
}

static int remember(struct wm_source *source)
{
	struct statx now;
	int ret = look(source, &now);

	if (ret < 0 || source->block_device)
		return ret;
	source->modified_ns = to_ns(&now.stx_mtime);
	source->changed_ns = to_ns(&now.stx_ctime);
	source->links = now.stx_nlink;
	return 0;
}

int wm_source_open(struct wm_source *source, const char *path, struct wm_error *error)
{
	struct wm_file file;
	int ret;

	if (strlen(path) >= sizeof(source->path))
		return wm_error_set(error, ENAMETOOLONG, "input path is longer than %zu bytes",
				    sizeof(source->path) - 1);
	if (wm_path_is_of_process(path))
		return refuse_descriptor(path, error);
	ret = wm_file_open(&file, path, "input", error);
	if (ret < 0)
		return ret;
	if (file.bytes == 0) {
		close(file.fd);
		return wm_error_set(error, ENODATA, "input is empty: %s", path);
	}

	*source = (struct wm_source){
		.fd = file.fd,
		.block_device = file.block_device,
		.bytes = file.bytes,
		.device = file.device,
		.inode = file.inode,
	};
	ret = remember(source);
	if (ret < 0) {
		close(file.fd);
		return wm_error_set(error, -ret, "input cannot be looked at (%s): %s",
				    strerror(-ret), path);
	}
	source->direct = wm_file_set_direct(file.fd, file.block_device, &source->align_bytes);
	memcpy(source->path, path, strlen(path) + 1);
	return 0;
}

void wm_source_close(struct wm_source *source)
{
	close(source->fd);
	source->fd = -1;
}

const char *wm_source_compare(const struct wm_source *source, const struct statx *now)
{
	if (now->stx_size != source->bytes)
		return "size";
	if (to_ns(&now->stx_mtime) != source->modified_ns)
		return "time of modification";
	/* Set back after a rewrite, that time lies; this one does not. A link more or less
	 * explains it. */
	if (to_ns(&now->stx_ctime) != source->changed_ns && now->stx_nlink == source->links)
		return "time of change";
	return NULL;
}

static int refuse_changed(const struct wm_source *source, const char *what, struct wm_error *error)
{
	return wm_error_set(error, WM_STORE_INPUT_CHANGED,
			    "input was modified while it was read (its %s is another): begin anew "
			    "with --force, or put it back as it was: %s",
			    what, source->path);
}

static int check_file(const struct wm_source *source, struct wm_error *error)
{
	const char *what;
	struct statx now;
	struct stat named;
	int ret = look(source, &now);

	if (ret < 0)
		return wm_error_set(error, -ret, "input cannot be looked at (%s): %s",
				    strerror(-ret), source->path);
	what = wm_source_compare(source, &now);
	/* One that was removed meanwhile was read as it was. */
	if (!what && stat(source->path, &named) == 0 &&
	    !wm_file_is(&named, source->device, source->inode))
		what = "inode";
	return what ? refuse_changed(source, what, error) : 0;
}

int wm_source_check(const struct wm_source *source, struct wm_error *error)
{
	uint64_t bytes;

	if (!source->block_device)
		return check_file(source, error);
	if (wm_file_device_bytes(source->fd, &bytes) == 0 && bytes == source->bytes)
		return 0;
	return refuse_changed(source, "size", error);
}
