/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A GPU that hangs and is reset by its driver, where there is none: this stands before
 * Vulkan's own functions, linked into a test or preloaded into a node. A submission that
 * a reset hits is not executed; its semaphore advances all the same, as a kernel signals
 * by force what hung. The device is lost from then on, and says so where Mesa's drivers
 * ask it: at the next submission, and at the end of a wait, not of a look at the counter.
 *
 *   WM_GPU_RESET_EVERY=100   one submission in so many, for a preloaded one
 *   WM_GPU_SLOW_MS=1500      each submission takes so long after the one before, at least
 */
#ifndef WM_GPU_RESET_H
#define WM_GPU_RESET_H

#include <stdbool.h>
#include <stdint.h>

/* The next submission is hit. `silently`: and no call ever tells. */
void gpu_reset_next(bool silently);
/* So many devices cannot be made from now on. */
void gpu_reset_refuse(uint32_t devices);

#endif
