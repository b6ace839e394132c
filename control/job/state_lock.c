/* SPDX-License-Identifier: BSD-3-Clause */
#include "state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "wiremill/side.h"

/* Attempts to lock the file while somebody else removes it. */
#define ATTEMPTS 8
#define PAUSE_NS (20 * WM_NS_PER_MS)

/* "": whoever has it has not said so yet. */
static void read_pid(int fd, char text[32])
{
	ssize_t bytes = pread(fd, text, 31, 0);

	text[bytes > 0 ? bytes : 0] = '\0';
	text[strspn(text, "0123456789")] = '\0';
}

static int refuse_lock(const struct wm_state_lock *lock, int fd, int code, struct wm_error *error)
{
	char pid[32];

	if (code != EWOULDBLOCK)
		return wm_error_set(error, code,
				    "%.300s cannot be locked (%s): name a state directory on "
				    "another file system with --state",
				    lock->path, wm_errno_text(code));
	read_pid(fd, pid);
	return wm_error_set(error, EBUSY,
			    "another wiremilld%s%s has the state directory, by %.300s: stop it, or "
			    "name another with --state",
			    pid[0] ? ", pid " : "", pid, lock->path);
}

static int write_pid(int fd)
{
	char text[32];
	int bytes = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	return ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)bytes, 0) < 0 ? -errno : 0;
}

/* -ESTALE: it was removed meanwhile. Who has the lock may not be able to say so on a full
 * disk, which is no reason not to start. */
static int take_file(struct wm_state_lock *lock, int fd, struct wm_error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return wm_error_set(error, EINVAL, "%.300s is no file: move it away", lock->path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return refuse_lock(lock, fd, errno, error);
	if (!wm_file_is_named(fd, lock->path))
		return -ESTALE;
	write_pid(fd);
	lock->fd = fd;
	return 0;
}

static int take(struct wm_state_lock *lock, struct wm_error *error)
{
	int ret = -ESTALE;

	for (unsigned i = 0; i < ATTEMPTS && ret == -ESTALE; i++) {
		int fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			      0640);

		if (fd < 0)
			return wm_error_set(error, errno,
					    "state directory cannot be used (%s): %.300s: name "
					    "another with --state",
					    wm_errno_text(errno), lock->path);
		ret = take_file(lock, fd, error);
		if (ret < 0)
			close(fd);
	}
	return ret == -ESTALE ? refuse_lock(lock, -1, EWOULDBLOCK, error) : ret;
}

int wm_state_lock_take(struct wm_state_lock *lock, const char *directory, uint64_t wait_ns,
		       struct wm_error *error)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t end_ns = wm_clock_ns() + wait_ns;
	int ret;

	*lock = (struct wm_state_lock){ .fd = -1 };
	if (snprintf(lock->path, sizeof(lock->path), "%s/lock", directory) >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "the state directory's path is too long");
	while ((ret = take(lock, error)) == -EBUSY && wm_clock_ns() < end_ns)
		nanosleep(&pause, NULL);
	return ret;
}

int wm_state_lock_keep(struct wm_state_lock *lock, struct wm_error *error)
{
	int old = lock->fd, ret;

	if (wm_file_is_named(old, lock->path))
		return 0;
	ret = take(lock, error);
	if (ret < 0)
		return ret;
	close(old);
	return 1;
}

void wm_state_lock_release(struct wm_state_lock *lock)
{
	if (lock->fd < 0)
		return;
	/* Else it would last while a thread that a disk holds up keeps the process. */
	flock(lock->fd, LOCK_UN);
	close(lock->fd);
	lock->fd = -1;
}
