/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel tried on the device that is here: made inputs, computed under the guard that notes
 * what an element does outside its own, and then cut into batches in every way that a rack
 * may. What a kernel makes of an element must not depend on the cut.
 *
 *	wm_kernel_trial_open      the device, and the kernel compiled twice: guarded, and as it runs
 *	wm_kernel_trial_run       every input, every cut; the first thing that is wrong
 *	wm_kernel_trial_measure   bytes a second of the kernel as it runs
 *	wm_kernel_trial_close
 *
 * One thread. It blocks for seconds.
 */
#ifndef WM_KERNEL_TRIAL_H
#define WM_KERNEL_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_source.h"
#include "wiremill/error.h"
#include "wiremill/executor.h"

struct wm_kernel_trial;

struct wm_kernel_trial_config {
	const struct wm_kernel_source *source; /* outlives the trial */
	const char *name;		       /* of its file, for messages */
	const char *device;		       /* a part of its name, or NULL for the best */
	const char *reference;		       /* a program, input to output; or NULL */
	bool validate;			       /* under the validation layer, or fail */
	uint64_t seed;			       /* of the inputs */
};

struct wm_kernel_trial_counts {
	uint64_t inputs, cuts; /* tried, and found equal */
	uint64_t elements;     /* of output that were compared */
	uint64_t validation_messages;
};

/* -EINVAL: the source; else as wm_executor_create. */
int wm_kernel_trial_open(struct wm_kernel_trial **trial,
			 const struct wm_kernel_trial_config *config, struct wm_error *error);
void wm_kernel_trial_close(struct wm_kernel_trial **trial);

void wm_kernel_trial_get_obtained(const struct wm_kernel_trial *trial,
				  struct wm_executor_obtained *obtained);
/* 0, or -EDOM: the kernel is wrong, and the error says where; -EIO: the device was lost, or
 * the reference did not run. */
int wm_kernel_trial_run(struct wm_kernel_trial *trial, struct wm_kernel_trial_counts *counts,
			struct wm_error *error);
/* Of input and output together; 0 with the error filled in where the device was lost. */
double wm_kernel_trial_measure(struct wm_kernel_trial *trial, struct wm_error *error);

#endif
