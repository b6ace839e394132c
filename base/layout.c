/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/layout.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "wiremill/limits.h"
#include "wiremill/store.h"
#include "wiremill/wire.h"

/* A disk's smallest logical block: a batch that is a multiple of it can be
 * written straight from the frame it came in. */
#define DISK_BLOCK_BYTES 512u

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* 64 bits: a kernel that a user brings may name any numbers. */
static uint64_t halo(const struct wm_kernel *kernel)
{
	return (uint64_t)kernel->halo_before + kernel->halo_after;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint32_t wm_layout_mtu_min(const struct wm_kernel *kernel)
{
	uint64_t elements_max = UINT32_MAX / kernel->in_bytes;
	uint64_t map, result, mtu;

	if (halo(kernel) >= elements_max)
		return UINT32_MAX;
	map = WM_WIRE_HEADER_BYTES + (halo(kernel) + 1) * kernel->in_bytes;
	result = WM_WIRE_HEADER_BYTES + (uint64_t)kernel->out_bytes;
	mtu = larger(larger(map, result), WM_MTU_MIN);
	return mtu < UINT32_MAX ? (uint32_t)mtu : UINT32_MAX;
}

uint32_t wm_layout_batch_elements(const struct wm_kernel *kernel, uint32_t mtu)
{
	uint32_t room, elements, unit, aligned;

	if (mtu < wm_layout_mtu_min(kernel))
		return 0;
	room = mtu - WM_WIRE_HEADER_BYTES;
	elements = room / kernel->in_bytes - (uint32_t)halo(kernel);
	if (elements > room / kernel->out_bytes)
		elements = room / kernel->out_bytes;
	if (elements > WM_BATCH_ELEMENTS_MAX)
		elements = WM_BATCH_ELEMENTS_MAX;

	unit = DISK_BLOCK_BYTES / greatest_common_divisor(DISK_BLOCK_BYTES, kernel->out_bytes);
	aligned = elements / unit * unit;
	return aligned >= elements - elements / 8 && aligned > 0 ? aligned : elements;
}

/* The multiple nearest below WM_EXTENT_BYTES of what keeps extents aligned. */
static uint32_t extent_elements(const struct wm_kernel *kernel)
{
	uint32_t unit = WM_STORE_ALIGN_BYTES /
			greatest_common_divisor(WM_STORE_ALIGN_BYTES, kernel->out_bytes);
	uint32_t count = WM_EXTENT_BYTES / larger(kernel->in_bytes, kernel->out_bytes) / unit *
			 unit;

	return count ? count : unit;
}

int wm_layout_init(struct wm_layout *layout, const struct wm_kernel *kernel, uint64_t input_bytes,
		   uint32_t mtu, struct wm_error *error)
{
	uint64_t in_elements = input_bytes / kernel->in_bytes;

	assert(kernel->in_bytes > 0 && kernel->out_bytes > 0);
	assert(input_bytes % kernel->in_bytes == 0);
	if (in_elements <= halo(kernel))
		return wm_error_set(error, ERANGE,
				    "kernel %s needs at least %" PRIu64 " elements of %" PRIu32
				    " bytes, the input has %" PRIu64,
				    kernel->name, halo(kernel) + 1, kernel->in_bytes, in_elements);

	*layout = (struct wm_layout){
		.kernel = *kernel,
		.elements = in_elements - halo(kernel),
		.input_bytes = input_bytes,
		.extent_elements = extent_elements(kernel),
		.batch_elements = wm_layout_batch_elements(kernel, mtu),
	};
	if (layout->batch_elements == 0)
		return wm_error_set(error, EMSGSIZE,
				    "an MTU of %" PRIu32
				    " is too small for kernel %s: set at least %" PRIu32,
				    mtu, kernel->name, wm_layout_mtu_min(kernel));
	if ((uint64_t)layout->extent_elements * larger(kernel->in_bytes, kernel->out_bytes) >
	    WM_EXTENT_BYTES)
		return wm_error_set(error, ERANGE,
				    "kernel %s: %" PRIu32
				    " elements, the fewest that fill whole pages, "
				    "do not fit in an extent of %u bytes",
				    kernel->name, layout->extent_elements, WM_EXTENT_BYTES);
	if (layout->elements > UINT64_MAX / 2 / kernel->out_bytes)
		return wm_error_set(error, ERANGE, "kernel %s would write more than 2^63 bytes",
				    kernel->name);

	layout->output_bytes = layout->elements * kernel->out_bytes;
	layout->batches_per_extent = (layout->extent_elements + layout->batch_elements - 1) /
				     layout->batch_elements;
	if (layout->batches_per_extent > WM_EXTENT_BATCHES_MAX)
		return wm_error_set(error, EMSGSIZE,
				    "an MTU of %" PRIu32 " cuts kernel %s into batches too small",
				    mtu, kernel->name);
	layout->extents = (layout->elements + layout->extent_elements - 1) /
			  layout->extent_elements;
	layout->batches = (layout->extents - 1) * layout->batches_per_extent +
			  wm_layout_extent_batches(layout, layout->extents - 1);
	return 0;
}

static uint32_t elements_of_extent(const struct wm_layout *layout, uint64_t extent)
{
	uint64_t left;

	assert(extent < layout->extents);
	left = layout->elements - extent * layout->extent_elements;
	return left < layout->extent_elements ? (uint32_t)left : layout->extent_elements;
}

struct wm_span wm_layout_extent(const struct wm_layout *layout, uint64_t extent)
{
	const struct wm_kernel *kernel = &layout->kernel;
	uint32_t elements = elements_of_extent(layout, extent);
	uint64_t first = extent * layout->extent_elements;

	return (struct wm_span){
		.in_offset = first * kernel->in_bytes,
		.out_offset = first * kernel->out_bytes,
		.in_bytes = (elements + (uint32_t)halo(kernel)) * kernel->in_bytes,
		.out_bytes = elements * kernel->out_bytes,
		.elements = elements,
	};
}

uint32_t wm_layout_extent_batches(const struct wm_layout *layout, uint64_t extent)
{
	return (elements_of_extent(layout, extent) + layout->batch_elements - 1) /
	       layout->batch_elements;
}

uint32_t wm_layout_batch_size(const struct wm_layout *layout, uint64_t extent, uint32_t place)
{
	uint32_t elements = elements_of_extent(layout, extent);
	uint32_t first = place * layout->batch_elements;

	assert(first < elements);
	return elements - first < layout->batch_elements ? elements - first
							 : layout->batch_elements;
}
