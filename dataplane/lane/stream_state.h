/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of a stream share, and who changes which part of it:
 *
 *   stream.c           the job, nodes, batches out; brings the others together
 *   stream_slot.c      slots, and the results kept in them
 *   stream_lanes.c     where extents come from and go: the leader, here or by messages
 *   stream_audit.c     disputes; who computed wrong
 *   stream_store.c     reading ahead, writing, the journal
 *   stream_result.c    what arrives: checked and taken
 *   stream_exchange.c  messages from other lanes
 *
 * Each uses those above it, and stream.c all of them.
 */
#ifndef WM_STREAM_STATE_H
#define WM_STREAM_STATE_H

#include <assert.h>

#include "crc32c.h"
#include "readahead.h"
#include "stream_config.h"
#include "tag.h"
#include "wiremill/limits.h"

enum slot_state { SLOT_FREE, SLOT_READING, SLOT_OPEN, SLOT_WRITING };

/* A result until its extent is written. */
struct kept {
	void *frame; /* NULL: the payload was copied to the slot's output */
	uint8_t *payload;
	uint32_t crc32c; /* of the payload of a full batch */
};

struct stream_slot {
	enum slot_state state;
	struct stream_job *job; /* whose extent it is, unless it is free */
	bool is_ahead;		/* some batch of it was never sent */
	bool is_invalid; /* while it was being written, a node with a part in it was found wrong */
	uint32_t batches;
	uint32_t out_bytes;
	uint64_t extent;
	uint64_t asked_ns; /* when its read was */
	uint64_t sent_ns;  /* when the last frame was that points into its input */
	uint64_t nodes;	   /* with a part in it: wm_journal_node_bit */
	uint32_t crc32c;   /* of its output, once it is written */
	uint8_t *input;	   /* its first byte, with the halo */
	uint8_t *output;
	struct kept *kept;
};

struct stream_node {
	uint32_t session; /* 0: nobody */
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	uint8_t frame_key[WM_TAG_KEY_BYTES]; /* with aead */
};

/* The second of two results that differ; the first is where results are kept. */
struct dispute {
	uint64_t token;
	struct kept second;
};

/* Of a lane that follows: what it was given and has no slot for yet. */
struct follower {
	uint64_t extents[WM_LANE_EXTENTS_MAX];
	uint32_t count;
	uint32_t asked; /* that did not come yet */
	bool stopped;	/* by the leader */
};

/* What it does for one. */
struct stream_job {
	enum wm_stream_state state; /* idle: a free entry */
	struct wm_lane_job *lane;
	struct wm_lane_event ended;	/* what JOB_ENDED will say */
	struct wm_leader leader;	/* lane 0 */
	struct follower follower;	/* any other */
	bool has_nodes;			/* of several lanes: a node answers here */
	uint32_t slots_used_max;	/* the lane's share of what may be open at once */
	wm_kernel_invariant *invariant; /* of its kernel, or NULL */
	uint32_t keep_align_bytes;
	struct wm_crc32c_shift batch_shift; /* over the payload of a full batch */
	struct dispute disputes[WM_DISPATCH_DISPUTES_MAX];
	uint32_t dispute_count;
	struct wm_readahead readahead;
	uint32_t slots_ahead;		      /* read, or to be sent */
	struct wm_lane_job_counters counters; /* of the last job too, where it is free */
};

static_assert(WM_RUNNING_JOBS_MAX == 1,
	      "dispatch and its ledger have the batches of one job, and commands, the ends of I/O "
	      "and messages between lanes do not say of which they are");

struct wm_stream {
	struct wm_stream_config config;
	struct wm_dispatch *dispatch;
	struct stream_node *nodes;
	struct wm_flow *flows; /* of the nodes: as long as their sessions, over jobs */
	struct stream_job jobs[WM_RUNNING_JOBS_MAX];

	struct stream_slot *slots;
	uint32_t slots_free;
	struct kept *kept;
	uint32_t kept_frames; /* in slots, of all jobs */
	struct iovec *parts;  /* scratch, of one extent */
	struct wm_stream_counters counters;
};

static inline void stream_free(struct wm_stream *stream, void *frame)
{
	if (frame)
		stream->config.calls.free_frame(stream->config.context, frame);
}

/* NULL: its frames have no tag. */
static inline const uint8_t *stream_key(const struct wm_stream *stream,
					const struct stream_node *node)
{
	return stream->config.auth == WM_WIRE_AEAD ? node->frame_key : NULL;
}

/* NULL: it is none of those that run. */
static inline struct stream_job *stream_find_job(struct wm_stream *stream, uint32_t id)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		struct stream_job *job = &stream->jobs[i];

		if (job->state == WM_STREAM_RUNNING && job->lane->id == id)
			return job;
	}
	return NULL;
}

static inline bool stream_leads(const struct wm_stream *stream)
{
	return stream->config.lane == 0;
}

#endif
