/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold, whatever happens:
 *
 *   - every result that is taken is undamaged, of this session and job, once, and right
 *     (where an audit of a share of batches is all there is against a node that
 *     computes wrong: right once that node is caught)
 *   - no node is said to compute wrong that does not
 *   - what is reported durable is on the disk, and its bytes are right; after a crash
 *     everything that the journal vouches for is
 *   - no batch is lost, and none waits for 2 s on a silent node while others take new ones
 *   - what is durable is not computed again, and of what a quarantine made invalid nothing
 *     is declared so twice: the journal's bytes say what was made again since
 *   - the sequences of a session go on from job to job, so that none is given twice
 *   - no node has more in flight than its window, nor all of them more than the port
 *     takes; progress stays within its arrays
 *   - a job whose input is written to while it is read never gets done, and what its journal
 *     vouches for is of the input as it was
 *   - the output is exact when the job is done (main.c: and it gets done)
 */
#ifndef WM_SIM_CHECK_H
#define WM_SIM_CHECK_H

#include "dispatch.h"
#include "network.h"
#include "progress.h"
#include "sim.h"

void sim_check_create(struct sim *sim);
void sim_check_destroy(struct sim *sim);

void sim_check_job_start(struct sim *sim);
void sim_check_sent(struct sim *sim, const struct wm_dispatch_send *send);
/* A result that is taken, or compared; session: the node's now. */
void sim_check_result(struct sim *sim, struct sim_frame *frame, const struct wm_ledger_batch *batch,
		      uint32_t session);
/* A node could not compute it. */
void sim_check_failed(struct sim *sim, uint64_t batch);
/* It waits for a second opinion; it is done, with these bytes; it is to do again. */
void sim_check_held(struct sim *sim, const struct wm_ledger_batch *batch);
void sim_check_done(struct sim *sim, const struct wm_ledger_batch *batch, const uint8_t *bytes);
void sim_check_batch_invalid(struct sim *sim, const struct wm_ledger_batch *batch);
/* Its batches are all to do. */
void sim_check_extent_open(struct sim *sim, uint64_t extent);
/* It is durable, and to be made again. */
void sim_check_extent_invalid(struct sim *sim, uint64_t extent);
/* It is declared invalid to the lane: its last record in the journal is. */
void sim_check_declared_invalid(struct sim *sim, uint64_t extent);
/* The node of that address is said to compute wrong; this is durable. */
void sim_check_accused(struct sim *sim, const uint8_t mac[WM_ETHER_ADDR_BYTES]);
void sim_check_quarantined(struct sim *sim);
void sim_check_round(struct sim *sim);
void sim_check_tick(struct sim *sim);

/* These extents are reported durable now. */
void sim_check_durable(struct sim *sim, const struct wm_progress_extent *extents, uint32_t count);
/* The journal as it is now is what a resumed job goes on from. */
void sim_check_resumed(struct sim *sim);
void sim_check_crash(struct sim *sim);
void sim_check_manifest(struct sim *sim);
void sim_check_output(struct sim *sim);

#endif
