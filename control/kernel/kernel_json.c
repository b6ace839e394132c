/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_json.h"

#include "wiremill/kernel_object.h"

json_t *wm_kernel_hash_json(const struct wm_kernel *kernel)
{
	char digits[WM_KERNEL_HASH_TEXT_BYTES] = "";

	if (!wm_kernel_is_builtin(kernel))
		wm_kernel_hash_text(digits, kernel->hash);
	return json_string(digits);
}
