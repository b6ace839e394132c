/* SPDX-License-Identifier: BSD-3-Clause */
#include "row.h"

#include <assert.h>
#include <stddef.h>

#include "wiremill/limits.h"

/* The shader has its own copy of this layout (kernels/prelude.glsl). */
static_assert(sizeof(struct wm_row) == 32, "row");
static_assert(offsetof(struct wm_row, in) == 0, "in");
static_assert(offsetof(struct wm_row, in_end) == 12, "in_end");
static_assert(offsetof(struct wm_row, out) == 20, "out");
static_assert(offsetof(struct wm_row, count) == 24, "count");
static_assert(offsetof(struct wm_row, zero) == 28, "zero");

static bool in_region(uint32_t at, uint64_t bytes, uint64_t region_bytes)
{
	return at % WM_ROW_ALIGN_BYTES == 0 && at <= region_bytes && bytes <= region_bytes - at;
}

/* An end within the input is one between whole units: they are not split. */
static bool ends_well(uint32_t end, uint64_t bytes)
{
	return end == bytes || (end < bytes && end % WM_ROW_ALIGN_BYTES == 0);
}

bool wm_row_is_valid(const struct wm_row *row, const struct wm_kernel *kernel,
		     uint64_t region_bytes)
{
	uint64_t in_elements = (uint64_t)kernel->halo_before + row->count + kernel->halo_after;
	uint64_t in_bytes = in_elements * kernel->in_bytes;
	/* A shader writes whole words. */
	uint64_t out_bytes = ((uint64_t)row->count * kernel->out_bytes + 3) / 4 * 4;
	uint32_t end0 = row->in_end[0], end1 = row->in_end[1];

	assert(region_bytes % WM_ROW_ALIGN_BYTES == 0);
	if (row->count == 0 || row->count > WM_BATCH_ELEMENTS_MAX || row->zero != 0)
		return false;
	if (!ends_well(end0, in_bytes) || !ends_well(end1, in_bytes) || end0 > end1)
		return false;
	/* A piece without bytes may say anything of where it is. */
	return (end0 == 0 || in_region(row->in[0], end0, region_bytes)) &&
	       (end1 == end0 || in_region(row->in[1], end1 - end0, region_bytes)) &&
	       (in_bytes == end1 || in_region(row->in[2], in_bytes - end1, region_bytes)) &&
	       in_region(row->out, out_bytes, region_bytes);
}
