/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A load for the core, the same each time: the real dispatch, flow, ledger and progress
 * in virtual time, with the frames' headers and CRC, and nodes that answer each batch
 * after one round trip, in order.
 *
 *   every 6.6 us      wm_dispatch_next ──▶ (round trip) ──▶ wm_dispatch_expect, _result
 *   its extent done   wm_progress_written, _sync, _synced, _open ──▶ wm_dispatch_extent_open
 *   every 5 ms        wm_dispatch_tick
 *
 * What is measured is load_run alone: it takes time and instructions, and no memory.
 * One thread.
 */
#ifndef WM_LOAD_H
#define WM_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct load_config {
	uint32_t nodes;
	uint64_t input_bytes; /* of the job, of kernel xor at MTU 9000 */
	uint64_t replayed;    /* extents that an earlier life has made, by its journal */
	uint32_t loss;	      /* in a million batches */
	uint32_t audit;	      /* share of 2^32 */
	bool frames;	      /* checks a header for each request and result, too */
};

struct load;

/* NULL: no memory, or no such job. */
struct load *load_create(const struct load_config *config);
void load_destroy(struct load **load);
/* Until so many more batches are done, or the job is. Returns how many are. */
uint64_t load_run(struct load *load, uint64_t batches);
uint64_t load_extents(const struct load *load);

#endif
