/* SPDX-License-Identifier: BSD-3-Clause */
/* One object as a file of the library's directory, under its hash. Blocks; any thread. */
#ifndef WM_KERNEL_FILE_H
#define WM_KERNEL_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel_object.h"

/* Is it the name of one? Then its hash is filled in. */
bool wm_kernel_file_is_named(const char *name, uint8_t hash[WM_KERNEL_HASH_BYTES]);
/* What a dead process left of a write. */
bool wm_kernel_file_is_left_over(const char *name);

/* *bytes is to be freed; object points into it. -ENOENT; -EBADMSG: it is not what its name
 * says, or no file. */
int wm_kernel_file_read(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			struct wm_kernel_object *object, uint8_t **bytes, size_t *bytes_count,
			struct wm_error *error);
int wm_kernel_file_write(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			 const uint8_t *bytes, size_t bytes_count, struct wm_error *error);
/* Durable; 0 also where there is none. */
int wm_kernel_file_remove(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			  struct wm_error *error);
/* When it was written or touched, in ms since 1970; 0: not known. */
uint64_t wm_kernel_file_used_ms(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES]);
/* It is used now. Where that cannot be noted, it goes before others when room is made. */
void wm_kernel_file_touch(const char *directory, const uint8_t hash[WM_KERNEL_HASH_BYTES]);

#endif
