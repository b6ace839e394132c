/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pipeline of one kernel, and what every kernel sees: binding 0 is the
 * region, binding 1 the rows of one submission, chosen by a dynamic offset
 * (gpu/kernels/prelude.glsl has the other side).
 */
#ifndef WM_PIPELINE_H
#define WM_PIPELINE_H

#include <vulkan/vulkan.h>

#include "device.h"
#include "memory.h"
#include "shader.h"
#include "wiremill/error.h"

struct wm_pipeline {
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	VkPipelineLayout layout;
	VkPipeline handle; /* VK_NULL_HANDLE until a kernel is loaded */
};

int wm_pipeline_init(struct wm_pipeline *pipeline, const struct wm_device *device,
		     const struct wm_memory *region, const struct wm_memory *tables,
		     VkDeviceSize rows_bytes, struct wm_error *error);
/* Makes what replace takes, for as long as the driver likes. Any thread, also beside one that
 * uses the pipeline. */
int wm_pipeline_compile(const struct wm_pipeline *pipeline, const struct wm_device *device,
			const struct wm_shader *shader, uint32_t invocations, VkPipeline *handle,
			struct wm_error *error);
/* Nothing that uses the one before may be in flight. */
void wm_pipeline_replace(struct wm_pipeline *pipeline, const struct wm_device *device,
			 VkPipeline handle);
/* Both: replaces the kernel. `invocations` compute one row. On failure the one before stays. */
int wm_pipeline_load(struct wm_pipeline *pipeline, const struct wm_device *device,
		     const struct wm_shader *shader, uint32_t invocations, struct wm_error *error);
void wm_pipeline_fini(struct wm_pipeline *pipeline, const struct wm_device *device);

#endif
