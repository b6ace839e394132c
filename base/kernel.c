/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/kernel.h"

#include <string.h>

bool wm_kernel_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t length = strnlen(name, WM_KERNEL_NAME_BYTES);

	return length > 0 && length < WM_KERNEL_NAME_BYTES && strspn(name, allowed) == length;
}

bool wm_kernel_is_builtin(const struct wm_kernel *kernel)
{
	static const uint8_t none[WM_KERNEL_HASH_BYTES];

	return memcmp(kernel->hash, none, sizeof(none)) == 0;
}

bool wm_kernel_is_same(const struct wm_kernel *a, const struct wm_kernel *b)
{
	return strncmp(a->name, b->name, sizeof(a->name)) == 0 && a->in_bytes == b->in_bytes &&
	       a->out_bytes == b->out_bytes && a->halo_before == b->halo_before &&
	       a->halo_after == b->halo_after && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}
