/* SPDX-License-Identifier: BSD-3-Clause */
#include "gpu_reset.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <vulkan/vulkan.h>

static bool hit_next, is_silent;
static bool hung;    /* the device, which nobody has noticed */
static bool noticed; /* by a call that asks it */
static uint32_t submissions, refused;

/* When each of the last submissions is seen to be done, by its value. */
#define SLOW_MAX 8u
static struct {
	uint64_t value, done_ns;
} slow[SLOW_MAX];
static uint64_t busy_ns; /* until then */

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

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void slow_down(const VkSubmitInfo *info)
{
	const VkTimelineSemaphoreSubmitInfo *timeline = info->pNext;
	const char *slow_ms = getenv("WM_GPU_SLOW_MS");
	uint64_t now_ns = clock_ns();

	if (!slow_ms || !timeline)
		return;
	busy_ns = (busy_ns > now_ns ? busy_ns : now_ns) + (uint64_t)atoi(slow_ms) * 1000000u;
	slow[submissions % SLOW_MAX].value = timeline->pSignalSemaphoreValues[0];
	slow[submissions % SLOW_MAX].done_ns = busy_ns;
}

/* How long until that value is to be seen; 0: it is. */
static uint64_t slow_ns(uint64_t value)
{
	uint64_t now_ns = clock_ns(), until_ns = 0;

	for (unsigned i = 0; i < SLOW_MAX; i++) {
		if (slow[i].value > 0 && slow[i].value <= value && slow[i].done_ns > until_ns)
			until_ns = slow[i].done_ns;
	}
	return until_ns > now_ns ? until_ns - now_ns : 0;
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
	slow_down(infos);
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
	VkResult result;

	if (noticed)
		return VK_ERROR_DEVICE_LOST;
	result = REAL(vkGetSemaphoreCounterValue)(device, semaphore, value);
	while (*value > 0 && slow_ns(*value) > 0)
		(*value)--;
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL vkWaitSemaphores(VkDevice device, const VkSemaphoreWaitInfo *info,
						uint64_t timeout_ns)
{
	uint64_t ns = slow_ns(info->pValues[0]);
	struct timespec pause;

	if (noticed)
		return VK_ERROR_DEVICE_LOST;
	if (ns > 0) {
		pause.tv_sec = 0;
		pause.tv_nsec = (long)(ns < timeout_ns ? ns : timeout_ns) % 1000000000;
		nanosleep(&pause, NULL);
		if (ns > timeout_ns)
			return ask(VK_TIMEOUT);
	}
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
