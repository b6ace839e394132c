/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The executor alone: rows of the kernel xor, laid out as frames of MTU 9000 in a
 * UMEM, in turns with a copy of as many bytes by vkCmdCopyBuffer on the same device.
 * Both keep WM_EXECUTOR_SUBMISSIONS submissions of `rows` in flight. Prints how many
 * bytes of output each made in how many seconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "device.h"
#include "memory.h"
#include "number.h"
#include "result.h"
#include "wiremill/control.h"
#include "wiremill/executor.h"
#include "wiremill/limits.h"

#define VECTORS 256u
#define VECTOR_BYTES 32u
#define OUTPUT_BYTES (VECTORS * VECTOR_BYTES)
#define ROWS_MAX 64u
/* A frame of three chunks with its 32 bytes of headers, and the three of its result. */
#define CHUNK_DATA (WM_UMEM_CHUNK_BYTES - WM_UMEM_HEADROOM_BYTES)
#define FRAME_HEADER 32u
#define FRAME_BYTES (6u * WM_UMEM_CHUNK_BYTES)
#define REGION_BYTES (8u * 1024u * 1024u)
#define REGION_ALIGN_BYTES (2u * 1024u * 1024u)
#define COPY_BYTES (WM_EXECUTOR_SUBMISSIONS * ROWS_MAX * OUTPUT_BYTES)
#define TURNS 5u
/* Only a hang reaches it. */
#define WAIT_NS (10 * WM_NS_PER_S)

_Static_assert(WM_EXECUTOR_SUBMISSIONS *ROWS_MAX *FRAME_BYTES <= REGION_BYTES, "frames fit");

struct rate {
	uint64_t bytes, ns;
};

/* What is copied: the same bytes from one half of a buffer to the other. */
struct copier {
	struct wm_instance instance;
	struct wm_device device;
	struct wm_memory memory;
	VkCommandPool pool;
	VkCommandBuffer commands[WM_EXECUTOR_SUBMISSIONS];
	VkFence fences[WM_EXECUTOR_SUBMISSIONS];
};

/* ---- rows --------------------------------------------------------------- */

/* Aligned, and never given back: the process ends with it. */
static void *map_region(void)
{
	uint8_t *raw = mmap(NULL, REGION_BYTES + REGION_ALIGN_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return raw == MAP_FAILED ? NULL : raw + (-(uintptr_t)raw % REGION_ALIGN_BYTES);
}

static int executor_open(struct wm_executor **executor, struct wm_error *error)
{
	const struct wm_executor_config config = {
		.memory = map_region(),
		.memory_bytes = REGION_BYTES,
		.rows_max = ROWS_MAX,
	};
	int ret = wm_executor_create(executor, &config, error);

	if (ret < 0)
		return ret;
	return wm_executor_prepare(*executor, wm_kernel_find("xor"), error);
}

static struct wm_row frame_row(uint32_t frame)
{
	const uint32_t first = CHUNK_DATA - FRAME_HEADER;
	uint32_t at = frame * FRAME_BYTES + WM_UMEM_HEADROOM_BYTES;

	return (struct wm_row){
		.in = { at + FRAME_HEADER, at + WM_UMEM_CHUNK_BYTES, at + 2 * WM_UMEM_CHUNK_BYTES },
		.in_end = { first, first + CHUNK_DATA },
		.out = at + 3 * WM_UMEM_CHUNK_BYTES,
		.count = VECTORS,
	};
}

/* Returns the ticket, or 0 with errno set. */
static uint64_t compute_once(struct wm_executor *executor, struct wm_row *table, uint32_t rows)
{
	static uint32_t slot;

	for (uint32_t i = 0; i < rows; i++)
		table[i] = frame_row(slot * ROWS_MAX + i);
	slot = (slot + 1) % WM_EXECUTOR_SUBMISSIONS;
	return wm_executor_submit(executor, rows);
}

static int compute(struct wm_executor *executor, uint32_t rows, uint64_t turn_ns, struct rate *rate)
{
	uint64_t start_ns = wm_clock_ns(), ticket = 0;
	int ret = 0;

	while (ret == 0 && wm_clock_ns() < start_ns + turn_ns) {
		struct wm_row *table = wm_executor_rows(executor);

		if (!table) {
			ret = wm_executor_wait(executor, ticket - WM_EXECUTOR_SUBMISSIONS + 1,
					       WAIT_NS);
			continue;
		}
		ticket = compute_once(executor, table, rows);
		if (ticket == 0)
			return -errno;
		rate->bytes += (uint64_t)rows * OUTPUT_BYTES;
	}
	if (ret == 0)
		ret = wm_executor_wait(executor, ticket, WAIT_NS);
	rate->ns += wm_clock_ns() - start_ns;
	return ret;
}

/* ---- copies ------------------------------------------------------------- */

static VkResult copier_record(const struct copier *copier, uint32_t slot, uint32_t rows)
{
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
	};
	VkBufferCopy regions[ROWS_MAX];

	for (uint32_t i = 0; i < rows; i++) {
		VkDeviceSize at = (VkDeviceSize)(slot * ROWS_MAX + i) * OUTPUT_BYTES;

		regions[i] = (VkBufferCopy){ at, COPY_BYTES + at, OUTPUT_BYTES };
	}
	vkBeginCommandBuffer(copier->commands[slot], &begin);
	vkCmdCopyBuffer(copier->commands[slot], copier->memory.buffer, copier->memory.buffer, rows,
			regions);
	return vkEndCommandBuffer(copier->commands[slot]);
}

