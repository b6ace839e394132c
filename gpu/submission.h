/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring of submissions: for each slot a table of rows that both sides see,
 * and the command buffer that computes it, recorded once per kernel.
 *
 *   tables   | slot 0: workgroups, ticket, proof, rows[rows_max] | slot 1 ... |
 *
 * How many rows there are this time is the only thing that changes: the command
 * buffer reads it from the slot (an indirect dispatch), so that a submission
 * records nothing. A timeline semaphore counts the tickets.
 *
 * That it counts proves nothing: a driver advances it by force when its device was
 * reset. So the last thing that a submission does, once its rows are computed, is to
 * copy its ticket to its proof. What was skipped leaves none.
 */
#ifndef WM_SUBMISSION_H
#define WM_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "device.h"
#include "memory.h"
#include "pipeline.h"
#include "wiremill/error.h"
#include "wiremill/executor.h"

struct wm_submissions {
	struct wm_memory tables;
	uint32_t rows_max;
	VkDeviceSize slot_bytes;
	VkCommandPool pool;
	VkCommandBuffer commands[WM_EXECUTOR_SUBMISSIONS];
	VkSemaphore timeline;
	VkFence untold; /* of the last submission without a ticket */
};

/* The timeline begins at `ticket`. */
int wm_submissions_init(struct wm_submissions *submissions, const struct wm_device *device,
			uint32_t rows_max, uint64_t ticket, struct wm_error *error);
/* Nothing may be in flight. */
void wm_submissions_fini(struct wm_submissions *submissions, const struct wm_device *device);

/* Records every slot for the kernel of this pipeline. Nothing may be in flight. */
int wm_submissions_record(struct wm_submissions *submissions, const struct wm_pipeline *pipeline,
			  struct wm_error *error);

struct wm_row *wm_submissions_rows(const struct wm_submissions *submissions, uint32_t slot);
/* Bytes of the rows of one slot. */
VkDeviceSize wm_submissions_rows_bytes(uint32_t rows_max);

/* Computes the first `count` rows of a slot. The timeline goes to `ticket` when
 * their output can be read; ticket 0 signals `untold` alone, and there is one such at a time. */
VkResult wm_submissions_submit(struct wm_submissions *submissions, const struct wm_device *device,
			       uint32_t slot, uint32_t count, uint64_t ticket);
/* Whether the device itself did what was last submitted in this slot, under this ticket. */
bool wm_submissions_is_proven(const struct wm_submissions *submissions, uint32_t slot,
			      uint64_t ticket);

/* Whether the one without a ticket is done: VK_SUCCESS, VK_NOT_READY, or
 * VK_ERROR_DEVICE_LOST where the driver or its proof says so. */
VkResult wm_submissions_untold(const struct wm_submissions *submissions,
			       const struct wm_device *device, uint32_t slot);

/* How far the timeline has counted, which is to be proven still. */
VkResult wm_submissions_counted(const struct wm_submissions *submissions,
				const struct wm_device *device, uint64_t *ticket);
/* Waits until `ticket` is reached, and all tickets behind `done` are proven up to it:
 * VK_SUCCESS, VK_TIMEOUT, or VK_ERROR_DEVICE_LOST where the driver or a proof says so. */
VkResult wm_submissions_wait(const struct wm_submissions *submissions,
			     const struct wm_device *device, uint64_t done, uint64_t ticket,
			     uint64_t timeout_ns);

#endif
