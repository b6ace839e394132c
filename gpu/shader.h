/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels, as devices take them: a name and its SPIR-V. */
#ifndef WM_SHADER_H
#define WM_SHADER_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/kernel.h"

struct wm_shader {
	const char *name;
	const uint32_t *code;
	size_t code_bytes;
};

/* The shader of the kernel of that name and shape, or NULL. Static memory, any
 * thread. */
const struct wm_shader *wm_shader_find(const struct wm_kernel *kernel);

#endif
