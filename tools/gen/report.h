/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Results for people (text), for programs (JSON) and for spreadsheets (CSV).
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
 *       "scope": "total" | "node" | "flow", "target": "n3",
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
 */
#ifndef WM_GEN_REPORT_H
#define WM_GEN_REPORT_H

#include <stdio.h>

#include "result.h"

enum wm_report_format { WM_REPORT_TEXT, WM_REPORT_JSON, WM_REPORT_CSV };

/* 0, or a negative errno of memory or of the stream. */
int wm_report_write(const struct wm_result *result, enum wm_report_format format, FILE *stream);

#endif
