/* SPDX-License-Identifier: BSD-3-Clause */
#include "gpu_reset.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <vulkan/vulkan.h>

static bool hit_next, is_silent;
static bool hung;    /* the device, which nobody has noticed */
static bool noticed; /* by a call that asks it */
static uint32_t submissions, refused;

#define REAL(name) ((PFN_##name)dlsym(RTLD_NEXT, #name))

void gpu_reset_next(bool silently)
{
	hit_next = true;
	is_silent = silently;
}

void gpu_reset_refuse(uint32_t devices)
{
	refused = devices;
}

static bool is_hit(void)
{
	const char *every = getenv("WM_GPU_RESET_EVERY");

	submissions++;
	return hit_next || (every && submissions % (uint32_t)atoi(every) == 0);
}

/* As a driver asks its device. */
static VkResult ask(VkResult otherwise)
{
	noticed |= hung && !is_silent;
	return noticed ? VK_ERROR_DEVICE_LOST : otherwise;
}

VKAPI_ATTR VkResult VKAPI_CALL vkCreateDevice(VkPhysicalDevice physical,
					      const VkDeviceCreateInfo *info,
					      const VkAllocationCallbacks *allocator,
					      VkDevice *device)
{
	if (refused > 0) {
		refused--;
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	hung = noticed = hit_next = false;
	return REAL(vkCreateDevice)(physical, info, allocator, device);
}

VKAPI_ATTR VkResult VKAPI_CALL vkQueueSubmit(VkQueue queue, uint32_t count,
					     const VkSubmitInfo *infos, VkFence fence)
{
	VkSubmitInfo nothing = *infos;

	if (ask(VK_SUCCESS) != VK_SUCCESS)
		return VK_ERROR_DEVICE_LOST;
	hung |= is_hit();
	hit_next = false;
	if (!hung)
		return REAL(vkQueueSubmit)(queue, count, infos, fence);
	nothing.commandBufferCount = 0;
	return REAL(vkQueueSubmit)(queue, 1, &nothing, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL vkGetSemaphoreCounterValue(VkDevice device, VkSemaphore semaphore,
							  uint64_t *value)
{
	if (noticed)
		return VK_ERROR_DEVICE_LOST;
	return REAL(vkGetSemaphoreCounterValue)(device, semaphore, value);
}

VKAPI_ATTR VkResult VKAPI_CALL vkWaitSemaphores(VkDevice device, const VkSemaphoreWaitInfo *info,
						uint64_t timeout_ns)
{
	if (noticed)
		return VK_ERROR_DEVICE_LOST;
	return ask(REAL(vkWaitSemaphores)(device, info, timeout_ns));
}

VKAPI_ATTR VkResult VKAPI_CALL vkQueueWaitIdle(VkQueue queue)
{
	return ask(REAL(vkQueueWaitIdle)(queue));
}

VKAPI_ATTR VkResult VKAPI_CALL vkDeviceWaitIdle(VkDevice device)
{
	return ask(REAL(vkDeviceWaitIdle)(device));
}
