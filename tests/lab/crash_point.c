/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A controller that is killed at a chosen step: preloaded, this library stands
 * before the calls by which files come, go and become durable, and ends wiremilld by
 * SIGKILL instead of one of them, having said which. Other programs are left alone.
 *
 *   WM_CRASH_AT=7          instead of the 7th such call
 *   WM_CRASH_PATHS=/a:/b   counted are calls on files whose path begins like that
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_counted(const char *path)
{
	const char *prefix = getenv("WM_CRASH_PATHS");

	while (prefix) {
		size_t bytes = strcspn(prefix, ":");

		if (bytes > 0 && strncmp(path, prefix, bytes) == 0)
			return true;
		prefix = prefix[bytes] ? prefix + bytes + 1 : NULL;
	}
	return false;
}

static void step(const char *call, const char *path)
{
	static int steps;
	const char *last = getenv("WM_CRASH_AT");

	if (!last || strcmp(program_invocation_short_name, "wiremilld") != 0 || !is_counted(path))
		return;
	if (__atomic_add_fetch(&steps, 1, __ATOMIC_RELAXED) != atoi(last))
		return;
	dprintf(STDERR_FILENO, "crash point %s: %s of %s\n", last, call, path);
	kill(getpid(), SIGKILL);
}

static void step_of(const char *call, int fd)
{
	char name[64], path[PATH_MAX];
	ssize_t bytes;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	bytes = readlink(name, path, sizeof(path) - 1);
	if (bytes < 0)
		return;
	path[bytes] = '\0';
	step(call, path);
}

int open64(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
	mode_t mode = 0;
	va_list rest;

	if (flags & O_CREAT) {
		va_start(rest, flags);
		mode = va_arg(rest, mode_t);
		va_end(rest);
		step("creation", path);
	}
	return real(path, flags, mode);
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");

	step("rename", to);
	return real(from, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	int (*real)(int, const char *, int, const char *, unsigned) = dlsym(RTLD_NEXT, "renameat2");

	step("rename", to);
	return real(from_fd, from, to_fd, to, flags);
}

int unlink(const char *path)
{
	int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");

	step("removal", path);
	return real(path);
}

int fsync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fsync");

	step_of("sync", fd);
	return real(fd);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t bytes)
{
	int (*real)(int, int, off64_t, off64_t) = dlsym(RTLD_NEXT, "fallocate64");

	step_of("reservation", fd);
	return real(fd, mode, offset, bytes);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");

	step_of("write", fd);
	return real(fd, bytes, count, offset);
}
