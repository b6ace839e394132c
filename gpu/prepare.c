/* SPDX-License-Identifier: BSD-3-Clause */
/* A job's kernel: made by the calling thread, or beside it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "executor_private.h"

/* ---- by the calling thread ---------------------------------------------- */

int executor_prepare_device(struct wm_executor *executor, unsigned job,
			    const struct wm_shader *shader, struct wm_error *error)
{
	int ret;

	assert(executor->is_up && executor->completed == executor->submitted);
	ret = wm_compute_load(&executor->compute, job, shader, error);
	if (ret < 0)
		return ret;
	/* From here the commands of the kernel before are gone. */
	executor->jobs[job].prepared = false;
	return wm_compute_start(&executor->compute, job, &executor->lost, error);
}

static void set_job(struct wm_executor_job *job, const struct wm_kernel *kernel,
		    const struct wm_shader *shader, uint32_t *owned)
{
	free(job->owned);
	*job = (struct wm_executor_job){ .kernel = *kernel, .shader = *shader, .owned = owned };
	job->shader.name = job->kernel.name;
}

static int prepare(struct wm_executor *executor, const struct wm_kernel *kernel,
		   const struct wm_shader *shader, struct wm_error *error)
{
	struct wm_executor_job *job = &executor->jobs[0];
	int ret;

	if (executor->lost)
		return wm_error_set(error, EIO, "the device is lost");
	if (executor->is_warming || wm_executor_completed(executor) != executor->submitted)
		return wm_error_set(error, EBUSY, "executor: submissions are in flight");
	/* It compiles for a second on a busy machine, and every job of a rack asks. */
	if (job->prepared && job->shader.code == shader->code)
		return 0;

	ret = executor->computes ? executor_prepare_device(executor, 0, shader, error) : 0;
	if (ret < 0)
		return ret;
	set_job(job, kernel, shader, NULL);
	job->prepared = true;
	return 0;
}

static int find_shader(const struct wm_shader **shader, const struct wm_kernel *kernel,
		       struct wm_error *error)
{
	*shader = wm_shader_find(kernel);
	if (*shader)
		return 0;
	return wm_error_set(error, ENOENT, "no kernel '%.*s' of that shape is built into this node",
			    WM_KERNEL_NAME_BYTES, kernel->name);
}

int wm_executor_prepare(struct wm_executor *executor, const struct wm_kernel *kernel,
			struct wm_error *error)
{
	const struct wm_shader *shader;
	int ret = find_shader(&shader, kernel, error);

	return ret < 0 ? ret : prepare(executor, kernel, shader, error);
}

int wm_executor_prepare_code(struct wm_executor *executor, const struct wm_kernel *kernel,
			     const uint32_t *code, size_t code_bytes, struct wm_error *error)
{
	const struct wm_shader shader = { kernel->name, code, code_bytes };

	return prepare(executor, kernel, &shader, error);
}

/* ---- beside it ------------------------------------------------------------ */

static bool is_making(const struct wm_executor *executor)
{
	return executor->builders.now || executor->built.handle != VK_NULL_HANDLE;
}

static void forget_built(struct wm_executor *executor)
{
	if (executor->is_up)
		vkDestroyPipeline(executor->compute.device.handle, executor->built.handle, NULL);
	free(executor->built.code);
	executor->built = (struct wm_built){ 0 };
}

/* Other code under the name of a kernel that is not known by its hash is another kernel. */
static bool is_same(const struct wm_kernel *a, const struct wm_kernel *b, const uint32_t *code)
{
	return (!code || !wm_kernel_is_builtin(b)) && wm_kernel_is_same(a, b);
}

static bool is_prepared(const struct wm_executor *executor, const struct wm_kernel *kernel,
			const uint32_t *code)
{
	const struct wm_executor_job *job = &executor->jobs[0];

	return (job->prepared || executor->is_warming) && is_same(&job->kernel, kernel, code);
}

static int leave(struct wm_executor *executor, struct wm_error *error)
{
	forget_built(executor);
	return wm_builders_leave(&executor->builders, error);
}

static int begin(struct wm_executor *executor, const struct wm_kernel *kernel,
		 const struct wm_shader *shader, struct wm_error *error)
{
	const struct wm_compute *compute = &executor->compute;

	if (!executor->computes)
		return prepare(executor, kernel, shader, error);
	forget_built(executor);
	return wm_builders_begin(&executor->builders, &compute->pipelines[0], &compute->device,
				 shader, compute->invocations, error);
}

int wm_executor_prepare_begin(struct wm_executor *executor, const struct wm_kernel *kernel,
			      const uint32_t *code, size_t code_bytes, struct wm_error *error)
{
	const struct wm_shader theirs = { kernel->name, code, code_bytes };
	const struct wm_shader *shader = &theirs;
	int ret = code ? 0 : find_shader(&shader, kernel, error);

	if (ret < 0)
		return ret;
	if (executor->lost)
		return wm_error_set(error, EIO, "the device is lost");
	if (is_making(executor) && is_same(&executor->making, kernel, code))
		return 0;
	executor->making = *kernel;
	if (is_prepared(executor, kernel, code))
		return leave(executor, error);
	return begin(executor, kernel, shader, error);
}

/* -EINPROGRESS, or what the first run ended with. */
static int poll_warming(struct wm_executor *executor, struct wm_error *error)
{
	int ret = wm_compute_start_poll(&executor->compute, &executor->lost, error);

	if (ret == -EINPROGRESS)
		return ret;
	executor->is_warming = false;
	executor->jobs[0].prepared = ret == 0;
	return ret;
}

int wm_executor_prepare_poll(struct wm_executor *executor, struct wm_error *error)
{
	const struct wm_executor_job *job = &executor->jobs[0];
	int ret = 0;

	if (executor->lost)
		return wm_error_set(error, EIO, "the device is lost");
	if (executor->is_warming)
		ret = poll_warming(executor, error);
	if (ret == 0 && executor->builders.now)
		ret = wm_builders_poll(&executor->builders, &executor->built, error);
	if (ret < 0)
		return ret;
	if (executor->built.handle != VK_NULL_HANDLE)
		return -EBUSY;
	if (job->prepared && wm_kernel_is_same(&job->kernel, &executor->making))
		return 0;
	return wm_error_set(error, EIO, "the device was lost while '%s' was made for it",
			    executor->making.name);
}

int wm_executor_prepare_take(struct wm_executor *executor, struct wm_error *error)
{
	struct wm_executor_job *job = &executor->jobs[0];
	struct wm_built built = executor->built;
	const struct wm_shader shader = { NULL, built.code, built.code_bytes };
	int ret;

	assert(built.handle != VK_NULL_HANDLE && !executor->is_warming);
	if (wm_executor_completed(executor) != executor->submitted)
		return wm_error_set(error, EBUSY, "executor: submissions are in flight");
	executor->built = (struct wm_built){ 0 };
	set_job(job, &executor->making, &shader, built.code); /* whose commands are gone now */
	ret = wm_compute_start_with(&executor->compute, 0, built.handle, &executor->lost, error);
	executor->is_warming = ret == 0;
	return ret;
}

void wm_executor_prepare_leave(struct wm_executor *executor)
{
	/* What there is no room for goes on, and is not taken before somebody asks for it. */
	(void)leave(executor, NULL);
}

int executor_forget_preparing(struct wm_executor *executor, uint64_t timeout_ns,
			      struct wm_error *error)
{
	forget_built(executor);
	executor->is_warming = false;
	return wm_builders_wait(&executor->builders, timeout_ns, error);
}
