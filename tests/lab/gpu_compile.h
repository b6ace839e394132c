/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver that takes its time to compile: a vkCreateComputePipelines of its own, linked into a
 * test or preloaded into a node. What goes to the real one is right.
 *
 * Preloaded, WM_GPU_COMPILE_MS is how long each takes, a minute at most.
 */
#ifndef WM_GPU_COMPILE_H
#define WM_GPU_COMPILE_H

#include <stdint.h>

/* The next so many compilations do not come back before they are let go, or a minute is over. */
void gpu_compile_hold(uint32_t count);
/* How many are held now. */
uint32_t gpu_compile_held(void);
/* One that is held comes back, or the next that would be. */
void gpu_compile_let_go(void);
/* The next one fails. */
void gpu_compile_fail(void);

#endif
