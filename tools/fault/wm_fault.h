/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fault program and its loader share. A probability is a threshold on a
 * random number of 32 bits: 0 is never, WM_FAULT_ALWAYS always.
 */
#ifndef WM_FAULT_H
#define WM_FAULT_H

#include <linux/types.h>

#define WM_FAULT_ALWAYS (1ULL << 32)

struct wm_fault_config {
	__u64 loss;
	__u64 corrupt;
	__u64 duplicate;
	/* Of the frames of a direction, counted from 1: the others pass as they are. */
	__u64 first, last;
};

/* Of one direction. */
struct wm_fault_counters {
	__u64 frames; /* seen, copies not included */
	__u64 lost;
	__u64 corrupted;
	__u64 duplicated;
};

#endif
