/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Planted bugs, to see that the simulator finds their kind. They sit in the
 * simulated parts and in functions that the linker puts before the real ones
 * (--wrap): there is no hook in what ships.
 */
#ifndef WM_SIM_BUG_H
#define WM_SIM_BUG_H

#include <stdbool.h>

enum sim_bug {
	SIM_BUG_NONE,
	SIM_BUG_NO_SYNC,	 /* journals without a sync of the data */
	SIM_BUG_IGNORE_SYNC,	 /* takes a failed sync for a good one */
	SIM_BUG_EARLY_DURABLE,	 /* reports durable when the journal is only asked */
	SIM_BUG_EARLY_JOURNAL,	 /* journals an extent before it is written */
	SIM_BUG_TORN_RECORD,	 /* takes journal records without their check */
	SIM_BUG_REPLAY_GAP,	 /* forgets what lies between two records */
	SIM_BUG_NO_CRC,		 /* takes damaged results */
	SIM_BUG_NO_SESSION,	 /* takes results of any session, and all begin alike */
	SIM_BUG_NO_JOB,		 /* takes results of any job */
	SIM_BUG_SEQUENCE,	 /* a node's sequences begin anew with each job */
	SIM_BUG_OLD_FLIGHT,	 /* what was in flight in one job is in the next */
	SIM_BUG_LOSE_NOTHING,	 /* forgets to send again what is lost */
	SIM_BUG_NO_TIMEOUT,	 /* waits for a silent node for ever */
	SIM_BUG_WINDOW,		 /* sends more than the window */
	SIM_BUG_TWICE,		 /* takes a duplicate for new */
	SIM_BUG_WRONG_NODE,	 /* nodes compute wrong, and nobody checks */
	SIM_BUG_NO_INVARIANT,	 /* the kernel's invariant is not checked */
	SIM_BUG_NO_RECOMPUTE,	 /* what a wrong node did before it was caught stays */
	SIM_BUG_NO_INVALIDATE,	 /* likewise, of open extents */
	SIM_BUG_RECOMPUTE_TWICE, /* what was made again is taken for invalid still */
	SIM_BUG_NO_LOOK,	 /* nobody looks whether the input is still what it was */
	SIM_BUGS,
};

extern enum sim_bug sim_bug;

const char *sim_bug_name(enum sim_bug bug);
/* SIM_BUGS: there is none of that name. */
enum sim_bug sim_bug_find(const char *name);

#endif