static int copier_commands(struct copier *copier, uint32_t rows, struct wm_error *error)
{
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = copier->device.queue_family,
	};
	VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = WM_EXECUTOR_SUBMISSIONS,
	};
	VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
				    .flags = VK_FENCE_CREATE_SIGNALED_BIT };
	VkDevice device = copier->device.handle;
	VkResult result;

	result = vkCreateCommandPool(device, &pool, NULL, &copier->pool);
	info.commandPool = copier->pool;
	if (result == VK_SUCCESS)
		result = vkAllocateCommandBuffers(device, &info, copier->commands);
	for (uint32_t i = 0; i < WM_EXECUTOR_SUBMISSIONS && result == VK_SUCCESS; i++) {
		result = vkCreateFence(device, &fence, NULL, &copier->fences[i]);
		if (result == VK_SUCCESS)
			result = copier_record(copier, i, rows);
	}
	return wm_result_error(result, "the copy's commands", error);
}

static int copier_open(struct copier *copier, uint32_t rows, struct wm_error *error)
{
	int ret;

	ret = wm_instance_init(&copier->instance, false, error);
	if (ret == 0)
		ret = wm_device_init(&copier->device, &copier->instance, NULL, false, error);
	if (ret == 0)
		ret = wm_memory_allocate(
			&copier->memory, &copier->device, 2 * COPY_BYTES,
			VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT, error);
	return ret < 0 ? ret : copier_commands(copier, rows, error);
}

static VkResult copy_once(const struct copier *copier, uint32_t slot)
{
	VkDevice device = copier->device.handle;
	VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &copier->commands[slot],
	};
	VkResult result = vkWaitForFences(device, 1, &copier->fences[slot], VK_TRUE, WAIT_NS);

	if (result == VK_SUCCESS)
		result = vkResetFences(device, 1, &copier->fences[slot]);
	if (result == VK_SUCCESS)
		result = vkQueueSubmit(copier->device.queue, 1, &submit, copier->fences[slot]);
	return result;
}

static VkResult copy(const struct copier *copier, uint32_t rows, uint64_t turn_ns,
		     struct rate *rate)
{
	uint64_t start_ns = wm_clock_ns();
	VkResult result = VK_SUCCESS;

	for (uint32_t slot = 0; result == VK_SUCCESS && wm_clock_ns() < start_ns + turn_ns;
	     slot = (slot + 1) % WM_EXECUTOR_SUBMISSIONS) {
		result = copy_once(copier, slot);
		rate->bytes += (uint64_t)rows * OUTPUT_BYTES;
	}
	if (result == VK_SUCCESS)
		result = vkWaitForFences(copier->device.handle, WM_EXECUTOR_SUBMISSIONS,
					 copier->fences, VK_TRUE, WAIT_NS);
	rate->ns += wm_clock_ns() - start_ns;
	return result;
}

/* ---- turns -------------------------------------------------------------- */

static int take_turns(struct wm_executor *executor, const struct copier *copier, uint32_t rows,
		      uint64_t turn_ns, struct wm_error *error)
{
	struct rate computed = { 0 }, copied = { 0 };

	for (uint32_t turn = 0; turn < TURNS; turn++) {
		int ret = compute(executor, rows, turn_ns, &computed);

		if (ret < 0)
			return wm_error_set(error, -ret, "rows cannot be computed: %s",
					    strerror(-ret));
		ret = wm_result_error(copy(copier, rows, turn_ns, &copied), "the copy", error);
		if (ret < 0)
			return ret;
	}
	printf("{\"computed\": {\"bytes\": %" PRIu64 ", \"ns\": %" PRIu64 "}, "
	       "\"copied\": {\"bytes\": %" PRIu64 ", \"ns\": %" PRIu64 "}}\n",
	       computed.bytes, computed.ns, copied.bytes, copied.ns);
	return 0;
}

static int complain(const char *what)
{
	fprintf(stderr, "executor_bench: %s; usage: executor_bench ROWS MILLISECONDS\n", what);
	return WM_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static struct copier copier;
	struct wm_executor *executor = NULL;
	struct wm_error error = { "" };
	uint64_t rows, turn_ms;
	int ret;

	if (argc != 3)
		return complain("two arguments are wanted");
	if (wm_number_parse(argv[1], 1, ROWS_MAX, &rows) < 0)
		return complain("ROWS is 1 to 64");
	if (wm_number_parse(argv[2], 1, 10000, &turn_ms) < 0)
		return complain("MILLISECONDS of a turn are 1 to 10000");

	ret = executor_open(&executor, &error);
	if (ret == 0)
		ret = copier_open(&copier, (uint32_t)rows, &error);
	if (ret == 0)
		ret = take_turns(executor, &copier, (uint32_t)rows, turn_ms * WM_NS_PER_MS, &error);
	if (ret < 0)
		fprintf(stderr, "executor_bench: %s\n", error.text);
	wm_executor_destroy(&executor);
	return ret < 0 ? WM_EXIT_FAILED : WM_EXIT_DONE;
}
