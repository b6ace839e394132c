/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node does when its GPU is lost, as one is that hung and was reset by its
 * driver: it makes the device anew and goes on. What the device had goes unanswered. One
 * thread, the node's, which the making holds for some seconds at most.
 */
#ifndef WM_DEVICE_LOSS_H
#define WM_DEVICE_LOSS_H

#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/executor.h"
#include "worker.h"

/* Zeroed at first. */
struct wm_device_loss {
	uint64_t results; /* sent by the last loss */
	uint32_t in_row;  /* losses without a result between them */
};

/* 0, and the worker can go on; or -EIO: the device does not come back, or is lost again
 * and again before it computes anything. */
int wm_device_loss_mend(struct wm_device_loss *loss, struct wm_executor *executor,
			struct wm_worker *worker, struct wm_error *error);

#endif
