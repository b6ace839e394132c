/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel says of the machine in /sys, /proc and /dev. Every path is taken below
 * a root, "" for the machine itself, so that a test can bring a tree of its own.
 */
#ifndef WM_SYSFS_H
#define WM_SYSFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"

#define WM_SYSFS_NAME_BYTES 64u

/* 0, or -ENOENT with what to mount where root has no /sys or no /proc at all. */
int wm_sysfs_check(const char *root, struct wm_error *error);

bool wm_sysfs_exists(const char *root, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The first line of a file. 0 or a negative errno. */
int wm_sysfs_read(char text[WM_SYSFS_NAME_BYTES], const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A file that holds one number, perhaps with a sign. 0 or a negative errno. */
int wm_sysfs_number(int64_t *number, const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The last part of where a link leads. 0 or a negative errno. */
int wm_sysfs_link(char name[WM_SYSFS_NAME_BYTES], const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Where a path leads, with all links followed. 0 or a negative errno. */
int wm_sysfs_resolve(char path[PATH_MAX], const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The index-th name in a folder that begins with the prefix, in no order. 0 or a negative
 * errno: -ENOENT past the last. */
int wm_sysfs_entry(char name[WM_SYSFS_NAME_BYTES], unsigned index, const char *prefix,
		   const char *root, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
