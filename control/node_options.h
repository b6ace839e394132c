/* SPDX-License-Identifier: BSD-3-Clause */
/* What wiremill-node takes on its command line. Texts are kept by reference. */
#ifndef WM_NODE_OPTIONS_H
#define WM_NODE_OPTIONS_H

#include <stdbool.h>

#include "log.h"
#include "option.h"
#include "worker.h"

#define WM_HOST_NAME_BYTES 256u

struct wm_node_options {
	const char *interface;
	const char *name;	/* how the controller lists it */
	const char *device;	/* part of the GPU's name; NULL: the best */
	const char *key_path;	/* of the cluster's key; NULL: none */
	const char *cache_path; /* a directory for kernels; NULL: in memory alone */
	enum wm_xdp_mode mode;
	enum wm_log_level log_level;
	bool require_gpu;
	bool require_native;
	bool require_aead;
	bool validate;
	bool no_compute;
	bool busy_poll;
	char host_name[WM_HOST_NAME_BYTES]; /* what name is where none is given */
};

extern const struct wm_option_schema wm_node_schema;

/* Returns the exit status, or -1: run. */
int wm_node_options_take(struct wm_node_options *options, int argc, char **argv);

#endif
