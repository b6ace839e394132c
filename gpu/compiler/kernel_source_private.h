/* SPDX-License-Identifier: BSD-3-Clause */
/* The two halves of a source: its first comment, and its code. */
#ifndef WM_KERNEL_SOURCE_PRIVATE_H
#define WM_KERNEL_SOURCE_PRIVATE_H

#include "kernel_source.h"

/* A place in the file, for messages. */
struct wm_kernel_source_place {
	const char *name;
	unsigned line; /* from 1 */
};

/* "NAME:LINE: what". Returns -EINVAL. */
int wm_kernel_source_refuse(const struct wm_kernel_source_place *place, struct wm_error *error,
			    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Whether the code, which begins at that line, may be given to the compiler: what it names is
 * its own, and element() is there. Returns 0 or -EINVAL. */
int wm_kernel_source_check_code(const char *name, unsigned line, const char *code,
				size_t code_bytes, struct wm_error *error);

/* A word that is reserved, or is what kernels are given by (in, out). */
bool wm_kernel_source_is_reserved(const char *word, size_t bytes);

#endif
