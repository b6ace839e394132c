/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hugepages of 2 MiB, by NUMA node: what is needed where ports are, what is free there.
 */
#ifndef WM_HUGEPAGES_H
#define WM_HUGEPAGES_H

#include <stdint.h>

#include "wiremill/error.h"

#define WM_HUGEPAGE_BYTES (2u * 1024 * 1024)
#define WM_NUMA_NODES_MAX 32u

struct wm_hugepages {
	uint32_t on[WM_NUMA_NODES_MAX];
	uint32_t anywhere;  /* for devices that are at no node */
	uint32_t main_core; /* of on[]: a bit for each node that needs some for that alone */
};

/* node -1: anywhere. */
void wm_hugepages_add(struct wm_hugepages *needed, int node, uint32_t pages);
/* Where the main core is DPDK has what all ports share, wherever these are. Comes last. */
void wm_hugepages_add_main(struct wm_hugepages *needed, int node);
uint32_t wm_hugepages_sum(const struct wm_hugepages *needed);
/* Finds a node for what may be anywhere. -ENOMEM: where what is missing, and the command that
 * makes it. root as in sysfs.h. */
int wm_hugepages_place(const char *root, struct wm_hugepages *needed, struct wm_error *error);

#endif
