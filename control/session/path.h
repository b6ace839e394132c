/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The path to a node: the largest frames that pass both ways. The links of both ends may
 * have 9000 and a switch port between them 1500: then control frames pass, and no batch.
 *
 * It is found by ECHO frames, which a node answers as they came. First one as large as both
 * links take; without its echo all sizes of a ladder, a few times over. The largest that
 * comes back is the answer, once smaller ones had their time to come back as well. A path
 * on which nothing comes back tells nothing, and one that passes less than it could is
 * looked at again now and then.
 *
 * Pure: time comes in, frames to send go out.
 */
#ifndef WM_PATH_H
#define WM_PATH_H

#include <stdbool.h>
#include <stdint.h>

#define WM_PATH_SIZES_MAX 8u

struct wm_path {
	uint32_t mtu;	/* that passes; 0: not known */
	uint32_t most;	/* that the links of both ends take */
	uint32_t found; /* by this look */
	uint32_t round; /* of this look: what was sent so far; 0: none is going on */
	uint32_t settled_round;
	uint64_t began_ns, due_ns;
	uint32_t id; /* of this look, in its frames */
};

/* Looks at it (again): what is known stays until there is another answer. */
void wm_path_look(struct wm_path *path, uint32_t most, uint64_t now_ns);
/* The MTUs whose frames are to be sent now; returns how many. */
uint32_t wm_path_tick(struct wm_path *path, uint64_t now_ns, uint32_t sizes[WM_PATH_SIZES_MAX]);
/* A frame of this look came back. */
void wm_path_receive_echo(struct wm_path *path, uint32_t id, uint32_t mtu, uint64_t now_ns);
/* Whether this look may still find something that a job should wait for. */
bool wm_path_is_open(const struct wm_path *path, uint64_t now_ns);

#endif
