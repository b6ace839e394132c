/* SPDX-License-Identifier: BSD-3-Clause */
#include "queue.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "wiremill/limits.h"

/* To copy an extent takes 0.1 ms, a command some microseconds of the kernel and the drive. */
#define COST_MAX 16u

/* A partition has the queue of its disk. 0: not said. */
static uint32_t attribute(const char *sysfs, dev_t device, const char *name)
{
	static const char *const folders[] = { "queue", "../queue" };
	char path[PATH_MAX];
	uint32_t value = 0;

	for (unsigned i = 0; i < 2; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/dev/block/%u:%u/%s/%s", sysfs, major(device),
			 minor(device), folders[i], name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%" SCNu32, &value) != 1)
			value = 0;
		fclose(file);
		break;
	}
	return value;
}

void wm_queue_find(struct wm_queue *queue, const struct stat *status, const char *sysfs)
{
	dev_t device = S_ISBLK(status->st_mode) ? status->st_rdev : status->st_dev;
	uint32_t mask = attribute(sysfs, device, "virt_boundary_mask");

	*queue = (struct wm_queue){
		.boundary_bytes = mask && mask < UINT32_MAX ? mask + 1 : 0,
		.physical_bytes = attribute(sysfs, device, "physical_block_size"),
		.segments_max = attribute(sysfs, device, "max_segments"),
	};
}

/* Bytes of one command, the pieces being what they are. */
static uint64_t command_bytes(const struct wm_queue *queue, uint32_t piece_bytes,
			      uint32_t align_bytes)
{
	if (queue->boundary_bytes &&
	    (piece_bytes % queue->boundary_bytes || align_bytes % queue->boundary_bytes))
		return piece_bytes;
	return queue->segments_max ? (uint64_t)queue->segments_max * piece_bytes : WM_EXTENT_BYTES;
}

uint32_t wm_queue_cost(const struct wm_queue *queue, uint32_t piece_bytes, uint32_t align_bytes)
{
	uint64_t bytes = command_bytes(queue, piece_bytes, align_bytes);
	uint32_t commands = (uint32_t)((WM_EXTENT_BYTES + bytes - 1) / bytes);
	bool cuts_blocks = queue->physical_bytes && bytes % queue->physical_bytes;

	return commands + (cuts_blocks ? 2 * (commands - 1) : 0);
}

bool wm_queue_takes_pieces(const struct wm_queue *queue, uint32_t piece_bytes, uint32_t align_bytes)
{
	return wm_queue_cost(queue, piece_bytes, align_bytes) <= COST_MAX;
}
