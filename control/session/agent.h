/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's membership: how it finds a controller, stays with it, and leaves.
 *
 *            HELLO, broadcast, until answered
 *   ┌──────────┐ ── WELCOME with our nonce ──▶ ┌──────────┐ ── leave ──▶ ┌──────┐
 *   │  asking  │                               │  member  │    (BYE)     │ left │
 *   └──────────┘ ◀── BYE, or silence ───────── └──────────┘              └──────┘
 *
 * With a cluster key (auth.h) it takes nothing that its sender has not proved to
 * send with that key, for this node, now: a forged or repeated frame is counted
 * and has no effect, but for one line in the log where a controller seems to have
 * another key. The first beats follow each other quickly, since the first that
 * arrives makes the session.
 *
 * A kernel that is not built in is looked up by its hash. What is not here is said so
 * (ENODATA), expected, and taken as CHUNK by CHUNK comes; then KERNEL is asked again.
 *
 * KERNEL is answered when its kernel is ready, or cannot be made so. Meanwhile the member
 * beats as ever, and KERNEL may be repeated. A driver that has not come back after
 * WM_PREPARE_MAX_NS is given up, and the ACK says so.
 *
 * Pure: frames and deeds go out through `ops`, time comes in. The caller calls
 * wm_agent_tick by the deadline that it returned, at the latest. One thread.
 */
#ifndef WM_AGENT_H
#define WM_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "auth.h"
#include "kernel_cache.h"
#include "message.h"
#include "wiremill/error.h"
#include "wiremill/kernel_object.h"
#include "wiremill/limits.h"
#include "wiremill/wire.h"

/* What the agent has done; context is the config's. */
struct wm_agent_ops {
	void (*send)(void *context, const uint8_t destination[WM_ETHER_ADDR_BYTES],
		     const struct wm_wire_header *header, const void *body, size_t body_bytes);
	/* A session has begun, or (session 0) ended: no job either then. frame_key, if
	 * not NULL, is of MAP and RESULT, and valid as long as the session. */
	void (*set_session)(void *context, uint32_t session,
			    const uint8_t controller[WM_ETHER_ADDR_BYTES],
			    const uint8_t *frame_key);
	/* Begins to make ready for this job, which replaces the one before, and takes the place of
	 * what is being made ready still. 0: it is ready; -EINPROGRESS: prepared says when; or
	 * -errno. The object, NULL: the kernel is built in, is there until this returns. */
	int (*prepare)(void *context, uint32_t job, const struct wm_kernel_message *kernel,
		       const struct wm_kernel_object *object, struct wm_error *error);
	/* 0, -EINPROGRESS or -errno. */
	int (*prepared)(void *context, struct wm_error *error);
	/* It is not waited for any more. */
	void (*leave_prepared)(void *context);
	void (*count)(void *context, struct wm_beat *beat);
};

struct wm_agent_config {
	const struct wm_agent_ops *ops;
	void *context;
	struct wm_hello hello; /* its nonce is the first one, of wm_auth_random */
	uint8_t address[WM_ETHER_ADDR_BYTES];
	const struct wm_key *key;	 /* NULL: none. It outlives the agent */
	struct wm_kernel_cache *kernels; /* those that are not built in; it outlives the agent */
	bool require_aead; /* joins no controller whose frames have no tags; needs the key */
};

enum wm_agent_state { WM_AGENT_ASKING, WM_AGENT_MEMBER, WM_AGENT_LEFT };

enum wm_agent_job_state {
	WM_AGENT_JOB_FREE,
	WM_AGENT_JOB_PREPARING,
	WM_AGENT_JOB_ANSWERED,
};

/* What it was asked to prepare, and the answer: KERNEL may be repeated. */
struct wm_agent_job {
	enum wm_agent_job_state state;
	uint32_t id;
	uint64_t batch; /* of KERNEL: another one asks again for what failed */
	uint64_t since_ns;
	struct wm_kernel_message kernel;
	struct wm_ack answer;
};

struct wm_agent {
	struct wm_agent_config config;
	enum wm_agent_state state;
	uint64_t random;
	uint64_t next_ns; /* HELLO or BEAT */

	uint64_t rival_ns; /* until then another controller is not spoken of again */
	bool refused;	   /* asks less often */
	char refusal[WM_MESSAGE_TEXT_BYTES];

	uint32_t session;
	uint8_t controller[WM_ETHER_ADDR_BYTES];
	uint64_t beat_ns, dead_ns;
	uint64_t received_ns; /* when the controller was last heard */
	uint64_t batches;     /* at the last beat: they are a sign of life too */
	uint64_t transfer_id; /* of the last beat */

	/* with a key */
	struct wm_auth auth;
	uint8_t frame_key[WM_KEY_BYTES];
	bool proven;			     /* the controller has answered in this session */
	bool hinted;			     /* that its key may be another one */
	uint8_t beat_tag[WM_AUTH_TAG_BYTES]; /* of the last one */
	struct wm_auth_counts counts;

	struct wm_agent_job jobs[WM_RUNNING_JOBS_MAX];
};

void wm_agent_init(struct wm_agent *agent, const struct wm_agent_config *config, uint64_t now_ns);
/* Takes a control frame that is whole and undamaged. Returns 0; -ESTALE: not of
 * this session; -EBADMSG: its body makes no sense; -EOPNOTSUPP: not for a node;
 * -EACCES: forged; -EALREADY: repeated. */
int wm_agent_receive(struct wm_agent *agent, const struct wm_wire_header *header,
		     const uint8_t *body, uint64_t now_ns);
/* Sends what is due. Returns when it wants to be called again. */
uint64_t wm_agent_tick(struct wm_agent *agent, uint64_t now_ns);
/* Says goodbye, with the reason. Nothing is sent afterwards, and no secret stays. */
void wm_agent_leave(struct wm_agent *agent, const char *reason);

#endif
