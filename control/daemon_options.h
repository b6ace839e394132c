/* SPDX-License-Identifier: BSD-3-Clause */
/* What wiremilld takes on its command line. Texts are kept by reference. */
#ifndef WM_DAEMON_OPTIONS_H
#define WM_DAEMON_OPTIONS_H

#include "daemon.h"
#include "log.h"
#include "option.h"

struct wm_daemon_options {
	struct wm_daemon_config config; /* but its key */
	const char *key_path;		/* of the cluster's key; NULL: none */
	uint16_t mtu;			/* of devices that have none of their own; 0: not given */
	enum wm_log_level log_level;
};

extern const struct wm_option_schema wm_daemon_schema;

/* Returns the exit status, or -1: run. */
int wm_daemon_options_take(struct wm_daemon_options *options, int argc, char **argv);

#endif
