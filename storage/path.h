/* SPDX-License-Identifier: BSD-3-Clause */
/* Names on a disk: what they lead to, and making them last. */
#ifndef WM_PATH_H
#define WM_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "wiremill/error.h"

/* The longest that is appended to an output's name: ".wm-manifest.new". */
#define WM_PATH_SUFFIX_BYTES_MAX 16u

/* The directory that holds the last component: "." where there is none. */
void wm_path_directory(char directory[PATH_MAX], const char *path);
/* The file that an output's name stands for: its own, or where a symbolic link
 * leads. Refuses a name that no file can have, with room for a suffix left. */
int wm_path_output(char target[PATH_MAX], const char *path, struct wm_error *error);
/* Does it lead through a descriptor or the like of whoever asks (/dev/stdin, /proc/self)?
 * Then it means something else in another process. */
bool wm_path_is_of_process(const char *path);
/* Does it lead to a file of /proc's own, which the kernel makes up as it is read? */
bool wm_path_is_made_up(const char *path);
/* The umask, which nobody can read without changing it but there. */
mode_t wm_path_umask(void);
/* Gives a file a name that nothing has yet. 0, -EEXIST, or another negative errno. */
int wm_path_rename_new(const char *from, const char *to);
/* Makes durable what the directory of that path says about it. */
int wm_path_sync(const char *path);

#endif
