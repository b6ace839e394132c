/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One device and one queue of it: the best there is, or the one asked for.
 *
 * "Best" is the first of: discrete GPU, integrated GPU, virtual GPU, anything
 * else, software. A device that lacks something we need counts last.
 */
#ifndef WM_DEVICE_H
#define WM_DEVICE_H

#include <stdbool.h>
#include <vulkan/vulkan.h>

#include "instance.h"
#include "wiremill/error.h"

struct wm_device {
	VkPhysicalDevice physical;
	VkDevice handle;
	VkQueue queue;
	uint32_t queue_family;
	VkPhysicalDeviceLimits limits;
	VkPhysicalDeviceMemoryProperties memory;
	VkDeviceSize import_align_bytes;
	uint32_t subgroup_size; /* invocations that it computes at once */
	PFN_vkGetMemoryHostPointerPropertiesEXT get_host_pointer_properties;
	bool software;
	char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
	char driver[VK_MAX_DRIVER_NAME_SIZE];
};

/*
 * `name`: a part of the device's name, any case, or NULL. 0; -ENODEV: there is
 * none, none of that name, or none but software where a GPU is required;
 * -ENOTSUP: the device lacks something, named in the error.
 */
int wm_device_init(struct wm_device *device, const struct wm_instance *instance, const char *name,
		   bool require_gpu, struct wm_error *error);
void wm_device_fini(struct wm_device *device);

/* Index of a memory type among `types` (a bit each) that has all of `required`
 * and, if there is one, all of `wanted` too. -1: none has. */
int wm_device_memory_type(const struct wm_device *device, uint32_t types,
			  VkMemoryPropertyFlags required, VkMemoryPropertyFlags wanted);

#endif
