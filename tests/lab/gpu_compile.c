/* SPDX-License-Identifier: BSD-3-Clause */
#include "gpu_compile.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <vulkan/vulkan.h>

/* So that no test hangs for ever. */
#define HOLD_S 60
#define MS_MAX 60000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint32_t to_hold, held, let_go;
static bool fails;

void gpu_compile_hold(uint32_t count)
{
	pthread_mutex_lock(&mutex);
	to_hold = count;
	let_go = 0;
	pthread_mutex_unlock(&mutex);
}

uint32_t gpu_compile_held(void)
{
	uint32_t count;

	pthread_mutex_lock(&mutex);
	count = held;
	pthread_mutex_unlock(&mutex);
	return count;
}

void gpu_compile_let_go(void)
{
	pthread_mutex_lock(&mutex);
	let_go++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

void gpu_compile_fail(void)
{
	pthread_mutex_lock(&mutex);
	fails = true;
	pthread_mutex_unlock(&mutex);
}

static void wait_until_let_go(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HOLD_S;
	held++;
	while (let_go == 0 && pthread_cond_timedwait(&changed, &mutex, &until) == 0)
		;
	if (let_go > 0)
		let_go--;
	held--;
}

static void take_time(void)
{
	const char *text = getenv("WM_GPU_COMPILE_MS");
	long ms = text ? atol(text) : 0;
	struct timespec pause;

	if (ms <= 0)
		return;
	ms = ms < MS_MAX ? ms : MS_MAX;
	pause = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

VKAPI_ATTR VkResult VKAPI_CALL vkCreateComputePipelines(VkDevice device, VkPipelineCache cache,
							uint32_t count,
							const VkComputePipelineCreateInfo *infos,
							const VkAllocationCallbacks *allocator,
							VkPipeline *pipelines)
{
	PFN_vkCreateComputePipelines real =
		(PFN_vkCreateComputePipelines)dlsym(RTLD_NEXT, "vkCreateComputePipelines");
	bool failed;

	take_time();
	pthread_mutex_lock(&mutex);
	if (to_hold > 0) {
		to_hold--;
		wait_until_let_go();
	}
	failed = fails;
	fails = false;
	pthread_mutex_unlock(&mutex);
	return failed ? VK_ERROR_OUT_OF_DEVICE_MEMORY
		      : real(device, cache, count, infos, allocator, pipelines);
}
