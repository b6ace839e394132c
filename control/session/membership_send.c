/* SPDX-License-Identifier: BSD-3-Clause */
/* What the controller sends of membership, and under which key. */
#include "membership_private.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The body has room for a trailer (WM_AUTH_BODY_BYTES_MAX). auth NULL: as it is. */
static void send_to(struct wm_membership *membership, const uint8_t *mac, struct wm_auth *auth,
		    const struct wm_wire_header *header, uint8_t *body, size_t body_bytes)
{
	if (auth)
		body_bytes = wm_auth_seal(auth, WM_AUTH_CONTROLLER, header, body, body_bytes);
	membership->calls.send(membership->calls.context, mac, header, body, body_bytes);
}

void membership_send(struct wm_membership *membership, struct wm_member *member,
		     const struct wm_wire_header *header, uint8_t *body, size_t body_bytes)
{
	assert(header->session == member->session && member->session != 0);
	send_to(membership, member->mac, membership->key ? &member->auth : NULL, header, body,
		body_bytes);
}

static size_t encode_bye(uint8_t body[WM_MESSAGE_BYTES_MAX], const char *text)
{
	struct wm_bye bye = { 0 };

	snprintf(bye.text, sizeof(bye.text), "%s", text);
	return wm_message_encode_bye(body, WM_AUTH_BODY_BYTES_MAX, &bye);
}

void membership_send_bye(struct wm_membership *membership, struct wm_member *member,
			 const char *text)
{
	const struct wm_wire_header header = { .op = WM_OP_BYE, .session = member->session };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	membership_send(membership, member, &header, body, encode_bye(body, text));
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

struct wm_auth_bond membership_make_bond(enum wm_auth_use use, const uint8_t *node,
					 uint64_t node_nonce)
{
	struct wm_auth_bond bond = { .use = use, .node_nonce = node_nonce };

	memcpy(bond.node, node, sizeof(bond.node));
	return bond;
}

void membership_send_welcome(struct wm_membership *membership, const uint8_t *mac,
			     const struct wm_hello *hello, uint32_t session, uint64_t nonce)
{
	const struct wm_auth_bond bond = membership_make_bond(WM_AUTH_WELCOME, mac, hello->nonce);
	const struct wm_wire_header header = { .op = WM_OP_WELCOME, .session = session };
	struct wm_welcome welcome = {
		.nonce = hello->nonce,
		.controller_nonce = nonce,
		.beat_ms = WM_BEAT_MS,
		.dead_ms = WM_DEAD_MS,
		.frame_auth = membership->frame_auth,
	};
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	assert(session != 0);
	memcpy(welcome.controller, membership->controller, WM_ETHER_ADDR_BYTES);
	send_bound(membership, mac, &bond, &header, body,
		   wm_message_encode_welcome(body, WM_AUTH_BODY_BYTES_MAX, &welcome));
}

void membership_send_refusal(struct wm_membership *membership, const uint8_t *mac,
			     const struct wm_hello *hello, const char *reason)
{
	const struct wm_auth_bond bond = membership_make_bond(WM_AUTH_REFUSAL, mac, hello->nonce);
	const struct wm_wire_header header = { .op = WM_OP_BYE };
	char text[WM_MESSAGE_TEXT_BYTES];
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	snprintf(text, sizeof(text), "refused: %s", reason);
	send_bound(membership, mac, &bond, &header, body, encode_bye(body, text));
}

static bool may_answer(struct wm_membership *membership)
{
	if (membership->answers_left == 0)
		return false;
	membership->answers_left--;
	return true;
}

/* An honest node whose key is missing or wrong is told so. It can tell nobody
 * from an enemy here, and takes it as a hint. */
void membership_send_hint(struct wm_membership *membership, const uint8_t *mac, const char *text)
{
	const struct wm_wire_header header = { .op = WM_OP_BYE };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	memcpy(membership->suspect, mac, WM_ETHER_ADDR_BYTES);
	if (may_answer(membership))
		send_to(membership, mac, NULL, &header, body, encode_bye(body, text));
}

/* So that a node notices at once that its controller started again. */
void membership_answer_unknown(struct wm_membership *membership, const uint8_t *source,
			       const struct wm_wire_header *beat, const uint8_t *beat_body)
{
	const struct wm_wire_header header = { .op = WM_OP_BYE, .session = beat->session };
	struct wm_auth_bond bond = membership_make_bond(WM_AUTH_UNKNOWN, source, 0);
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	if (!may_answer(membership) || beat->count < WM_AUTH_TAG_BYTES)
		return;
	memcpy(bond.controller, membership->controller, sizeof(bond.controller));
	bond.session = beat->session;
	wm_auth_tag(bond.answers, beat_body, beat->count);
	send_bound(membership, source, &bond, &header, body, encode_bye(body, "unknown session"));
}
