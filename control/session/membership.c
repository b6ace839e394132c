/* SPDX-License-Identifier: BSD-3-Clause */
#include "membership_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mac.h"

#define ASK_AGAIN_NS (200 * WM_NS_PER_MS)
/* A node that failed to prepare rests before it is asked again, twice as long each time. */
#define REST_NS (1 * WM_NS_PER_S)
#define FAILURES_MAX 5u
/* Ticks further apart than that: this thread was busy with something else. */
#define LISTEN_NS (500 * WM_NS_PER_MS)
/* As long as a session may be silent: then its node has asked anew. */
#define CANDIDATE_NS (WM_DEAD_MS * WM_NS_PER_MS)
/* A quarter of the largest rack at once, when its controller has started again. */
#define ANSWERS_PER_TICK (WM_NODES_MAX / 4)
#define WARN_NS (10 * WM_NS_PER_S)
/* Two machines with one address take each other's place about twice a second. */
#define TWIN_REASON "another machine here has its MAC address"
#define TWIN_BEATS 3u
#define TWIN_NS (10 * WM_NS_PER_S)
#define TWIN_REST_NS (30 * WM_NS_PER_S)

static const char *const state_names[] = {
	[WM_MEMBER_UNKNOWN] = "unknown", [WM_MEMBER_ADMITTED] = "admitted",
	[WM_MEMBER_READY] = "ready",	 [WM_MEMBER_REFUSED] = "refused",
	[WM_MEMBER_GONE] = "gone",	 [WM_MEMBER_QUARANTINED] = "quarantined",
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

static uint32_t index_of(const struct wm_membership *membership, const struct wm_member *member)
{
	return (uint32_t)(member - membership->members);
}

void membership_tell(struct wm_membership *membership, const struct wm_member *member,
		     enum wm_member_change change)
{
	membership->calls.change(membership->calls.context, index_of(membership, member), change);
}

/* ---- sending ----------------------------------------------------------------- */

/* The body has room for a trailer (WM_AUTH_BODY_BYTES_MAX). auth NULL: as it is. */
static void send_to(struct wm_membership *membership, const uint8_t *mac, struct wm_auth *auth,
		    const struct wm_wire_header *header, uint8_t *body, size_t body_bytes)
{
	if (auth)
		body_bytes = wm_auth_seal(auth, WM_AUTH_CONTROLLER, header, body, body_bytes);
	membership->calls.send(membership->calls.context, mac, header, body, body_bytes);
}

static void send_to_member(struct wm_membership *membership, struct wm_member *member,
			   const struct wm_wire_header *header, uint8_t *body, size_t body_bytes)
{
	send_to(membership, member->mac, membership->key ? &member->auth : NULL, header, body,
		body_bytes);
}

static size_t encode_bye(uint8_t body[WM_MESSAGE_BYTES_MAX], const char *text)
{
	struct wm_bye bye = { 0 };

	snprintf(bye.text, sizeof(bye.text), "%s", text);
	return wm_message_encode_bye(body, WM_AUTH_BODY_BYTES_MAX, &bye);
}

static void send_bye(struct wm_membership *membership, struct wm_member *member, const char *text)
{
	const struct wm_wire_header header = { .op = WM_OP_BYE, .session = member->session };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	send_to_member(membership, member, &header, body, encode_bye(body, text));
}

/* A frame outside of a session, under the key of that bond if there is a key. */
static void send_bound(struct wm_membership *membership, const uint8_t *mac,
		       const struct wm_auth_bond *bond, const struct wm_wire_header *header,
		       uint8_t *body, size_t body_bytes)
{
	struct wm_auth auth;

	if (!membership->key) {
		send_to(membership, mac, NULL, header, body, body_bytes);
		return;
	}
	wm_auth_begin(&auth, membership->key, bond);
	send_to(membership, mac, &auth, header, body, body_bytes);
	wm_auth_end(&auth);
}

static struct wm_auth_bond bond_of(enum wm_auth_use use, const uint8_t *node, uint64_t node_nonce)
{
	struct wm_auth_bond bond = { .use = use, .node_nonce = node_nonce };

	memcpy(bond.node, node, sizeof(bond.node));
	return bond;
}

static void send_welcome(struct wm_membership *membership, const uint8_t *mac,
			 const struct wm_hello *hello, uint32_t session, uint64_t nonce)
{
	const struct wm_auth_bond bond = bond_of(WM_AUTH_WELCOME, mac, hello->nonce);
	const struct wm_wire_header header = { .op = WM_OP_WELCOME, .session = session };
	struct wm_welcome welcome = {
		.nonce = hello->nonce,
		.controller_nonce = nonce,
		.beat_ms = WM_BEAT_MS,
		.dead_ms = WM_DEAD_MS,
		.frame_auth = membership->frame_auth,
	};
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	memcpy(welcome.controller, membership->controller, WM_ETHER_ADDR_BYTES);
	send_bound(membership, mac, &bond, &header, body,
		   wm_message_encode_welcome(body, WM_AUTH_BODY_BYTES_MAX, &welcome));
}

/* ---- coming and going -------------------------------------------------------- */

static void leave(struct wm_membership *membership, struct wm_member *member,
		  enum wm_member_state state, const char *reason)
{
	bool was_in = wm_member_is_in(member);

	member->state = state;
	snprintf(member->reason, sizeof(member->reason), "%s", reason);
	if (was_in)
		membership_tell(membership, member, WM_MEMBER_CHANGE_LEFT);
	member->session = 0;
	wm_auth_end(&member->auth);
	explicit_bzero(member->frame_key, sizeof(member->frame_key));
	member->asked = member->answered = false;
}

/* Whose place this is: of who would be admitted to it, of its node, of nobody. */
static const uint8_t *owner_of(const struct wm_member *member)
{
	if (member->candidate.expires_ns != 0)
		return member->candidate.mac;
	return member->state != WM_MEMBER_UNKNOWN ? member->mac : NULL;
}

static struct wm_member *find_by_mac(struct wm_membership *membership, const uint8_t *mac)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		const uint8_t *owner = owner_of(&membership->members[i]);

		if (owner && memcmp(owner, mac, WM_ETHER_ADDR_BYTES) == 0)
			return &membership->members[i];
	}
	return NULL;
}

