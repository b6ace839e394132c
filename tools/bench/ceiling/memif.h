/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two ends of a memif (net_memif of DPDK) as a wm_port.
 *
 * The client is what is measured: its own memory is what both ends see, so it copies
 * nothing, as with a card that has DMA. The server copies, each way.
 */
#ifndef WM_MEMIF_H
#define WM_MEMIF_H

#include <stdint.h>

#include "port.h"
#include "wiremill/error.h"

struct wm_memif {
	const char *socket_path; /* made by the server, which is there first */
	const char *role;	 /* "server" or "client" */
	char lcores[32];	 /* as EAL's --lcores takes them */
	uint32_t lanes;		 /* of them, beside the first */
	uint32_t hugepages;	 /* beside the port's */
};

/* Starts EAL, opens the port. Once a process. */
int wm_memif_open(struct wm_port *port, const struct wm_memif *memif,
		  const struct wm_port_config *config, struct wm_error *error);
void wm_memif_close(struct wm_port *port);

#endif
