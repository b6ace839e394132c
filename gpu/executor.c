/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/executor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "instance.h"
#include "memory.h"
#include "none.h"
#include "pipeline.h"
#include "result.h"
#include "row.h"
#include "shader.h"
#include "submission.h"

#define REGION_ALIGN_BYTES (2u * 1024u * 1024u)
#define REGION_BYTES_MAX (128u * 1024u * 1024u)
/* A wave of the GPU that this was written for (GCN); the others' divide it. */
#define GPU_INVOCATIONS 64u

struct wm_executor {
	struct wm_executor_config config; /* for a device that is made anew */
	bool computes;			  /* else `none` answers, and the next five are unused */
	struct wm_none none;
	struct wm_instance instance;
	struct wm_device device;
	struct wm_memory region;
	struct wm_submissions submissions;
	struct wm_pipeline pipeline;
	bool is_up;		 /* all five are there */
	bool lost;		 /* the device */
	uint32_t invocations;	 /* that compute one row */
	struct wm_kernel kernel; /* valid once prepared, as is the shader */
	const struct wm_shader *shader;
	bool prepared;
	uint64_t submitted; /* ticket of the last submission */
	uint64_t completed; /* the last that was seen to be done, or is lost */
	struct wm_executor_counters counters;
};

static int check_config(const struct wm_executor_config *config, struct wm_error *error)
{
	if (!config->memory || (uintptr_t)config->memory % REGION_ALIGN_BYTES)
		return wm_error_set(error, EINVAL, "executor: memory at %p is not aligned to 2 MiB",
				    config->memory);
	if (config->memory_bytes == 0 || config->memory_bytes % REGION_ALIGN_BYTES ||
	    config->memory_bytes > REGION_BYTES_MAX)
		return wm_error_set(error, EINVAL,
				    "executor: %zu bytes of memory are not a multiple of 2 MiB up "
				    "to 128 MiB",
				    config->memory_bytes);
	if (config->rows_max == 0)
		return wm_error_set(error, EINVAL, "executor: rows_max is 0");
	return 0;
}

/* One workgroup a row, and all rows of a slot in one binding. */
static int check_rows_max(const struct wm_device *device, uint32_t rows_max, struct wm_error *error)
{
	const VkPhysicalDeviceLimits *limits = &device->limits;

	if (rows_max > limits->maxComputeWorkGroupCount[0] ||
	    wm_submissions_rows_bytes(rows_max) > limits->maxStorageBufferRange)
		return wm_error_set(error, EINVAL,
				    "executor: %u rows are more than '%s' takes in one submission "
				    "(%u)",
				    rows_max, device->name, limits->maxComputeWorkGroupCount[0]);
	return 0;
}

/*
 * A GPU takes the waves of one row side by side. A software device computes one subgroup
 * after the other, each with what precedes the loop of a kernel: one is best.
 */
static int choose_invocations(struct wm_executor *executor, uint32_t wanted, struct wm_error *error)
{
	const struct wm_device *device = &executor->device;
	const VkPhysicalDeviceLimits *limits = &device->limits;
	uint32_t most = limits->maxComputeWorkGroupInvocations;

	if (most > limits->maxComputeWorkGroupSize[0])
		most = limits->maxComputeWorkGroupSize[0];
	if (wanted > most)
		return wm_error_set(error, EINVAL,
				    "executor: %u invocations are more than '%s' takes for one row "
				    "(%u)",
				    wanted, device->name, most);
	if (wanted == 0)
		wanted = device->software ? device->subgroup_size : GPU_INVOCATIONS;
	executor->invocations = wanted;
	return 0;
}

static int bring_up_device(struct wm_executor *executor, const struct wm_executor_config *config,
			   struct wm_error *error)
{
	struct wm_device *device = &executor->device;
	int ret;

	ret = wm_instance_init(&executor->instance, config->validate, error);
	if (ret < 0)
		return ret;
	ret = wm_device_init(device, &executor->instance, config->device, config->require_gpu,
			     error);
	if (ret < 0)
		goto fini_instance;
	ret = check_rows_max(device, config->rows_max, error);
	if (ret < 0)
		goto fini_device;
	ret = choose_invocations(executor, config->invocations, error);
	if (ret < 0)
		goto fini_device;
	ret = wm_memory_import(&executor->region, device, config->memory, config->memory_bytes,
			       error);
	if (ret < 0)
		goto fini_device;
	ret = wm_submissions_init(&executor->submissions, device, config->rows_max,
				  executor->submitted, error);
	if (ret < 0)
		goto fini_region;
	ret = wm_pipeline_init(&executor->pipeline, device, &executor->region,
			       &executor->submissions.tables,
			       wm_submissions_rows_bytes(config->rows_max), error);
	if (ret < 0)
		goto fini_submissions;
	executor->is_up = true;
	return 0;

fini_submissions:
	wm_submissions_fini(&executor->submissions, device);
fini_region:
	wm_memory_fini(&executor->region, device);
fini_device:
	wm_device_fini(device);
fini_instance:
	wm_instance_fini(&executor->instance);
	return ret;
}

