/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WM_RING_H
#define WM_RING_H

#include <liburing.h>

#include "wiremill/error.h"

/* An io_uring with those IORING_SETUP_ flags where the kernel has them, else none. */
int wm_ring_create(struct io_uring *ring, unsigned entries, unsigned flags, struct wm_error *error);

/* Takes back what was queued and the kernel did not take: `taken` gets the data of each,
 * and nothing comes of it any more but completions without data. */
void wm_ring_take_back(struct io_uring *ring, void (*taken)(void *context, void *data),
		       void *context);

#endif
