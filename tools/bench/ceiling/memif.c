/* SPDX-License-Identifier: BSD-3-Clause */
#include "memif.h"

#include <stdio.h>
#include <string.h>

#include "eal.h"
#include "port_dpdk.h"
#include "port_queues.h"

/* 2^11 slots each way. A MAP takes two, one for its header. */
#define RING_LOG2 11

int wm_memif_open(struct wm_port *port, const struct wm_memif *memif,
		  const struct wm_port_config *config, struct wm_error *error)
{
	char vdev[256];
	const struct wm_port_device device = { .vdev = vdev };
	uint32_t hugepages = memif->hugepages + wm_port_hugepages(config, config->mtu);
	struct wm_eal_config eal = {
		.program = "wm-ceiling",
		.devices = &device,
		.device_count = 1,
		.hugepages = &hugepages,
		.lanes = memif->lanes,
		.lcores = memif->lcores,
	};
	int ret;

	snprintf(vdev, sizeof(vdev), "net_memif0,role=%s,socket-abstract=no,socket=%s,rsize=%d%s",
		 memif->role, memif->socket_path, RING_LOG2,
		 strcmp(memif->role, "client") == 0 ? ",zero-copy=yes" : "");
	ret = wm_eal_start(&eal, error);
	if (ret < 0)
		return ret;
	ret = wm_port_open(port, config, error);
	if (ret < 0)
		wm_eal_stop();
	return ret;
}

void wm_memif_close(struct wm_port *port)
{
	wm_port_close(port);
	wm_eal_stop();
}
