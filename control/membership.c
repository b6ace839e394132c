/* SPDX-License-Identifier: BSD-3-Clause */
#include "membership.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "log.h"

#define ASK_AGAIN_NS (200 * WM_NS_PER_MS)

static const char *const state_names[] = {
	[WM_MEMBER_UNKNOWN] = "unknown", [WM_MEMBER_ADMITTED] = "admitted",
	[WM_MEMBER_READY] = "ready",	 [WM_MEMBER_REFUSED] = "refused",
	[WM_MEMBER_GONE] = "gone",
};

const char *wm_member_state_name(enum wm_member_state state)
{
	return state_names[state];
}

bool wm_member_is_in(const struct wm_member *member)
{
	return member->state == WM_MEMBER_ADMITTED || member->state == WM_MEMBER_READY;
}

void wm_membership_init(struct wm_membership *membership, const struct wm_membership_calls *calls,
			const uint8_t controller[WM_ETHER_ADDR_BYTES])
{
	memset(membership, 0, sizeof(*membership));
	membership->calls = *calls;
	memcpy(membership->controller, controller, WM_ETHER_ADDR_BYTES);
}

static uint32_t index_of(const struct wm_membership *membership, const struct wm_member *member)
{
	return (uint32_t)(member - membership->members);
}

static void tell(struct wm_membership *membership, const struct wm_member *member,
		 enum wm_member_change change)
{
	membership->calls.change(membership->calls.context, index_of(membership, member), change);
}

static void send_to(struct wm_membership *membership, const uint8_t *mac, enum wm_op op,
		    uint32_t session, uint32_t job, const void *body, size_t body_bytes)
{
	struct wm_wire_header header = { .op = (uint8_t)op, .session = session, .job = job };

	membership->calls.send(membership->calls.context, mac, &header, body, body_bytes);
}

static void send_bye(struct wm_membership *membership, const uint8_t *mac, uint32_t session,
		     const char *text)
{
	struct wm_bye bye = { 0 };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	snprintf(bye.text, sizeof(bye.text), "%s", text);
	send_to(membership, mac, WM_OP_BYE, session, 0, body,
		wm_message_encode_bye(body, sizeof(body), &bye));
}

/* ---- coming and going -------------------------------------------------------- */

static void leave(struct wm_membership *membership, struct wm_member *member,
		  enum wm_member_state state, const char *reason)
{
	bool was_in = wm_member_is_in(member);

	member->state = state;
	snprintf(member->reason, sizeof(member->reason), "%s", reason);
	if (was_in)
		tell(membership, member, WM_MEMBER_CHANGE_LEFT);
	member->session = 0;
	member->asked = member->answered = false;
}

static struct wm_member *find_by_mac(struct wm_membership *membership, const uint8_t *mac)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		if (member->state != WM_MEMBER_UNKNOWN &&
		    memcmp(member->mac, mac, WM_ETHER_ADDR_BYTES) == 0)
			return member;
	}
	return NULL;
}

/* A place for a newcomer: an unused index, else that of somebody who is gone. */
static struct wm_member *find_place(struct wm_membership *membership)
{
	if (membership->count < WM_NODES_MAX)
		return &membership->members[membership->count++];
	for (uint32_t i = 0; i < WM_NODES_MAX; i++) {
		if (!wm_member_is_in(&membership->members[i]))
			return &membership->members[i];
	}
	return NULL;
}

static uint32_t new_session(uint32_t index)
{
	uint32_t session;

	do {
		if (getrandom(&session, sizeof(session), 0) != sizeof(session))
			abort(); /* never fails once the kernel is up (getrandom(2)) */
		session = (session & ~(WM_NODES_MAX - 1)) | index;
	} while (session < WM_NODES_MAX); /* also never 0 */
	return session;
}

static void welcome(struct wm_membership *membership, const struct wm_member *member)
{
	struct wm_welcome message = {
		.nonce = member->hello.nonce,
		.beat_ms = WM_BEAT_MS,
		.dead_ms = WM_DEAD_MS,
	};
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	memcpy(message.controller, membership->controller, WM_ETHER_ADDR_BYTES);
	send_to(membership, member->mac, WM_OP_WELCOME, member->session, 0, body,
		wm_message_encode_welcome(body, sizeof(body), &message));
}

static void ask(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	member->asked = true;
	member->asked_ns = now_ns;
	send_to(membership, member->mac, WM_OP_KERNEL, member->session, membership->job, body,
		wm_message_encode_kernel(body, sizeof(body), &membership->kernel));
}

