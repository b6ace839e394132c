/* SPDX-License-Identifier: BSD-3-Clause */
/* Is an input still the one that was opened? Pure; any thread. */
#ifndef WM_SOURCE_H
#define WM_SOURCE_H

#include <sys/stat.h>

#include "wiremill/store.h"

/* What wm_source_compare needs to know. */
#define WM_SOURCE_STATX_MASK (STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_NLINK)

/* NULL: it is. Else what differs, as a word for a line. Not for block devices, whose node
 * tells nothing of what is on them. */
const char *wm_source_compare(const struct wm_source *source, const struct statx *now);

#endif
