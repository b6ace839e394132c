/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pipelines that are made beside the thread that computes: a driver compiles for as long as
 * it likes, or for ever, and nobody can stop it.
 *
 *   begin ──▶ a thread compiles ──▶ poll gives its pipeline away
 *                  │
 *                  └─ leave: nobody wants it any more; it is destroyed when it comes
 *
 * One thread calls these; each pipeline has another one while it is compiled, which reads
 * device and layout alone. Both are there until wm_builders_wait has returned 0.
 */
#ifndef WM_BUILDER_H
#define WM_BUILDER_H

#include <stdint.h>
#include <vulkan/vulkan.h>

#include "device.h"
#include "pipeline.h"
#include "shader.h"
#include "wiremill/error.h"

/* With a driver that does not come back, beside the one that is waited for. As many kernels
 * that nobody can compile are enough to say that it is the driver. */
#define WM_BUILDERS_LEFT_MAX 3u

struct wm_build;

/* Zeroed at first. */
struct wm_builders {
	struct wm_build *now; /* NULL: nothing is being made */
	struct wm_build *left[WM_BUILDERS_LEFT_MAX];
};

/* A pipeline, and the code it was made of, from malloc: both are the caller's then. */
struct wm_built {
	VkPipeline handle;
	uint32_t *code;
	size_t code_bytes;
};

/* The code is copied. What is being made still is left. -EBUSY: too much was left to a driver
 * that has not come back; -ENOMEM; -EAGAIN: no thread. */
int wm_builders_begin(struct wm_builders *builders, const struct wm_pipeline *pipeline,
		      const struct wm_device *device, const struct wm_shader *shader,
		      uint32_t invocations, struct wm_error *error);
/* -EINPROGRESS; 0: made; else what the driver said. Nothing is being made after both. */
int wm_builders_poll(struct wm_builders *builders, struct wm_built *built, struct wm_error *error);
/* What is being made is of no use any more. -EBUSY: as begin, and it goes on. */
int wm_builders_leave(struct wm_builders *builders, struct wm_error *error);
/* Until all threads have come back, for so long at most, and what they made is destroyed.
 * -EBUSY: one has not; its device has to stay. */
int wm_builders_wait(struct wm_builders *builders, uint64_t timeout_ns, struct wm_error *error);

#endif
