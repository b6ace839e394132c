/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two ends of a job have in common: a regular file or a block device. */
#ifndef WM_FILE_H
#define WM_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "wiremill/error.h"

struct wm_file {
	int fd;
	bool block_device;
	uint64_t bytes;
	dev_t device; /* identity: of a block device its number, inode 0 */
	ino_t inode;
};

/* Opens for buffered reading. Refuses all but files and block devices; `role`
 * ("input", "output") begins the line. */
int wm_file_open(struct wm_file *file, const char *path, const char *role, struct wm_error *error);

/* Whether this can be one end of a job: 0, -EISDIR, or -EINVAL for a pipe, a
 * character device and the like. */
int wm_file_check_type(const struct stat *status);
/* The identity that wm_file has, of any path's status. */
bool wm_file_is(const struct stat *status, dev_t device, ino_t inode);
/* As cp does: whoever may not give a file away keeps it, and a file system without modes has
 * none, so that the file stays its maker's alone. */
void wm_file_set_mode(int fd, const struct stat *owner, mode_t mode, const char *path);
/* Size of an open block device: 0 or a negative errno. */
int wm_file_device_bytes(int fd, uint64_t *bytes);

/* As much as there is: the count read, less than asked only at the end of the
 * file, or a negative errno. */
ssize_t wm_file_read(int fd, void *bytes, size_t count, uint64_t offset);
/* All of it: 0 or a negative errno. */
int wm_file_write(int fd, const void *bytes, size_t count, uint64_t offset);

/*
 * Turns O_DIRECT on where the file system supports it and says what it needs
 * (STATX_DIOALIGN; of a block device its logical block). align_bytes is 1 where
 * it stays off. Returns what was obtained.
 */
bool wm_file_set_direct(int fd, bool block_device, uint32_t *align_bytes);

#endif
