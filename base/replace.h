/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file as a whole, in place of what had its name: written aside (PATH.new), fsync, rename,
 * fsync of its directory. Whoever reads it sees the old one or the new one. Blocks; any
 * thread, one at a time for a path.
 */
#ifndef WM_REPLACE_H
#define WM_REPLACE_H

#include <stddef.h>

#include "wiremill/error.h"

#define WM_REPLACE_SUFFIX ".new"

/* Durable on return. mode: of the new file. */
int wm_replace_file(const char *path, unsigned mode, const void *bytes, size_t bytes_count,
		    struct wm_error *error);
/* A name that came or went is on disk when its directory is. */
int wm_replace_sync_directory(const char *directory);

#endif