/* Not what is in quarantine, nor what may have to go there yet. */
static bool may_be_forgotten(const struct wm_membership *membership, const struct wm_member *member)
{
	return !wm_member_is_in(member) && member->state != WM_MEMBER_QUARANTINED &&
	       member->candidate.expires_ns == 0 &&
	       (membership->job == 0 || member->took_part != membership->job);
}

/* A place for a newcomer: nobody's, else a new one, else that of who is gone. */
static struct wm_member *find_place(struct wm_membership *membership)
{
	struct wm_member *gone = NULL;

	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		if (!owner_of(member))
			return member;
		if (may_be_forgotten(membership, member))
			gone = member;
	}
	return membership->count < WM_NODES_MAX ? &membership->members[membership->count++] : gone;
}

static uint32_t new_session(const struct wm_membership *membership, const struct wm_member *member)
{
	uint32_t session;

	do {
		wm_auth_random(&session, sizeof(session));
		session = (session & ~(WM_NODES_MAX - 1)) | index_of(membership, member);
	} while (session < WM_NODES_MAX || session == member->session); /* also never 0 */
	return session;
}

static void ask(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns)
{
	const struct wm_wire_header header = {
		.op = WM_OP_KERNEL,
		.session = member->session,
		.job = membership->job,
		.batch = member->failures,
	};
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	member->asked = true;
	member->answered = false;
	member->asked_ns = now_ns;
	send_to_member(membership, member, &header, body,
		       wm_message_encode_kernel(body, WM_AUTH_BODY_BYTES_MAX, &membership->kernel));
}

