/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of the frames of one flow, which its sender numbers 0, 1, 2, ...
 *
 *      too old  |      window (a bit each)       |  not seen yet
 *   ------------+--------------------------------+----------------> numbers
 *                ^next - WM_SEQUENCE_WINDOW       ^next = highest + 1
 *
 * A frame is in order if its number is not below `next`. Otherwise it is reordered
 * (RFC 4737 section 3.3, Type-P-Reordered: smaller than the next expected, which is
 * one more than the highest), or, if it has been received before, a duplicate and
 * never reordered. Below the window nobody can tell: it is late, and counted as
 * nothing else. Loss is known when all that was sent is known: what was sent and
 * never received, exact while nothing was late.
 *
 * Caller's memory (8 KiB), one thread, constant time except after a jump.
 */
#ifndef WM_GEN_SEQUENCE_H
#define WM_GEN_SEQUENCE_H

#include <stdint.h>

/* Numbers back that are told apart: 4.4 ms of the smallest frames at 10 Gb/s, 44 ms
 * at 1 Gb/s, and many times what a switch holds. */
#define WM_SEQUENCE_WINDOW 65536u

enum wm_sequence_verdict {
	WM_SEQUENCE_IN_ORDER,
	WM_SEQUENCE_REORDERED,
	WM_SEQUENCE_DUPLICATE,
	WM_SEQUENCE_LATE,
};

struct wm_sequence {
	uint64_t first; /* where counting began */
	uint64_t next;
	uint64_t in_order, reordered, duplicates, late;
	uint64_t seen[WM_SEQUENCE_WINDOW / 64];
};

/* first: the number that is expected first; what is below it is late. A receiver
 * that knows no beginning takes the first number that it sees. */
void wm_sequence_init(struct wm_sequence *sequence, uint64_t first);
enum wm_sequence_verdict wm_sequence_receive(struct wm_sequence *sequence, uint64_t number);

/* Numbers from first to the end that were not received, of `sent` from first on.
 * A late frame counts as lost: the truth is between this less `late`, and this. A
 * receiver that does not know what was sent takes next - first. */
uint64_t wm_sequence_lost(const struct wm_sequence *sequence, uint64_t sent);

#endif
