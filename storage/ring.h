/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WM_RING_H
#define WM_RING_H

#include <liburing.h>

#include "wiremill/error.h"

/* An io_uring with those IORING_SETUP_ flags where the kernel has them, else none. */
int wm_ring_create(struct io_uring *ring, unsigned entries, unsigned flags, struct wm_error *error);

#endif
