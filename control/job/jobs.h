/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The jobs of a controller, with what they share: nodes, lanes, the state directory. What
 * is done with them is in queue.h. One thread (the daemon's).
 */
#ifndef WM_JOBS_H
#define WM_JOBS_H

#include "job.h"
#include "kernel_library.h"
#include "membership.h"

/* Jobs that are not over, and of those that are, the newest: as many in any case, more where
 * the queue leaves room. The oldest that ended is forgotten. */
#define WM_JOBS_QUEUED_MAX 512u
#define WM_JOBS_ENDED_MAX 512u
#define WM_JOBS_MAX (WM_JOBS_QUEUED_MAX + WM_JOBS_ENDED_MAX)
/* What mends a rack without nodes. */
#define WM_JOBS_START_NODES "start wiremill-node on the nodes, then see 'wiremill node list'"

struct wm_job_arrival;

struct wm_jobs {
	struct wm_lanes *lanes;
	struct wm_membership *membership;
	struct wm_kernel_library library; /* kernels that are not built in */
	uint32_t port_mtu;
	const char *state_directory;
	struct wm_job *jobs[WM_JOBS_MAX]; /* in order of submission */
	uint32_t count;
	uint32_t next_id;
	struct wm_job *current;		 /* whose turn it is */
	struct wm_job_arrival *arrivals; /* requests whose files are being looked at */
	bool stopping;
	uint64_t close_wait_ns; /* for lane and files to let go at the end */
	int wake_fd;		/* an eventfd that wm_jobs_tick is called for; -1: none */
};

struct wm_job *wm_jobs_find(struct wm_jobs *jobs, uint64_t id);
/* That have not ended. */
uint32_t wm_jobs_count_unfinished(const struct wm_jobs *jobs);
/* A job that needs the kernel of that hash: one that is not over, or may be resumed. NULL: none. */
const struct wm_job *wm_jobs_find_user(const struct wm_jobs *jobs,
				       const uint8_t hash[WM_KERNEL_HASH_BYTES]);
/* What is left of a frame of that MTU for its batch. */
uint32_t wm_jobs_find_batch_mtu(const struct wm_jobs *jobs, uint32_t mtu);
/* What it is at now; live while it runs. */
void wm_jobs_read_counters(const struct wm_jobs *jobs, const struct wm_job *job,
			   struct wm_lane_job_counters *counters);

#endif
