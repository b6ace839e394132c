/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the queue of a block device wants of a write that is gathered from many places.
 *
 * NVMe describes memory in pages: where one piece ends or the next begins inside one, the
 * kernel begins a new command (virt_boundary_mask). An extent of pieces that lie on multiples
 * of 512 becomes 128 commands at MTU 9000, and of pieces that are no multiple of its physical
 * block commands that the drive has to read for first. Then one copy is cheaper.
 *
 *   MTU    piece  on       commands an extent   in place
 *   9000   8192   pages    2                    yes
 *   9000   8192   512      128                  no: the port places payloads on pages
 *   3506   3072   512      342, off the block   no
 *
 *   struct wm_queue   store.h
 */
#ifndef WM_QUEUE_H
#define WM_QUEUE_H

#include <sys/stat.h>

#include "wiremill/store.h"

/* Of the block device that this is, or that it is on; zeroes where the kernel does not say
 * (a file system on no device of its own). `sysfs`: "/sys", but in tests. */
void wm_queue_find(struct wm_queue *queue, const struct stat *status, const char *sysfs);

/* What writing an extent of such pieces costs (store.h), in commands; that each end of one
 * which lies inside a physical block has to be read first counts as one more. */
uint32_t wm_queue_cost(const struct wm_queue *queue, uint32_t piece_bytes, uint32_t align_bytes);

#endif
