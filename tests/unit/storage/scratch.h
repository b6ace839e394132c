/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real files for the storage tests, in a directory of their own under $TMPDIR
 * (else /var/tmp, which is a disk). A test program that root runs becomes an
 * ordinary user between begin and end, so that permissions and limits count.
 */
#ifndef WM_SCRATCH_H
#define WM_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"

/* 0, or -1 with the reason on stdout. */
int wm_scratch_begin(bool as_user);
/* Removes all that is left in the directory, and it. */
void wm_scratch_end(void);
/* A name in the directory: static memory, eight in use at once. */
const char *wm_scratch_path(const char *name);
/* A fresh directory in memory that such a name begins with, or NULL. */
const char *wm_scratch_shm(void);

/* Contents that differ everywhere, from a seed. The caller frees. */
uint8_t *wm_scratch_bytes(size_t count, uint64_t seed);
void wm_scratch_write(const char *path, const void *bytes, size_t count);
/* The whole file; NULL where there is none. The caller frees. */
uint8_t *wm_scratch_read(const char *path, size_t *count);
bool wm_scratch_exists(const char *path);
bool wm_scratch_holds(const char *path, const void *bytes, size_t count);

/* A message is there, and one line. */
bool wm_scratch_is_line(const struct wm_error *error);

#endif
