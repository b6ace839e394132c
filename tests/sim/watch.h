/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stream asks dispatch and progress for, seen in between: the linker puts
 * watch.c before the real functions (--wrap), which tells check.c of everything that
 * is sent, taken, forgotten and durable. And the planted bugs (bug.h) that have
 * their place between the lane and its stream.
 */
#ifndef WM_SIM_WATCH_H
#define WM_SIM_WATCH_H

#include "network.h"
#include "sim.h"

/* What a planted bug lets pass is made to look right. sessions: by node, now. */
void sim_bug_disguise(struct sim *sim, struct sim_frame *frame, const uint32_t *sessions);
/* The write of an extent, of a journal has only begun: takes it for done. */
void sim_bug_written_early(struct sim *sim, uint64_t extent, const uint8_t *output);
void sim_bug_durable_early(struct sim *sim);

#endif
