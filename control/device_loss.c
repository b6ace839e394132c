/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_loss.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

/* A device that fails so often and computes nothing in between is broken. */
#define LOSSES_IN_ROW_MAX 8u
/* A reset takes a driver some time, in which it makes no device. Each pause is twice the
 * one before: 3.1 s in all, while a session lives for 5 without a beat. */
#define TRIES 6u
#define PAUSE_US 100000u

static int rebuild(struct wm_executor *executor, struct wm_error *error)
{
	struct wm_error why = { "" };
	int ret = -EIO;

	for (unsigned i = 0; i < TRIES && ret < 0; i++) {
		if (i > 0)
			usleep(PAUSE_US << (i - 1));
		ret = wm_executor_rebuild(executor, &why);
	}
	if (ret == 0)
		return 0;
	return wm_error_set(error, EIO,
			    "the GPU is lost and does not come back (%.300s): see its driver's "
			    "messages in dmesg, and start the node again",
			    why.text);
}

static bool is_broken(struct wm_device_loss *loss, const struct wm_worker *worker)
{
	struct wm_worker_counters counters;

	wm_worker_get_counters(worker, &counters);
	loss->in_row = counters.results == loss->results ? loss->in_row + 1 : 1;
	loss->results = counters.results;
	return loss->in_row > LOSSES_IN_ROW_MAX;
}

int wm_device_loss_mend(struct wm_device_loss *loss, struct wm_executor *executor,
			struct wm_worker *worker, struct wm_error *error)
{
	struct wm_executor_counters counters;
	uint64_t start_ns = wm_clock_ns();
	int ret;

	if (is_broken(loss, worker))
		return wm_error_set(
			error, EIO,
			"the GPU was lost %u times and computed nothing in between: see "
			"its driver's messages in dmesg, and start the node again",
			LOSSES_IN_ROW_MAX);
	wm_log_warning("the GPU is lost (dmesg has its driver's reason): making it anew");
	ret = rebuild(executor, error);
	if (ret < 0)
		return ret;
	wm_worker_forget(worker);
	wm_executor_get_counters(executor, &counters);
	wm_log_warning("the GPU is back after %llu ms; lost %" PRIu64 " times by now",
		       (wm_clock_ns() - start_ns) / WM_NS_PER_MS, counters.losses);
	return 0;
}
