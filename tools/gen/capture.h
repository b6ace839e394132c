/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture (pcap or pcapng, read by libpcap) in memory, to be replayed: its frames
 * one behind the other, and when each came.
 *
 * Refused, with the number of the frame and why: link types other than Ethernet,
 * frames that were cut when captured, shorter than an Ethernet header or longer
 * than the MTU allows, and captures that are larger than the caller has memory for.
 *
 * Ours: create by load, destroy. It does not change; the poll loop may read it.
 */
#ifndef WM_GEN_CAPTURE_H
#define WM_GEN_CAPTURE_H

#include <stdint.h>
#include <stdio.h>

#include "wiremill/error.h"

struct wm_capture_frame {
	uint64_t time_ns; /* after the first frame; never before the one before */
	uint64_t offset;  /* in bytes */
	uint32_t length;  /* without FCS */
};

struct wm_capture {
	uint64_t frame_count, byte_count;
	uint64_t backwards; /* frames with a time before that of the one before, which they got */
	struct wm_capture_frame *frames;
	uint8_t *bytes;
};

/* bytes_max: for frames and their table together. NULL with errno and error. */
struct wm_capture *wm_capture_load(const char *path, uint32_t mtu, uint64_t bytes_max,
				   struct wm_error *error);
/* The same from a stream, which it closes; name stands for the path in errors. */
struct wm_capture *wm_capture_read(FILE *stream, const char *name, uint32_t mtu, uint64_t bytes_max,
				   struct wm_error *error);
void wm_capture_destroy(struct wm_capture **capture);

#endif
