/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a lane is told, and what it tells: the job, the commands from the control thread,
 * the events to it, and the counters that it reads. Commands and events are copied
 * through rings of one producer and one consumer; who owns a job is said there.
 */
#ifndef WM_LANE_MAILBOX_H
#define WM_LANE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatch.h"
#include "progress.h"
#include "tag.h"
#include "wiremill/journal.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"
#include "wiremill/wire.h"

/* A session names its node in its low bits, so that a frame finds it at once. */
#define WM_SESSION_NODE_MASK (WM_NODES_MAX - 1)

/* What runs: owned by the lane from JOB_START until the event JOB_ENDED, else by
 * the control thread. Of several lanes the leader owns it; the others read what does not
 * change (id, layout, source, sink, audit). They are started before the leader. */
struct wm_lane_job {
	uint32_t id;
	struct wm_layout layout;
	struct wm_source source;
	struct wm_sink sink;
	struct wm_journal journal;
	struct wm_progress progress; /* after replay of the journal */
	uint32_t audit_threshold;    /* share of batches to audit, of 2^32 */
	uint64_t audit_seed;
	/* Of nodes that were in quarantine before it was resumed: its journal may not know,
	 * if that was what could not be written. */
	uint64_t quarantined;
	/* Durable extents may be invalid: passes over the journal that are wanted, and
	 * done. It does not end before they are equal. */
	uint32_t recompute_wanted, recompute_done;
	/* What an earlier life wrote is being read back: likewise, until OUTPUT_CHECKED. */
	bool unchecked;
};

enum wm_lane_command_op {
	WM_LANE_NODE_SET,   /* a node is admitted: its session and address */
	WM_LANE_NODE_CLEAR, /* its session is over */
	WM_LANE_NODE_BEAT,  /* its BEAT came; works: it has batches in hand */
	WM_LANE_NODE_JOIN,  /* it takes part in the running job */
	WM_LANE_NODE_LEAVE, /* it no longer does */
	WM_LANE_JOB_START,
	WM_LANE_JOB_STOP,	   /* without waiting for what is in flight */
	WM_LANE_EXTENT_INVALIDATE, /* a durable extent is to be made again */
	WM_LANE_RECOMPUTE_DONE,	   /* all such extents were named, of that pass */
	WM_LANE_OUTPUT_CHECKED,	   /* likewise, of those that are not on the disk as they were */
	WM_LANE_QUIT,
};

/* What ended a job, beside enum wm_store_op. */
enum wm_lane_failed {
	WM_LANE_FAILED_COMPUTE = 16, /* a batch that three nodes could not compute */
	WM_LANE_FAILED_AUDIT,	     /* a batch for which three nodes gave three results */
};

struct wm_lane_command {
	enum wm_lane_command_op op;
	uint32_t node;
	uint32_t session;
	uint32_t window_max;
	union {
		uint64_t extent; /* EXTENT_INVALIDATE */
		uint64_t pass;	 /* RECOMPUTE_DONE */
	};
	struct wm_lane_job *job;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	bool works;
	uint8_t pad[1];			     /* rings hold multiples of 4 bytes */
	uint8_t frame_key[WM_TAG_KEY_BYTES]; /* of the session */
};

enum wm_lane_event_op {
	WM_LANE_JOB_ENDED,
	WM_LANE_NODE_SILENT, /* given up for now */
	WM_LANE_NODE_WRONG,  /* computed wrong; it is removed */
	WM_LANE_RECOMPUTE,   /* what was durable is invalid */
};

/* How a job ended. */
struct wm_lane_ending {
	int32_t result;	    /* 0 all is written, -ECANCELED, or an I/O error */
	uint32_t failed_op; /* if result < 0: enum wm_store_op or wm_lane_failed */
	union {
		uint64_t extent; /* of an enum wm_store_op; of a journal: none */
		uint64_t batch;	 /* of an enum wm_lane_failed */
	};
};

struct wm_lane_event {
	enum wm_lane_event_op op;
	uint32_t job;
	union {
		struct wm_lane_ending job_ended;
		struct {
			uint32_t node;
			uint32_t count; /* of nodes at once, this one of them */
		} node_silent;
		struct {
			uint64_t batch;
			uint32_t node;
		} node_wrong;
		struct {
			uint64_t nodes;	 /* what rests on these ... */
			uint32_t record; /* ... before this record is invalid */
			uint32_t pass;	 /* for RECOMPUTE_DONE */
		} recompute;
	};
};

struct wm_lane_job_counters {
	uint32_t job;
	uint64_t extents_done, output_bytes_done; /* durable, in earlier lives too */
	uint64_t batches_done;			  /* in this life */
	struct wm_dispatch_counters dispatch;
	uint32_t nodes_alive;  /* that answer */
	uint32_t nodes_unable; /* that answer that they cannot */
	bool stuck;	       /* what is to be sent may go to none of them */
	uint32_t gaps;	       /* extents waiting to be made (again) */
	uint64_t published_ns; /* when all this was true */
};

#endif
