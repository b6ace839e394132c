/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "replace.h"

void wm_path_directory(char directory[PATH_MAX], const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		strcpy(directory, ".");
	else if (length == 0)
		strcpy(directory, "/");
	else
		memcpy(directory, path, length), directory[length] = '\0';
}

/* 0, or why it cannot be resolved. */
static int resolve(const char *path, uint64_t flags)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = flags };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool is_in_proc(const char *path)
{
	struct statfs disk;

	return statfs(path, &disk) == 0 && disk.f_type == PROC_SUPER_MAGIC;
}

bool wm_path_is_of_process(const char *path)
{
	char directory[PATH_MAX];
	struct stat status;

	/* What is not there yet is to be made in that directory. */
	if (lstat(path, &status) < 0) {
		wm_path_directory(directory, path);
		path = directory;
	}
	if (is_in_proc(path))
		return true;
	return resolve(path, RESOLVE_NO_MAGICLINKS) == -ELOOP && resolve(path, 0) == 0;
}

bool wm_path_is_made_up(const char *path)
{
	struct stat status;

	return is_in_proc(path) && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

mode_t wm_path_umask(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	unsigned mask = 0077;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Umask: %o", &mask) == 1)
			break;
	}
	if (file)
		fclose(file);
	return (mode_t)mask;
}

static int follow_link(char target[PATH_MAX], const char *path, struct wm_error *error)
{
	if (realpath(path, target))
		return 0;
	if (errno == ENOENT)
		return wm_error_set(error, ENOENT,
				    "output is a symbolic link that leads nowhere: %s", path);
	return wm_error_set(error, errno,
			    "output is a symbolic link that cannot be followed (%s): %s",
			    strerror(errno), path);
}

int wm_path_output(char target[PATH_MAX], const char *path, struct wm_error *error)
{
	size_t length = strlen(path);
	struct stat status;
	int ret;

	if (length == 0)
		return wm_error_set(error, ENOENT, "output has an empty name");
	if (length + WM_PATH_SUFFIX_BYTES_MAX >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "output path is too long: %zu bytes",
				    length);
	if (path[length - 1] == '/')
		return wm_error_set(error, EISDIR, "output names a directory, give a file: %s",
				    path);
	if (wm_path_is_made_up(path))
		return wm_error_set(error, EINVAL,
				    "output is in /proc, where the kernel makes up each file, give "
				    "one on a disk: %s",
				    path);
	if (wm_path_is_of_process(path))
		return wm_error_set(error, EINVAL,
				    "output is a descriptor of a process, which means another file "
				    "to the controller, give the file's own name: %s",
				    path);
	if (lstat(path, &status) < 0 || !S_ISLNK(status.st_mode)) {
		memcpy(target, path, length + 1);
		return 0;
	}
	ret = follow_link(target, path, error);
	if (ret < 0)
		return ret;
	if (strlen(target) + WM_PATH_SUFFIX_BYTES_MAX >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG,
				    "output leads to a path that is too long: %s", path);
	return 0;
}

/* For file systems that cannot rename without replacing. */
static int link_then_unlink(const char *from, const char *to)
{
	if (link(from, to) < 0 || unlink(from) < 0)
		return -errno;
	return 0;
}

int wm_path_rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EINVAL ? link_then_unlink(from, to) : -errno;
}

int wm_path_sync(const char *path)
{
	char directory[PATH_MAX];

	wm_path_directory(directory, path);
	return wm_replace_sync_directory(directory);
}