/* Asks a node that could take part in the running job. */
static void ask_if_fit(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns)
{
	if (membership->job == 0)
		return;
	if (member->hello.mtu >= membership->job_mtu) {
		ask(membership, member, now_ns);
		return;
	}
	snprintf(member->reason, sizeof(member->reason),
		 "its MTU of %" PRIu32 " is too small for job %" PRIu32 ", which uses %" PRIu32,
		 member->hello.mtu, membership->job, membership->job_mtu);
	wm_log_warning("node %s: %s: it gets the next job", member->hello.name, member->reason);
}

static void admit(struct wm_membership *membership, struct wm_member *member,
		  const struct wm_hello *hello, const uint8_t *mac, uint64_t now_ns)
{
	member->hello = *hello;
	if (member->hello.capacity > WM_NODE_WINDOW_MAX)
		member->hello.capacity = WM_NODE_WINDOW_MAX;
	memcpy(member->mac, mac, WM_ETHER_ADDR_BYTES);
	memset(&member->beat, 0, sizeof(member->beat));
	member->session = new_session(index_of(membership, member));
	member->state = WM_MEMBER_ADMITTED;
	member->reason[0] = '\0';
	member->heard_ns = now_ns;
	member->asked = member->answered = false;
	welcome(membership, member);
	wm_log_info("node %s admitted: MTU %" PRIu32 ", %s%s, AF_XDP %s, %" PRIu32 " batches",
		    hello->name, hello->mtu, hello->device, hello->software ? " (software)" : "",
		    hello->xdp_mode, member->hello.capacity);
	tell(membership, member, WM_MEMBER_CHANGE_ADMITTED);
	ask_if_fit(membership, member, now_ns);
}

static void refuse(struct wm_membership *membership, struct wm_member *member,
		   const struct wm_hello *hello, const uint8_t *mac, const char *reason)
{
	char text[WM_MESSAGE_TEXT_BYTES];

	snprintf(text, sizeof(text), "refused: %s", reason);
	send_bye(membership, mac, 0, text);
	if (!member || (member->state == WM_MEMBER_REFUSED && member->hello.nonce == hello->nonce))
		return;
	leave(membership, member, WM_MEMBER_REFUSED, reason);
	member->hello = *hello;
	memcpy(member->mac, mac, WM_ETHER_ADDR_BYTES);
	wm_log_warning("node %s refused: %s", hello->name, reason);
}

static void receive_hello(struct wm_membership *membership, const uint8_t *source,
			  const struct wm_hello *hello, uint64_t now_ns)
{
	struct wm_member *member = find_by_mac(membership, source);
	char reason[WM_MESSAGE_TEXT_BYTES - 32];

	if (member && wm_member_is_in(member) && member->hello.nonce == hello->nonce) {
		member->heard_ns = now_ns;
		welcome(membership, member); /* the first one was lost */
		return;
	}
	if (member && wm_member_is_in(member)) {
		wm_log_info("node %s joins anew", hello->name);
		leave(membership, member, WM_MEMBER_GONE, "it started again");
	}
	if (!member)
		member = find_place(membership);

	if (!member) {
		snprintf(reason, sizeof(reason), "the rack is full (%u nodes)", WM_NODES_MAX);
		refuse(membership, NULL, hello, source, reason);
	} else if (hello->mtu < WM_MTU_MIN) {
		snprintf(reason, sizeof(reason),
			 "its MTU of %" PRIu32 " is too small: set at least %u", hello->mtu,
			 WM_MTU_MIN);
		refuse(membership, member, hello, source, reason);
	} else {
		admit(membership, member, hello, source, now_ns);
	}
}

/* ---- frames -------------------------------------------------------------------- */

static void receive_beat(struct wm_membership *membership, struct wm_member *member,
			 const struct wm_beat *beat)
{
	member->beat = *beat;
	send_to(membership, member->mac, WM_OP_BEAT, member->session, 0, NULL, 0);
	tell(membership, member, WM_MEMBER_CHANGE_HEARD);
}

static void receive_ack(struct wm_membership *membership, struct wm_member *member, uint32_t job,
			const struct wm_ack *ack)
{
	if (job == 0 || job != membership->job || !member->asked || member->answered)
		return; /* repeated, or of a job that has ended */
	member->answered = true;
	if (ack->status == 0) {
		member->state = WM_MEMBER_READY;
		tell(membership, member, WM_MEMBER_CHANGE_READY);
		return;
	}
	snprintf(member->reason, sizeof(member->reason), "not ready: %s", ack->text);
	wm_log_warning("node %s cannot take part in job %" PRIu32 ": %s", member->hello.name, job,
		       ack->text);
}

/* The member that this session belongs to, and whose address sent it. */
static struct wm_member *find_by_session(struct wm_membership *membership, uint32_t session,
					 const uint8_t *source)
{
	struct wm_member *member = &membership->members[session & (WM_NODES_MAX - 1)];

	if (session == 0 || member->session != session || !wm_member_is_in(member) ||
	    memcmp(member->mac, source, WM_ETHER_ADDR_BYTES) != 0)
		return NULL;
	return member;
}

