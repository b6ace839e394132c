/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Methods of the control socket (wiremill/control.h), each a wm_rpc_call or a wm_rpc_begin
 * in the table of its file: context is what operators see of the controller and act on. They know
 * nothing of who brings it up. One thread (the daemon's).
 */
#ifndef WM_METHODS_H
#define WM_METHODS_H

#include "membership.h"
#include "port.h"
#include "queue.h"
#include "rpc.h"

/* All of it stays the daemon's. */
struct wm_controller {
	struct wm_lanes *lanes;
	struct wm_membership *membership;
	struct wm_jobs *jobs;
	const struct wm_port *ports; /* a lane each */
	const unsigned *lcores;	     /* likewise */
	const struct wm_rpc *rpc;    /* that the methods are called by */
	uint64_t start_ns;
	uint32_t hugepages;
	enum wm_wire_auth auth; /* of MAP and RESULT */
};

/* A kernel's text, as job.submit and kernel.add are given it. */
struct wm_kernel_params {
	const char *source, *file; /* the file's name is for messages */
	const json_t *settings;	   /* ["NAME=VALUE", ...]; NULL: none */
};
#define WM_KERNEL_FILE_PRESET "kernel.glsl"
/* text borrows all of it. -EINVAL. */
int wm_methods_take_text(struct wm_kernel_text *text, const struct wm_kernel_params *params,
			 int *code, struct wm_error *error);

/* One table a file, for wm_rpc_config; and all of them. */
extern const struct wm_rpc_method wm_methods_jobs[], wm_methods_kernels[], wm_methods_nodes[],
	wm_methods_stats[];
extern const struct wm_rpc_method *const wm_methods[];

#endif