static int bring_up(struct wm_executor *executor, const struct wm_executor_config *config,
		    struct wm_error *error)
{
	executor->config = *config;
	executor->computes = !config->no_compute;
	if (executor->computes)
		return bring_up_device(executor, config, error);
	return wm_none_init(&executor->none, config->memory, config->rows_max, error);
}

int wm_executor_create(struct wm_executor **executor, const struct wm_executor_config *config,
		       struct wm_error *error)
{
	struct wm_executor *made;
	int ret;

	ret = check_config(config, error);
	if (ret < 0)
		return ret;
	made = calloc(1, sizeof(*made));
	if (!made)
		return wm_error_set(error, ENOMEM, "executor: out of memory");

	ret = bring_up(made, config, error);
	if (ret < 0) {
		free(made);
		return ret;
	}
	*executor = made;
	return 0;
}

static void take_down_device(struct wm_executor *e)
{
	/* A lost device has nothing in flight either: the result changes nothing. */
	vkDeviceWaitIdle(e->device.handle);
	wm_pipeline_fini(&e->pipeline, &e->device);
	wm_submissions_fini(&e->submissions, &e->device);
	wm_memory_fini(&e->region, &e->device);
	wm_device_fini(&e->device);
	wm_instance_fini(&e->instance);
	e->counters.validation_messages += e->instance.messages;
	e->instance.messages = 0;
	e->is_up = false;
}

void wm_executor_destroy(struct wm_executor **executor)
{
	struct wm_executor *e = *executor;

	if (!e)
		return;
	if (e->is_up)
		take_down_device(e);
	wm_none_fini(&e->none);
	free(e);
	*executor = NULL;
}

void wm_executor_obtained(const struct wm_executor *executor, struct wm_executor_obtained *obtained)
{
	*obtained = (struct wm_executor_obtained){
		.software = executor->computes ? executor->device.software : true,
		.imported = true, /* or there would be no executor */
	};
	snprintf(obtained->device, sizeof(obtained->device), "%s",
		 executor->computes ? executor->device.name : WM_NONE_NAME);
	snprintf(obtained->driver, sizeof(obtained->driver), "%s",
		 executor->computes ? executor->device.driver : "none");
}

void wm_executor_counters(const struct wm_executor *executor, struct wm_executor_counters *counters)
{
	*counters = executor->counters;
	counters->validation_messages += executor->instance.messages;
}

static uint32_t next_slot(const struct wm_executor *executor)
{
	return (uint32_t)(executor->submitted % WM_EXECUTOR_SUBMISSIONS);
}

/* One row of no elements: drivers compile the last of a shader when it runs
 * first. Outside the tickets, so that these count what the caller submits. */
static int warm_up(struct wm_executor *executor, struct wm_error *error)
{
	uint32_t slot = next_slot(executor);
	VkResult result;

	*wm_submissions_rows(&executor->submissions, slot) = (struct wm_row){ 0 };
	result = wm_submissions_submit(&executor->submissions, &executor->device, slot, 1, 0);
	if (result == VK_SUCCESS)
		result = vkQueueWaitIdle(executor->device.queue);
	if (result == VK_SUCCESS && !wm_submissions_is_proven(&executor->submissions, slot, 0))
		result = VK_ERROR_DEVICE_LOST;
	executor->lost |= result == VK_ERROR_DEVICE_LOST;
	return wm_result_error(result, "the first run of a kernel", error);
}

static int prepare_device(struct wm_executor *executor, const struct wm_shader *shader,
			  struct wm_error *error)
{
	int ret;

	ret = wm_pipeline_load(&executor->pipeline, &executor->device, shader,
			       executor->invocations, error);
	if (ret < 0)
		return ret;
	/* From here the commands of the kernel before are gone. */
	executor->prepared = false;
	ret = wm_submissions_record(&executor->submissions, &executor->pipeline, error);
	if (ret < 0)
		return ret;
	return warm_up(executor, error);
}

int wm_executor_prepare(struct wm_executor *executor, const struct wm_kernel *kernel,
			struct wm_error *error)
{
	const struct wm_shader *shader = wm_shader_find(kernel);
	int ret;

	if (!shader)
		return wm_error_set(error, ENOENT,
				    "no kernel '%.*s' of that shape is built into this node",
				    WM_KERNEL_NAME_BYTES, kernel->name);
	if (executor->lost)
		return wm_error_set(error, EIO, "the device is lost");
	if (wm_executor_completed(executor) != executor->submitted)
		return wm_error_set(error, EBUSY, "executor: submissions are in flight");
	/* It compiles for a second on a busy machine, and every job of a rack asks. */
	if (executor->prepared && executor->shader == shader)
		return 0;

	ret = executor->computes ? prepare_device(executor, shader, error) : 0;
	if (ret < 0)
		return ret;
	executor->kernel = *kernel;
	executor->shader = shader;
	executor->prepared = true;
	return 0;
}

static bool has_free_table(struct wm_executor *executor)
{
	if (executor->submitted - executor->completed < WM_EXECUTOR_SUBMISSIONS)
		return true;
	return executor->submitted - wm_executor_completed(executor) < WM_EXECUTOR_SUBMISSIONS;
}