static int receive_from_member(struct wm_membership *membership, struct wm_member *member,
			       const struct wm_wire_header *header, const uint8_t *body)
{
	struct wm_beat beat;
	struct wm_ack ack;
	struct wm_bye bye;
	int ret;

	switch (header->op) {
	case WM_OP_BEAT:
		ret = wm_message_decode_beat(body, header->count, &beat);
		if (ret == 0)
			receive_beat(membership, member, &beat);
		return ret;
	case WM_OP_ACK:
		ret = wm_message_decode_ack(body, header->count, &ack);
		if (ret == 0)
			receive_ack(membership, member, header->job, &ack);
		return ret;
	case WM_OP_BYE:
		ret = wm_message_decode_bye(body, header->count, &bye);
		if (ret == 0) {
			wm_log_info("node %s leaves: %s", member->hello.name, bye.text);
			leave(membership, member, WM_MEMBER_GONE, bye.text);
		}
		return ret;
	default:
		return -1;
	}
}

void wm_membership_receive(struct wm_membership *membership,
			   const uint8_t source[WM_ETHER_ADDR_BYTES],
			   const struct wm_wire_header *header, const uint8_t *body,
			   uint64_t now_ns)
{
	struct wm_member *member;
	struct wm_hello hello;

	if (header->op == WM_OP_HELLO) {
		if (wm_message_decode_hello(body, header->count, &hello) == 0)
			receive_hello(membership, source, &hello, now_ns);
		else
			membership->ignored++;
		return;
	}
	member = find_by_session(membership, header->session, source);
	if (!member) {
		membership->ignored++;
		/* So that a node notices at once that its controller started again. */
		if (header->op == WM_OP_BEAT)
			send_bye(membership, source, header->session, "unknown session");
		return;
	}
	member->heard_ns = now_ns;
	if (receive_from_member(membership, member, header, body) < 0)
		membership->ignored++;
}

/* ---- time ------------------------------------------------------------------------ */

void wm_membership_tick(struct wm_membership *membership, uint64_t now_ns)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		if (!wm_member_is_in(member))
			continue;
		if (now_ns > member->heard_ns + WM_DEAD_MS * WM_NS_PER_MS) {
			wm_log_warning("node %s was not heard of for %u s: it is gone",
				       member->hello.name, WM_DEAD_MS / 1000);
			send_bye(membership, member->mac, member->session,
				 "not heard of for too long");
			leave(membership, member, WM_MEMBER_GONE, "not heard of");
		} else if (membership->job && member->asked && !member->answered &&
			   now_ns > member->asked_ns + ASK_AGAIN_NS) {
			ask(membership, member, now_ns);
		}
	}
}

/* ---- the job ---------------------------------------------------------------------- */

void wm_membership_job_begin(struct wm_membership *membership, uint32_t job,
			     const struct wm_layout *layout, uint32_t mtu, uint64_t now_ns)
{
	membership->job = job;
	membership->job_mtu = mtu;
	membership->kernel = (struct wm_kernel_message){
		.kernel = layout->kernel,
		.batch_elements = layout->batch_elements,
	};
	for (uint32_t i = 0; i < membership->count; i++) {
		if (wm_member_is_in(&membership->members[i]))
			ask_if_fit(membership, &membership->members[i], now_ns);
	}
}

void wm_membership_job_end(struct wm_membership *membership)
{
	membership->job = 0;
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		member->asked = member->answered = false;
		if (wm_member_is_in(member)) {
			member->state = WM_MEMBER_ADMITTED;
			member->reason[0] = '\0';
		}
	}
}

bool wm_membership_job_answered(const struct wm_membership *membership)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		const struct wm_member *member = &membership->members[i];

		if (wm_member_is_in(member) && member->asked && !member->answered)
			return false;
	}
	return true;
}

void wm_membership_close(struct wm_membership *membership, const char *reason)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		if (!wm_member_is_in(member))
			continue;
		send_bye(membership, member->mac, member->session, reason);
		leave(membership, member, WM_MEMBER_GONE, reason);
	}
}

uint32_t wm_membership_count(const struct wm_membership *membership, enum wm_member_state state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < membership->count; i++)
		count += membership->members[i].state == state;
	return count;
}

uint32_t wm_membership_mtu(const struct wm_membership *membership, uint32_t mtu_max,
			   uint32_t *index)
{
	uint32_t mtu = mtu_max;

	for (uint32_t i = 0; i < membership->count; i++) {
		const struct wm_member *member = &membership->members[i];

		if (wm_member_is_in(member) && member->hello.mtu < mtu) {
			mtu = member->hello.mtu;
			*index = i;
		}
	}
	return mtu;
}
