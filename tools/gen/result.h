/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run of wiremill-gen measured: a head, and rows. A row is one stretch of traffic,
 * of all its targets or of one. Rows hold what was counted; rates are worked out by the
 * functions at the end, so that every writer shows the same.
 *
 * It is written for people (text), for programs (JSON) and for spreadsheets (CSV).
 *
 * JSON: one object.
 *
 *   { "format": "wiremill-gen-result", "format_version": 1,
 *     "version": "0.1.0", "started": "2026-11-24T15:00:00Z", "host": "rack1",
 *     "interface": "port0", "driver": "net_af_packet", "command": "...",
 *     "mtu": 9000, "line_bits_per_s": 10000000000,          texts: null if not known
 *     "recording": { "file": "all.pcapng", "frames": 1, "missed": 0 } or null,
 *     "results": [ {
 *       "test": "echo", "size": "64-1518", "frame_bytes": 791.0,      mean, with FCS
 *       "scope": "total" | "node", "target": "n3",
 *       "duration_s": 10.0,
 *       "asked": { "unit": "max" | "frames" | "bits_l2" | "bits_l1" | "recorded",
 *                  "per_s": 1000 },
 *       "sent": { "frames": 1, "bytes": 64, "frames_per_s": 1.0, "bits_per_s": 672.0 },
 *       "received": likewise; null where the mode does not count it,
 *       "lost": 0, "loss": 0.0, "reordered": 0, "duplicates": 0, "late": 0,
 *                                                     null where frames have no numbers
 *       "damaged": 0, "behind_s": 0.0, "slipped_s": 0.0, "busy_s": 0.1,
 *       "link_downs": 0,                               of the port, meanwhile
 *       "latency_ns": { "count", "min", "mean", "p50", "p90", "p99", "p99.9",
 *                       "p99.99", "max" } or null,
 *       "histogram": [ [ last_ns, count ], ... ] or null,
 *       "search": { "kind": "throughput" | "critical", "found": true, "rate": 1000,
 *                   "failed_at": 1010 or null, "tester_limited": false, "trials": 12,
 *                   "trials_each": 29, "candidates": 2, "resolution": 10,
 *                   "trial_s": 10.0, "loss_tolerated": 0.0,
 *                   "confidence": 0.95, "failure_bound": 0.1,        critical only,
 *                   "confidence_overall": 0.9 } or null              else null
 *     } ] }
 *
 * bits_per_s is of layer 1, with preamble and gap. A new member needs no new
 * format_version; another meaning does.
 *
 * CSV (RFC 4180): a line of names, then one line a row with the same members, flat;
 * what is null is empty, and histograms are left out. Lines end with LF.
 *
 * The result owns its rows, and they their histograms. Control thread only.
 */
#ifndef WM_GEN_RESULT_H
#define WM_GEN_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "histogram.h"
#include "rate.h"
#include "search.h"
#include "sizes.h"
#include "traffic.h"

enum wm_result_scope { WM_RESULT_TOTAL, WM_RESULT_NODE };

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
	char test[16];		       /* the command: "echo", "throughput", ... */
	char size[WM_SIZE_NAME_BYTES]; /* the name of the point */
	enum wm_result_scope scope;
	char target[WM_TRAFFIC_NAME_BYTES]; /* node's name or its address; "" for the total */
	uint64_t duration_ns;		    /* of sending, or of receiving where nothing is sent */
	struct wm_rate asked;

	bool sends, receives; /* which of these counted at all */
	struct wm_traffic_totals totals;
	uint64_t lost;	     /* those that came damaged, too */
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
/* Traffic that is over: a row of all, with its histogram, then one of each target. test: the
 * command's name. 0 or -ENOMEM. */
int wm_result_add_traffic(struct wm_result *result, const char *test,
			  const struct wm_traffic *traffic);
/* Fills in row->latency, and keeps a copy of the histogram if asked to. 0, -ENOMEM. */
int wm_result_row_latency(struct wm_result_row *row, const struct wm_histogram *histogram,
			  bool keep);

enum wm_result_format { WM_RESULT_TEXT, WM_RESULT_JSON, WM_RESULT_CSV };

/* 0, or a negative errno of memory or of the stream. */
int wm_result_write(const struct wm_result *result, enum wm_result_format format, FILE *stream);

/* A second; 0 where there is no duration. */
double wm_result_frames_per_s(struct wm_traffic_count count, uint64_t duration_ns);
/* Layer 1: with preamble and gap. */
double wm_result_bits_per_s(struct wm_traffic_count count, uint64_t duration_ns);
/* 0 .. 1 of what was sent; where nothing is sent, of what must have been. */
double wm_result_loss(const struct wm_result_row *row);
/* Mean size of a frame, with FCS; 0: none. */
double wm_result_frame_bytes(const struct wm_result_row *row);

#endif
