/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is in: what members say, and what their silence says. The rest of it is in
 * membership_private.h. */
#include "membership_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mac.h"

/* Ticks further apart than that: this thread was busy with something else. */
#define LISTEN_NS (500 * WM_NS_PER_MS)
/* A quarter of the largest rack at once, when its controller has started again. */
#define ANSWERS_PER_TICK (WM_NODES_MAX / 4)
#define WARN_NS (10 * WM_NS_PER_S)

void wm_membership_init(struct wm_membership *membership, const struct wm_membership_calls *calls,
			const uint8_t controller[WM_ETHER_ADDR_BYTES])
{
	memset(membership, 0, sizeof(*membership));
	membership->calls = *calls;
	membership->answers_left = ANSWERS_PER_TICK;
	membership->mtu_most = WM_MTU_MAX;
	memcpy(membership->controller, controller, WM_ETHER_ADDR_BYTES);
}

void wm_membership_use_key(struct wm_membership *membership, const struct wm_key *key)
{
	membership->key = key;
}

void wm_membership_authenticate_frames(struct wm_membership *membership, enum wm_wire_auth auth)
{
	assert(membership->key || auth == WM_WIRE_CRC32C);
	membership->frame_auth = auth;
}

/* ---- frames -------------------------------------------------------------------- */

static void receive_beat(struct wm_membership *membership, struct wm_member *member,
			 const struct wm_beat *beat)
{
	const struct wm_wire_header header = { .op = WM_OP_BEAT, .session = member->session };
	uint8_t body[WM_AUTH_TRAILER_BYTES];
	bool lost = beat->device_losses > member->beat.device_losses;

	if (lost)
		wm_log_warning("node %s: its GPU was lost and made anew, %" PRIu64
			       " times by now: its dmesg has the reason",
			       member->hello.name, beat->device_losses);
	member->beat = *beat;
	membership_send(membership, member, &header, body, 0);
	membership_report(membership, member, WM_MEMBER_CHANGE_BEAT);
	if (lost)
		membership_report(membership, member, WM_MEMBER_CHANGE_DEVICE_LOST);
}

static int receive_from_member(struct wm_membership *membership, struct wm_member *member,
			       const struct wm_wire_header *header, const uint8_t *body,
			       size_t body_bytes, uint64_t now_ns)
{
	struct wm_beat beat;
	struct wm_ack ack;
	struct wm_bye bye;
	int ret;

	switch (header->op) {
	case WM_OP_BEAT:
		ret = wm_message_decode_beat(body, body_bytes, &beat);
		if (ret == 0)
			receive_beat(membership, member, &beat);
		return ret;
	case WM_OP_ACK:
		ret = wm_message_decode_ack(body, body_bytes, &ack);
		if (ret == 0)
			membership_receive_ack(membership, member, header, &ack, now_ns);
		return ret;
	case WM_OP_CHUNK_ACK:
		return membership_receive_chunk_ack(membership, member, header, body, body_bytes,
						    now_ns);
	case WM_OP_BYE:
		ret = wm_message_decode_bye(body, body_bytes, &bye);
		if (ret == 0) {
			wm_log_info("node %s leaves: %s", member->hello.name, bye.text);
			membership_end_session(membership, member, WM_MEMBER_GONE, bye.text);
		}
		return ret;
	default:
		return -1;
	}
}

void wm_membership_receive_on(struct wm_membership *membership,
			      const uint8_t controller[WM_ETHER_ADDR_BYTES])
{
	memcpy(membership->controller, controller, sizeof(membership->controller));
}

void wm_membership_receive(struct wm_membership *membership,
			   const uint8_t source[WM_ETHER_ADDR_BYTES],
			   const struct wm_wire_header *header, const uint8_t *body,
			   uint64_t now_ns)
{
	struct wm_member *member;
	int bytes = header->count;
	bool proves;

	if (header->op == WM_OP_HELLO) {
		membership_receive_hello(membership, source, header, body, now_ns);
		return;
	}
	member = membership_find_session(membership, header->session, source, &proves);
	if (!member) {
		membership->ignored++;
		if (header->op == WM_OP_BEAT)
			membership_look_for_twin(membership, source, header->session, now_ns);
		if (header->op == WM_OP_BEAT)
			membership_answer_unknown(membership, source, header, body);
		return;
	}
	if (membership->key)
		bytes = wm_auth_open(proves ? &member->candidate.auth : &member->auth, WM_AUTH_NODE,
				     header, body);
	if (bytes < 0) {
		wm_auth_count(&membership->counts, bytes);
		memcpy(membership->suspect, source, WM_ETHER_ADDR_BYTES);
		return;
	}
	if (proves)
		candidate_admit(membership, member, now_ns);
	member->received_ns = now_ns;
	if (receive_from_member(membership, member, header, body, (size_t)bytes, now_ns) < 0)
		membership->ignored++;
}