void membership_ask_if_fit(struct wm_membership *membership, struct wm_member *member,
			   uint64_t now_ns)
{
	if (membership->job == 0)
		return;
	member->failures = 0;
	member->reason[0] = '\0';
	if (wm_member_mtu(member) >= membership->job_mtu) {
		ask(membership, member, now_ns);
		return;
	}
	snprintf(member->reason, sizeof(member->reason),
		 "%s MTU of %" PRIu32 " is too small for job %" PRIu32 ", which uses %" PRIu32,
		 wm_member_path_is_narrow(member) ? "the path to it, with an" : "its",
		 wm_member_mtu(member), membership->job, membership->job_mtu);
	wm_log_warning("node %s: %s: it gets the next job", member->hello.name, member->reason);
}

/* Whoever had the place before has left it. */
static void admit(struct wm_membership *membership, struct wm_member *member,
		  const struct wm_hello *hello, const uint8_t *mac, uint32_t session,
		  uint64_t now_ns)
{
	if (memcmp(member->mac, mac, WM_ETHER_ADDR_BYTES) != 0)
		member->results = member->resends = member->former = member->twin_beats = 0;
	member->hello = *hello;
	if (member->hello.capacity > WM_NODE_WINDOW_MAX)
		member->hello.capacity = WM_NODE_WINDOW_MAX;
	memcpy(member->mac, mac, WM_ETHER_ADDR_BYTES);
	memset(&member->beat, 0, sizeof(member->beat));
	member->session = session;
	member->state = WM_MEMBER_ADMITTED;
	member->reason[0] = '\0';
	member->received_ns = now_ns;
	member->asked = member->answered = false;
	wm_log_info("node %s admitted: MTU %" PRIu32 ", %s%s, AF_XDP %s, %" PRIu32 " batches",
		    hello->name, hello->mtu, hello->device, hello->software ? " (software)" : "",
		    hello->xdp_mode, member->hello.capacity);
	memset(&member->path, 0, sizeof(member->path));
	wm_membership_look(membership, index_of(membership, member), now_ns);
	membership_tell(membership, member, WM_MEMBER_CHANGE_ADMITTED);
	membership_ask_if_fit(membership, member, now_ns);
}

static void end_former_life(struct wm_membership *membership, struct wm_member *member)
{
	if (!wm_member_is_in(member))
		return;
	wm_log_info("node %s joins anew", member->hello.name);
	member->former = member->session;
	memcpy(member->former_name, member->hello.name, sizeof(member->former_name));
	leave(membership, member, WM_MEMBER_GONE, "it started again");
}

static void refuse(struct wm_membership *membership, struct wm_member *member,
		   const struct wm_hello *hello, const uint8_t *mac, const char *reason)
{
	const struct wm_auth_bond bond = bond_of(WM_AUTH_REFUSAL, mac, hello->nonce);
	const struct wm_wire_header header = { .op = WM_OP_BYE };
	char text[WM_MESSAGE_TEXT_BYTES];
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	bool known;

	snprintf(text, sizeof(text), "refused: %s", reason);
	send_bound(membership, mac, &bond, &header, body, encode_bye(body, text));
	/* With a key, the HELLO may be a recording: who is in stays in. */
	if (!member || member->state == WM_MEMBER_QUARANTINED ||
	    (wm_member_is_in(member) && (membership->key || member->twin_beats >= TWIN_BEATS)))
		return;
	known = member->state == WM_MEMBER_REFUSED &&
		(membership->key || member->hello.nonce == hello->nonce);
	leave(membership, member, WM_MEMBER_REFUSED, reason);
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
	struct wm_member *member = find_by_mac(membership, source);
	uint32_t session;

	if (member && wm_member_is_in(member) && member->hello.nonce == hello->nonce) {
		member->received_ns = now_ns;
		/* the first one was lost */
		send_welcome(membership, source, hello, member->session, 0);
		return;
	}
	if (!member)
		member = find_place(membership);
	if (refuse_if_unfit(membership, member, hello, source, now_ns))
		return;
	session = new_session(membership, member);
	end_former_life(membership, member);
	send_welcome(membership, source, hello, session, 0);
	admit(membership, member, hello, source, session, now_ns);
}

