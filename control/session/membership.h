/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Membership: who is in the rack, and who is ready for the job.
 *
 *             HELLO/WELCOME            KERNEL/ACK
 *   (unknown) ─────────────▶ admitted ───────────▶ ready
 *                  │             │ ▲                │
 *                  ▼ BYE         │ └── job ends ────┤
 *               refused          └─ silence, BYE ───┴──▶ gone
 *
 * A node is known by its MAC address. Each start of it (a new nonce in HELLO)
 * gets a new session, which ends the old one; the low bits of a session are the
 * node's index, the others are random, so that a frame finds its node at once
 * and frames of an earlier life find none.
 *
 * With a cluster key (auth.h) every frame has to prove that its sender has it,
 * and a HELLO, which may be a recording, ends and begins nothing by itself:
 *
 *   HELLO ──▶ candidate (WELCOME) ── its first frame, under its own key ──▶ admitted
 *                 │                                     (the session before ends here)
 *                 └─ expires; a HELLO with another nonce takes its place
 *
 * There is one candidate at most for an address, which takes the place that its
 * node has or would have. Whoever can repeat old HELLOs faster than a node
 * answers its WELCOME can keep it out, as whoever can flood its link can.
 *
 * A frame that proves nothing costs one or two hashes. It is counted by reason,
 * seen in the log every ten seconds at most, and answered, where an honest
 * mistake would want to be told, within a budget.
 *
 * No socket, no clock, no lane: frames leave and changes are told through the
 * callbacks, time is passed in. One thread (the daemon's).
 */
#ifndef WM_MEMBERSHIP_H
#define WM_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "message.h"
#include "path.h"
#include "transfer.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"
#include "wiremill/wire.h"

#define WM_BEAT_MS 1000u
#define WM_DEAD_MS 5000u

enum wm_member_state {
	WM_MEMBER_UNKNOWN, /* nobody has this index */
	WM_MEMBER_ADMITTED,
	WM_MEMBER_READY, /* prepared for the job */
	WM_MEMBER_REFUSED,
	WM_MEMBER_GONE,
	WM_MEMBER_QUARANTINED, /* computed wrong: not let in until an operator admits it */
};

/* Who has said HELLO, and would be admitted by a frame that proves the key. */
struct wm_candidate {
	uint64_t expires_ns; /* 0: there is none */
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	struct wm_hello hello;
	uint32_t session;
	uint64_t nonce; /* the controller's */
	struct wm_auth auth;
	uint8_t frame_key[WM_KEY_BYTES];
};

/* A job that nodes prepare for, and take part in. */
struct wm_membership_job {
	uint32_t id;  /* 0: a free entry */
	uint32_t mtu; /* of its frames */
	struct wm_kernel_message kernel;
};

/* Of a member, in the job that has the same place in its table. */
struct wm_member_job {
	bool asked;    /* KERNEL was sent */
	bool answered; /* its ACK came */
	bool lacks;    /* its answer was that it has not the kernel's object, which it gets */
	uint64_t asked_ns;
	uint32_t failures;  /* to prepare */
	uint32_t took_part; /* in the job of that id; kept when it leaves */
};

/* An object on its way to a member, for a job that is in the table. */
struct wm_membership_transfer {
	struct wm_member *member; /* NULL: a free entry */
	const struct wm_membership_job *job;
	struct wm_transfer transfer;
};

struct wm_member {
	enum wm_member_state state;
	uint32_t session;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	struct wm_hello hello;
	struct wm_beat beat;
	uint64_t received_ns;
	struct wm_path path; /* to it, of this session */
	uint32_t former;     /* the session before, which ended since it "started again" */
	uint32_t twin_beats; /* of that session since twin_ns: somebody else has this address */
	uint64_t twin_ns, twin_until_ns; /* until then nobody of this address is let in */
	char former_name[WM_NODE_NAME_BYTES];
	char reason[WM_MESSAGE_TEXT_BYTES + 64]; /* refused, gone, not ready */
	struct wm_member_job jobs[WM_RUNNING_JOBS_MAX];
	uint64_t results, resends; /* batches of ended jobs */
	/* with a key */
	struct wm_auth auth; /* of the session */
	uint8_t frame_key[WM_KEY_BYTES];
	struct wm_candidate candidate;
};

enum wm_member_change {
	WM_MEMBER_CHANGE_ADMITTED,
	WM_MEMBER_CHANGE_READY,
	WM_MEMBER_CHANGE_BEAT,
	WM_MEMBER_CHANGE_DEVICE_LOST, /* and made anew, since its last beat */
	WM_MEMBER_CHANGE_UNFIT,	      /* it was ready, and what this job sends does not reach it */
	WM_MEMBER_CHANGE_LEFT,	      /* its session is over */
};

struct wm_membership_calls {
	void *context;
	/* A control frame to that address. Lost if there is no room: it is repeated. */
	void (*send)(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
		     const struct wm_wire_header *header, const void *body, size_t body_bytes);
	void (*change)(void *context, uint32_t index, enum wm_member_change change);
	/* An ECHO frame that fills this MTU; its echo goes to wm_membership_receive_echo. NULL: no
	 * path is looked at. */
	void (*probe)(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
		      const struct wm_wire_header *header, uint32_t mtu);
	/* The MTU that our port to that address has now; 0: as at the start. NULL: so has each. */
	uint32_t (*port_mtu)(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES]);
	/* The object of a job's kernel (wiremill/kernel_object.h), there until
	 * wm_membership_job_end. NULL: no job has any but built-in ones. */
	const uint8_t *(*find_object)(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES],
				      size_t *bytes_count);
};

