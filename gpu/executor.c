/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/executor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "executor_private.h"
#include "log.h"
#include "rights.h"
#include "row.h"

#define REGION_ALIGN_BYTES (2u * 1024u * 1024u)
#define REGION_BYTES_MAX (128u * 1024u * 1024u)
/* A driver that does not come back from compiling by then is not waited for. */
#define DRIVER_WAIT_NS (1 * WM_NS_PER_S)

/* ---- life --------------------------------------------------------------- */

static int check_config(const struct wm_executor_config *config, struct wm_error *error)
{
	if (!config->memory || (uintptr_t)config->memory % REGION_ALIGN_BYTES)
		return wm_error_set(error, EINVAL, "executor: memory at %p is not aligned to 2 MiB",
				    config->memory);
	if (config->memory_bytes == 0 || config->memory_bytes % REGION_ALIGN_BYTES ||
	    config->memory_bytes > REGION_BYTES_MAX)
		return wm_error_set(error, EINVAL,
				    "executor: %zu bytes of memory are not a multiple of 2 MiB up "
				    "to 128 MiB",
				    config->memory_bytes);
	if (config->rows_max == 0)
		return wm_error_set(error, EINVAL, "executor: rows_max is 0");
	return 0;
}

/* The next instance counts from 0. */
static void keep_messages(struct wm_executor *executor)
{
	executor->counters.validation_messages += executor->compute.instance.messages;
	executor->compute.instance.messages = 0;
}

static int bring_up_device(struct wm_executor *executor, const struct wm_executor_config *config,
			   struct wm_error *error)
{
	int ret = wm_compute_init(&executor->compute, config, executor->submitted, error);

	assert(executor->completed == executor->submitted);
	executor->is_up = ret == 0;
	if (ret == 0)
		return 0;
	keep_messages(executor);
	return wm_rights_explain(ret, error);
}

static void take_down_device(struct wm_executor *executor)
{
	wm_compute_fini(&executor->compute);
	keep_messages(executor);
	executor->is_up = false;
}

static void describe(struct wm_executor *executor)
{
	const struct wm_device *device = &executor->compute.device;
	struct wm_executor_obtained *obtained = &executor->obtained;

	*obtained = (struct wm_executor_obtained){
		.software = executor->computes ? device->software : true,
		.imported = true, /* or there would be no executor */
	};
	snprintf(obtained->device, sizeof(obtained->device), "%s",
		 executor->computes ? device->name : WM_NONE_NAME);
	snprintf(obtained->driver, sizeof(obtained->driver), "%s",
		 executor->computes ? device->driver : "none");
}

static int bring_up(struct wm_executor *executor, const struct wm_executor_config *config,
		    struct wm_error *error)
{
	int ret;

	executor->config = *config;
	executor->computes = !config->no_compute;
	ret = executor->computes
		      ? bring_up_device(executor, config, error)
		      : wm_none_init(&executor->none, config->memory, config->rows_max, error);
	if (ret == 0)
		describe(executor);
	return ret;
}

int wm_executor_create(struct wm_executor **executor, const struct wm_executor_config *config,
		       struct wm_error *error)
{
	struct wm_executor *made;
	int ret;

	ret = check_config(config, error);
	if (ret < 0)
		return ret;
	made = calloc(1, sizeof(*made));
	if (!made)
		return wm_error_set(error, ENOMEM, "executor: out of memory");

	ret = bring_up(made, config, error);
	if (ret < 0) {
		free(made);
		return ret;
	}
	*executor = made;
	return 0;
}

void wm_executor_destroy(struct wm_executor **executor)
{
	struct wm_executor *e = *executor;

	struct wm_error error = { "" };

	if (!e)
		return;
	*executor = NULL;
	if (executor_forget_preparing(e, DRIVER_WAIT_NS, &error) < 0) {
		wm_log_warning("%s: the device is left as it is", error.text);
		return;
	}
	if (e->is_up)
		take_down_device(e);
	wm_none_fini(&e->none);
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++)
		free(e->jobs[i].owned);
	free(e);
}

void wm_executor_get_obtained(const struct wm_executor *executor,
			      struct wm_executor_obtained *obtained)
{
	*obtained = executor->obtained;
}

void wm_executor_get_counters(const struct wm_executor *executor,
			      struct wm_executor_counters *counters)
{
	*counters = executor->counters;
	counters->validation_messages += executor->compute.instance.messages;
}

/* ---- rows in ------------------------------------------------------------ */

static uint32_t next_slot(const struct wm_executor *executor)
{
	return (uint32_t)(executor->submitted % WM_EXECUTOR_SUBMISSIONS);
}

static bool has_free_table(struct wm_executor *executor)
{
	if (executor->submitted - executor->completed < WM_EXECUTOR_SUBMISSIONS)
		return true;
	return executor->submitted - wm_executor_completed(executor) < WM_EXECUTOR_SUBMISSIONS;
}

