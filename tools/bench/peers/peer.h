/* SPDX-License-Identifier: BSD-3-Clause */
/* What the peers in C share: their kernel, their clock of processor time, their report. */
#ifndef WM_PEER_H
#define WM_PEER_H

#include <stdint.h>

/* out[i] = in[i] ^ in[i + 1], vectors of 32 bytes. */
void wm_peer_xor(uint8_t *out, const uint8_t *in, uint32_t vectors);

struct wm_peer_report {
	uint64_t bytes; /* of input */
	double seconds; /* from opening the files until the output is durable */
	double cpu_seconds_controller;
	double cpu_seconds_nodes; /* below 0: not known to this program */
	uint32_t nodes, chunk_bytes, window;
	uint64_t chunks, resent;
};

/* Of this process, its threads and the kernel on their behalf. */
double wm_peer_cpu_seconds(void);
/* One JSON object, one line. */
void wm_peer_report_print(const struct wm_peer_report *report);

#endif
