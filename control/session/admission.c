/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is let in: by a HELLO, or with a key by what proves it; and who is not. The states are
 * drawn in membership.h.
 */
#include "membership_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mac.h"

/* As long as a session may be silent: then its node has asked anew. */
#define CANDIDATE_NS (WM_DEAD_MS * WM_NS_PER_MS)
/* Two machines with one address take each other's place about twice a second. */
#define TWIN_REASON "another machine here has its MAC address"
#define TWIN_BEATS 3u
#define TWIN_NS (10 * WM_NS_PER_S)
#define TWIN_REST_NS (30 * WM_NS_PER_S)

/* Whoever had the place before has left it. */
static void admit(struct wm_membership *membership, struct wm_member *member,
		  const struct wm_hello *hello, const uint8_t *mac, uint32_t session,
		  uint64_t now_ns)
{
	assert(!wm_member_is_in(member) && member->candidate.expires_ns == 0);
	assert(hello->mtu >= WM_MTU_MIN &&
	       (session & (WM_NODES_MAX - 1)) == membership_index(membership, member));
	if (memcmp(member->mac, mac, WM_ETHER_ADDR_BYTES) != 0)
		member->results = member->resends = member->former = member->twin_beats = 0;
	member->hello = *hello;
	if (member->hello.capacity > WM_NODE_WINDOW_MAX)
		member->hello.capacity = WM_NODE_WINDOW_MAX;
	memcpy(member->mac, mac, WM_ETHER_ADDR_BYTES);
	memset(&member->beat, 0, sizeof(member->beat));
	member->session = session;
	member_enter(member, WM_MEMBER_ADMITTED);
	member->reason[0] = '\0';
	member->received_ns = now_ns;
	member_forget_asked(member);
	wm_log_info("node %s admitted: MTU %" PRIu32 ", %s%s, AF_XDP %s, %" PRIu32 " batches",
		    hello->name, hello->mtu, hello->device, hello->software ? " (software)" : "",
		    hello->xdp_mode, member->hello.capacity);
	memset(&member->path, 0, sizeof(member->path));
	wm_membership_look(membership, membership_index(membership, member), now_ns);
	membership_report(membership, member, WM_MEMBER_CHANGE_ADMITTED);
	membership_ask_for_all(membership, member, now_ns);
}

static void end_former_life(struct wm_membership *membership, struct wm_member *member)
{
	if (!wm_member_is_in(member))
		return;
	wm_log_info("node %s joins anew", member->hello.name);
	member->former = member->session;
	memcpy(member->former_name, member->hello.name, sizeof(member->former_name));
	membership_end_session(membership, member, WM_MEMBER_GONE, "it started again");
}

static void refuse(struct wm_membership *membership, struct wm_member *member,
		   const struct wm_hello *hello, const uint8_t *mac, const char *reason)
{
	bool known;

	membership_send_refusal(membership, mac, hello, reason);
	/* With a key, the HELLO may be a recording: who is in stays in. */
	if (!member || member->state == WM_MEMBER_QUARANTINED ||
	    (wm_member_is_in(member) && (membership->key || member->twin_beats >= TWIN_BEATS)))
		return;
	known = member->state == WM_MEMBER_REFUSED &&
		(membership->key || member->hello.nonce == hello->nonce);
	membership_end_session(membership, member, WM_MEMBER_REFUSED, reason);
	member->hello = *hello;
	memcpy(member->mac, mac, WM_ETHER_ADDR_BYTES);
	if (!known)
		wm_log_warning("node %s refused: %s", hello->name, reason);
}

/* Whether there is a reason to refuse it, which it is told. */
static bool refuse_if_unfit(struct wm_membership *membership, struct wm_member *member,
			    const struct wm_hello *hello, const uint8_t *mac, uint64_t now_ns)
{
	char reason[WM_MESSAGE_TEXT_BYTES - 32];

	if (!member)
		snprintf(reason, sizeof(reason), "the rack is full (%u nodes)", WM_NODES_MAX);
	else if (member->state == WM_MEMBER_QUARANTINED)
		snprintf(reason, sizeof(reason), "it %.100s", member->reason);
	else if (now_ns < member->twin_until_ns)
		snprintf(reason, sizeof(reason), "%s", TWIN_REASON);
	else if (hello->mtu < WM_MTU_MIN)
		snprintf(reason, sizeof(reason),
			 "its MTU of %" PRIu32 " is too small: set at least %u", hello->mtu,
			 WM_MTU_MIN);
	else
		return false;
	refuse(membership, member, hello, mac, reason);
	return true;
}

/* ---- without a key: a HELLO is enough ---------------------------------------------- */

static void receive_hello(struct wm_membership *membership, const uint8_t *source,
			  const struct wm_hello *hello, uint64_t now_ns)
{
	struct wm_member *member = membership_find(membership, source);
	uint32_t session;

	if (member && wm_member_is_in(member) && member->hello.nonce == hello->nonce) {
		member->received_ns = now_ns;
		/* the first one was lost */
		membership_send_welcome(membership, source, hello, member->session, 0);
		return;
	}
	if (!member)
		member = membership_find_place(membership);
	if (refuse_if_unfit(membership, member, hello, source, now_ns))
		return;
	session = membership_draw_session(membership, member);
	end_former_life(membership, member);
	membership_send_welcome(membership, source, hello, session, 0);
	admit(membership, member, hello, source, session, now_ns);
}

