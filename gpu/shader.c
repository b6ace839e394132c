/* SPDX-License-Identifier: BSD-3-Clause */
#include "shader.h"

#include <stdbool.h>
#include <string.h>

#include "kernel_list.h"

/* Each is made from shader_code.c.in. */
#define DECLARE(symbol) extern const struct wm_shader wm_shader_##symbol;
#define ENTRY(symbol) &wm_shader_##symbol,

WM_KERNEL_LIST(DECLARE)

static const struct wm_shader *const shaders[] = { WM_KERNEL_LIST(ENTRY) };

/* A shader has its element's size and its halo built in. */
static bool same_shape(const struct wm_kernel *kernel)
{
	const struct wm_kernel *known = wm_kernel_find(kernel->name);

	return known && known->in_bytes == kernel->in_bytes &&
	       known->out_bytes == kernel->out_bytes && known->halo_before == kernel->halo_before &&
	       known->halo_after == kernel->halo_after;
}

const struct wm_shader *wm_shader_find(const struct wm_kernel *kernel)
{
	if (!same_shape(kernel))
		return NULL;
	for (size_t i = 0; i < sizeof(shaders) / sizeof(shaders[0]); i++) {
		if (strcmp(shaders[i]->name, kernel->name) == 0)
			return shaders[i];
	}
	return NULL;
}
