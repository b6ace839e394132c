/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forbids a device to fuse or reorder arithmetic: each result of floating-point arithmetic of
 * a SPIR-V module is decorated NoContraction, so that devices which round as IEEE 754 says make
 * the same bits. GLSL has `precise` for that, variable by variable; this misses none.
 *
 * SPIR-V specification 1.5, 2.3 (layout of a module), 2.4 (order of sections), 3.20.
 */
#ifndef WM_CONTRACTION_H
#define WM_CONTRACTION_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"

/* Returns the words of *code, to be freed, or 0 with error filled in: no module, no memory.
 * Pure; any thread. */
size_t wm_contraction_forbid(uint32_t **code, const uint32_t *words, size_t word_count,
			     struct wm_error *error);

#endif
