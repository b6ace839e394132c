/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is shown of traffic while it runs: figures taken off it at two instants, and the
 * text that they make. Taken from any thread, while another one counts; the text is pure.
 *
 *   roundtrip, 64 bytes, 4.00 kpps, 1.5 s of 2 s
 *                  rate  on the wire  of line  frames so far
 *   sent      4.00 kpps  2.69 Mbit/s        -           6010
 *   received  4.00 kpps  2.69 Mbit/s        -           6009
 *   missing 1 (0.0166 %), reordered 0, duplicates 0, damaged 0
 *   latency p50 23.7 us, p99 174.2 us, max 2461.3 us
 *
 *   target  sent/s  received/s  missing  reordered  duplicates  p50  p99  max
 *   n1      4.00 k      4.00 k        1  ...
 *
 * Missing is what was sent and has not come yet: what is on its way, too.
 */
#ifndef WM_GEN_LIVE_VIEW_H
#define WM_GEN_LIVE_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "result.h"
#include "traffic.h"

/* Of more targets only how many there are is shown; the figures are of all. */
#define WM_LIVE_TARGETS_MAX 64u

struct wm_live_target {
	char name[WM_TRAFFIC_NAME_BYTES];
	struct wm_traffic_totals totals;
	struct wm_result_latency latency; /* so far; count 0: not measured */
};

struct wm_live_sample {
	uint64_t now_ns;
	struct wm_live_target all; /* without a name */
	uint32_t target_count;
	struct wm_live_target targets[WM_LIVE_TARGETS_MAX];
};

/* Of the traffic that runs. */
struct wm_live_head {
	enum wm_traffic_mode mode;
	const char *size;
	struct wm_rate asked;
	uint64_t start_ns;
	uint64_t duration_ns, count_max; /* 0: no end */
	uint64_t line_bits_per_s;	 /* 0: not known */
};

/* scratch: two histograms. */
void wm_live_take(struct wm_live_sample *sample, const struct wm_traffic *traffic, uint64_t now_ns,
		  struct wm_histogram scratch[2]);
/* As many targets as fit so many lines. */
void wm_live_print(FILE *stream, const struct wm_live_head *head,
		   const struct wm_live_sample *before, const struct wm_live_sample *now,
		   unsigned lines_max);
/* The same in one line. */
void wm_live_print_line(FILE *stream, const struct wm_live_head *head,
			const struct wm_live_sample *before, const struct wm_live_sample *now);

#endif
