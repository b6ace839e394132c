/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cores that a program is to run on, as EAL's --lcores names them. EAL panics where
 * one of them may not be used, and prints its usage where the text is wrong; so both are
 * found here first. Pure, but for wm_cores_allowed.
 *
 *   0,1               lcore 0 on core 0, lcore 1 on core 1
 *   0-2               three of them
 *   0@(0-1),1@(0-1)   two, each of which floats over two cores
 *   (0,6)             two that float over both
 */
#ifndef WM_CORES_H
#define WM_CORES_H

#include <sched.h>
#include <stdint.h>

#include "wiremill/error.h"

#define WM_LCORES_MAX 128u /* DPDK's */
#define WM_CORES_TEXT_BYTES 64u

struct wm_cores {
	cpu_set_t on[WM_LCORES_MAX]; /* of each lcore; empty: there is none of that number */
	uint32_t count;		     /* of lcores */
	uint32_t first;		     /* the one that is named first */
};

/* 0 or -EINVAL. */
int wm_cores_parse(struct wm_cores *cores, const char *text);
/* Of how many lanes may they be, and may all be used? 0 or -EINVAL, with what else to use. */
int wm_cores_check(const struct wm_cores *cores, const char *text, uint32_t lanes,
		   const cpu_set_t *allowed, struct wm_error *error);
/* Where nothing is said: the first that may be used, for one that controls and each lane.
 * -EINVAL: there are not so many. */
int wm_cores_choose(char text[WM_CORES_TEXT_BYTES], uint32_t lanes, const cpu_set_t *allowed,
		    struct wm_error *error);
/* A core of the nth lane, after the lcore that controls; -1: there is none. */
int wm_cores_of_lane(const struct wm_cores *cores, uint32_t lane);

/* Those that this process may use: of a cpuset, of taskset. */
int wm_cores_allowed(cpu_set_t *allowed, struct wm_error *error);

#endif
