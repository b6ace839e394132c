/* SPDX-License-Identifier: BSD-3-Clause */
#include "submission.h"

#include <assert.h>
#include <stddef.h>

#include "result.h"

/* minStorageBufferOffsetAlignment is at most this (Vulkan's required limits). */
#define OFFSET_ALIGN_BYTES 256u

/* What stands before the rows of a slot. */
struct head {
	VkDispatchIndirectCommand workgroups;
	uint64_t ticket; /* the CPU writes it ... */
	uint64_t proof;	 /* ... and the device copies it here */
};

static_assert(sizeof(struct head) <= OFFSET_ALIGN_BYTES, "rows come behind it");

static VkDeviceSize align_up(VkDeviceSize bytes)
{
	return (bytes + OFFSET_ALIGN_BYTES - 1) / OFFSET_ALIGN_BYTES * OFFSET_ALIGN_BYTES;
}

VkDeviceSize wm_submissions_rows_bytes(uint32_t rows_max)
{
	return (VkDeviceSize)rows_max * sizeof(struct wm_row);
}

static VkDeviceSize slot_offset(const struct wm_submissions *submissions, uint32_t slot)
{
	return slot * submissions->slot_bytes;
}

/* The head is on its own: rows begin where a binding may. */
static VkDeviceSize rows_offset(const struct wm_submissions *submissions, uint32_t slot)
{
	return slot_offset(submissions, slot) + OFFSET_ALIGN_BYTES;
}

static struct head *head_of(const struct wm_submissions *submissions, uint32_t slot)
{
	return (void *)((uint8_t *)submissions->tables.at + slot_offset(submissions, slot));
}

struct wm_row *wm_submissions_rows(const struct wm_submissions *submissions, uint32_t slot)
{
	return (void *)((uint8_t *)submissions->tables.at + rows_offset(submissions, slot));
}

static int create_commands(struct wm_submissions *submissions, const struct wm_device *device,
			   struct wm_error *error)
{
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = device->queue_family,
	};
	VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = WM_EXECUTOR_SUBMISSIONS,
	};
	int ret;

	ret = wm_result_error(vkCreateCommandPool(device->handle, &pool, NULL, &submissions->pool),
			      "vkCreateCommandPool", error);
	if (ret < 0)
		return ret;
	commands.commandPool = submissions->pool;
	return wm_result_error(
		vkAllocateCommandBuffers(device->handle, &commands, submissions->commands),
		"vkAllocateCommandBuffers", error);
}

static int create_timeline(struct wm_submissions *submissions, const struct wm_device *device,
			   uint64_t ticket, struct wm_error *error)
{
	VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = ticket,
	};
	VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &type,
	};

	return wm_result_error(
		vkCreateSemaphore(device->handle, &info, NULL, &submissions->timeline),
		"vkCreateSemaphore", error);
}

static int create_fence(struct wm_submissions *submissions, const struct wm_device *device,
			struct wm_error *error)
{
	const VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };

	return wm_result_error(vkCreateFence(device->handle, &info, NULL, &submissions->untold),
			       "vkCreateFence", error);
}

int wm_submissions_init(struct wm_submissions *submissions, const struct wm_device *device,
			uint32_t rows_max, uint64_t ticket, struct wm_error *error)
{
	const VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
					 VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
					 VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
					 VK_BUFFER_USAGE_TRANSFER_DST_BIT;
	int ret;

	*submissions = (struct wm_submissions){
		.rows_max = rows_max,
		.slot_bytes = OFFSET_ALIGN_BYTES + align_up(wm_submissions_rows_bytes(rows_max)),
	};
	ret = wm_memory_allocate(&submissions->tables, device,
				 WM_EXECUTOR_SUBMISSIONS * submissions->slot_bytes, usage, error);
	if (ret < 0)
		return ret;
	ret = create_commands(submissions, device, error);
	if (ret < 0)
		goto fini;
	ret = create_timeline(submissions, device, ticket, error);
	if (ret < 0)
		goto fini;
	ret = create_fence(submissions, device, error);
	if (ret < 0)
		goto fini;
	return 0;

fini:
	wm_submissions_fini(submissions, device);
	return ret;
}

void wm_submissions_fini(struct wm_submissions *submissions, const struct wm_device *device)
{
	/* All accept VK_NULL_HANDLE; the command buffers go with their pool. */
	vkDestroyFence(device->handle, submissions->untold, NULL);
	vkDestroySemaphore(device->handle, submissions->timeline, NULL);
	vkDestroyCommandPool(device->handle, submissions->pool, NULL);
	wm_memory_fini(&submissions->tables, device);
}

