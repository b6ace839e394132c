/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's kernels on its disk: what its cache keeps (kernel_cache.h) stands in a directory
 * too, each under its hash (kernel_file.h), so that it is here after a start.
 *
 * The disk may be slow, full, read-only or damaged: a thread of its own writes and removes, and
 * the first failure is said once, after which the node goes on without. What is read is what
 * its name says, or it is removed.
 */
#ifndef WM_KERNEL_STORE_H
#define WM_KERNEL_STORE_H

#include "kernel_cache.h"
#include "wiremill/error.h"

struct wm_kernel_store;

/* Fills the cache with what is there, newest first as far as it takes it, and follows it from
 * then on. What fails is said in the log. NULL: the cache is in memory alone. */
struct wm_kernel_store *wm_kernel_store_open(struct wm_kernel_cache *cache, const char *directory);
/* What is to be written is, unless the disk takes longer than 2 s: then it is left. Leaves NULL.
 * Before the cache ends. */
void wm_kernel_store_close(struct wm_kernel_store **store);

#endif