struct wm_row *wm_executor_rows(struct wm_executor *executor)
{
	if (executor->lost || executor->is_warming || !has_free_table(executor))
		return NULL;
	if (!executor->computes)
		return executor->none.rows;
	return wm_submissions_rows(&executor->compute.submissions, next_slot(executor));
}

static bool are_valid(const struct wm_executor *executor, const struct wm_executor_job *job,
		      const struct wm_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!wm_row_is_valid(&rows[i], &job->kernel, executor->config.memory_bytes))
			return false;
	}
	return true;
}

static uint64_t refuse(int code)
{
	errno = code;
	return 0;
}

static VkResult start(struct wm_executor *executor, const struct wm_executor_job *job,
		      uint32_t count)
{
	struct wm_compute *compute = &executor->compute;

	if (executor->computes)
		return wm_submissions_submit(&compute->submissions, &compute->device,
					     next_slot(executor), count, executor->submitted + 1);
	wm_none_answer(&executor->none, &job->kernel, count);
	executor->completed = executor->submitted + 1;
	return VK_SUCCESS;
}

uint64_t wm_executor_submit(struct wm_executor *executor, uint32_t count)
{
	const struct wm_row *rows = wm_executor_rows(executor);
	const struct wm_executor_job *job = &executor->jobs[0];

	if (executor->lost)
		return refuse(EIO);
	if (!rows)
		return refuse(EBUSY);
	if (!job->prepared || count == 0 || count > executor->config.rows_max ||
	    !are_valid(executor, job, rows, count))
		return refuse(EINVAL);

	assert(executor->submitted - executor->completed < WM_EXECUTOR_SUBMISSIONS);
	if (start(executor, job, count) != VK_SUCCESS) {
		executor->lost = true;
		return refuse(EIO);
	}
	executor->counters.rows += count;
	executor->counters.submissions++;
	return ++executor->submitted;
}

/* ---- output that can be read -------------------------------------------- */

static VkResult wait_and_believe(struct wm_executor *executor, uint64_t ticket, uint64_t timeout_ns)
{
	struct wm_compute *compute = &executor->compute;
	VkResult result;

	result = wm_submissions_wait(&compute->submissions, &compute->device, executor->completed,
				     ticket, timeout_ns);
	if (result == VK_SUCCESS)
		executor->completed = ticket;
	executor->lost |= result == VK_ERROR_DEVICE_LOST;
	return result;
}

uint64_t wm_executor_completed(struct wm_executor *executor)
{
	struct wm_compute *compute = &executor->compute;
	uint64_t counted = 0;
	VkResult result;

	assert(executor->completed <= executor->submitted);
	if (executor->completed == executor->submitted || executor->lost)
		return executor->completed;
	result = wm_submissions_counted(&compute->submissions, &compute->device, &counted);
	executor->lost |= result == VK_ERROR_DEVICE_LOST;
	/* A lost device may answer with anything. */
	if (result == VK_SUCCESS && counted > executor->completed && counted <= executor->submitted)
		(void)wait_and_believe(executor, counted, 0);
	return executor->completed;
}

int wm_executor_wait(struct wm_executor *executor, uint64_t ticket, uint64_t timeout_ns)
{
	assert(ticket > 0 && ticket <= executor->submitted);
	if (ticket <= executor->completed)
		return 0;
	if (executor->lost)
		return -EIO;
	switch (wait_and_believe(executor, ticket, timeout_ns)) {
	case VK_SUCCESS:
		return 0;
	case VK_TIMEOUT:
		return -ETIME;
	default:
		executor->lost = true;
		return -EIO;
	}
}

/* ---- a device that is lost ---------------------------------------------- */

bool wm_executor_is_lost(const struct wm_executor *executor)
{
	return executor->lost;
}

/* No other one takes its place, least of all a software device that of a GPU. */
static int bring_up_again(struct wm_executor *executor, struct wm_error *error)
{
	struct wm_executor_config config = executor->config;

	config.device = executor->obtained.device;
	return bring_up_device(executor, &config, error);
}

static int prepare_again(struct wm_executor *executor, struct wm_error *error)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		struct wm_executor_job *job = &executor->jobs[i];
		int ret;

		if (!job->shader.code)
			continue;
		ret = executor_prepare_device(executor, i, &job->shader, error);
		if (ret < 0)
			return ret;
		job->prepared = true;
	}
	return 0;
}

int wm_executor_rebuild(struct wm_executor *executor, struct wm_error *error)
{
	int ret;

	if (!executor->computes)
		return 0;
	executor->lost = true;
	ret = executor_forget_preparing(executor, DRIVER_WAIT_NS, error);
	if (ret < 0)
		return ret;
	if (executor->is_up)
		take_down_device(executor);
	executor->completed = executor->submitted;
	ret = bring_up_again(executor, error);
	if (ret == 0)
		ret = prepare_again(executor, error);
	if (ret < 0)
		return ret;
	executor->lost = false;
	executor->counters.losses++;
	return 0;
}
