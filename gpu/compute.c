/* SPDX-License-Identifier: BSD-3-Clause */
#include "compute.h"

#include <assert.h>
#include <errno.h>

#include "result.h"

/* A wave of the GPU that this was written for (GCN); the others' divide it. */
#define GPU_INVOCATIONS 64u

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
static int choose_invocations(struct wm_compute *compute, uint32_t wanted, struct wm_error *error)
{
	const struct wm_device *device = &compute->device;
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
	compute->invocations = wanted;
	return 0;
}

static void fini_pipelines(struct wm_compute *compute)
{
	for (unsigned job = 0; job < WM_RUNNING_JOBS_MAX; job++)
		wm_pipeline_fini(&compute->pipelines[job], &compute->device);
}

static int init_pipelines(struct wm_compute *compute, uint32_t rows_max, struct wm_error *error)
{
	for (unsigned job = 0; job < WM_RUNNING_JOBS_MAX; job++) {
		int ret = wm_pipeline_init(&compute->pipelines[job], &compute->device,
					   &compute->region, &compute->submissions.tables,
					   wm_submissions_rows_bytes(rows_max), error);

		if (ret < 0) {
			fini_pipelines(compute);
			return ret;
		}
	}
	return 0;
}

int wm_compute_init(struct wm_compute *compute, const struct wm_executor_config *config,
		    uint64_t ticket, struct wm_error *error)
{
	struct wm_device *device = &compute->device;
	int ret;

	*compute = (struct wm_compute){ 0 };
	ret = wm_instance_init(&compute->instance, config->validate, error);
	if (ret < 0)
		return ret;
	ret = wm_device_init(device, &compute->instance, config->device, config->require_gpu,
			     error);
	if (ret < 0)
		goto fini_instance;
	ret = check_rows_max(device, config->rows_max, error);
	if (ret < 0)
		goto fini_device;
	ret = choose_invocations(compute, config->invocations, error);
	if (ret < 0)
		goto fini_device;
	ret = wm_memory_import(&compute->region, device, config->memory, config->memory_bytes,
			       error);
	if (ret < 0)
		goto fini_device;
	ret = wm_submissions_init(&compute->submissions, device, config->rows_max, ticket, error);
	if (ret < 0)
		goto fini_region;
	ret = init_pipelines(compute, config->rows_max, error);
	if (ret < 0)
		goto fini_submissions;
	return 0;

fini_submissions:
	wm_submissions_fini(&compute->submissions, device);
fini_region:
	wm_memory_fini(&compute->region, device);
fini_device:
	wm_device_fini(device);
fini_instance:
	wm_instance_fini(&compute->instance);
	return ret;
}

void wm_compute_fini(struct wm_compute *compute)
{
	struct wm_device *device = &compute->device;

	/* A lost device has nothing in flight either: the result changes nothing. */
	vkDeviceWaitIdle(device->handle);
	fini_pipelines(compute);
	wm_submissions_fini(&compute->submissions, device);
	wm_memory_fini(&compute->region, device);
	wm_device_fini(device);
	wm_instance_fini(&compute->instance);
}

int wm_compute_load(struct wm_compute *compute, unsigned job, const struct wm_shader *shader,
		    struct wm_error *error)
{
	assert(job < WM_RUNNING_JOBS_MAX && compute->invocations > 0);
	return wm_pipeline_load(&compute->pipelines[job], &compute->device, shader,
				compute->invocations, error);
}

#define WARM_UP_SLOT 0u
static const char first_run[] = "the first run of a kernel";

/* One row of no elements, outside the tickets, which count what the caller submits. */
static VkResult begin_warm_up(struct wm_compute *compute)
{
	*wm_submissions_rows(&compute->submissions, WARM_UP_SLOT) = (struct wm_row){ 0 };
	return wm_submissions_submit(&compute->submissions, &compute->device, WARM_UP_SLOT, 1, 0);
}

static int tell(VkResult result, bool *lost, struct wm_error *error)
{
	*lost |= result == VK_ERROR_DEVICE_LOST;
	return wm_result_error(result, first_run, error);
}

static int begin(struct wm_compute *compute, unsigned job, bool *lost, struct wm_error *error)
{
	int ret;

	assert(job < WM_RUNNING_JOBS_MAX);
	ret = wm_submissions_record(&compute->submissions, &compute->pipelines[job], error);
	return ret < 0 ? ret : tell(begin_warm_up(compute), lost, error);
}

int wm_compute_start(struct wm_compute *compute, unsigned job, bool *lost, struct wm_error *error)
{
	VkResult result;
	int ret = begin(compute, job, lost, error);

	if (ret < 0)
		return ret;
	result = vkQueueWaitIdle(compute->device.queue);
	if (result == VK_SUCCESS)
		result = wm_submissions_untold(&compute->submissions, &compute->device,
					       WARM_UP_SLOT);
	return tell(result, lost, error);
}

int wm_compute_start_with(struct wm_compute *compute, unsigned job, VkPipeline handle, bool *lost,
			  struct wm_error *error)
{
	wm_pipeline_replace(&compute->pipelines[job], &compute->device, handle);
	return begin(compute, job, lost, error);
}

int wm_compute_start_poll(struct wm_compute *compute, bool *lost, struct wm_error *error)
{
	VkResult result =
		wm_submissions_untold(&compute->submissions, &compute->device, WARM_UP_SLOT);

	return result == VK_NOT_READY ? -EINPROGRESS : tell(result, lost, error);
}