/* ---- with a key: a candidate, and a proof ------------------------------------------- */

static bool may_answer(struct wm_membership *membership)
{
	if (membership->answers_left == 0)
		return false;
	membership->answers_left--;
	return true;
}

/* An honest node whose key is missing or wrong is told so. It can tell nobody
 * from an enemy here, and takes it as a hint. */
static void hint(struct wm_membership *membership, const uint8_t *mac, const char *text)
{
	const struct wm_wire_header header = { .op = WM_OP_BYE };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	memcpy(membership->suspect, mac, WM_ETHER_ADDR_BYTES);
	if (may_answer(membership))
		send_to(membership, mac, NULL, &header, body, encode_bye(body, text));
}

static void candidate_end(struct wm_candidate *candidate)
{
	wm_auth_end(&candidate->auth);
	explicit_bzero(candidate->frame_key, sizeof(candidate->frame_key));
	candidate->expires_ns = 0;
}

static void candidate_begin(struct wm_membership *membership, struct wm_member *member,
			    const uint8_t *mac, const struct wm_hello *hello, uint64_t now_ns)
{
	struct wm_candidate *candidate = &member->candidate;
	struct wm_auth_bond bond = bond_of(WM_AUTH_SESSION, mac, hello->nonce);

	candidate->hello = *hello;
	memcpy(candidate->mac, mac, WM_ETHER_ADDR_BYTES);
	candidate->session = new_session(membership, member);
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
	struct wm_member *member = find_by_mac(membership, source);
	struct wm_candidate *candidate;

	/* Its node has answered the WELCOME: it asks no more. */
	if (member && wm_member_is_in(member) && member->hello.nonce == hello->nonce) {
		membership->counts.replayed++;
		return;
	}
	if (!member)
		member = find_place(membership);
	if (refuse_if_unfit(membership, member, hello, source, now_ns))
		return;
	candidate = &member->candidate;
	if (candidate->expires_ns == 0 || candidate->hello.nonce != hello->nonce)
		candidate_begin(membership, member, source, hello, now_ns);
	send_welcome(membership, source, hello, candidate->session, candidate->nonce);
}

static void receive_unproven_hello(struct wm_membership *membership, const uint8_t *source,
				   const struct wm_wire_header *header, const uint8_t *body)
{
	struct wm_hello hello;

	if (wm_message_decode_hello(body, header->count, &hello) == 0) {
		membership->counts.unkeyed++;
		hint(membership, source, "refused: this controller wants its key: give --key FILE");
		return;
	}
	membership->counts.forged++;
	hint(membership, source,
	     "refused: this controller does not know the key: give both the same --key FILE");
}