struct wm_membership {
	struct wm_membership_calls calls;
	uint8_t controller[WM_ETHER_ADDR_BYTES];
	struct wm_member members[WM_NODES_MAX];
	uint32_t count;	   /* 1 + highest index in use */
	uint32_t mtu_most; /* of our own ports; the caller may lower it at the start */
	struct wm_membership_job jobs[WM_RUNNING_JOBS_MAX];
	/* One for a member; who finds none free gets its turn. */
	struct wm_membership_transfer transfers[WM_KERNEL_TRANSFERS_MAX];
	struct wm_transfer_share share; /* of all of them, while a job runs */
	uint64_t share_ns;
	uint64_t tick_ns; /* the last one: nobody was heard while nobody listened */
	uint64_t ignored; /* control frames that made no sense, or came from nobody */
	/* the key */
	const struct wm_key *key;     /* NULL: none */
	enum wm_wire_auth frame_auth; /* of MAP and RESULT */
	struct wm_auth_counts counts;
	uint32_t answers_left; /* to frames that prove nothing, until the next tick */
	uint64_t warned;       /* counts.forged + counts.unkeyed when it was last said */
	uint64_t warn_ns;      /* not before */
	uint8_t suspect[WM_ETHER_ADDR_BYTES]; /* who sent the last of them, as it says */
};

void wm_membership_init(struct wm_membership *membership, const struct wm_membership_calls *calls,
			const uint8_t controller[WM_ETHER_ADDR_BYTES]);

/* From the start: whoever has not this key is kept out. It outlives membership. */
void wm_membership_use_key(struct wm_membership *membership, const struct wm_key *key);
/* What members are told to prove by each MAP and RESULT; aead needs the key. */
void wm_membership_authenticate_frames(struct wm_membership *membership, enum wm_wire_auth auth);

/* Of several ports: what is received from now on came to this one. */
void wm_membership_receive_on(struct wm_membership *membership,
			      const uint8_t controller[WM_ETHER_ADDR_BYTES]);
/* A checked control frame from that address. */
void wm_membership_receive(struct wm_membership *membership,
			   const uint8_t source[WM_ETHER_ADDR_BYTES],
			   const struct wm_wire_header *header, const uint8_t *body,
			   uint64_t now_ns);
/* An ECHO frame came back: a whole one, though its body is not looked at. */
void wm_membership_receive_echo(struct wm_membership *membership,
				const uint8_t source[WM_ETHER_ADDR_BYTES],
				const struct wm_wire_header *header, uint64_t now_ns);
/* Every 100 ms or so: ends silent sessions, repeats what was not answered. */
void wm_membership_tick(struct wm_membership *membership, uint64_t now_ns);

/* Asks every admitted node whose MTU is large enough to prepare, and whoever joins
 * later. One that fails is asked again after 1, 2, 4 and 8 s (KERNEL's batch counts). One that
 * has not the kernel gets it first. */
void wm_membership_job_begin(struct wm_membership *membership, uint32_t job,
			     const struct wm_layout *layout, uint32_t mtu, uint64_t now_ns);
/* Not an error if it never began. */
void wm_membership_job_end(struct wm_membership *membership, uint32_t job);
/* It fell silent: do large frames still reach it? */
void wm_membership_look(struct wm_membership *membership, uint32_t index, uint64_t now_ns);
/* Whether it is being found out what reaches somebody who has just come. A second or two. */
bool wm_membership_paths_are_open(const struct wm_membership *membership, uint64_t now_ns);
/* Somebody who is in and whom the running job's frames do not reach; NULL: nobody. */
const struct wm_member *wm_membership_find_unreached(const struct wm_membership *membership);
/* Has everybody who was asked answered? */
bool wm_membership_job_is_answered(const struct wm_membership *membership, uint32_t job);
/* Has that one? Whether it was asked or not. */
bool wm_membership_has_answered(const struct wm_membership *membership,
				const struct wm_member *member, uint32_t job);

/* The node computed wrong: its session ends, if it has not left yet, and its address
 * gets no other until wm_membership_admit. Its place is its own while the job lasts that
 * it took part in, so that index names it for as long as anybody may ask for it. */
void wm_membership_quarantine(struct wm_membership *membership, uint32_t index, const char *reason);
/* That address was in quarantine when an earlier life of the controller ended. Before
 * anybody joins. -ENOSPC: there is no place for it. */
int wm_membership_recall(struct wm_membership *membership, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			 const char *name, const char *reason);
/* An operator trusts that address again. -EINVAL: it is not in quarantine. */
int wm_membership_admit(struct wm_membership *membership, uint32_t index);

/* Says BYE to everybody: the controller stops. */
void wm_membership_close(struct wm_membership *membership, const char *reason);

bool wm_member_is_in(const struct wm_member *member); /* admitted or ready */
/* What reaches it: of its link, or of the path to it where that is less. */
uint32_t wm_member_mtu(const struct wm_member *member);
/* Somebody has set our own port to it to less than MTU since the start. */
bool wm_membership_port_is_below(const struct wm_membership *membership,
				 const struct wm_member *member, uint32_t mtu);
/* It is in, and its path passes less than the links at both ends. */
bool wm_member_path_is_narrow(const struct wm_member *member);
uint32_t wm_membership_count(const struct wm_membership *membership, enum wm_member_state state);
/* Admitted, ready or not. */
uint32_t wm_membership_count_in(const struct wm_membership *membership);
/* The smallest that reaches those who are in, at most mtu_max; *index is whose. */
uint32_t wm_membership_find_mtu(const struct wm_membership *membership, uint32_t mtu_max,
				uint32_t *index);
const char *wm_member_state_name(enum wm_member_state state);

#endif
