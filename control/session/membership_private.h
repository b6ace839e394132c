/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of membership share, from the bottom:
 *
 *   member.c            places, sessions, states
 *   membership_send.c   frames out
 *   membership_job.c    who is asked to prepare, and who has
 *   membership_transfer.c  kernels on their way to who has them not
 *   membership_path.c   what passes to them
 *   admission.c         who is let in, and who is not
 *   membership.c        what members say, and time
 */
#ifndef WM_MEMBERSHIP_PRIVATE_H
#define WM_MEMBERSHIP_PRIVATE_H

#include "membership.h"

/* ---- member.c --------------------------------------------------------------------- */

/* The only way from one state to the next: asserts that there is one. */
void member_enter(struct wm_member *member, enum wm_member_state state);
uint32_t membership_index(const struct wm_membership *membership, const struct wm_member *member);
/* To who has asked for changes: after it, but for what ends with it. */
void membership_report(struct wm_membership *membership, const struct wm_member *member,
		       enum wm_member_change change);
/* NULL: nobody, or no place. */
struct wm_member *membership_find(struct wm_membership *membership, const uint8_t *mac);
struct wm_member *membership_find_session(struct wm_membership *membership, uint32_t session,
					  const uint8_t *source, bool *proves);
struct wm_member *membership_find_place(struct wm_membership *membership);
uint32_t membership_draw_session(const struct wm_membership *membership,
				 const struct wm_member *member);
/* Who is not in ends up in that state as well. */
void membership_end_session(struct wm_membership *membership, struct wm_member *member,
			    enum wm_member_state state, const char *reason);

/* It was asked for none of the jobs. */
void member_forget_asked(struct wm_member *member);

/* ---- membership_send.c -------------------------------------------------------------- */

/* The body has room for a trailer (WM_AUTH_BODY_BYTES_MAX). */
void membership_send(struct wm_membership *membership, struct wm_member *member,
		     const struct wm_wire_header *header, uint8_t *body, size_t body_bytes);
void membership_send_bye(struct wm_membership *membership, struct wm_member *member,
			 const char *text);
void membership_send_welcome(struct wm_membership *membership, const uint8_t *mac,
			     const struct wm_hello *hello, uint32_t session, uint64_t nonce);
void membership_send_refusal(struct wm_membership *membership, const uint8_t *mac,
			     const struct wm_hello *hello, const char *reason);
struct wm_auth_bond membership_make_bond(enum wm_auth_use use, const uint8_t *node,
					 uint64_t node_nonce);
/* Within a budget, to what proves nothing. */
void membership_send_hint(struct wm_membership *membership, const uint8_t *mac, const char *text);
void membership_answer_unknown(struct wm_membership *membership, const uint8_t *source,
			       const struct wm_wire_header *beat, const uint8_t *beat_body);

/* ---- membership_job.c --------------------------------------------------------------- */

/* What the member was asked for that job. */
struct wm_member_job *member_job(const struct wm_membership *membership, struct wm_member *member,
				 const struct wm_membership_job *job);
void membership_ask(struct wm_membership *membership, const struct wm_membership_job *job,
		    struct wm_member *member, uint64_t now_ns);
/* It cannot take part, for that reason, and is asked again when it has rested. */
void membership_take_failure(struct wm_membership *membership, const struct wm_membership_job *job,
			     struct wm_member *member, const char *reason);
/* Asks a node that could take part in it, or in any job. */
void membership_ask_if_fit(struct wm_membership *membership, const struct wm_membership_job *job,
			   struct wm_member *member, uint64_t now_ns);
void membership_ask_for_all(struct wm_membership *membership, struct wm_member *member,
			    uint64_t now_ns);
/* Where it is due: it has not answered, or it failed and has rested. */
void membership_ask_again(struct wm_membership *membership, struct wm_member *member,
			  uint64_t now_ns);
void membership_receive_ack(struct wm_membership *membership, struct wm_member *member,
			    const struct wm_wire_header *header, const struct wm_ack *ack,
			    uint64_t now_ns);

/* ---- membership_transfer.c ---------------------------------------------------------- */

/* NULL, and no bytes: it is built in, or nobody has it. */
const uint8_t *membership_find_object(const struct wm_membership *membership,
				      const struct wm_kernel *kernel, size_t *bytes_count);
/* Of that job's kernel. False: too many are on their way. */
bool membership_transfer_begin(struct wm_membership *membership,
			       const struct wm_membership_job *job, struct wm_member *member,
			       uint64_t now_ns);
bool membership_transfer_is_on(const struct wm_membership *membership,
			       const struct wm_member *member);
/* Not an error if there is none. */
void membership_transfer_end(struct wm_membership *membership, const struct wm_member *member);
int membership_receive_chunk_ack(struct wm_membership *membership, struct wm_member *member,
				 const struct wm_wire_header *header, const uint8_t *body,
				 size_t body_bytes, uint64_t now_ns);
void membership_transfer_tick(struct wm_membership *membership, uint64_t now_ns);

/* ---- membership_path.c -------------------------------------------------------------- */

/* Sends what is due to find its path. */
void membership_path_tick(struct wm_membership *membership, struct wm_member *member,
			  uint64_t now_ns);

/* ---- admission.c -------------------------------------------------------------------- */

void membership_receive_hello(struct wm_membership *membership, const uint8_t *source,
			      const struct wm_wire_header *header, const uint8_t *body,
			      uint64_t now_ns);
void candidate_end(struct wm_candidate *candidate);
/* The candidate has proved the key: it is the node, and what was before is over. */
void candidate_admit(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns);
/* A beat of a session that is over. */
void membership_look_for_twin(struct wm_membership *membership, const uint8_t *source,
			      uint32_t session, uint64_t now_ns);

#endif
