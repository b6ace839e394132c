/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <assert.h>

#include "result.h"

enum { BINDING_REGION, BINDING_ROWS, BINDINGS };

static const VkDescriptorType types[BINDINGS] = {
	[BINDING_REGION] = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
	[BINDING_ROWS] = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC,
};

static int create_layouts(struct wm_pipeline *pipeline, const struct wm_device *device,
			  struct wm_error *error)
{
	VkDescriptorSetLayoutBinding bindings[BINDINGS];
	VkDescriptorSetLayoutCreateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = BINDINGS,
		.pBindings = bindings,
	};
	VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &pipeline->set_layout,
	};
	int ret;

	for (uint32_t i = 0; i < BINDINGS; i++)
		bindings[i] = (VkDescriptorSetLayoutBinding){
			.binding = i,
			.descriptorType = types[i],
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		};
	ret = wm_result_error(
		vkCreateDescriptorSetLayout(device->handle, &set, NULL, &pipeline->set_layout),
		"vkCreateDescriptorSetLayout", error);
	if (ret < 0)
		return ret;
	return wm_result_error(
		vkCreatePipelineLayout(device->handle, &layout, NULL, &pipeline->layout),
		"vkCreatePipelineLayout", error);
}

static int allocate_set(struct wm_pipeline *pipeline, const struct wm_device *device,
			struct wm_error *error)
{
	VkDescriptorPoolSize sizes[BINDINGS];
	VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = BINDINGS,
		.pPoolSizes = sizes,
	};
	VkDescriptorSetAllocateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorSetCount = 1,
		.pSetLayouts = &pipeline->set_layout,
	};
	int ret;

	for (uint32_t i = 0; i < BINDINGS; i++)
		sizes[i] = (VkDescriptorPoolSize){ .type = types[i], .descriptorCount = 1 };
	ret = wm_result_error(vkCreateDescriptorPool(device->handle, &pool, NULL, &pipeline->pool),
			      "vkCreateDescriptorPool", error);
	if (ret < 0)
		return ret;
	set.descriptorPool = pipeline->pool;
	return wm_result_error(vkAllocateDescriptorSets(device->handle, &set, &pipeline->set),
			       "vkAllocateDescriptorSets", error);
}

static void write_set(const struct wm_pipeline *pipeline, const struct wm_device *device,
		      const struct wm_memory *region, const struct wm_memory *tables,
		      VkDeviceSize rows_bytes)
{
	const VkDescriptorBufferInfo buffers[BINDINGS] = {
		[BINDING_REGION] = { .buffer = region->buffer, .range = region->bytes },
		[BINDING_ROWS] = { .buffer = tables->buffer, .range = rows_bytes },
	};
	VkWriteDescriptorSet writes[BINDINGS];

	for (uint32_t i = 0; i < BINDINGS; i++)
		writes[i] = (VkWriteDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = pipeline->set,
			.dstBinding = i,
			.descriptorCount = 1,
			.descriptorType = types[i],
			.pBufferInfo = &buffers[i],
		};
	vkUpdateDescriptorSets(device->handle, BINDINGS, writes, 0, NULL);
}

int wm_pipeline_init(struct wm_pipeline *pipeline, const struct wm_device *device,
		     const struct wm_memory *region, const struct wm_memory *tables,
		     VkDeviceSize rows_bytes, struct wm_error *error)
{
	int ret;

	*pipeline = (struct wm_pipeline){ 0 };
	ret = create_layouts(pipeline, device, error);
	if (ret < 0)
		goto fini;
	ret = allocate_set(pipeline, device, error);
	if (ret < 0)
		goto fini;
	write_set(pipeline, device, region, tables, rows_bytes);
	return 0;

fini:
	wm_pipeline_fini(pipeline, device);
	return ret;
}

int wm_pipeline_compile(const struct wm_pipeline *pipeline, const struct wm_device *device,
			const struct wm_shader *shader, uint32_t invocations, VkPipeline *handle,
			struct wm_error *error)
{
	/* The prelude's only one, number 0. */
	const VkSpecializationMapEntry entry = { .size = sizeof(invocations) };
	const VkSpecializationInfo constants = {
		.mapEntryCount = 1,
		.pMapEntries = &entry,
		.dataSize = sizeof(invocations),
		.pData = &invocations,
	};
	VkShaderModuleCreateInfo module_info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = shader->code_bytes,
		.pCode = shader->code,
	};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			   .stage = VK_SHADER_STAGE_COMPUTE_BIT,
			   .pName = "main",
			   .pSpecializationInfo = &constants },
		.layout = pipeline->layout,
	};
	int ret;

	assert(pipeline->layout != VK_NULL_HANDLE && invocations > 0);
	assert(shader->code_bytes > 0 && shader->code_bytes % sizeof(shader->code[0]) == 0);
	ret = wm_result_error(
		vkCreateShaderModule(device->handle, &module_info, NULL, &info.stage.module),
		"vkCreateShaderModule", error);
	if (ret < 0)
		return ret;
	ret = wm_result_error(
		vkCreateComputePipelines(device->handle, VK_NULL_HANDLE, 1, &info, NULL, handle),
		"vkCreateComputePipelines", error);
	vkDestroyShaderModule(device->handle, info.stage.module, NULL);
	return ret;
}

void wm_pipeline_replace(struct wm_pipeline *pipeline, const struct wm_device *device,
			 VkPipeline handle)
{
	vkDestroyPipeline(device->handle, pipeline->handle, NULL);
	pipeline->handle = handle;
}

int wm_pipeline_load(struct wm_pipeline *pipeline, const struct wm_device *device,
		     const struct wm_shader *shader, uint32_t invocations, struct wm_error *error)
{
	VkPipeline handle = VK_NULL_HANDLE;
	int ret = wm_pipeline_compile(pipeline, device, shader, invocations, &handle, error);

	if (ret == 0)
		wm_pipeline_replace(pipeline, device, handle);
	return ret;
}

void wm_pipeline_fini(struct wm_pipeline *pipeline, const struct wm_device *device)
{
	/* All accept VK_NULL_HANDLE; the set goes with its pool. */
	vkDestroyPipeline(device->handle, pipeline->handle, NULL);
	vkDestroyDescriptorPool(device->handle, pipeline->pool, NULL);
	vkDestroyPipelineLayout(device->handle, pipeline->layout, NULL);
	vkDestroyDescriptorSetLayout(device->handle, pipeline->set_layout, NULL);
	*pipeline = (struct wm_pipeline){ 0 };
}
