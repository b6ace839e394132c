/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stream of a job through a lane: everything a lane decides, without the frames,
 * the disk and the clock that it decides about.
 *
 *   slot:  free ──read──▶ reading ──arrived──▶ open ──last result──▶ writing ──▶ free
 *                                             │ ▲                          │
 *                          wm_stream_next  ◀──┘ └──  wm_stream_result      ▼
 *                                                            leader.h: what is journalled
 *
 * The lane (DPDK, io_uring) and the simulator run the same stream. They bring what
 * arrives, ask what goes out, and carry out what it asks for in between (struct
 * wm_stream_calls). A received frame is an opaque pointer with a payload in it: the
 * stream keeps it until its extent is written from there, or copies the payload to where
 * that write can take it from.
 *
 * Pure: no clock, no I/O, no allocation but in create; one thread, the lane's.
 */
#ifndef WM_STREAM_H
#define WM_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "dispatch.h"
#include "frame.h"
#include "leader.h"
#include "progress.h"
#include "tag.h"
#include "wiremill/journal.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"

/* A session names its node in its low bits, so that a frame finds it at once. */
#define WM_SESSION_NODE_MASK (WM_NODES_MAX - 1)

/* ---- what a lane is told, and tells ----------------------------------------------- */

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
	WM_LANE_RECOMPUTE_DONE,	   /* all such extents were named, of the pass in extent */
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
	uint64_t extent;
	struct wm_lane_job *job;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	bool works;
	uint8_t pad[1];			     /* rings hold multiples of 4 bytes */
	uint8_t frame_key[WM_TAG_KEY_BYTES]; /* of the session */
};

enum wm_lane_event_op {
	WM_LANE_JOB_ENDED,   /* result: 0 all is written, -ECANCELED, or an I/O error */
	WM_LANE_NODE_SILENT, /* node was given up for now, of `record` nodes at once */
	WM_LANE_NODE_WRONG,  /* node computed batch (in extent) wrong; it is removed */
	WM_LANE_RECOMPUTE,   /* what rests on `nodes` before record `record` is invalid; pass in
			extent */
};

struct wm_lane_event {
	enum wm_lane_event_op op;
	uint32_t job;
	int32_t result;
	uint32_t failed_op; /* enum wm_store_op or wm_lane_failed, if result < 0 */
	uint64_t extent;    /* or batch */
	uint64_t nodes;
	uint32_t node;
	uint32_t record;
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

/* ---- a stream --------------------------------------------------------------------- */

struct wm_stream;

/* What it asks for. The end of read, write and journal comes by wm_stream_stored. */
struct wm_stream_calls {
	/* No mbuf points into what this slot was read into any more: the port gave back
	 * all that it took. False proves nothing. */
	bool (*is_idle)(void *context, uint32_t slot);
	/* *input: where the first byte of the extent's halo will be. 0, or: not now. */
	int (*read)(void *context, uint32_t slot, uint64_t extent, uint8_t **input);
	/* The array of parts is copied, what they name stays. 0 or a negative errno. */
	int (*write)(void *context, uint32_t slot, uint64_t extent, const struct iovec *parts,
		     uint32_t part_count);
	/* The records are copied. */
	int (*journal)(void *context, const struct wm_journal_record *records, uint32_t count);
	void (*raise)(void *context, const struct wm_lane_event *event);
	void (*free_frame)(void *context, void *frame);
	/* Of several lanes: to and from the leader (0), or from and to one that follows it.
	 * There is always room: see WM_LEADER_MESSAGES_MAX. False: nothing was said. */
	void (*send_message)(void *context, uint32_t lane, const struct wm_leader_message *message);
	bool (*receive_message)(void *context, uint32_t lane, struct wm_leader_message *message);
};

/* On their way in one direction at most: of each extent two, of each node two, the end. */
#define WM_LEADER_MESSAGES_MAX (4 * WM_NODES_MAX)

struct wm_stream_config {
	struct wm_dispatch_config dispatch; /* extents_max: slots */
	struct wm_stream_calls calls;
	void *context;
	/* For results that cannot be written from where they are: output_bytes a slot,
	 * the caller's. */
	uint8_t *output;
	uint32_t output_bytes;
	/* Results that may be kept in their frames, beside those in dispute: more are copied. */
	uint32_t keep_frames_max;
	enum wm_wire_auth auth;
	uint32_t lane, lanes; /* lane 0 leads */
};

enum wm_stream_state { WM_STREAM_IDLE, WM_STREAM_RUNNING, WM_STREAM_STOPPING };

struct wm_stream_counters {
	uint64_t receive_payload_bytes, receive_copied_bytes;
};

/* NULL: no memory. */
struct wm_stream *wm_stream_create(const struct wm_stream_config *config);
/* Frees the frames it keeps. */
void wm_stream_destroy(struct wm_stream **stream);

/* It is idle. queue_target as in dispatch.h; results are kept in their frames where
 * their payload lies on multiples of keep_align_bytes (0: never), and there is room. */
void wm_stream_job_start(struct wm_stream *stream, struct wm_lane_job *job, uint32_t queue_target,
			 uint32_t keep_align_bytes);
/* Every command but JOB_START and QUIT. */
void wm_stream_handle(struct wm_stream *stream, const struct wm_lane_command *command,
		      uint64_t now_ns);
/* It is stopping, and so are all that follow it, or whom it follows. */
bool wm_stream_can_end(const struct wm_stream *stream);
/* Then, and when no I/O is in flight: lets go of everything. The leader raises JOB_ENDED. */
void wm_stream_job_end(struct wm_stream *stream);

/* So many batches may be in flight from now on, in this job and the next. */
void wm_stream_limit(struct wm_stream *stream, uint32_t in_flight_max);

/* I/O has ended. */
void wm_stream_stored(struct wm_stream *stream, const struct wm_store_event *event,
		      uint64_t now_ns);
/* Reads ahead, journals, notices the end: after anything has happened. */
void wm_stream_round(struct wm_stream *stream, uint64_t now_ns);
/* Now and then, when all that has arrived is accounted for. */
void wm_stream_tick(struct wm_stream *stream, uint64_t now_ns);

/* A MAP frame to be sent: its payload lies in that slot's input. */
struct wm_stream_map {
	uint32_t slot;
	uint32_t payload_bytes;
	uint8_t *payload;
	const uint8_t *mac;
	const uint8_t *key; /* NULL: without a tag */
};

/* The next one; its header but for CRC and tag. False: nothing is to be sent now. */
bool wm_stream_next(struct wm_stream *stream, uint64_t now_ns, struct wm_wire_header *header,
		    struct wm_stream_map *map);
/* A RESULT: a whole frame of frame_bytes in one piece, that begins WM_ETHER_HEADER_BYTES
 * before its header. Takes it over. Returns why it was dropped, if it was. */
enum wm_drop wm_stream_result(struct wm_stream *stream, void *frame,
			      const struct wm_wire_header *header, uint32_t frame_bytes,
			      uint64_t now_ns);

enum wm_stream_state wm_stream_get_state(const struct wm_stream *stream);
/* NULL when idle. */
struct wm_lane_job *wm_stream_job(const struct wm_stream *stream);
const struct wm_dispatch *wm_stream_dispatch(const struct wm_stream *stream);
uint32_t wm_stream_slots_free(const struct wm_stream *stream);
const struct wm_stream_counters *wm_stream_get_counters(const struct wm_stream *stream);
/* Of the current or last job. */
void wm_stream_job_counters(struct wm_stream *stream, uint64_t now_ns,
			    struct wm_lane_job_counters *counters);

#endif
