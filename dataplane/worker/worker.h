/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's loop: frames in, rows to the executor, results out.
 *
 *   port ──▶ check ──▶ gather rows ──▶ submit ──▶ complete ──▶ header, CRC ──▶ port
 *                │                        up to WM_EXECUTOR_SUBMISSIONS in flight
 *                ├─ ECHO: answered at once
 *                └─ control frame: to the callback
 *
 * What one drain of the port gave is submitted at once while the GPU has less
 * than two submissions to do, and gathered otherwise: a lone frame is not kept
 * waiting, and a stream makes large dispatches by itself.
 *
 * A batch that the executor refuses is answered by a RESULT of no elements. Once the
 * device is lost nothing that it had is answered, since nobody knows what it did: to the
 * controller these frames were lost on their way, and it sends them again.
 *
 * Frames that there is no room for stay in the port's ring. A frame that fails
 * a check is counted by reason and dropped.
 *
 * The worker knows nothing of membership: whoever does sets session,
 * controller and job. One thread; nothing is allocated after create.
 */
#ifndef WM_WORKER_H
#define WM_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "port_xsk.h"
#include "wiremill/executor.h"

/* Rows of one submission: about half of a window of jumbo frames (70, limits.h) and just that
 * of a veth's, so that one half computes while the other arrives. At MTU 1500 eight of them
 * are a window: the executor has some in hand, the ring of the port holds the others. */
#define WM_WORKER_ROWS_MAX (WM_NODE_WINDOW_VETH / 2)

struct wm_worker;

/* A control frame that is whole and undamaged; body is header->count bytes.
 * Returns why it is to be dropped, or WM_DROP_NONE. */
typedef enum wm_drop (*wm_worker_control)(void *context, const struct wm_wire_header *header,
					  const uint8_t *body);

struct wm_worker_config {
	struct wm_xsk *xsk;	      /* both outlive the worker */
	struct wm_executor *executor; /* made with rows_max = WM_WORKER_ROWS_MAX */
	wm_worker_control control;
	void *context;
};

struct wm_worker_counters {
	uint64_t batches;  /* MAP frames accepted */
	uint64_t results;  /* RESULT frames sent */
	uint64_t failures; /* RESULT frames that say "could not" */
	uint64_t lost;	   /* batches that were with a device when it was lost */
	uint64_t held;	   /* batches that are here now, neither answered nor lost */
	uint64_t echoes;
	uint64_t copied_bytes; /* payload that this program moved for the GPU */
	struct wm_drops drops;
};

/* Returns 0 or -ENOMEM. */
int wm_worker_create(struct wm_worker **worker, const struct wm_worker_config *config);
/* Nothing may be in flight: wm_worker_finish comes first. Leaves NULL. */
void wm_worker_destroy(struct wm_worker **worker);

/* Session 0: not a member. Frames of any other session are dropped. */
void wm_worker_set_session(struct wm_worker *worker, uint32_t session,
			   const uint8_t controller[WM_ETHER_ADDR_BYTES]);
/* Of the session: every MAP must have a tag by it, and every RESULT gets one. NULL:
 * the CRC is enough. The key stays the caller's; it is there until another call. */
void wm_worker_set_frame_key(struct wm_worker *worker, const uint8_t *key);
/* What MAP frames may ask for; a kernel of NULL: nothing. The executor was
 * prepared for it, with nothing in flight. */
void wm_worker_set_job(struct wm_worker *worker, uint32_t job, const struct wm_kernel *kernel,
		       uint32_t batch_elements);

/* Does what can be done now. Returns how many frames and submissions moved (0:
 * idle), -EIO: the executor's device is lost (see wm_worker_forget), or -ENXIO: the
 * interface is gone. */
int wm_worker_step(struct wm_worker *worker);
/* Sleeps until there may be something to do, `fd` is readable (-1: none), or
 * timeout_ns has passed. */
void wm_worker_wait(struct wm_worker *worker, int fd, uint64_t timeout_ns);
/* Submits what was gathered, and sends every result of what is in flight.
 * Returns 0, or -EIO: the device is lost, and not all was. */
int wm_worker_finish(struct wm_worker *worker);
/* The device that had it was lost, and owns nothing any more (wm_executor_rebuild): all
 * that was gathered or in flight is forgotten. */
void wm_worker_forget(struct wm_worker *worker);

/* Sends a control frame. False: no room (it is as if it had been lost). */
bool wm_worker_send_control(struct wm_worker *worker,
			    const uint8_t destination[WM_ETHER_ADDR_BYTES],
			    const struct wm_wire_header *header, const void *body,
			    size_t body_bytes);

void wm_worker_get_counters(const struct wm_worker *worker, struct wm_worker_counters *counters);

#endif
