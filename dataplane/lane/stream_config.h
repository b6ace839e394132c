/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a stream is made with: what it asks for, how large it is, what it counts. stream.h
 * has the stream itself.
 */
#ifndef WM_STREAM_CONFIG_H
#define WM_STREAM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "dispatch.h"
#include "lane_mailbox.h"
#include "leader.h"
#include "wiremill/journal.h"
#include "wiremill/wire.h"

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
	struct wm_dispatch_config dispatch; /* extents_max: slots; flows are its own */
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

#endif
