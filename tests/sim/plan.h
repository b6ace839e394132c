/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a seed stands for: sizes, machines, and everything that will go wrong.
 *
 * Most layouts are far smaller than real ones (extents of 4 to 16 KiB instead of
 * 1 MiB, batches of some hundred bytes), so that a run of milliseconds has
 * hundreds of extents; one seed in sixteen is cut by wm_layout_init.
 *
 * Faults strike until heal_ns. From then on the job must get done: what still
 * hangs is a bug, not bad luck.
 */
#ifndef WM_SIM_PLAN_H
#define WM_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/layout.h"
#include "wiremill/limits.h"

#define SIM_NODES_MAX 64u
#define SIM_SLOTS_MAX 48u
/* What a node holds at most: that of a veth. A seed stands for the same plan as ever. */
#define SIM_NODE_WINDOW_MAX WM_NODE_WINDOW_VETH

struct sim_link {
	uint64_t ps_per_byte;
	uint64_t delay_ns;
	uint64_t queue_ns; /* waiting longer than this: tail drop */
};

/* In a million frames, in each direction. */
struct sim_cable {
	struct sim_link link;
	uint32_t loss, damage, cut, duplicate, reorder;
	uint64_t reorder_ns; /* late by up to this */
};

struct sim_node_plan {
	struct sim_cable cable;
	uint64_t submit_ns, frame_ns; /* to compute a submission, and each of its frames */
	uint32_t window;
	uint32_t stall; /* in a million submissions */
	uint64_t stall_ns;
	uint32_t prepare_fails; /* in a million */
	uint32_t old_answer;	/* in a million results: one of an older job as well */
	uint32_t wrong;		/* in a million results: another one, before the CRC */
	uint32_t fails;		/* in a million batches: cannot compute it */
	/* about how often, 0: never */
	uint64_t dies_every_ns, freezes_every_ns, link_falls_every_ns;
	uint64_t back_ns, freeze_ns, fall_ns; /* for about how long */
};

struct sim_disk_plan {
	uint64_t read_ns, write_ns, sync_ns; /* at most: chance decides, so order changes */
	uint32_t input_changes;		     /* in a million reads: before it, and once a run */
	uint32_t read_eio, write_eio, write_enospc, sync_eio, journal_eio, journal_enospc;
};

struct sim_plan {
	struct wm_layout layout;
	uint32_t mtu;
	uint32_t nodes;
	bool keyed; /* with a cluster key */
	/* 0: the kernel is built in; else nodes get its object of so many bytes first, and
	 * take this long at most to make it ready. */
	uint32_t code_bytes;
	uint64_t prepare_ns;
	uint64_t join_ns; /* within which the nodes start */
	struct sim_node_plan node[SIM_NODES_MAX];
	struct sim_link trunk;
	uint32_t ghost; /* in a million frames: comes again, much later */
	struct sim_disk_plan disk;
	uint32_t jobs; /* one after the other: the same again, with the nodes of now */

	uint32_t slots, in_flight_max, queue_target;
	uint32_t keep_align_bytes; /* results kept in their frames: as in stream.h */
	uint32_t keep_frames_max;
	uint32_t window_largest; /* of any node */
	uint64_t hop_ns;	 /* between the controller's two threads */
	uint64_t tick_ns;	 /* of the lane */
	uint64_t fail_after_ns;
	uint32_t audit_ppm;
	bool blind; /* wrong results may be taken, until their node is caught */

	uint32_t crashes;	/* of the controller */
	uint64_t crash_events;	/* about this many events after its start */
	uint32_t crash_appends; /* in a million events while the journal is appended to */
	uint64_t down_ns;	/* at most, until it starts again */
	bool crash_keeps_cache; /* the machine stayed up: only the process died */

	uint64_t heal_ns;
	uint64_t until_ns; /* by then it must have ended */
};

void sim_plan_draw(struct sim_plan *plan, uint64_t seed);

#endif
