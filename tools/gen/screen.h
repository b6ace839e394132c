/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens now, on a terminal: a table of nodes that is drawn over several times
 * a second. Elsewhere one plain line a second.
 *
 *   echo 1518 bytes, 50 % of the line      12 s of 60 s
 *   node   sent/s  received/s  bit/s   lost  reordered  p50 us  p99 us  p99.99 us  max us
 *   n1     ...
 *   all    ...
 *
 * A snapshot is made and shown by one thread, which is not the one that polls.
 */
#ifndef WM_GEN_SCREEN_H
#define WM_GEN_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Lines of a table that people can still read; the rest is in "all". */
#define WM_SNAPSHOT_NODES_MAX 64u

/* Counters since the step began; the screen makes rates of two of them. */
struct wm_snapshot_node {
	char name[32];
	uint64_t sent_frames, sent_bytes; /* bytes with FCS */
	uint64_t received_frames, received_bytes;
	uint64_t lost, reordered, duplicates;	   /* lost: so far as known */
	uint64_t p50_ns, p99_ns, p9999_ns, max_ns; /* 0: none yet */
};

struct wm_snapshot {
	char title[96];
	uint64_t now_ns, begin_ns, end_ns; /* end_ns 0: until stopped */
	uint32_t nodes;			   /* in node[] */
	struct wm_snapshot_node all;
	struct wm_snapshot_node node[WM_SNAPSHOT_NODES_MAX];
};

struct wm_screen {
	FILE *stream;
	bool terminal;
	unsigned lines_drawn; /* to go back over */
	bool has_before;
	struct wm_snapshot before; /* what rates are against */
};

/* stream: stderr. TERM=dumb counts as no terminal. */
void wm_screen_init(struct wm_screen *screen, FILE *stream);
/* How often to call show: 200 ms on a terminal, else a second. */
uint64_t wm_screen_period_ns(const struct wm_screen *screen);
void wm_screen_show(struct wm_screen *screen, const struct wm_snapshot *snapshot);
/* Leaves the last table standing and goes below it, for what comes. */
void wm_screen_end(struct wm_screen *screen);

/* The lines as text, without moving a cursor: for a terminal that wide, or for
 * width = 0 the one plain line. before NULL: rates since the beginning. 0, -errno of the stream. */
int wm_screen_format(const struct wm_snapshot *snapshot, const struct wm_snapshot *before,
		     unsigned width, FILE *stream);

#endif
