/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run of wiremill-gen measured: a head, and rows. A row is one measurement
 * of one frame size, of the whole rack or of one node or flow. Rows hold what was
 * counted; rates are worked out by the functions at the end, so that every writer
 * shows the same.
 *
 * The result owns its rows, and they their histograms. Control thread only.
 */
#ifndef WM_GEN_RESULT_H
#define WM_GEN_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "rate.h"
#include "search.h"
#include "sizes.h"

enum wm_result_scope { WM_RESULT_TOTAL, WM_RESULT_NODE, WM_RESULT_FLOW };

/* Frames (with what was sent twice counted twice) and their bytes with the FCS. */
struct wm_result_traffic {
	uint64_t frames, bytes;
};

struct wm_result_latency {
	uint64_t count; /* 0: not measured */
	uint64_t min_ns, mean_ns, p50_ns, p90_ns, p99_ns, p999_ns, p9999_ns, max_ns;
};

enum wm_result_search_kind { WM_SEARCH_NONE, WM_SEARCH_THROUGHPUT, WM_SEARCH_CRITICAL };

/* rates in `unit` of the row's `asked` */
struct wm_result_search {
	enum wm_result_search_kind kind;
	struct wm_search_result found;
	uint64_t resolution;
	uint64_t trial_ns;	 /* how long one trial lasts */
	uint32_t tolerated_ppm;	 /* loss that counts as none */
	uint32_t confidence_ppm; /* critical: C; 0 else */
};

struct wm_result_row {
	char test[16];		       /* "echo", "throughput", ... the mode */
	char size[WM_SIZE_NAME_BYTES]; /* the name of the point */
	enum wm_result_scope scope;
	char target[64];      /* node's name or flow's; "" for the total */
	uint64_t duration_ns; /* of sending, or of receiving where nothing is sent */
	struct wm_rate asked;

	bool sends, receives; /* which of these counted at all */
	struct wm_result_traffic sent, received;
	/* Of what was received, by wm_sequence. */
	bool sequenced;
	uint64_t lost, reordered, duplicates, late;
	uint64_t damaged;    /* dropped for their CRC or shape; part of lost too */
	uint64_t behind_ns;  /* how late frames were sent, at worst */
	uint64_t slipped_ns; /* of the schedule that was given up: sent less than asked */
	uint32_t link_downs; /* times that the port lost its link meanwhile; in totals */
	uint64_t busy_ns;    /* of wall time, in polls that did something; in totals */

	struct wm_result_latency latency;
	struct wm_histogram *histogram; /* NULL: not kept. Owned */
	struct wm_result_search search;
};

/* A capture that was written beside. */
struct wm_result_recording {
	const char *path; /* NULL: none */
	uint64_t frames, missed;
};

/* Texts are kept by reference and may be NULL: not known. */
struct wm_result_head {
	const char *version, *started; /* started: ISO 8601, UTC */
	const char *host, *interface, *driver;
	const char *command; /* the line that gave this */
	uint32_t mtu;
	uint64_t line_bits_per_s; /* 0: not known */
	struct wm_result_recording recording;
	const char *port; /* what the port counted, a line for people */
};

struct wm_result {
	struct wm_result_head head;
	unsigned row_count, row_room;
	struct wm_result_row *rows;
};

void wm_result_init(struct wm_result *result);
void wm_result_fini(struct wm_result *result);
/* A row of zeroes at the end, to be filled in; it moves with the next one. NULL: no
 * memory. */
struct wm_result_row *wm_result_add(struct wm_result *result);

/* Fills in row->latency, and keeps a copy of the histogram if asked to. 0, -ENOMEM. */
int wm_result_row_latency(struct wm_result_row *row, const struct wm_histogram *histogram,
			  bool keep);
/* Sums of traffic and counters, for a total of its parts. Latency is left. */
void wm_result_row_add(struct wm_result_row *total, const struct wm_result_row *part);

/* A second; 0 where there is no duration. */
double wm_result_frames_per_s(struct wm_result_traffic traffic, uint64_t duration_ns);
/* Layer 1: with preamble and gap. */
double wm_result_bits_per_s(struct wm_result_traffic traffic, uint64_t duration_ns);
/* 0 .. 1 of what was sent; where nothing is sent, of what must have been. */
double wm_result_loss(const struct wm_result_row *row);
/* Mean size of a frame, with FCS; 0: none. */
double wm_result_frame_bytes(const struct wm_result_row *row);

#endif