static void receive_unkeyed_hello(struct wm_membership *membership, const uint8_t *source,
				  const struct wm_wire_header *header, const uint8_t *body,
				  uint64_t now_ns)
{
	struct wm_hello hello;

	if (wm_message_decode_hello(body, header->count, &hello) == 0) {
		receive_hello(membership, source, &hello, now_ns);
	} else if (header->count > WM_AUTH_TRAILER_BYTES &&
		   wm_message_decode_hello(body, header->count - WM_AUTH_TRAILER_BYTES, &hello) ==
			   0) {
		membership->counts.unkeyed++;
		membership_send_hint(
			membership, source,
			"refused: this controller has no key: start it with --key FILE");
	} else {
		membership->ignored++;
	}
}

/* ---- with a key: a candidate, and a proof ------------------------------------------- */

void candidate_end(struct wm_candidate *candidate)
{
	wm_auth_end(&candidate->auth);
	explicit_bzero(candidate->frame_key, sizeof(candidate->frame_key));
	candidate->expires_ns = 0;
}

static void candidate_begin(struct wm_membership *membership, struct wm_member *member,
			    const uint8_t *mac, const struct wm_hello *hello, uint64_t now_ns)
{
	struct wm_candidate *candidate = &member->candidate;
	struct wm_auth_bond bond = membership_make_bond(WM_AUTH_SESSION, mac, hello->nonce);

	assert(membership->key && member->state != WM_MEMBER_QUARANTINED);
	candidate->hello = *hello;
	memcpy(candidate->mac, mac, WM_ETHER_ADDR_BYTES);
	candidate->session = membership_draw_session(membership, member);
	wm_auth_random(&candidate->nonce, sizeof(candidate->nonce));
	candidate->expires_ns = now_ns + CANDIDATE_NS;

	bond.controller_nonce = candidate->nonce;
	bond.session = candidate->session;
	memcpy(bond.controller, membership->controller, sizeof(bond.controller));
	wm_auth_begin(&candidate->auth, membership->key, &bond);
	wm_auth_frame_key(candidate->frame_key, membership->key, &bond);
}

static void receive_proven_hello(struct wm_membership *membership, const uint8_t *source,
				 const struct wm_hello *hello, uint64_t now_ns)
{
	struct wm_member *member = membership_find(membership, source);
	struct wm_candidate *candidate;

	/* Its node has answered the WELCOME: it asks no more. */
	if (member && wm_member_is_in(member) && member->hello.nonce == hello->nonce) {
		membership->counts.replayed++;
		return;
	}
	if (!member)
		member = membership_find_place(membership);
	if (refuse_if_unfit(membership, member, hello, source, now_ns))
		return;
	candidate = &member->candidate;
	if (candidate->expires_ns == 0 || candidate->hello.nonce != hello->nonce)
		candidate_begin(membership, member, source, hello, now_ns);
	membership_send_welcome(membership, source, hello, candidate->session, candidate->nonce);
}

static void receive_unproven_hello(struct wm_membership *membership, const uint8_t *source,
				   const struct wm_wire_header *header, const uint8_t *body)
{
	struct wm_hello hello;

	if (wm_message_decode_hello(body, header->count, &hello) == 0) {
		membership->counts.unkeyed++;
		membership_send_hint(membership, source,
				     "refused: this controller wants its key: give --key FILE");
		return;
	}
	membership->counts.forged++;
	membership_send_hint(
		membership, source,
		"refused: this controller does not know the key: give both the same --key FILE");
}

static void receive_keyed_hello(struct wm_membership *membership, const uint8_t *source,
				const struct wm_wire_header *header, const uint8_t *body,
				uint64_t now_ns)
{
	const struct wm_auth_bond bond = membership_make_bond(WM_AUTH_HELLO, source, 0);
	struct wm_hello hello;
	struct wm_auth auth;
	int bytes;

	wm_auth_begin(&auth, membership->key, &bond);
	bytes = wm_auth_open(&auth, WM_AUTH_NODE, header, body);
	wm_auth_end(&auth);
	if (bytes < 0)
		receive_unproven_hello(membership, source, header, body);
	else if (wm_message_decode_hello(body, (size_t)bytes, &hello) == 0)
		receive_proven_hello(membership, source, &hello, now_ns);
	else
		membership->ignored++;
}

/* The candidate has proved the key: it is the node, and what was before is over. */
void candidate_admit(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns)
{
	struct wm_candidate *candidate = &member->candidate;

	assert(membership->key && candidate->expires_ns != 0);
	end_former_life(membership, member);
	member->auth = candidate->auth;
	memcpy(member->frame_key, candidate->frame_key, sizeof(member->frame_key));
	candidate_end(candidate);
	admit(membership, member, &candidate->hello, candidate->mac, candidate->session, now_ns);
}

void membership_receive_hello(struct wm_membership *membership, const uint8_t *source,
			      const struct wm_wire_header *header, const uint8_t *body,
			      uint64_t now_ns)
{
	if (membership->key)
		receive_keyed_hello(membership, source, header, body, now_ns);
	else
		receive_unkeyed_hello(membership, source, header, body, now_ns);
}

/* ---- one address, two machines -------------------------------------------------------- */

/* A life that ended because another began, and still beats: two machines, one address. Who
 * is in stays in, and the other is told, so that they do not take turns. */
void membership_look_for_twin(struct wm_membership *membership, const uint8_t *source,
			      uint32_t session, uint64_t now_ns)
{
	struct wm_member *member = membership_find(membership, source);
	char mac[WM_MAC_TEXT_BYTES];

	if (!member || session == 0 || member->former != session)
		return;
	if (now_ns - member->twin_ns > TWIN_NS) {
		member->twin_ns = now_ns;
		member->twin_beats = 0;
	}
	if (++member->twin_beats != TWIN_BEATS)
		return;
	wm_mac_format(mac, source);
	wm_log_warning("two machines have the MAC address %s, and take turns as node %s and node "
		       "%s: give one of them another ('ip link set IF address ...')",
		       mac, member->former_name, member->hello.name);
	member->twin_until_ns = now_ns + TWIN_REST_NS;
}
