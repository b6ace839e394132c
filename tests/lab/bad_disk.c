/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk in trouble: a FUSE file system that shows the files of a folder and fails
 * or dawdles as told. Unmounted and mounted again without options, it is healed.
 *
 *   bad_disk FOLDER MOUNTPOINT [-o OPTION,...]
 *     read_eio=N, write_eio=N   EIO for what touches the 4096 bytes at N of any file
 *     fsync_eio=N               EIO for fsync and fdatasync once N bytes were written
 *     sync_eio=N                EIO for fsync alone, as it ends a file
 *     no_locks=1                ENOLCK for each lock
 *     rate=N                    writes N bytes a second
 *
 * It has one thread and so one request at a time, as a disk has one head. It returns
 * when it is mounted, and ends when it is unmounted.
 */
#define FUSE_USE_VERSION 35
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES 4096
#define NEVER ULLONG_MAX
#define NS_PER_S 1000000000ull

static struct {
	unsigned long long read_eio, write_eio; /* offset, or NEVER */
	unsigned long long fsync_eio, sync_eio; /* bytes, or NEVER */
	unsigned long long no_locks;
	unsigned long long rate; /* bytes a second, 0 = at once */
	unsigned long long written_bytes;
	uint64_t busy_until_ns;
	int folder;
} disk = { .read_eio = NEVER, .write_eio = NEVER, .fsync_eio = NEVER, .sync_eio = NEVER };

static const struct fuse_opt options[] = {
	{ "read_eio=%llu", offsetof(typeof(disk), read_eio), 0 },
	{ "write_eio=%llu", offsetof(typeof(disk), write_eio), 0 },
	{ "rate=%llu", offsetof(typeof(disk), rate), 0 },
	{ "fsync_eio=%llu", offsetof(typeof(disk), fsync_eio), 0 },
	{ "sync_eio=%llu", offsetof(typeof(disk), sync_eio), 0 },
	{ "no_locks=%llu", offsetof(typeof(disk), no_locks), 0 },
	FUSE_OPT_END,
};

/* ---- trouble ------------------------------------------------------------ */

static bool touches(unsigned long long block, off_t offset, size_t bytes)
{
	return block != NEVER && (unsigned long long)offset < block + BLOCK_BYTES &&
	       offset + bytes > block;
}

static void take_time_for(size_t bytes)
{
	struct timespec time;
	uint64_t now_ns;

	if (!disk.rate)
		return;
	clock_gettime(CLOCK_MONOTONIC, &time);
	now_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
	if (disk.busy_until_ns < now_ns)
		disk.busy_until_ns = now_ns;
	disk.busy_until_ns += bytes * NS_PER_S / disk.rate;
	time.tv_sec = (time_t)(disk.busy_until_ns / NS_PER_S);
	time.tv_nsec = (long)(disk.busy_until_ns % NS_PER_S);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* ---- files, passed on --------------------------------------------------- */

static const char *inside(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static int result_of(int ret)
{
	return ret < 0 ? -errno : 0;
}

static int file_of(const struct fuse_file_info *info)
{
	return (int)info->fh;
}

static int disk_getattr(const char *path, struct stat *status, struct fuse_file_info *info)
{
	if (info)
		return result_of(fstat(file_of(info), status));
	return result_of(fstatat(disk.folder, inside(path), status, AT_SYMLINK_NOFOLLOW));
}

static int disk_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t offset,
			struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	int fd = openat(disk.folder, inside(path), O_RDONLY | O_DIRECTORY);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	(void)offset, (void)info, (void)flags;
	if (!folder)
		return -errno;
	while ((entry = readdir(folder)))
		fill(list, entry->d_name, NULL, 0, 0);
	closedir(folder);
	return 0;
}

static int disk_statfs(const char *path, struct statvfs *status)
{
	(void)path;
	return result_of(fstatvfs(disk.folder, status));
}

/* O_DIRECT is between the kernel and whoever opened: libfuse's memory is anywhere. */
static int disk_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	int fd = openat(disk.folder, inside(path), info->flags & ~O_DIRECT, mode);

	if (fd < 0)
		return -errno;
	info->fh = (uint64_t)fd;
	return 0;
}