/* Not before every row is computed and written. */
static void prove(VkCommandBuffer commands, const struct wm_submissions *submissions, uint32_t slot)
{
	const VkMemoryBarrier computed = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	};
	const VkBufferCopy copy = {
		.srcOffset = slot_offset(submissions, slot) + offsetof(struct head, ticket),
		.dstOffset = slot_offset(submissions, slot) + offsetof(struct head, proof),
		.size = sizeof(uint64_t),
	};

	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
			     VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &computed, 0, NULL, 0, NULL);
	vkCmdCopyBuffer(commands, submissions->tables.buffer, submissions->tables.buffer, 1, &copy);
}

/* Between the device's writes and the CPU, which reads output and proof once the
 * ticket is reached, and later gives the same chunks to other frames.
 * The other way round vkQueueSubmit itself orders what the CPU wrote before it
 * (Vulkan, "Host Write Ordering Guarantees"). */
static void output_to_host(VkCommandBuffer commands)
{
	VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT,
	};

	vkCmdPipelineBarrier(commands,
			     VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
			     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
}

static int record(const struct wm_submissions *submissions, const struct wm_pipeline *pipeline,
		  uint32_t slot, struct wm_error *error)
{
	VkCommandBuffer commands = submissions->commands[slot];
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
	};
	uint32_t offset = (uint32_t)rows_offset(submissions, slot);
	int ret;

	assert(pipeline->handle != VK_NULL_HANDLE);
	ret = wm_result_error(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer",
			      error);
	if (ret < 0)
		return ret;
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->layout, 0, 1,
				&pipeline->set, 1, &offset);
	vkCmdDispatchIndirect(commands, submissions->tables.buffer, slot_offset(submissions, slot));
	prove(commands, submissions, slot);
	output_to_host(commands);
	return wm_result_error(vkEndCommandBuffer(commands), "vkEndCommandBuffer", error);
}

int wm_submissions_record(struct wm_submissions *submissions, const struct wm_pipeline *pipeline,
			  struct wm_error *error)
{
	for (uint32_t slot = 0; slot < WM_EXECUTOR_SUBMISSIONS; slot++) {
		int ret = record(submissions, pipeline, slot, error);

		if (ret < 0)
			return ret;
	}
	return 0;
}

VkResult wm_submissions_submit(struct wm_submissions *submissions, const struct wm_device *device,
			       uint32_t slot, uint32_t count, uint64_t ticket)
{
	VkTimelineSemaphoreSubmitInfo timeline = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &ticket,
	};
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = ticket ? &timeline : NULL,
		.commandBufferCount = 1,
		.pCommandBuffers = &submissions->commands[slot],
		.signalSemaphoreCount = ticket ? 1 : 0,
		.pSignalSemaphores = &submissions->timeline,
	};
	VkResult result;

	assert(slot < WM_EXECUTOR_SUBMISSIONS && count > 0 && count <= submissions->rows_max);
	*head_of(submissions, slot) = (struct head){
		.workgroups = { count, 1, 1 },
		.ticket = ticket,
		.proof = ~ticket,
	};
	if (ticket)
		return vkQueueSubmit(device->queue, 1, &info, VK_NULL_HANDLE);
	result = vkResetFences(device->handle, 1, &submissions->untold);
	return result == VK_SUCCESS ? vkQueueSubmit(device->queue, 1, &info, submissions->untold)
				    : result;
}

bool wm_submissions_is_proven(const struct wm_submissions *submissions, uint32_t slot,
			      uint64_t ticket)
{
	/* The device wrote it, and the output before it. */
	return __atomic_load_n(&head_of(submissions, slot)->proof, __ATOMIC_ACQUIRE) == ticket;
}

VkResult wm_submissions_untold(const struct wm_submissions *submissions,
			       const struct wm_device *device, uint32_t slot)
{
	VkResult result = vkGetFenceStatus(device->handle, submissions->untold);

	if (result == VK_SUCCESS && !wm_submissions_is_proven(submissions, slot, 0))
		return VK_ERROR_DEVICE_LOST;
	return result;
}

VkResult wm_submissions_counted(const struct wm_submissions *submissions,
				const struct wm_device *device, uint64_t *ticket)
{
	return vkGetSemaphoreCounterValue(device->handle, submissions->timeline, ticket);
}

static bool are_proven(const struct wm_submissions *submissions, uint64_t done, uint64_t ticket)
{
	for (uint64_t t = done + 1; t <= ticket; t++) {
		uint32_t slot = (uint32_t)((t - 1) % WM_EXECUTOR_SUBMISSIONS);

		if (!wm_submissions_is_proven(submissions, slot, t))
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
VkResult wm_submissions_wait(const struct wm_submissions *submissions,
			     const struct wm_device *device, uint64_t done, uint64_t ticket,
			     uint64_t timeout_ns)
{
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &submissions->timeline,
		.pValues = &ticket,
	};
	VkResult result;

	assert(ticket > done && ticket - done <= WM_EXECUTOR_SUBMISSIONS);
	result = vkWaitSemaphores(device->handle, &info, timeout_ns);
	if (result == VK_SUCCESS && !are_proven(submissions, done, ticket))
		return VK_ERROR_DEVICE_LOST;
	return result;
}
