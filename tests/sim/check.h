/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold, whatever happens:
 *
 *   - every result that is taken is undamaged, of this session and job, once, and right
 *   - what is reported durable is on the disk, and its bytes are right; after a crash
 *     everything that the journal vouches for is
 *   - no batch is lost, and none waits for 2 s on a silent node while others take new ones
 *   - what is durable is not computed again
 *   - no node has more in flight than its window, nor all of them more than the port
 *     takes; progress stays within its arrays
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
/* A result that was taken; session: the node's now. */
void sim_check_result(struct sim *sim, struct sim_frame *frame, const struct wm_ledger_batch *batch,
		      uint32_t session);
void sim_check_round(struct sim *sim);
void sim_check_tick(struct sim *sim);

/* These extents are reported durable now. */
void sim_check_durable(struct sim *sim, const struct wm_progress_extent *extents, uint32_t count);
/* Reads a journal through: replays its records, returns how many are good. */
uint32_t sim_check_journal(struct sim *sim, const uint8_t *journal, struct wm_progress *progress,
			   uint32_t *random);
void sim_check_crash(struct sim *sim);
void sim_check_manifest(struct sim *sim, uint32_t random);
void sim_check_output(struct sim *sim);

#endif
