/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic: one measurement from its first frame until its last answer, and what was
 * counted. It decides which frame goes to whom and when, and knows each one that comes
 * back; it does not know the port (engine.h does).
 *
 *   targets   whom frames go to, in turn: nodes, or one machine that is no node. Where
 *             frames are only received or reflected, whoever sends any becomes one
 *   flows     of each target, in turn; numbered frames, so that loss, order and
 *             repetition show for each flow (sequence.h)
 *   replay    frames of a capture instead, as they are: not numbered, and not answered
 *   window    frames in flight to one target at most; 0: no bound. What lies behind the
 *             newest answer is not in flight any more, since a node answers in order
 *
 * Sent frames are counted when they are handed out. At its end
 *
 *   sent = received - duplicates + lost
 *
 * Bytes are of frames with their FCS, as rate.h has them. Pure: no clock, no I/O; memory
 * is taken by create. One thread at a time, but for what is said to be for any thread.
 */
#ifndef WM_GEN_TRAFFIC_H
#define WM_GEN_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "bucket.h"
#include "capture.h"
#include "frame.h"
#include "histogram.h"
#include "rate.h"
#include "replay.h"
#include "sequence.h"
#include "sizes.h"
#include "wiremill/kernel.h"
#include "wiremill/limits.h"
#include "wiremill/wire.h"

enum wm_traffic_mode {
	WM_TRAFFIC_TRANSMIT,  /* answers are counted, not waited for */
	WM_TRAFFIC_ROUNDTRIP, /* each frame is to come back */
	WM_TRAFFIC_RECEIVE,
	WM_TRAFFIC_ECHO,   /* what is received goes back */
	WM_TRAFFIC_REPLAY, /* of a capture; nothing is counted of what comes */
};

#define WM_TRAFFIC_NAME_BYTES 32
/* Machines whose frames are told apart where frames are only received. */
#define WM_TRAFFIC_SOURCES_MAX 16u

struct wm_traffic_address {
	char name[WM_TRAFFIC_NAME_BYTES];
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	uint32_t session; /* 0: no node */
};

/* When a frame was to leave, of which its answer cannot say so itself: of the newest of
 * one target. */
#define WM_TRAFFIC_TIMES 1024u

struct wm_traffic_time {
	uint32_t batch_sequence;
	uint64_t intended_ns;
};

struct wm_traffic_config {
	enum wm_traffic_mode mode;
	/* NULL: probes. Else MAP frames of whole elements, elements_max at most, answered
	 * by RESULTs; with one flow */
	const struct wm_kernel *kernel;
	uint32_t elements_max;
	const struct wm_capture *capture; /* to be replayed; outlives the traffic */
	uint64_t passes;		  /* over it; 0: no end */
	bool keep_source;		  /* and not the port's own address */
	/* To be replayed: none, or one that gets all frames. */
	const struct wm_traffic_address *targets;
	uint32_t target_count;
	uint32_t flows;	 /* of each target; of each source at most */
	uint32_t run;	 /* in every frame */
	uint32_t window; /* 0: none */
	struct wm_size_point size;
	struct wm_rate rate;
	uint32_t burst_frames; /* of these at once; 1: evenly */
	uint64_t depth_ns;     /* of the bucket: how far behind it may catch up */
	uint64_t count_max;    /* frames, 0: no end */
	uint64_t duration_ns;  /* 0: no end */
	uint64_t idle_ns;      /* without a frame: then what is missing is lost; where
				  frames are only received: then it is over; 0: never */
};

struct wm_traffic_count {
	uint64_t frames, bytes;
};

struct wm_traffic_totals {
	struct wm_traffic_count sent, received; /* received: with duplicates */
	uint64_t duplicates, reordered, late, damaged;
	uint64_t expected; /* where frames are only received: that must have been sent */
};

struct wm_traffic_target {
	struct wm_traffic_address address;
	struct wm_traffic_totals totals;
	struct wm_histogram *latency; /* from when a frame should have left; NULL: sources */
	struct wm_sequence *flows;
	uint64_t *next;		       /* of each flow: the number of its next frame */
	struct wm_traffic_time *times; /* of sequences, with a kernel */
	uint32_t flow;		       /* whose turn it is */
	uint32_t run;		       /* of a source: the run that it sends */
	/* sequences */
	uint32_t batch_sequence; /* of the next frame */
	uint32_t answered;	 /* all below are answered or lost */
	uint64_t progress_ns;	 /* when `answered` last moved, or nothing was in flight */
};

