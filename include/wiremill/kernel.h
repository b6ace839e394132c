/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel maps elements of a dataset to elements of a result. The core knows
 * of it only its shape: how large an element is on either side, and how many
 * neighbours (the halo) it needs before the first and after the last element of
 * a batch. N elements of input give N - halo_before - halo_after of output.
 */
#ifndef WIREMILL_KERNEL_H
#define WIREMILL_KERNEL_H

#include <stdint.h>

#define WM_KERNEL_NAME_BYTES 32

struct wm_kernel {
	char name[WM_KERNEL_NAME_BYTES]; /* lower case, digits, '-' */
	uint32_t in_bytes;		 /* of one element of input */
	uint32_t out_bytes;		 /* of one element of output */
	uint32_t halo_before;		 /* elements needed before the first */
	uint32_t halo_after;		 /* elements needed after the last */
};

/* The built-in kernels' shapes, in order of index; NULL past the last. */
const struct wm_kernel *wm_kernel_at(unsigned index);
/* The kernel of that name, or NULL. Static memory, any thread. */
const struct wm_kernel *wm_kernel_find(const char *name);

#endif