static void receive_keyed_hello(struct wm_membership *membership, const uint8_t *source,
				const struct wm_wire_header *header, const uint8_t *body,
				uint64_t now_ns)
{
	const struct wm_auth_bond bond = bond_of(WM_AUTH_HELLO, source, 0);
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
static void candidate_admit(struct wm_membership *membership, struct wm_member *member,
			    uint64_t now_ns)
{
	struct wm_candidate *candidate = &member->candidate;

	end_former_life(membership, member);
	member->auth = candidate->auth;
	memcpy(member->frame_key, candidate->frame_key, sizeof(member->frame_key));
	candidate_end(candidate);
	admit(membership, member, &candidate->hello, candidate->mac, candidate->session, now_ns);
}

/* ---- frames -------------------------------------------------------------------- */

static void receive_beat(struct wm_membership *membership, struct wm_member *member,
			 const struct wm_beat *beat)
{
	const struct wm_wire_header header = { .op = WM_OP_BEAT, .session = member->session };
	uint8_t body[WM_AUTH_TRAILER_BYTES];

	if (beat->device_losses > member->beat.device_losses)
		wm_log_warning("node %s: its GPU was lost and made anew, %" PRIu64
			       " times by now: its dmesg has the reason",
			       member->hello.name, beat->device_losses);
	member->beat = *beat;
	send_to_member(membership, member, &header, body, 0);
	membership_tell(membership, member, WM_MEMBER_CHANGE_HEARD);
}

static void receive_ack(struct wm_membership *membership, struct wm_member *member,
			const struct wm_wire_header *header, const struct wm_ack *ack)
{
	uint32_t job = header->job;

	if (job == 0 || job != membership->job || !member->asked || member->answered ||
	    header->batch != member->failures)
		return; /* repeated, of a job that has ended, or to an earlier question */
	member->answered = true;
	if (ack->status == 0) {
		member->state = WM_MEMBER_READY;
		member->took_part = job;
		membership_tell(membership, member, WM_MEMBER_CHANGE_READY);
		return;
	}
	member->failures++;
	snprintf(member->reason, sizeof(member->reason), "not ready: %s", ack->text);
	wm_log_warning("node %s cannot take part in job %" PRIu32 ": %s", member->hello.name, job,
		       ack->text);
}

/* The place that this session has, if it is of who sent it; *proves: as a candidate. */
static struct wm_member *find_by_session(struct wm_membership *membership, uint32_t session,
					 const uint8_t *source, bool *proves)
{
	struct wm_member *member = &membership->members[session & (WM_NODES_MAX - 1)];
	const struct wm_candidate *candidate = &member->candidate;

	*proves = candidate->expires_ns != 0 && candidate->session == session &&
		  memcmp(candidate->mac, source, WM_ETHER_ADDR_BYTES) == 0;
	if (*proves)
		return member;
	if (session == 0 || member->session != session || !wm_member_is_in(member) ||
	    memcmp(member->mac, source, WM_ETHER_ADDR_BYTES) != 0)
		return NULL;
	return member;
}

/* A life that ended because another began, and still beats: two machines, one address. Who
 * is in stays in, and the other is told, so that they do not take turns. */
static void look_for_twin(struct wm_membership *membership, const uint8_t *source, uint32_t session,
			  uint64_t now_ns)
{
	struct wm_member *member = find_by_mac(membership, source);
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

/* So that a node notices at once that its controller started again. */
static void answer_unknown(struct wm_membership *membership, const uint8_t *source,
			   const struct wm_wire_header *beat, const uint8_t *beat_body)
{
	const struct wm_wire_header header = { .op = WM_OP_BYE, .session = beat->session };
	struct wm_auth_bond bond = bond_of(WM_AUTH_UNKNOWN, source, 0);
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	if (!may_answer(membership) || beat->count < WM_AUTH_TAG_BYTES)
		return;
	memcpy(bond.controller, membership->controller, sizeof(bond.controller));
	bond.session = beat->session;
	wm_auth_tag(bond.answers, beat_body, beat->count);
	send_bound(membership, source, &bond, &header, body, encode_bye(body, "unknown session"));
}

static int receive_from_member(struct wm_membership *membership, struct wm_member *member,
			       const struct wm_wire_header *header, const uint8_t *body,
			       size_t body_bytes)
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
			receive_ack(membership, member, header, &ack);
		return ret;
	case WM_OP_BYE:
		ret = wm_message_decode_bye(body, body_bytes, &bye);
		if (ret == 0) {
			wm_log_info("node %s leaves: %s", member->hello.name, bye.text);
			leave(membership, member, WM_MEMBER_GONE, bye.text);
		}
		return ret;
	default:
		return -1;
	}
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
		hint(membership, source,
		     "refused: this controller has no key: start it with --key FILE");
	} else {
		membership->ignored++;
	}
}

