/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An author's text and parameters, made into an object: parsed, compiled (by a process of its
 * own, gpu/compiler/compiler.h), and put together. Blocks for as long as the compiler takes;
 * any thread.
 */
#ifndef WM_KERNEL_MAKE_H
#define WM_KERNEL_MAKE_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel.h"

/* As many as a kernel has parameters (gpu/compiler/kernel_source.h). */
#define WM_KERNEL_SETTINGS_MAX 16u

struct wm_kernel_text {
	const char *file; /* its name, for messages */
	const char *code;
	size_t code_bytes;
	const char *settings[WM_KERNEL_SETTINGS_MAX]; /* "NAME=VALUE" */
	uint32_t setting_count;
};

/* A copy of all of it, in one piece that free() takes; NULL: no memory. */
struct wm_kernel_text *wm_kernel_text_copy(const struct wm_kernel_text *text);

/* *bytes is an object's, to be freed; the kernel has its hash. -EINVAL: the text is wrong, and
 * the line says where. */
int wm_kernel_make(const struct wm_kernel_text *text, struct wm_kernel *kernel, uint8_t **bytes,
		   size_t *bytes_count, struct wm_error *error);

#endif
