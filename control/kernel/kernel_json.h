/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel's hash as JSON: 64 digits, "" where it is built in. NULL: no memory. Any thread. */
#ifndef WM_KERNEL_JSON_H
#define WM_KERNEL_JSON_H

#include <jansson.h>

#include "wiremill/kernel.h"

json_t *wm_kernel_hash_json(const struct wm_kernel *kernel);

#endif
