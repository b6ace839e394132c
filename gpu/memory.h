/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that both the CPU and the device see, as one buffer: imported (the
 * caller's region, used in place) or allocated (our tables of rows). All of it
 * is coherent, so that no flush is ever needed.
 */
#ifndef WM_MEMORY_H
#define WM_MEMORY_H

#include <stddef.h>
#include <vulkan/vulkan.h>

#include "device.h"
#include "wiremill/error.h"

struct wm_memory {
	VkBuffer buffer;
	VkDeviceMemory memory;
	void *at;
	VkDeviceSize bytes;
};

/* The region stays the caller's and must outlive this. -EINVAL: misaligned, or
 * larger than the device can address; -ENOTSUP: it cannot be used in place. */
int wm_memory_import(struct wm_memory *memory, const struct wm_device *device, void *region,
		     size_t region_bytes, struct wm_error *error);
/* Zeroed. */
int wm_memory_allocate(struct wm_memory *memory, const struct wm_device *device, size_t bytes,
		       VkBufferUsageFlags usage, struct wm_error *error);
void wm_memory_fini(struct wm_memory *memory, const struct wm_device *device);

#endif
