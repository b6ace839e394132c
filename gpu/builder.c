/* SPDX-License-Identifier: BSD-3-Clause */
#include "builder.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "wiremill/kernel.h"

struct wm_build {
	pthread_t thread;
	/* What the thread reads. */
	const struct wm_pipeline *pipeline;
	const struct wm_device *device;
	char name[WM_KERNEL_NAME_BYTES];
	struct wm_shader shader;
	uint32_t *code;
	uint32_t invocations;
	/* What it leaves when it ends. */
	VkPipeline handle;
	int ret;
	struct wm_error error;
};

static void *compile(void *context)
{
	struct wm_build *build = context;

	build->ret = wm_pipeline_compile(build->pipeline, build->device, &build->shader,
					 build->invocations, &build->handle, &build->error);
	return NULL;
}

static struct wm_build *make_build(const struct wm_pipeline *pipeline,
				   const struct wm_device *device, const struct wm_shader *shader,
				   uint32_t invocations)
{
	struct wm_build *build = calloc(1, sizeof(*build));

	if (!build)
		return NULL;
	build->code = malloc(shader->code_bytes);
	if (!build->code) {
		free(build);
		return NULL;
	}
	memcpy(build->code, shader->code, shader->code_bytes);
	strncpy(build->name, shader->name, sizeof(build->name) - 1);
	build->shader = (struct wm_shader){ build->name, build->code, shader->code_bytes };
	build->pipeline = pipeline;
	build->device = device;
	build->invocations = invocations;
	return build;
}

/* Its thread has ended. */
static void destroy_build(struct wm_build **build)
{
	/* It accepts VK_NULL_HANDLE. */
	vkDestroyPipeline((*build)->device->handle, (*build)->handle, NULL);
	free((*build)->code);
	free(*build);
	*build = NULL;
}

static void destroy_returned(struct wm_builders *builders)
{
	for (unsigned i = 0; i < WM_BUILDERS_LEFT_MAX; i++) {
		if (builders->left[i] && pthread_tryjoin_np(builders->left[i]->thread, NULL) == 0)
			destroy_build(&builders->left[i]);
	}
}

int wm_builders_leave(struct wm_builders *builders, struct wm_error *error)
{
	destroy_returned(builders);
	for (unsigned i = 0; builders->now && i < WM_BUILDERS_LEFT_MAX; i++) {
		if (builders->left[i])
			continue;
		builders->left[i] = builders->now;
		builders->now = NULL;
	}
	if (!builders->now)
		return 0;
	return wm_error_set(error, EBUSY,
			    "the driver has not come back from compiling '%s' and %u kernels "
			    "before it: see dmesg, and start the node again",
			    builders->now->name, WM_BUILDERS_LEFT_MAX);
}

int wm_builders_begin(struct wm_builders *builders, const struct wm_pipeline *pipeline,
		      const struct wm_device *device, const struct wm_shader *shader,
		      uint32_t invocations, struct wm_error *error)
{
	int ret = wm_builders_leave(builders, error);
	struct wm_build *build;

	if (ret < 0)
		return ret;
	build = make_build(pipeline, device, shader, invocations);
	if (!build)
		return wm_error_set(error, ENOMEM, "no memory to compile '%s'", shader->name);
	ret = pthread_create(&build->thread, NULL, compile, build);
	if (ret != 0) {
		destroy_build(&build);
		return wm_error_set(error, ret, "no thread to compile '%s': %s", shader->name,
				    strerror(ret));
	}
	builders->now = build;
	return 0;
}

int wm_builders_poll(struct wm_builders *builders, struct wm_built *built, struct wm_error *error)
{
	struct wm_build *build = builders->now;
	int ret;

	assert(build);
	if (pthread_tryjoin_np(build->thread, NULL) != 0)
		return -EINPROGRESS;
	ret = build->ret;
	if (ret == 0) {
		*built = (struct wm_built){ build->handle, build->code, build->shader.code_bytes };
		build->handle = VK_NULL_HANDLE;
		build->code = NULL;
	} else {
		wm_error_set(error, -ret, "%s", build->error.text);
	}
	destroy_build(&builders->now);
	return ret;
}

static struct timespec deadline(uint64_t timeout_ns)
{
	struct timespec at;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &at);
	ns = (uint64_t)at.tv_nsec + timeout_ns;
	at.tv_sec += (time_t)(ns / WM_NS_PER_S);
	at.tv_nsec = (long)(ns % WM_NS_PER_S);
	return at;
}

int wm_builders_wait(struct wm_builders *builders, uint64_t timeout_ns, struct wm_error *error)
{
	struct timespec until = deadline(timeout_ns);
	struct wm_build **all[WM_BUILDERS_LEFT_MAX + 1] = { &builders->now };

	for (unsigned i = 0; i < WM_BUILDERS_LEFT_MAX; i++)
		all[i + 1] = &builders->left[i];
	for (unsigned i = 0; i < WM_BUILDERS_LEFT_MAX + 1; i++) {
		struct wm_build *build = *all[i];

		if (!build)
			continue;
		if (pthread_timedjoin_np(build->thread, NULL, &until) != 0)
			return wm_error_set(error, EBUSY,
					    "the driver has not come back from compiling '%s'",
					    build->name);
		destroy_build(all[i]);
	}
	return 0;
}
