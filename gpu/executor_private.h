/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the executor share:
 *
 *   executor.c   its life, rows in and out, a device that is lost
 *   prepare.c    a job's kernel, made by the calling thread or beside it
 */
#ifndef WM_EXECUTOR_PRIVATE_H
#define WM_EXECUTOR_PRIVATE_H

#include "builder.h"
#include "compute.h"
#include "none.h"
#include "shader.h"
#include "wiremill/executor.h"
#include "wiremill/limits.h"

/* What it computes for one job. */
struct wm_executor_job {
	struct wm_kernel kernel; /* valid once prepared, as is the shader */
	struct wm_shader shader; /* code NULL: none was prepared yet */
	uint32_t *owned;	 /* the code, where it is ours */
	bool prepared;
};

static_assert(WM_RUNNING_JOBS_MAX == 1, "prepare and submit do not say for which job");

struct wm_executor {
	struct wm_executor_config config;     /* for a device that is made anew, */
	struct wm_executor_obtained obtained; /* which is to be this one */
	bool computes;			      /* by a device, else `none` answers */
	struct wm_none none;
	struct wm_compute compute;
	bool is_up; /* `compute` is */
	bool lost;  /* the device */
	struct wm_executor_job jobs[WM_RUNNING_JOBS_MAX];
	/* The kernel that was asked for last, to be made beside: by a thread, then here to be
	 * taken. */
	struct wm_kernel making;
	struct wm_builders builders;
	struct wm_built built; /* handle VK_NULL_HANDLE: not yet */
	bool is_warming;       /* the job's kernel runs for the first time */
	uint64_t submitted;    /* ticket of the last submission */
	uint64_t completed;    /* the last that was seen to be done, or is lost */
	struct wm_executor_counters counters;
};

int executor_prepare_device(struct wm_executor *executor, unsigned job,
			    const struct wm_shader *shader, struct wm_error *error);
/* Before its device goes. -EBUSY: a thread is with the driver after so long still. */
int executor_forget_preparing(struct wm_executor *executor, uint64_t timeout_ns,
			      struct wm_error *error);

#endif
