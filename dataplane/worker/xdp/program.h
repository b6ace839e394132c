/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program on an interface. It hangs on a BPF link, so that it leaves
 * with the process, also where that is killed.
 */
#ifndef WM_XDP_PROGRAM_H
#define WM_XDP_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "trim.h"
#include "wiremill/error.h"

enum wm_xdp_mode {
	WM_XDP_AUTO,	/* native, else generic */
	WM_XDP_NATIVE,	/* in the driver, or fail */
	WM_XDP_GENERIC, /* in the kernel's receive path: any driver */
};

struct wm_xdp; /* the skeleton that bpftool makes */

struct wm_xdp_program {
	struct wm_xdp *skeleton;
	int link_fd;
	bool native; /* obtained */
};

/* Returns 0; -EBUSY: another program is attached; -ENOTSUP: not in this mode. */
int wm_xdp_program_attach(struct wm_xdp_program *program, const char *name,
			  const struct wm_host_interface *interface, enum wm_xdp_mode mode,
			  struct wm_error *error);
void wm_xdp_program_detach(struct wm_xdp_program *program);

/* From now on the frames of this queue go to that socket. */
int wm_xdp_program_connect(struct wm_xdp_program *program, uint32_t queue, int socket_fd,
			   struct wm_error *error);

/* Frames of ours that came to queues without a socket, since it was attached; *queue: that
 * of most of them. */
uint64_t wm_xdp_program_unheard(const struct wm_xdp_program *program, uint32_t *queue);

#endif
