/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The controller's disk: the input, the output that is being made, its journal.
 *
 * What was written is in a cache until a sync; a crash keeps, loses or tears it, in
 * sectors of 512 bytes. Operations take their time, so they complete out of order.
 * Names are durable at once, as after fsync of a directory.
 */
#ifndef WM_SIM_DISK_H
#define WM_SIM_DISK_H

#include "sim.h"
#include "wiremill/journal.h"

enum sim_disk_op { SIM_READ, SIM_WRITE, SIM_JOURNAL };

enum sim_file { SIM_SINK, SIM_LOG, SIM_FILES };

void sim_disk_create(struct sim *sim);
void sim_disk_destroy(struct sim *sim);

/* ---- names ---------------------------------------------------------------------- */

struct sim_names {
	bool sink, journal, committed;
	uint32_t manifest; /* of which journal; 0: there is none */
};

struct sim_names *sim_disk_names(struct sim *sim);
/* How often somebody wrote to the input: 0 or 1. Its times tell. */
uint32_t sim_disk_input_changes(const struct sim *sim);
/* Somebody has since that journal was begun. */
bool sim_disk_input_differs(const struct sim *sim, const struct wm_journal *journal);
/* A new output, its space reserved: full of what the disk had there before. */
void sim_disk_make_sink(struct sim *sim);
/* A new journal: complete and durable when it gets its name. */
void sim_disk_make_journal(struct sim *sim, const uint8_t header[WM_JOURNAL_HEADER_BYTES]);
/* Cuts the journal; durable. */
void sim_disk_cut_journal(struct sim *sim, uint64_t bytes);

/* ---- what is there ---------------------------------------------------------------- */

/* What a read finds, and what is left whatever happens. */
const uint8_t *sim_disk_current(const struct sim *sim, enum sim_file file);
const uint8_t *sim_disk_stable(const struct sim *sim, enum sim_file file);
uint64_t sim_disk_bytes(const struct sim *sim, enum sim_file file);

/* ---- I/O: sim_lane_completed tells the end ------------------------------------------ */

void sim_disk_read(struct sim *sim, uint64_t extent, uint8_t *to);
void sim_disk_write(struct sim *sim, uint64_t extent, const uint8_t *from);
/* Syncs the output, then appends to the journal and syncs that. The records are copied. */
void sim_disk_journal(struct sim *sim, const uint8_t *records, uint32_t count);
/* Of the output, waiting for it: 0 or -EIO. */
int sim_disk_sync(struct sim *sim);
/* Is an append under way? */
bool sim_disk_appends(const struct sim *sim);

/* The controller dies: what is under way may be half done; the cache is lost, in
 * part, unless the machine stays up. */
void sim_disk_crash(struct sim *sim);

#endif
