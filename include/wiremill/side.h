/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files beside an output: what they are called, and whose they are.
 *
 *   OUTPUT.wm-partial         begins with its mark until the first extent is written,
 *                             and from before that on has its journal beside it
 *   OUTPUT.wm-journal[.new]   begins with its mark
 *   OUTPUT.wm-manifest[.new]  likewise
 *
 * (of a block device: in the controller's state directory, under its name.)
 *
 * Anybody may have a file of such a name, or put a pipe or a link there. So a side file
 * is opened without waiting and without following, is a regular file, and is ours: empty,
 * or with that mark. What is not ours is never written, replaced or removed.
 *
 * Any thread that may block.
 */
#ifndef WIREMILL_SIDE_H
#define WIREMILL_SIDE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/store.h"

#define WM_SIDE_MARK_BYTES 8u

enum wm_side {
	WM_SIDE_PARTIAL,
	WM_SIDE_JOURNAL,
	WM_SIDE_JOURNAL_NEW,
	WM_SIDE_MANIFEST,
	WM_SIDE_MANIFEST_NEW,
	WM_SIDES,
};

const char *wm_side_suffix(enum wm_side side);
/* What a file of that kind begins with; of journals and manifests the last byte is a
 * version, and may be another. */
const uint8_t *wm_side_mark(enum wm_side side);

/* Where that file of an output is. */
int wm_side_path(char path[PATH_MAX], const char *output_path, enum wm_side side,
		 const char *state_directory, struct wm_error *error);

/* Has the open file still that name? Of any file: whoever removes one may be removing that
 * of somebody else by now. */
bool wm_file_is_named(int fd, const char *path);

/*
 * Before a job's first byte: are all names short enough, can they be written where they
 * lie, and is nothing there that is not ours, or the input (source may be NULL)? An output
 * that has itself the name of a side file is refused.
 */
int wm_side_check(const char *output_path, const char *state_directory,
		  const struct wm_source *source, struct wm_error *error);

/* Is there room for an output of that length in so many extents, with its journal and its
 * manifest? Only what is certain: quotas and reserved blocks show when space is taken. */
int wm_side_check_space(const char *output_path, const char *state_directory, uint64_t output_bytes,
			uint64_t extents, struct wm_error *error);

/* A descriptor, or -ENOENT, -ELOOP (a link), -EISDIR, -EINVAL (no file), -EACCES, ... */
int wm_side_open(const char *path, int flags);
/* A new one, mode 0600, in the place of one of ours that a dead process left.
 * -EEXIST: what is there is not ours. */
int wm_side_create(const char *path, enum wm_side side, int flags);
/* Durable; 0 also where there is none. -EEXIST and what wm_side_open says: not ours. */
int wm_side_remove(const char *path, enum wm_side side);
/* Is the open file one that Wiremill made? `path` is its own. */
bool wm_side_is_ours(int fd, const char *path, enum wm_side side);
/* The line for what the functions above return. */
int wm_side_refuse(const char *path, enum wm_side side, int code, struct wm_error *error);

#endif
