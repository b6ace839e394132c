/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arithmetic of a job: how a dataset is cut into extents and batches.
 *
 *   elements of output   0                                            elements
 *                        |-------- extent 0 --------|-- extent 1 ... --|
 *   batches              | 0 | 1 | 2 | ...   | last | first of 1 | ...
 *
 * An extent is about 1 MiB of output, and a multiple of WM_STORE_ALIGN_BYTES of it
 * but for the last one, so that it is written with O_DIRECT whatever the MTU. It
 * holds batches_per_extent batches of batch_elements, the last of them shorter
 * where the division leaves a rest. So extents do not depend on the MTU: a job
 * can be resumed over another link.
 *
 * Pure; any thread. All figures are checked against overflow by init.
 */
#ifndef WIREMILL_LAYOUT_H
#define WIREMILL_LAYOUT_H

#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel.h"

struct wm_layout {
	struct wm_kernel kernel;
	uint64_t elements;    /* of output, in the whole job */
	uint64_t input_bytes; /* of whole elements */
	uint64_t output_bytes;
	uint64_t extents;
	uint64_t batches;	     /* index space: extents * batches_per_extent at most */
	uint32_t extent_elements;    /* of output, in a full extent */
	uint32_t batch_elements;     /* of output, in a full batch */
	uint32_t batches_per_extent; /* in a full extent */
};

/* The part of the job that one extent or batch covers, in bytes of either file. */
struct wm_span {
	uint64_t in_offset; /* of the halo's first byte */
	uint64_t out_offset;
	uint32_t in_bytes; /* with its halo */
	uint32_t out_bytes;
	uint32_t elements;
};

/*
 * Elements of output in one frame at this MTU: 45, 96 and 256 for xor at 1500,
 * 3506 and 9000. Rounded down to a multiple of the disk's 512 bytes where that
 * costs less than an eighth. 0: the MTU is too small for the kernel.
 */
uint32_t wm_layout_batch_elements(const struct wm_kernel *kernel, uint32_t mtu);
/* The smallest MTU that carries one element. */
uint32_t wm_layout_mtu_min(const struct wm_kernel *kernel);

/*
 * input_bytes is a multiple of the element's size (the caller has refused or
 * dropped the tail). Returns 0, -ERANGE where fewer elements are given than the
 * halo needs, -EMSGSIZE for an MTU too small; the error says it in a line.
 */
int wm_layout_init(struct wm_layout *layout, const struct wm_kernel *kernel, uint64_t input_bytes,
		   uint32_t mtu, struct wm_error *error);

struct wm_span wm_layout_extent(const struct wm_layout *layout, uint64_t extent);
/* Number of batches in this extent: batches_per_extent but for the last. */
uint32_t wm_layout_extent_batches(const struct wm_layout *layout, uint64_t extent);
/* Elements of output in batch number `place` of that extent. */
uint32_t wm_layout_batch_size(const struct wm_layout *layout, uint64_t extent, uint32_t place);

#endif
