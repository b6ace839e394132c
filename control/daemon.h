/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The controller: port, lane, membership, jobs and control socket, and the loop
 * that joins them. What operators ask of it is answered in api/.
 */
#ifndef WM_DAEMON_H
#define WM_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "methods.h"
#include "state_lock.h"
#include "wiremill/error.h"

struct wm_daemon_config {
	struct wm_port_device devices[WM_LANES_MAX]; /* a lane each */
	uint32_t device_count;
	const char *socket_path;
	const char *state_directory; /* the spool, and the journals of devices */
	const char *lcores; /* EAL's --lcores: the first controls, the others are lanes; or NULL */
	uint32_t queue_target_bytes; /* that may wait on the way to one node */
	const struct wm_key *key;    /* of the cluster; NULL: none */
	enum wm_wire_auth auth;	     /* of MAP and RESULT; aead needs the key */
};

struct wm_daemon {
	struct wm_daemon_config config;
	struct wm_port ports[WM_LANES_MAX];
	struct wm_lanes lanes;
	unsigned lcores[WM_LANES_MAX];
	uint32_t received_lane; /* where the control frame came from that is being received */
	uint8_t received_mac[WM_ETHER_ADDR_BYTES];
	struct wm_membership membership;
	struct wm_jobs jobs;
	struct wm_state_lock state_lock;
	bool state_lost; /* another may have it */
	uint64_t state_kept_ns;
	struct wm_rpc *rpc;
	struct wm_controller seen; /* by the methods */
	uint64_t start_ns;
	uint32_t hugepages;
	uint16_t mtu; /* the smallest of the ports */
	int epoll_fd, wake_fd, timer_fd, signal_fd;
};

/* Runs until a signal that ends it (signals.h), which it blocks; 0 or a negative errno. */
int wm_daemon_run(const struct wm_daemon_config *config, struct wm_error *error);

#endif