void wm_membership_heard_at(struct wm_membership *membership,
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
		if (membership->key)
			receive_keyed_hello(membership, source, header, body, now_ns);
		else
			receive_unkeyed_hello(membership, source, header, body, now_ns);
		return;
	}
	member = find_by_session(membership, header->session, source, &proves);
	if (!member) {
		membership->ignored++;
		if (header->op == WM_OP_BEAT)
			look_for_twin(membership, source, header->session, now_ns);
		if (header->op == WM_OP_BEAT)
			answer_unknown(membership, source, header, body);
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
	if (receive_from_member(membership, member, header, body, (size_t)bytes) < 0)
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

/* Not answered yet, or not with success and rested since. */
static bool is_to_be_asked(const struct wm_membership *membership, const struct wm_member *member,
			   uint64_t now_ns)
{
	if (membership->job == 0 || !member->asked || member->state == WM_MEMBER_READY)
		return false;
	if (!member->answered)
		return now_ns > member->asked_ns + ASK_AGAIN_NS;
	return member->failures < FAILURES_MAX &&
	       now_ns > member->asked_ns + (REST_NS << (member->failures - 1));
}

static void tick_member(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns)
{
	if (now_ns > member->received_ns + WM_DEAD_MS * WM_NS_PER_MS) {
		wm_log_warning("node %s was not heard of for %u s: it is gone", member->hello.name,
			       WM_DEAD_MS / 1000);
		send_bye(membership, member, "not heard of for too long");
		leave(membership, member, WM_MEMBER_GONE, "not heard of");
	} else if (is_to_be_asked(membership, member, now_ns)) {
		ask(membership, member, now_ns);
	}
}

/* A thread that was kept elsewhere did not listen: that silence is its own. */
static uint64_t deaf_ns(struct wm_membership *membership, uint64_t now_ns)
{
	uint64_t since_ns = now_ns - membership->tick_ns;
	bool first = membership->tick_ns == 0;

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
			membership_ask_if_fit(membership, &membership->members[i], now_ns);
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

void wm_membership_quarantine(struct wm_membership *membership, uint32_t index, const char *reason)
{
	struct wm_member *member = &membership->members[index];
	char text[WM_MESSAGE_TEXT_BYTES];

	if (member->state == WM_MEMBER_QUARANTINED)
		return;
	wm_log_error("node %s is in quarantine: it %s", member->hello.name, reason);
	snprintf(text, sizeof(text), "refused: it %.100s", reason);
	if (wm_member_is_in(member))
		send_bye(membership, member, text);
	/* Its next life may be at the door. */
	candidate_end(&member->candidate);
	leave(membership, member, WM_MEMBER_QUARANTINED, reason);
}

int wm_membership_recall(struct wm_membership *membership, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			 const char *name, const char *reason)
{
	struct wm_member *member = find_by_mac(membership, mac);

	if (!member)
		member = find_place(membership);
	if (!member)
		return -ENOSPC;
	member->state = WM_MEMBER_QUARANTINED;
	memcpy(member->mac, mac, WM_ETHER_ADDR_BYTES);
	snprintf(member->hello.name, sizeof(member->hello.name), "%s", name);
	snprintf(member->reason, sizeof(member->reason), "%s", reason);
	return 0;
}

int wm_membership_admit(struct wm_membership *membership, uint32_t index)
{
	struct wm_member *member = &membership->members[index];

	if (member->state != WM_MEMBER_QUARANTINED)
		return -EINVAL;
	member->state = WM_MEMBER_GONE;
	snprintf(member->reason, sizeof(member->reason), "trusted again, not back yet");
	return 0;
}

void wm_membership_close(struct wm_membership *membership, const char *reason)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];

		if (!wm_member_is_in(member))
			continue;
		send_bye(membership, member, reason);
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

		if (wm_member_is_in(member) && wm_member_mtu(member) < mtu) {
			mtu = wm_member_mtu(member);
			*index = i;
		}
	}
	return mtu;
}
