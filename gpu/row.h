/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one check between a row and the device: a shader does what a row says
 * without a bound of its own. Pure; any thread.
 */
#ifndef WM_ROW_H
#define WM_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/executor.h"
#include "wiremill/kernel.h"

/*
 * Whether all that the kernel reads and writes for this row lies in the region,
 * aligned as struct wm_row asks, with 1 to WM_BATCH_ELEMENTS_MAX elements. Says
 * nothing of rows that overlap: what is in use is the caller's to know.
 * region_bytes is a multiple of WM_ROW_ALIGN_BYTES.
 */
bool wm_row_is_valid(const struct wm_row *row, const struct wm_kernel *kernel,
		     uint64_t region_bytes);

#endif
