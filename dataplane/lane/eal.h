/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment (EAL), brought up. It gives reasons that no one can act on, in many lines;
 * so what it needs is looked at before: cores, hugepages where the ports are, the cards.
 */
#ifndef WM_EAL_H
#define WM_EAL_H

#include <stdint.h>

#include "port_device.h"
#include "wiremill/error.h"

struct wm_eal_config {
	const char *program;
	const struct wm_port_device *devices;
	uint32_t device_count;	   /* WM_PORTS_MAX at most */
	const uint32_t *hugepages; /* of 2 MiB, for each of them */
	uint32_t lanes;		   /* lcores beside the one that controls */
	const char *lcores;	   /* NULL: the first that may be used */
};

/* Once a process. Negative: with the reason and what to do. */
int wm_eal_start(const struct wm_eal_config *config, struct wm_error *error);
void wm_eal_stop(void);

#endif
