/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: JSON-RPC 2.0 (jsonrpc.org/specification) over a UNIX
 * stream socket, one object a line ('\n'), either direction, at most
 * WM_RPC_LINE_BYTES_MAX. Requests of one connection are answered in order;
 * batches (of at most 64) and notifications are accepted as the specification has them. Each
 * request of a batch has its answer, if only the error that it finds no room in the line.
 * A line, or an answer, that stands still for half a minute ends its connection.
 *
 * Methods (parameters by name; a parameter marked ? may be left out):
 *
 *   job.submit   kernel (built in, or of the library: its name, or 8 digits or more of its
 *                hash), or else kernel_source (its text), kernel_file? = "kernel.glsl" (what
 *                messages call it), params? = [] ("NAME=VALUE" strings); input, output
 *                (absolute paths), force? = false,
 *                tail? = "refuse" | "drop", fail_after_seconds? = 0 (for ever),
 *                audit_ppm? = 0 (batches of a million that two nodes compute),
 *                name? = "" (as the submitter calls it), input_device?, input_inode?
 *                (which file the submitter means: 63 bits; of a block device its own
 *                number and 0; refused if the controller opens another), dry_run? = false
 *                (all is checked, nothing queued: the job's number is 0)
 *                                                           -> job object
 *   job.resume   output, name? = "", fail_after_seconds? (else, and all else, as it had it),
 *                trust_output? = false (all that is there is read back)
 *                                                           -> job object (a new one)
 *   job.show     job                                        -> job object
 *   job.list     state? (of those alone), last? (so many of the newest alone), after? = 0,
 *                limit?                      -> {"jobs": [job object ...], "next": as below}
 *   job.cancel   job             (it does not run again)    -> job object
 *   job.discard  output          (what an unfinished job left) -> {"output", "removed": [path ...]}
 *   kernel.list  after? = 0, limit?        -> {"kernels": [kernel object ...], "next"}
 *   kernel.add   kernel_source, kernel_file?, params?       -> kernel object
 *   kernel.remove kernel         (refused while a job names it) -> kernel object
 *   node.list    after? = 0, limit?        -> {"nodes": [node object ...], "next"}
 *   node.admit   name (or MAC) of a node in quarantine      -> node object
 *   stats                                                   -> stats object
 *   version                                                 -> {"version", "pid"}
 *
 * Lists come in pages, of at most `limit` items and never more than fit a line: "next" is null
 * if there are no more, else what `after` has to be for the next page. Jobs are in the order of
 * their numbers. Known are the queue and at least the newest WM_JOBS_ENDED_MAX (512) that
 * have ended.
 *
 * kernel object
 *   name, hash (64 digits; "": it is built in), in_bytes, out_bytes, halo_before, halo_after;
 *   of one of the library also version (its author's), object_bytes, params (that are not at
 *   their default: "NAME=VALUE" strings), used (UTC: added, or a job of it submitted), job (the
 *   number of one that needs it; 0: none)
 *
 * job object
 *   job (number), kernel, kernel_hash ("": it is built in), input, output, state, reason (string,
 * "" unless failed or cancelled), waiting (string, "" unless it cannot go on: why), cancelling
 * (boolean), user (who submitted it), name, submitted, started, ended (UTC as ISO 8601, null: not
 * yet), input_bytes, output_bytes, dropped_tail_bytes, elements, batch_elements, mtu, extents,
 * extents_done, batches, batches_done, output_bytes_done, resumed_bytes (durable before this life;
 * the rest of what is done is this one's), checking (boolean: these are being read back),
 * checked_bytes (of them, so far), differing_extents (in them, which the disk had changed and which
 * are made again), sends, resends, duplicates, speculated, audited, audit_ppm, nodes (that took
 * part), waited_max_ns (the longest that a batch was in flight to one node, answered or not),
 *   seconds (of running), bytes_per_second (of output), seconds_left (null while unknown).
 *   batches_done counts results taken in this life, and batches that are made again.
 *   state: "queued" "preparing" "running" "finishing" "done" "failed" "cancelled"
 *
 * node object
 *   name, state ("admitted" "ready" "silent" "refused" "gone" "quarantined": computed
 *   wrong, and not let in until node.admit), reason, mac, lane (on whose port it was
 *   heard), mtu, capacity, window, in_flight, rtt_us, batches (results taken), resends,
 *   beat_age_ms, path_mtu (of frames that pass to it and back; 0: not known), path_narrow
 *   (that is less than the links of both ends have),
 *   device, driver, software, xdp_mode, zero_copy, multi_buffer,
 *   results, submissions, copied_bytes, dropped, ring_full, device_losses,
 *   unheard (frames to other queues of its card) (its own counters)
 *
 * stats object
 *   version, uptime_seconds, nodes, jobs: {queued, running, done, failed, cancelled},
 *   control: {authenticated (by a cluster key), and control frames without effect:
 *             ignored (no sense, or from nobody), forged, replayed, unkeyed},
 *   lanes: [{lane, lcore,
 *     port: {name, driver, mtu, mac, link (up, down, off: the interface is, gone),
 *       link_megabits_per_s (0: not known), ring_frames (that it granted),
 *       multi_segment_transmit, frames_sent, frames_received,
 *       bytes_sent, bytes_received, transmit_refused (rounds in which it took less than it
 *       was offered), and frames lost: missed (no room in the ring), no_buffer,
 *       receive_errors, transmit_errors (by the driver), transmit_dropped (by the kernel,
 *       below net_af_packet)},
 *     obtained: {transmit ("attached" | "linearised"), receive ("in place" | "copied"),
 *                receive_why (it is copied; ""), source ("direct" | "buffered" | "none"),
 *                sink (likewise)},
 *     copied_bytes: {transmit, receive}, payload_bytes: {transmit, receive},
 *     extents: {read, read_direct, written, written_direct},
 *     batches: {sent, resent, results, duplicates},
 *     drops: {reason: count, ...},
 *     busy_seconds (of wall time, in polls that did something)}]
 *   memory: {hugepage_bytes, pinned_bytes}
 *
 * Error codes: the specification's own (-32700 parse error, -32600 invalid
 * request, -32601 method not found, -32602 invalid params, -32603 internal) and
 * WM_RPC_FAILED for a request that was understood and refused. `message` is the
 * line to show to a person.
 */
#ifndef WIREMILL_CONTROL_H
#define WIREMILL_CONTROL_H

#define WM_SOCKET_PATH_DEFAULT "/run/wiremill/wiremilld.sock"
/* Of the controller: its queue, and journals and manifests of block devices. */
#define WM_STATE_DIRECTORY_DEFAULT "/var/lib/wiremill"

#define WM_RPC_PARSE_ERROR (-32700)
#define WM_RPC_INVALID_REQUEST (-32600)
#define WM_RPC_METHOD_NOT_FOUND (-32601)
#define WM_RPC_INVALID_PARAMS (-32602)
#define WM_RPC_INTERNAL (-32603)
#define WM_RPC_FAILED (-32000)

/* Exit status of every program; the CLI has one more, and 128 and the number of the signal
 * that ended its waiting for a job. */
#define WM_EXIT_DONE 0
#define WM_EXIT_FAILED 1	/* refused; or what was waited for failed, or differs */
#define WM_EXIT_USAGE 2		/* nothing was begun */
#define WM_EXIT_NO_CONTROLLER 3 /* none answers, or no more */

#endif
