/* SPDX-License-Identifier: BSD-3-Clause */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS (2 * WM_KEY_BYTES)

void wm_secret_lock(void *memory, size_t bytes)
{
	(void)sodium_mlock(memory, bytes); /* RLIMIT_MEMLOCK may forbid it */
}

void wm_secret_wipe(void *memory, size_t bytes)
{
	(void)sodium_munlock(memory, bytes); /* wipes first, in any case */
}

static int check_file(int fd, const char *path, struct wm_error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return wm_error_set(error, errno, "the key file %s cannot be examined: %s", path,
				    wm_errno_text(errno));
	if (!S_ISREG(status.st_mode))
		return wm_error_set(error, EINVAL,
				    "%s is not a regular file: make a key by "
				    "'wiremill key FILE'",
				    path);
	if (status.st_uid != geteuid())
		return wm_error_set(error, EACCES,
				    "the key file %s belongs to user %u, not to user %u who runs "
				    "this: run 'chown %u %s'",
				    path, status.st_uid, geteuid(), geteuid(), path);
	if (status.st_mode & (S_IRWXG | S_IRWXO))
		return wm_error_set(error, EACCES,
				    "others may get at the key file %s (its mode is %04o): run "
				    "'chmod 600 %s'",
				    path, (unsigned)status.st_mode & 07777, path);
	return 0;
}

/* What is wrong with the content is never shown: it may be a key nearly. */
static int parse(struct wm_key *key, const char *text, size_t bytes)
{
	size_t count = 0;

	if (bytes == DIGITS + 1 && text[DIGITS] == '\n')
		bytes = DIGITS;
	if (bytes != DIGITS ||
	    sodium_hex2bin(key->bytes, sizeof(key->bytes), text, bytes, NULL, &count, NULL) != 0)
		return -EINVAL;
	return count == sizeof(key->bytes) ? 0 : -EINVAL;
}

static int read_key(struct wm_key *key, int fd, const char *path, struct wm_error *error)
{
	char text[DIGITS + 2]; /* one more than the longest that is right */
	ssize_t bytes = read(fd, text, sizeof(text));
	int ret;

	if (bytes < 0) {
		ret = wm_error_set(error, errno, "the key file %s cannot be read: %s", path,
				   wm_errno_text(errno));
	} else {
		ret = parse(key, text, (size_t)bytes);
		if (ret < 0)
			wm_error_set(error, EINVAL,
				     "the key file %s is not %u hexadecimal digits: make one by "
				     "'wiremill key FILE'",
				     path, DIGITS);
	}
	sodium_memzero(text, sizeof(text));
	return ret;
}

int wm_key_read(struct wm_key *key, const char *path, struct wm_error *error)
{
	/* Not to wait for the other end of a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret;

	if (fd < 0)
		return wm_error_set(error, errno, "the key file %s cannot be opened: %s", path,
				    wm_errno_text(errno));
	ret = check_file(fd, path, error);
	if (ret == 0)
		ret = read_key(key, fd, path, error);
	close(fd);
	return ret;
}

static int write_key(int fd)
{
	uint8_t key[WM_KEY_BYTES];
	char text[DIGITS + 1];
	ssize_t written;

	wm_auth_random(key, sizeof(key));
	sodium_bin2hex(text, sizeof(text), key, sizeof(key));
	text[DIGITS] = '\n';
	errno = ENOSPC; /* what a short write means here */
	written = write(fd, text, sizeof(text));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	if (written != (ssize_t)sizeof(text) || fsync(fd) < 0)
		return -errno;
	return 0;
}

int wm_key_create(const char *path, struct wm_error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0 && errno == EEXIST)
		return wm_error_set(error, EEXIST,
				    "%s exists, and a key is never overwritten: choose another "
				    "name, or remove it",
				    path);
	if (fd < 0)
		return wm_error_set(error, errno, "%s cannot be made: %s", path,
				    wm_errno_text(errno));
	ret = write_key(fd);
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret < 0) {
		unlink(path);
		return wm_error_set(error, -ret, "%s cannot be written: %s", path,
				    wm_errno_text(-ret));
	}
	return 0;
}
