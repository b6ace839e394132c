/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result.h"

/* More than a machine has; enumeration stops there. */
#define DEVICES_MAX 16

struct candidate {
	VkPhysicalDevice physical;
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceDriverProperties driver;
	VkDeviceSize import_align_bytes;
	uint32_t subgroup_size;
	int queue_family;  /* < 0: none computes */
	const char *lacks; /* NULL: it has all we need */
};

static bool has_extension(VkPhysicalDevice physical, const char *name)
{
	VkExtensionProperties *extensions;
	uint32_t count = 0;
	bool found = false;

	if (vkEnumerateDeviceExtensionProperties(physical, NULL, &count, NULL) != VK_SUCCESS ||
	    count == 0)
		return false;
	extensions = calloc(count, sizeof(*extensions));
	if (!extensions)
		return false;
	if (vkEnumerateDeviceExtensionProperties(physical, NULL, &count, extensions) ==
	    VK_SUCCESS) {
		for (uint32_t i = 0; i < count && !found; i++)
			found = strcmp(extensions[i].extensionName, name) == 0;
	}
	free(extensions);
	return found;
}

static int find_queue_family(VkPhysicalDevice physical)
{
	VkQueueFamilyProperties families[16];
	uint32_t count = sizeof(families) / sizeof(families[0]);

	vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families);
	for (uint32_t i = 0; i < count; i++) {
		if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
			return (int)i;
	}
	return -1;
}

/* NULL: it has all we need. */
static const char *find_lack(const struct candidate *candidate)
{
	VkPhysicalDeviceFeatures features;

	if (candidate->properties.apiVersion < WM_VULKAN_VERSION)
		return "Vulkan 1.2: a newer driver may have it";
	if (candidate->queue_family < 0)
		return "a compute queue";
	if (!has_extension(candidate->physical, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME))
		return VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME
			" (to compute in the memory of the frames)";
	vkGetPhysicalDeviceFeatures(candidate->physical, &features);
	if (!features.shaderInt64)
		return "shaderInt64 (kernels load and store 64 bits at once)";
	return NULL;
}

/* What only a device that lacks nothing can be asked. */
static void ask_more(struct candidate *candidate)
{
	VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT,
	};
	VkPhysicalDeviceSubgroupProperties subgroup = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES,
		.pNext = &host,
	};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
		.pNext = &candidate->driver,
	};

	candidate->driver = (VkPhysicalDeviceDriverProperties){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
		.pNext = &subgroup,
	};
	vkGetPhysicalDeviceProperties2(candidate->physical, &properties);
	candidate->driver.pNext = NULL;
	candidate->subgroup_size = subgroup.subgroupSize;
	candidate->import_align_bytes = host.minImportedHostPointerAlignment;
}

static void examine(struct candidate *candidate, VkPhysicalDevice physical)
{
	*candidate = (struct candidate){
		.physical = physical,
		.queue_family = find_queue_family(physical),
	};
	vkGetPhysicalDeviceProperties(physical, &candidate->properties);
	candidate->lacks = find_lack(candidate);
	if (!candidate->lacks)
		ask_more(candidate);
}

static bool is_software(const struct candidate *candidate)
{
	return candidate->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

/* Lower is better. */
static int rank(const struct candidate *candidate)
{
	int lacks = candidate->lacks ? 10 : 0;

	switch (candidate->properties.deviceType) {
	case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
		return lacks;
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
		return lacks + 1;
	case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
		return lacks + 2;
	case VK_PHYSICAL_DEVICE_TYPE_CPU:
		return lacks + 4;
	default:
		return lacks + 3;
	}
}

static int list(struct candidate *candidates, const struct wm_instance *instance,
		struct wm_error *error)
{
	VkPhysicalDevice physicals[DEVICES_MAX];
	uint32_t count = DEVICES_MAX;
	VkResult result = vkEnumeratePhysicalDevices(instance->handle, &count, physicals);

	/* A driver without its hardware fails here instead of offering nothing. */
	if (result == VK_ERROR_INITIALIZATION_FAILED || (result == VK_SUCCESS && count == 0))
		return wm_instance_no_device(error);
	if (result != VK_SUCCESS && result != VK_INCOMPLETE)
		return wm_result_error(result, "vkEnumeratePhysicalDevices", error);
	for (uint32_t i = 0; i < count; i++)
		examine(&candidates[i], physicals[i]);
	return (int)count;
}

static int no_such_name(const struct candidate *candidates, int count, const char *name,
			struct wm_error *error)
{
	char names[WM_ERROR_TEXT_BYTES / 2] = "";

	for (int i = 0; i < count; i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s'%s'", i ? ", " : "",
			 candidates[i].properties.deviceName);
	}
	return wm_error_set(error, ENODEV,
			    "no Vulkan device has '%s' in its name: give a part of %s", name,
			    names);
}