/* ---- time ------------------------------------------------------------------------ */

/* Not a line for each: whoever forges frames would fill the disk. */
static void warn_of_forgery(struct wm_membership *membership, uint64_t now_ns)
{
	const struct wm_auth_counts *counts = &membership->counts;
	char suspect[WM_MAC_TEXT_BYTES];

	if (counts->forged + counts->unkeyed == membership->warned || now_ns < membership->warn_ns)
		return;
	membership->warned = counts->forged + counts->unkeyed;
	membership->warn_ns = now_ns + WARN_NS;
	wm_mac_format(suspect, membership->suspect);
	wm_log_warning("ignored so far: %" PRIu64 " control frames by another key and %" PRIu64
		       " from where the use of --key differs, the last from %s",
		       counts->forged, counts->unkeyed, suspect);
}

static void tick_member(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns)
{
	if (now_ns > member->received_ns + WM_DEAD_MS * WM_NS_PER_MS) {
		wm_log_warning("node %s was not heard of for %u s: it is gone", member->hello.name,
			       WM_DEAD_MS / 1000);
		membership_send_bye(membership, member, "not heard of for too long");
		membership_end_session(membership, member, WM_MEMBER_GONE, "not heard of");
	} else {
		membership_ask_again(membership, member, now_ns);
	}
}

/* A thread that was kept elsewhere did not listen: that silence is its own. */
static uint64_t deaf_ns(struct wm_membership *membership, uint64_t now_ns)
{
	uint64_t since_ns = now_ns - membership->tick_ns;
	bool first = membership->tick_ns == 0;

	assert(now_ns >= membership->tick_ns);
	membership->tick_ns = now_ns;
	return first || since_ns < LISTEN_NS ? 0 : since_ns;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

void wm_membership_tick(struct wm_membership *membership, uint64_t now_ns)
{
	uint64_t excused_ns = deaf_ns(membership, now_ns);

	membership->answers_left = ANSWERS_PER_TICK;
	warn_of_forgery(membership, now_ns);
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		if (member->candidate.expires_ns != 0 && now_ns >= member->candidate.expires_ns)
			candidate_end(&member->candidate);
		if (!wm_member_is_in(member))
			continue;
		member->received_ns = earlier(now_ns, member->received_ns + excused_ns);
		membership_path_tick(membership, member, now_ns);
		tick_member(membership, member, now_ns);
	}
	membership_transfer_tick(membership, now_ns);
}

/* ---- by the word of others ------------------------------------------------------------ */

void wm_membership_quarantine(struct wm_membership *membership, uint32_t index, const char *reason)
{
	struct wm_member *member = &membership->members[index];
	char text[WM_MESSAGE_TEXT_BYTES];

	assert(index < membership->count && member->state != WM_MEMBER_UNKNOWN);
	if (member->state == WM_MEMBER_QUARANTINED)
		return;
	wm_log_error("node %s is in quarantine: it %s", member->hello.name, reason);
	snprintf(text, sizeof(text), "refused: it %.100s", reason);
	if (wm_member_is_in(member))
		membership_send_bye(membership, member, text);
	/* Its next life may be at the door. */
	candidate_end(&member->candidate);
	membership_end_session(membership, member, WM_MEMBER_QUARANTINED, reason);
}

int wm_membership_recall(struct wm_membership *membership, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			 const char *name, const char *reason)
{
	struct wm_member *member = membership_find(membership, mac);

	if (!member)
		member = membership_find_place(membership);
	if (!member)
		return -ENOSPC;
	assert(!wm_member_is_in(member));
	member_enter(member, WM_MEMBER_QUARANTINED);
	memcpy(member->mac, mac, WM_ETHER_ADDR_BYTES);
	snprintf(member->hello.name, sizeof(member->hello.name), "%s", name);
	snprintf(member->reason, sizeof(member->reason), "%s", reason);
	return 0;
}

int wm_membership_admit(struct wm_membership *membership, uint32_t index)
{
	struct wm_member *member = &membership->members[index];

	assert(index < membership->count);
	if (member->state != WM_MEMBER_QUARANTINED)
		return -EINVAL;
	assert(member->session == 0 && member->candidate.expires_ns == 0);
	member_enter(member, WM_MEMBER_GONE);
	snprintf(member->reason, sizeof(member->reason), "trusted again, not back yet");
	return 0;
}

void wm_membership_close(struct wm_membership *membership, const char *reason)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		if (!wm_member_is_in(member))
			continue;
		membership_send_bye(membership, member, reason);
		membership_end_session(membership, member, WM_MEMBER_GONE, reason);
	}
}