struct wm_row *wm_executor_rows(struct wm_executor *executor)
{
	if (executor->lost || !has_free_table(executor))
		return NULL;
	if (!executor->computes)
		return executor->none.rows;
	return wm_submissions_rows(&executor->submissions, next_slot(executor));
}

static bool are_valid(const struct wm_executor *executor, const struct wm_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!wm_row_is_valid(&rows[i], &executor->kernel, executor->config.memory_bytes))
			return false;
	}
	return true;
}

static uint64_t refuse(int code)
{
	errno = code;
	return 0;
}

static VkResult start(struct wm_executor *executor, uint32_t count)
{
	if (executor->computes)
		return wm_submissions_submit(&executor->submissions, &executor->device,
					     next_slot(executor), count, executor->submitted + 1);
	wm_none_answer(&executor->none, &executor->kernel, count);
	executor->completed = executor->submitted + 1;
	return VK_SUCCESS;
}

uint64_t wm_executor_submit(struct wm_executor *executor, uint32_t count)
{
	const struct wm_row *rows = wm_executor_rows(executor);

	if (executor->lost)
		return refuse(EIO);
	if (!rows)
		return refuse(EBUSY);
	if (!executor->prepared || count == 0 || count > executor->config.rows_max ||
	    !are_valid(executor, rows, count))
		return refuse(EINVAL);

	if (start(executor, count) != VK_SUCCESS) {
		executor->lost = true;
		return refuse(EIO);
	}
	executor->counters.rows += count;
	executor->counters.submissions++;
	return ++executor->submitted;
}

static bool are_proven(const struct wm_executor *executor, uint64_t ticket)
{
	for (uint64_t t = executor->completed + 1; t <= ticket; t++) {
		uint32_t slot = (uint32_t)((t - 1) % WM_EXECUTOR_SUBMISSIONS);

		if (!wm_submissions_is_proven(&executor->submissions, slot, t))
			return false;
	}
	return true;
}

/*
 * Waits for the timeline, and for the driver to vouch for its device afterwards. Of the
 * calls that look at the timeline only this one does both, in this order: Mesa's
 * vkGetSemaphoreCounterValue tells of a reset that another call has noticed, and of a new
 * one just what was counted by force. What the driver does not notice the proof shows.
 */
static VkResult wait_and_believe(struct wm_executor *executor, uint64_t ticket, uint64_t timeout_ns)
{
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &executor->submissions.timeline,
		.pValues = &ticket,
	};
	VkResult result = vkWaitSemaphores(executor->device.handle, &info, timeout_ns);

	if (result == VK_SUCCESS && !are_proven(executor, ticket))
		result = VK_ERROR_DEVICE_LOST;
	if (result == VK_SUCCESS)
		executor->completed = ticket;
	executor->lost |= result == VK_ERROR_DEVICE_LOST;
	return result;
}

uint64_t wm_executor_completed(struct wm_executor *executor)
{
	uint64_t value = 0;
	VkResult result;

	if (executor->completed == executor->submitted || executor->lost)
		return executor->completed;
	result = vkGetSemaphoreCounterValue(executor->device.handle, executor->submissions.timeline,
					    &value);
	executor->lost |= result == VK_ERROR_DEVICE_LOST;
	/* A lost device may answer with anything. */
	if (result == VK_SUCCESS && value > executor->completed && value <= executor->submitted)
		(void)wait_and_believe(executor, value, 0);
	return executor->completed;
}

int wm_executor_wait(struct wm_executor *executor, uint64_t ticket, uint64_t timeout_ns)
{
	assert(ticket <= executor->submitted);
	if (ticket <= executor->completed)
		return 0;
	if (executor->lost)
		return -EIO;
	switch (wait_and_believe(executor, ticket, timeout_ns)) {
	case VK_SUCCESS:
		return 0;
	case VK_TIMEOUT:
		return -ETIME;
	default:
		executor->lost = true;
		return -EIO;
	}
}

bool wm_executor_is_lost(const struct wm_executor *executor)
{
	return executor->lost;
}

/* No other one takes its place, least of all a software device that of a GPU. */
static int bring_up_again(struct wm_executor *executor, struct wm_error *error)
{
	struct wm_executor_config config = executor->config;
	char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];

	snprintf(name, sizeof(name), "%s", executor->device.name);
	config.device = name;
	return bring_up_device(executor, &config, error);
}

int wm_executor_rebuild(struct wm_executor *executor, struct wm_error *error)
{
	int ret = 0;

	if (!executor->computes)
		return 0;
	executor->lost = true;
	if (executor->is_up)
		take_down_device(executor);
	executor->completed = executor->submitted;
	ret = bring_up_again(executor, error);
	if (ret == 0 && executor->shader)
		ret = prepare_device(executor, executor->shader, error);
	if (ret < 0)
		return ret;
	executor->prepared = executor->shader != NULL;
	executor->lost = false;
	executor->counters.losses++;
	return 0;
}