struct wm_traffic {
	struct wm_traffic_config config;
	struct wm_traffic_target *targets;
	uint32_t target_count, targets_max;
	uint16_t by_session[WM_NODES_MAX]; /* place of the target with those low bits */
	struct wm_traffic_totals totals;
	struct wm_size_cycle sizes;
	struct wm_bucket bucket;
	struct wm_replay replay;
	uint64_t start_ns, send_end_ns; /* send_end_ns 0: it still sends */
	uint64_t first_ns, last_ns;	/* arrivals */
	uint64_t behind_max_ns;		/* of the frame that was sent latest, behind its time */
	uint64_t stalls;		/* windows given up since nothing came back */
	uint64_t busy_ns;		/* of polls that did something; whoever polls adds */
	uint32_t link_downs; /* times the port lost its link meanwhile; the control thread's */
	uint64_t strangers;  /* frames from more machines or flows than there is room for */
	bool stopped;
	int result; /* 0, or why it failed */
	/* the next frame */
	uint32_t target; /* whose turn it is */
	uint32_t bytes;
	uint32_t elements; /* with a kernel */
};

/* A frame to be sent now. */
struct wm_traffic_send {
	const uint8_t *mac;	 /* NULL: the recorded one */
	const uint8_t *recorded; /* the frame itself, of a capture; NULL: none */
	uint32_t recorded_bytes;
	uint32_t session, run, batch_sequence;
	uint64_t sequence, intended_ns;
	uint16_t flow;
	uint16_t bytes;
	uint16_t elements; /* with a kernel */
};

/* A frame that came. A RESULT has no times and no flow. */
struct wm_traffic_arrival {
	uint8_t mac[WM_ETHER_ADDR_BYTES]; /* of who sent it */
	uint16_t flow;
	uint32_t session, run, batch_sequence, bytes;
	uint64_t sequence, intended_ns, now_ns;
};

/* NULL: no memory. */
struct wm_traffic *wm_traffic_create(const struct wm_traffic_config *config);
void wm_traffic_destroy(struct wm_traffic **traffic);

/* False: nothing is to be sent now. */
bool wm_traffic_next(struct wm_traffic *traffic, uint64_t now_ns, struct wm_traffic_send *send);
/* WM_DROP_NONE, or why it is not of this traffic: WM_DROP_JOB, WM_DROP_SESSION (of
 * nobody here), WM_DROP_BATCH (was never sent), WM_DROP_DUPLICATE. */
enum wm_drop wm_traffic_arrived(struct wm_traffic *traffic,
				const struct wm_traffic_arrival *arrival);
/* Its bytes are not what was sent; who sent it is believed. */
void wm_traffic_damaged(struct wm_traffic *traffic, const uint8_t mac[WM_ETHER_ADDR_BYTES]);
/* Elements of output in a MAP frame of that size, 0: it holds none. */
uint32_t wm_traffic_elements(const struct wm_kernel *kernel, uint32_t frame_bytes);
/* Of frames of its own. */
static inline bool wm_traffic_mode_sends(enum wm_traffic_mode mode)
{
	return mode != WM_TRAFFIC_RECEIVE && mode != WM_TRAFFIC_ECHO;
}
/* Does it count what comes? */
static inline bool wm_traffic_mode_receives(enum wm_traffic_mode mode)
{
	return mode != WM_TRAFFIC_TRANSMIT && mode != WM_TRAFFIC_REPLAY;
}
/* Its name, or its address where it has none. */
void wm_traffic_address_name(char name[WM_TRAFFIC_NAME_BYTES],
			     const struct wm_traffic_address *address);
/* Are frames sent back? */
static inline bool wm_traffic_reflects(const struct wm_traffic *traffic)
{
	return traffic->config.mode == WM_TRAFFIC_ECHO;
}

/* Sends no more. */
void wm_traffic_stop(struct wm_traffic *traffic, uint64_t now_ns);
/* The same, since the port failed: -EIO. */
void wm_traffic_fail(struct wm_traffic *traffic, int result, uint64_t now_ns);
bool wm_traffic_is_over(struct wm_traffic *traffic, uint64_t now_ns);

/* Numbered frames of that target that did not come. Where frames are only received,
 * those below the highest that came. */
uint64_t wm_traffic_lost(const struct wm_traffic *traffic, const struct wm_traffic_target *target);
/* Of all targets. */
uint64_t wm_traffic_lost_of_all(const struct wm_traffic *traffic);

/* From any thread, of all or of a target. Each figure is whole; together they may be of two
 * instants. So is a latency that is merged (histogram.h). */
void wm_traffic_get_totals(const struct wm_traffic_totals *from, struct wm_traffic_totals *totals);
/* From any thread: targets that there are by now. Their addresses stay. */
uint32_t wm_traffic_target_count(const struct wm_traffic *traffic);

#endif
