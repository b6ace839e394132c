/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process's door to Vulkan, and the validation layer behind it on request.
 *
 * The struct is the caller's and must not move between init and fini: the
 * layer counts into it.
 */
#ifndef WM_INSTANCE_H
#define WM_INSTANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "wiremill/error.h"

/* Timeline semaphores and driver names are core in it; every driver that runs
 * on the nodes has it. */
#define WM_VULKAN_VERSION VK_API_VERSION_1_2

struct wm_instance {
	VkInstance handle;
	VkDebugUtilsMessengerEXT messenger; /* VK_NULL_HANDLE without validation */
	_Atomic uint64_t messages; /* warnings and errors of the layer, of whatever thread */
};

/* Fills in the one line for a machine without Vulkan; returns -ENODEV. */
int wm_instance_no_device(struct wm_error *error);

/* 0; -ENODEV: no driver at all; -ENOTSUP: validate, and no such layer. */
int wm_instance_init(struct wm_instance *instance, bool validate, struct wm_error *error);
void wm_instance_fini(struct wm_instance *instance);

#endif