static int choose(const struct candidate **choice, const struct candidate *candidates, int count,
		  const char *name, bool require_gpu, struct wm_error *error)
{
	const struct candidate *best = NULL;

	for (int i = 0; i < count; i++) {
		const struct candidate *candidate = &candidates[i];

		if (name && !strcasestr(candidate->properties.deviceName, name))
			continue;
		if (!best || rank(candidate) < rank(best))
			best = candidate;
	}
	if (!best)
		return no_such_name(candidates, count, name, error);
	if (require_gpu && is_software(best))
		return wm_error_set(error, ENODEV,
				    "a GPU is required and only a software device is here (%s): "
				    "check the GPU's kernel driver (ls /dev/dri) and its Vulkan "
				    "driver, or do not require a GPU",
				    best->properties.deviceName);
	if (best->lacks)
		return wm_error_set(error, ENOTSUP, "Vulkan device '%s' lacks %s",
				    best->properties.deviceName, best->lacks);
	*choice = best;
	return 0;
}

static int open_device(struct wm_device *device, struct wm_error *error)
{
	static const char *const extensions[] = { VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME };
	static const float priority = 1.0f;
	static const VkPhysicalDeviceFeatures features = { .shaderInt64 = VK_TRUE };
	VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
		.timelineSemaphore = VK_TRUE,
	};
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = device->queue_family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &timeline,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = 1,
		.ppEnabledExtensionNames = extensions,
		.pEnabledFeatures = &features,
	};
	int ret = wm_result_error(vkCreateDevice(device->physical, &info, NULL, &device->handle),
				  "vkCreateDevice", error);

	if (ret < 0)
		return ret;
	vkGetDeviceQueue(device->handle, device->queue_family, 0, &device->queue);
	device->get_host_pointer_properties =
		(PFN_vkGetMemoryHostPointerPropertiesEXT)vkGetDeviceProcAddr(
			device->handle, "vkGetMemoryHostPointerPropertiesEXT");
	return 0;
}

int wm_device_init(struct wm_device *device, const struct wm_instance *instance, const char *name,
		   bool require_gpu, struct wm_error *error)
{
	struct candidate candidates[DEVICES_MAX];
	const struct candidate *choice = NULL;
	int count, ret;

	count = list(candidates, instance, error);
	if (count < 0)
		return count;
	ret = choose(&choice, candidates, count, name, require_gpu, error);
	if (ret < 0)
		return ret;

	*device = (struct wm_device){
		.physical = choice->physical,
		.queue_family = (uint32_t)choice->queue_family,
		.limits = choice->properties.limits,
		.import_align_bytes = choice->import_align_bytes,
		.subgroup_size = choice->subgroup_size,
		.software = is_software(choice),
	};
	snprintf(device->name, sizeof(device->name), "%s", choice->properties.deviceName);
	snprintf(device->driver, sizeof(device->driver), "%.100s %.150s", choice->driver.driverName,
		 choice->driver.driverInfo);
	vkGetPhysicalDeviceMemoryProperties(device->physical, &device->memory);
	return open_device(device, error);
}

void wm_device_fini(struct wm_device *device)
{
	if (device->handle)
		vkDestroyDevice(device->handle, NULL);
	device->handle = VK_NULL_HANDLE;
}

static int find_type(const struct wm_device *device, uint32_t types, VkMemoryPropertyFlags flags)
{
	for (uint32_t i = 0; i < device->memory.memoryTypeCount; i++) {
		if (types & (1u << i) &&
		    (device->memory.memoryTypes[i].propertyFlags & flags) == flags)
			return (int)i;
	}
	return -1;
}

int wm_device_memory_type(const struct wm_device *device, uint32_t types,
			  VkMemoryPropertyFlags required, VkMemoryPropertyFlags wanted)
{
	int type = find_type(device, types, required | wanted);

	return type >= 0 ? type : find_type(device, types, required);
}