static int disk_open(const char *path, struct fuse_file_info *info)
{
	return disk_create(path, 0, info);
}

static int disk_release(const char *path, struct fuse_file_info *info)
{
	(void)path;
	return result_of(close(file_of(info)));
}

static int disk_read(const char *path, char *bytes, size_t count, off_t offset,
		     struct fuse_file_info *info)
{
	ssize_t have;

	(void)path;
	if (touches(disk.read_eio, offset, count))
		return -EIO;
	have = pread(file_of(info), bytes, count, offset);
	return have < 0 ? -errno : (int)have;
}

static int disk_write(const char *path, const char *bytes, size_t count, off_t offset,
		      struct fuse_file_info *info)
{
	ssize_t written;

	(void)path;
	if (touches(disk.write_eio, offset, count))
		return -EIO;
	take_time_for(count);
	written = pwrite(file_of(info), bytes, count, offset);
	if (written < 0)
		return -errno;
	disk.written_bytes += (size_t)written;
	return (int)written;
}

static int disk_fsync(const char *path, int data_only, struct fuse_file_info *info)
{
	(void)path;
	if (disk.written_bytes >= disk.fsync_eio ||
	    (!data_only && disk.written_bytes >= disk.sync_eio))
		return -EIO;
	return result_of(data_only ? fdatasync(file_of(info)) : fsync(file_of(info)));
}

static int disk_fallocate(const char *path, int mode, off_t offset, off_t bytes,
			  struct fuse_file_info *info)
{
	(void)path;
	return result_of(fallocate(file_of(info), mode, offset, bytes));
}

static int disk_truncate(const char *path, off_t bytes, struct fuse_file_info *info)
{
	(void)path;
	/* Wiremill has the file open whose length it sets. */
	return info ? result_of(ftruncate(file_of(info), bytes)) : -ENOSYS;
}

static int disk_rename(const char *from, const char *to, unsigned flags)
{
	return result_of(renameat2(disk.folder, inside(from), disk.folder, inside(to), flags));
}

static int disk_unlink(const char *path)
{
	return result_of(unlinkat(disk.folder, inside(path), 0));
}

/* Wiremill has the file open whose mode and owner it sets. */
static int disk_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)path;
	return info ? result_of(fchmod(file_of(info), mode)) : -ENOSYS;
}

static int disk_chown(const char *path, uid_t user, gid_t group, struct fuse_file_info *info)
{
	(void)path;
	return info ? result_of(fchown(file_of(info), user, group)) : -ENOSYS;
}

static int disk_lock(const char *path, struct fuse_file_info *info, int command, struct flock *lock)
{
	(void)path, (void)info, (void)command, (void)lock;
	return -ENOLCK;
}

/* Without .lock the kernel locks by itself. */
static struct fuse_operations operations = {
	.getattr = disk_getattr,
	.readdir = disk_readdir,
	.statfs = disk_statfs,
	.create = disk_create,
	.open = disk_open,
	.release = disk_release,
	.read = disk_read,
	.write = disk_write,
	.fsync = disk_fsync,
	.fallocate = disk_fallocate,
	.truncate = disk_truncate,
	.chmod = disk_chmod,
	.chown = disk_chown,
	.rename = disk_rename,
	.unlink = disk_unlink,
};

int main(int argc, char **argv)
{
	struct fuse_args rest;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: bad_disk FOLDER MOUNTPOINT [-o OPTION,...]\n");
		return 2;
	}
	disk.folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (disk.folder < 0) {
		perror(argv[1]);
		return 1;
	}
	argv[1] = argv[0];
	rest = (struct fuse_args)FUSE_ARGS_INIT(argc - 1, argv + 1);
	if (fuse_opt_parse(&rest, &disk, options, NULL) < 0 || fuse_opt_add_arg(&rest, "-s") < 0)
		return 2;
	if (disk.no_locks)
		operations.lock = disk_lock;
	status = fuse_main(rest.argc, rest.argv, &operations, NULL);
	fuse_opt_free_args(&rest);
	return status;
}
