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

#include "dispatch.h"
#include "frame.h"
#include "lane_mailbox.h"
#include "stream_config.h"
#include "wiremill/store.h"

struct wm_stream;

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
