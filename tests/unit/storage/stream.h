/* SPDX-License-Identifier: BSD-3-Clause */
/* A lane without a network: every extent is read, XORed here, and written. */
#ifndef WM_STREAM_H
#define WM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/store.h"

struct wm_stream {
	uint32_t depth;
	uint32_t part_bytes; /* of the writes; 0: an extent is one part */
	bool reverse;	     /* extents from the last to the first */
	unsigned events_max; /* taken at a poll; 0: many */
};

/* 0 or the first error. Every extent must come back once for each direction. */
int wm_stream_run(const struct wm_stream *stream, const struct wm_layout *layout,
		  const struct wm_source *source, const struct wm_sink *sink,
		  struct wm_store_counters *counters);

/* Aligned to WM_STORE_ALIGN_BYTES. The caller frees. */
void *wm_stream_memory(size_t bytes);
/* What the kernel xor makes of `count` bytes of input. */
void wm_stream_xor(uint8_t *out, const uint8_t *in, size_t count);

#endif
