/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The executor's half with a device: all that is made together with it, and lost with it.
 * (none.h is the other half.)
 *
 * The struct is the caller's and must not move between init and fini (instance.h).
 */
#ifndef WM_COMPUTE_H
#define WM_COMPUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "instance.h"
#include "memory.h"
#include "pipeline.h"
#include "shader.h"
#include "submission.h"
#include "wiremill/error.h"
#include "wiremill/executor.h"
#include "wiremill/limits.h"

struct wm_compute {
	struct wm_instance instance;
	struct wm_device device;
	struct wm_memory region;
	struct wm_submissions submissions;
	struct wm_pipeline pipelines[WM_RUNNING_JOBS_MAX]; /* one a job */
	uint32_t invocations;				   /* that compute one row */
};

/* As wm_executor_create; tickets go on from `ticket`. After an error there is nothing to
 * fini, and instance.messages counts what the validation layer said. */
int wm_compute_init(struct wm_compute *compute, const struct wm_executor_config *config,
		    uint64_t ticket, struct wm_error *error);
/* Waits for what is in flight. instance.messages stays. */
void wm_compute_fini(struct wm_compute *compute);

/* Makes the pipeline of the job's kernel. On failure the one before stays. */
int wm_compute_load(struct wm_compute *compute, unsigned job, const struct wm_shader *shader,
		    struct wm_error *error);
/* Takes a pipeline that was made for the job beside (builder.h), and begins what
 * wm_compute_start does; poll says when it is done: -EINPROGRESS until then. */
int wm_compute_start_with(struct wm_compute *compute, unsigned job, VkPipeline handle, bool *lost,
			  struct wm_error *error);
int wm_compute_start_poll(struct wm_compute *compute, bool *lost, struct wm_error *error);
/* Its commands take the place of those before, and run once: drivers compile the last of a
 * shader then. Nothing may be in flight. *lost is set where the device is found lost. */
int wm_compute_start(struct wm_compute *compute, unsigned job, bool *lost, struct wm_error *error);

#endif
