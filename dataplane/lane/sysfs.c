/* SPDX-License-Identifier: BSD-3-Clause */
#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int path_join(char path[PATH_MAX], const char *root, const char *format, va_list args)
{
	int used = snprintf(path, PATH_MAX, "%s", root);
	int more = used < PATH_MAX ? vsnprintf(path + used, (size_t)(PATH_MAX - used), format, args)
				   : PATH_MAX;

	return used + more < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The path of a call that ends with a format. */
#define PATH_TAKE(path, root, format)                        \
	({                                                   \
		va_list args_;                               \
		int ret_;                                    \
		va_start(args_, format);                     \
		ret_ = path_join(path, root, format, args_); \
		va_end(args_);                               \
		ret_;                                        \
	})

int wm_sysfs_check(const char *root, struct wm_error *error)
{
	if (!wm_sysfs_exists(root, "/sys/kernel"))
		return wm_error_set(error, ENOENT,
				    "/sys is not mounted, which tells of cards and hugepages: run "
				    "'mount -t sysfs sysfs /sys' as root");
	if (!wm_sysfs_exists(root, "/proc/self"))
		return wm_error_set(error, ENOENT,
				    "/proc is not mounted, which DPDK needs: run 'mount -t proc "
				    "proc /proc' as root");
	return 0;
}

bool wm_sysfs_exists(const char *root, const char *format, ...)
{
	char path[PATH_MAX];

	return PATH_TAKE(path, root, format) == 0 && access(path, F_OK) == 0;
}

static int read_line(char text[WM_SYSFS_NAME_BYTES], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t bytes;

	if (fd < 0)
		return -errno;
	bytes = read(fd, text, WM_SYSFS_NAME_BYTES - 1);
	if (bytes < 0)
		bytes = -errno;
	close(fd);
	if (bytes < 0)
		return (int)bytes;
	text[bytes] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int wm_sysfs_read(char text[WM_SYSFS_NAME_BYTES], const char *root, const char *format, ...)
{
	char path[PATH_MAX];
	int ret = PATH_TAKE(path, root, format);

	return ret < 0 ? ret : read_line(text, path);
}

int wm_sysfs_number(int64_t *number, const char *root, const char *format, ...)
{
	char path[PATH_MAX], text[WM_SYSFS_NAME_BYTES], *end;
	int ret = PATH_TAKE(path, root, format);

	if (ret == 0)
		ret = read_line(text, path);
	if (ret < 0)
		return ret;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno || end == text || *end ? -EINVAL : 0;
}

int wm_sysfs_link(char name[WM_SYSFS_NAME_BYTES], const char *root, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t bytes;
	int ret = PATH_TAKE(path, root, format);

	if (ret < 0)
		return ret;
	bytes = readlink(path, target, sizeof(target) - 1);
	if (bytes < 0)
		return -errno;
	target[bytes] = '\0';
	last = strrchr(target, '/');
	snprintf(name, WM_SYSFS_NAME_BYTES, "%.63s", last ? last + 1 : target);
	return 0;
}

int wm_sysfs_resolve(char path[PATH_MAX], const char *root, const char *format, ...)
{
	char from[PATH_MAX];
	int ret = PATH_TAKE(from, root, format);

	if (ret == 0 && !realpath(from, path))
		ret = -errno;
	return ret;
}

int wm_sysfs_entry(char name[WM_SYSFS_NAME_BYTES], unsigned index, const char *prefix,
		   const char *root, const char *format, ...)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	int ret = PATH_TAKE(path, root, format);
	DIR *folder;

	if (ret < 0)
		return ret;
	folder = opendir(path);
	if (!folder)
		return -errno;
	ret = -ENOENT;
	while (ret < 0 && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || index-- > 0)
			continue;
		snprintf(name, WM_SYSFS_NAME_BYTES, "%.63s", entry->d_name);
		ret = 0;
	}
	closedir(folder);
	return ret;
}
