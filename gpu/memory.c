/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "result.h"

#define COHERENT (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)
#define HOST_POINTER VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT

static int create_buffer(struct wm_memory *memory, const struct wm_device *device,
			 VkBufferUsageFlags usage, const void *next, struct wm_error *error)
{
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = next,
		.size = memory->bytes,
		.usage = usage,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};

	return wm_result_error(vkCreateBuffer(device->handle, &info, NULL, &memory->buffer),
			       "vkCreateBuffer", error);
}

static int allocate(struct wm_memory *memory, const struct wm_device *device, VkDeviceSize bytes,
		    int type, const void *next, const char *what, struct wm_error *error)
{
	VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = next,
		.allocationSize = bytes,
		.memoryTypeIndex = (uint32_t)type,
	};
	int ret;

	ret = wm_result_error(vkAllocateMemory(device->handle, &info, NULL, &memory->memory), what,
			      error);
	if (ret < 0)
		return ret;
	return wm_result_error(
		vkBindBufferMemory(device->handle, memory->buffer, memory->memory, 0),
		"vkBindBufferMemory", error);
}

/* Drivers take what they should refuse: the software device imports at any
 * address without a word. */
static int check_region(const struct wm_device *device, const void *region, size_t region_bytes,
			struct wm_error *error)
{
	VkDeviceSize align = device->import_align_bytes;

	if ((uintptr_t)region % align || region_bytes % align || region_bytes == 0)
		return wm_error_set(error, EINVAL,
				    "memory at %p of %zu bytes cannot be imported into '%s': both "
				    "must be multiples of %llu",
				    region, region_bytes, device->name, (unsigned long long)align);
	if (region_bytes > device->limits.maxStorageBufferRange)
		return wm_error_set(error, EINVAL,
				    "memory of %zu bytes is more than the %u that '%s' addresses "
				    "in one buffer",
				    region_bytes, device->limits.maxStorageBufferRange,
				    device->name);
	return 0;
}

/* The memory type under which the region can be bound, or a negative errno. */
static int region_type(const struct wm_memory *memory, const struct wm_device *device,
		       struct wm_error *error)
{
	VkMemoryHostPointerPropertiesEXT pointer = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT,
	};
	VkMemoryRequirements needs;
	int type;

	if (device->get_host_pointer_properties(device->handle, HOST_POINTER, memory->at,
						&pointer) != VK_SUCCESS)
		pointer.memoryTypeBits = 0;
	vkGetBufferMemoryRequirements(device->handle, memory->buffer, &needs);
	type = wm_device_memory_type(device, pointer.memoryTypeBits & needs.memoryTypeBits,
				     COHERENT, 0);
	if (type < 0 || needs.size > memory->bytes || (uintptr_t)memory->at % needs.alignment)
		return wm_error_set(error, ENOTSUP,
				    "'%s' cannot compute in the memory of the frames in place: it "
				    "offers no coherent type for it (the memory must be anonymous "
				    "and private)",
				    device->name);
	return type;
}

int wm_memory_import(struct wm_memory *memory, const struct wm_device *device, void *region,
		     size_t region_bytes, struct wm_error *error)
{
	VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = HOST_POINTER,
	};
	VkImportMemoryHostPointerInfoEXT import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
		.handleType = HOST_POINTER,
		.pHostPointer = region,
	};
	int ret, type;

	ret = check_region(device, region, region_bytes, error);
	if (ret < 0)
		return ret;

	*memory = (struct wm_memory){ .at = region, .bytes = region_bytes };
	ret = create_buffer(memory, device, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &external, error);
	if (ret < 0)
		return ret;

	type = region_type(memory, device, error);
	ret = type < 0 ? type
		       : allocate(memory, device, region_bytes, type, &import,
				  "vkAllocateMemory (import of the frames' memory)", error);
	if (ret < 0)
		wm_memory_fini(memory, device);
	return ret;
}

static int allocate_and_map(struct wm_memory *memory, const struct wm_device *device,
			    struct wm_error *error)
{
	VkMemoryRequirements needs;
	int ret, type;

	vkGetBufferMemoryRequirements(device->handle, memory->buffer, &needs);
	/* Rows are read back to be checked: slow where it is not cached. */
	type = wm_device_memory_type(device, needs.memoryTypeBits, COHERENT,
				     VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
	if (type < 0)
		return wm_error_set(error, ENOTSUP, "Vulkan device '%s' lacks coherent memory",
				    device->name);

	ret = allocate(memory, device, needs.size, type, NULL, "vkAllocateMemory", error);
	if (ret < 0)
		return ret;
	return wm_result_error(
		vkMapMemory(device->handle, memory->memory, 0, VK_WHOLE_SIZE, 0, &memory->at),
		"vkMapMemory", error);
}

int wm_memory_allocate(struct wm_memory *memory, const struct wm_device *device, size_t bytes,
		       VkBufferUsageFlags usage, struct wm_error *error)
{
	int ret;

	*memory = (struct wm_memory){ .bytes = bytes };
	ret = create_buffer(memory, device, usage, NULL, error);
	if (ret < 0)
		return ret;

	ret = allocate_and_map(memory, device, error);
	if (ret < 0) {
		wm_memory_fini(memory, device);
		return ret;
	}
	memset(memory->at, 0, bytes);
	return 0;
}

void wm_memory_fini(struct wm_memory *memory, const struct wm_device *device)
{
	/* Both accept VK_NULL_HANDLE; freeing unmaps. */
	vkDestroyBuffer(device->handle, memory->buffer, NULL);
	vkFreeMemory(device->handle, memory->memory, NULL);
	*memory = (struct wm_memory){ 0 };
}
