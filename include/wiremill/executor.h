/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows in, rows out: what turns batches of input into batches of output on a
 * node. The worker of the data plane fills rows, the GPU plane computes them.
 *
 * The executor works in place on one region of memory that the caller owns (the
 * AF_XDP UMEM): it is imported, not copied, and every offset in a row is in
 * bytes from its start. A row is one batch; one submission covers many rows, and
 * up to WM_EXECUTOR_SUBMISSIONS submissions are in flight at once.
 *
 *   rows = wm_executor_rows(e)          a free table, or NULL: all are in flight, or lost
 *   fill rows[0 .. n)
 *   wm_executor_submit(e, n)            one dispatch; returns its ticket > 0
 *   wm_executor_completed(e)            highest ticket whose output can be read
 *   wm_executor_wait(e, ticket, ns)     sleeps until then
 *
 * Tickets count up by one and complete in order. Until a ticket completes the
 * GPU owns the input and output of its rows; before and after, the caller does.
 *
 * A device can be lost (its driver resets it when it hangs). A ticket that was not seen
 * to complete before then never does, whatever the driver counts: nobody knows what is
 * in its output. wm_executor_rebuild makes the device anew, and after it the caller
 * owns all rows again.
 *
 * One thread uses an executor; it makes one for each kernel that is prepared beside it.
 */
#ifndef WIREMILL_EXECUTOR_H
#define WIREMILL_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel.h"

#define WM_EXECUTOR_SUBMISSIONS 4u
#define WM_ROW_PIECES 3u
/* Every offset and every piece but the last is a multiple of this: the widest
 * load of a shader. The executor refuses rows that are not. */
#define WM_ROW_ALIGN_BYTES 16u

/*
 * One batch. Its input lies in up to three pieces, as the chunks of a frame do:
 * byte p of the input is at in[0] + p for p < in_end[0], at in[1] + p - in_end[0]
 * for p < in_end[1], else at in[2] + p - in_end[1]. A batch in one piece has
 * in_end[0] = in_end[1] = its length. The output is contiguous.
 * As the shader sees it (std430); little-endian words of 4 bytes.
 */
struct wm_row {
	uint32_t in[WM_ROW_PIECES];
	uint32_t in_end[WM_ROW_PIECES - 1];
	uint32_t out;
	uint32_t count; /* elements of output */
	uint32_t zero;
};

struct wm_executor;

struct wm_executor_config {
	void *memory;	      /* the region, aligned to 2 MiB, anonymous */
	size_t memory_bytes;  /* a multiple of 2 MiB, 128 MiB at most */
	uint32_t rows_max;    /* in one submission */
	uint32_t invocations; /* for one row; 0: as many as suit the device */
	bool validate;	      /* run under VK_LAYER_KHRONOS_validation, or fail */
	const char *device;   /* a part of the device's name, or NULL for the best; outlives it */
	bool require_gpu;     /* fail on a software device */
	bool no_compute;      /* no device: every row is answered with zeroes, at once */
};

/* What the system really got. */
struct wm_executor_obtained {
	char device[256];
	char driver[256];
	bool software; /* a CPU poses as the GPU (lavapipe) */
	bool imported; /* the region is used in place, no copy */
};

struct wm_executor_counters {
	uint64_t rows;
	uint64_t submissions;
	uint64_t losses;	      /* of the device, after which it was made anew */
	uint64_t validation_messages; /* warnings and errors of the layer */
};

/* Returns 0; -ENODEV: no Vulkan device (all the ways there are to have none);
 * -ENOTSUP: the device lacks something, named in the error; -EINVAL; -ENOMEM. */
int wm_executor_create(struct wm_executor **executor, const struct wm_executor_config *config,
		       struct wm_error *error);
/* Waits for what is in flight. Leaves NULL. A device whose driver does not come back from
 * compiling stays as it is, which the log says. */
void wm_executor_destroy(struct wm_executor **executor);

void wm_executor_get_obtained(const struct wm_executor *executor,
			      struct wm_executor_obtained *obtained);
void wm_executor_get_counters(const struct wm_executor *executor,
			      struct wm_executor_counters *counters);

/* Makes the pipeline of that kernel and warms it up, so that no frame waits for
 * a compiler. -ENOENT: no such kernel here; -EBUSY: submissions are in flight; -EIO:
 * the device is lost. After any other error the kernel before may be gone as well. */
int wm_executor_prepare(struct wm_executor *executor, const struct wm_kernel *kernel,
			struct wm_error *error);

/* Likewise of SPIR-V that the caller has: valid (no driver looks), made on the prelude
 * (gpu/kernels/prelude.glsl) for that shape, and there until another is prepared. */
int wm_executor_prepare_code(struct wm_executor *executor, const struct wm_kernel *kernel,
			     const uint32_t *code, size_t code_bytes, struct wm_error *error);

/*
 * The same beside the calling thread, which a driver that compiles for minutes, or for ever,
 * must not hold. Submissions go on meanwhile:
 *
 *   begin        a thread compiles
 *   poll         -EINPROGRESS while it does, -EBUSY once the kernel is there to be taken
 *   take         nothing in flight, no table being filled: it replaces the kernel before, and
 *                runs once; no table is free until then
 *   poll         -EINPROGRESS while it runs, then 0: it is prepared
 *
 * code NULL: a built-in kernel; else as wm_executor_prepare_code, and it is copied. A kernel
 * that is being made or that is prepared already is not begun again. Another one takes the
 * place of what is being made. begin and poll return what wm_executor_prepare does, begin
 * also -EBUSY: the driver has not come back from too many kernels.
 */
int wm_executor_prepare_begin(struct wm_executor *executor, const struct wm_kernel *kernel,
			      const uint32_t *code, size_t code_bytes, struct wm_error *error);
int wm_executor_prepare_poll(struct wm_executor *executor, struct wm_error *error);
int wm_executor_prepare_take(struct wm_executor *executor, struct wm_error *error);
/* What is being made is not waited for any more. */
void wm_executor_prepare_leave(struct wm_executor *executor);

struct wm_row *wm_executor_rows(struct wm_executor *executor);
/* Returns the ticket (> 0), or 0 with errno set: EINVAL for a row that reaches
 * outside the region, is misaligned or has no elements (no row of the table is
 * computed then), or for a count that is not 1 to rows_max; EBUSY when no table
 * is free; EIO when the device is lost. Rows that overlap are not looked for. */
uint64_t wm_executor_submit(struct wm_executor *executor, uint32_t count);
uint64_t wm_executor_completed(struct wm_executor *executor);
/* Returns 0, -ETIME, or -EIO when the device is lost. */
int wm_executor_wait(struct wm_executor *executor, uint64_t ticket, uint64_t timeout_ns);

/* Whether any call above has found that the device is lost. */
bool wm_executor_is_lost(const struct wm_executor *executor);
/* Gives the device up with all that it had, and makes the one of that name anew, with
 * the kernel that was prepared; what was being made beside it is begun anew by the caller. As
 * wm_executor_create, or as wm_executor_prepare, or -EBUSY: its driver has not come back from
 * compiling; after a failure the executor is lost still, and can be asked again: a reset takes
 * its time. */
int wm_executor_rebuild(struct wm_executor *executor, struct wm_error *error);

#endif
