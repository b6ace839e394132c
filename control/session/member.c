/* SPDX-License-Identifier: BSD-3-Clause */
/* The places of members: whose they are, what they are found by, and their states. */
#include "membership_private.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {
	[WM_MEMBER_UNKNOWN] = "unknown", [WM_MEMBER_ADMITTED] = "admitted",
	[WM_MEMBER_READY] = "ready",	 [WM_MEMBER_REFUSED] = "refused",
	[WM_MEMBER_GONE] = "gone",	 [WM_MEMBER_QUARANTINED] = "quarantined",
};

#define TO(state) (1u << (state))
#define WHO_IS_OUT (TO(WM_MEMBER_REFUSED) | TO(WM_MEMBER_GONE) | TO(WM_MEMBER_QUARANTINED))

/* Whatever is not here does not happen. A job may ask whom it has asked once more, so a ready
 * one gets ready. In quarantine an address stays until an operator trusts it. */
static const unsigned next_states[] = {
	[WM_MEMBER_UNKNOWN] = TO(WM_MEMBER_ADMITTED) | TO(WM_MEMBER_REFUSED) |
			      TO(WM_MEMBER_QUARANTINED),
	[WM_MEMBER_ADMITTED] = TO(WM_MEMBER_READY) | WHO_IS_OUT,
	[WM_MEMBER_READY] = TO(WM_MEMBER_READY) | TO(WM_MEMBER_ADMITTED) | WHO_IS_OUT,
	[WM_MEMBER_REFUSED] = TO(WM_MEMBER_ADMITTED) | TO(WM_MEMBER_REFUSED) |
			      TO(WM_MEMBER_QUARANTINED),
	[WM_MEMBER_GONE] = TO(WM_MEMBER_ADMITTED) | TO(WM_MEMBER_REFUSED) |
			   TO(WM_MEMBER_QUARANTINED),
	[WM_MEMBER_QUARANTINED] = TO(WM_MEMBER_GONE) | TO(WM_MEMBER_QUARANTINED),
};

const char *wm_member_state_name(enum wm_member_state state)
{
	return state_names[state];
}

bool wm_member_is_in(const struct wm_member *member)
{
	return member->state == WM_MEMBER_ADMITTED || member->state == WM_MEMBER_READY;
}

static_assert(WM_RUNNING_JOBS_MAX == 1, "to be ready does not say for which job");

void member_forget_asked(struct wm_member *member)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++)
		member->jobs[i].asked = member->jobs[i].answered = member->jobs[i].lacks = false;
}

void member_enter(struct wm_member *member, enum wm_member_state state)
{
	assert(next_states[member->state] & TO(state));
	assert(state != WM_MEMBER_READY || (member->jobs[0].asked && member->jobs[0].answered));
	/* Whoever is in has a session, and has it until those who count on it were told. */
	assert(member->session != 0 || (state != WM_MEMBER_ADMITTED && state != WM_MEMBER_READY));
	member->state = state;
}

uint32_t membership_index(const struct wm_membership *membership, const struct wm_member *member)
{
	return (uint32_t)(member - membership->members);
}

/* What those who are told may count on. */
static bool is_so(const struct wm_member *member, enum wm_member_change change)
{
	switch (change) {
	case WM_MEMBER_CHANGE_ADMITTED:
		return member->state == WM_MEMBER_ADMITTED;
	case WM_MEMBER_CHANGE_READY:
	case WM_MEMBER_CHANGE_UNFIT:
		return member->state == WM_MEMBER_READY;
	case WM_MEMBER_CHANGE_BEAT:
	case WM_MEMBER_CHANGE_DEVICE_LOST:
		return wm_member_is_in(member);
	case WM_MEMBER_CHANGE_LEFT:
		return !wm_member_is_in(member);
	}
	return false;
}

void membership_report(struct wm_membership *membership, const struct wm_member *member,
		       enum wm_member_change change)
{
	assert(is_so(member, change) && member->session != 0);
	membership->calls.change(membership->calls.context, membership_index(membership, member),
				 change);
}

/* Whose place this is: of who would be admitted to it, of its node, of nobody. */
static const uint8_t *owner_of(const struct wm_member *member)
{
	if (member->candidate.expires_ns != 0)
		return member->candidate.mac;
	return member->state != WM_MEMBER_UNKNOWN ? member->mac : NULL;
}

struct wm_member *membership_find(struct wm_membership *membership, const uint8_t *mac)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		const uint8_t *owner = owner_of(&membership->members[i]);

		if (owner && memcmp(owner, mac, WM_ETHER_ADDR_BYTES) == 0)
			return &membership->members[i];
	}
	return NULL;
}

/* The place that this session has, if it is of who sent it; *proves: as a candidate. */
struct wm_member *membership_find_session(struct wm_membership *membership, uint32_t session,
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

static bool took_part(const struct wm_membership *membership, const struct wm_member *member)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		if (membership->jobs[i].id != 0 &&
		    member->jobs[i].took_part == membership->jobs[i].id)
			return true;
	}
	return false;
}

/* Not what is in quarantine, nor what may have to go there yet. */
static bool may_be_forgotten(const struct wm_membership *membership, const struct wm_member *member)
{
	return !wm_member_is_in(member) && member->state != WM_MEMBER_QUARANTINED &&
	       member->candidate.expires_ns == 0 && !took_part(membership, member);
}

/* A place for a newcomer: nobody's, else a new one, else that of who is gone. */
struct wm_member *membership_find_place(struct wm_membership *membership)
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

uint32_t membership_draw_session(const struct wm_membership *membership,
				 const struct wm_member *member)
{
	uint32_t session;

	do {
		wm_auth_random(&session, sizeof(session));
		session = (session & ~(WM_NODES_MAX - 1)) | membership_index(membership, member);
	} while (session < WM_NODES_MAX || session == member->session); /* also never 0 */
	return session;
}

void membership_end_session(struct wm_membership *membership, struct wm_member *member,
			    enum wm_member_state state, const char *reason)
{
	bool was_in = wm_member_is_in(member);

	member_enter(member, state);
	assert(!wm_member_is_in(member));
	snprintf(member->reason, sizeof(member->reason), "%s", reason);
	if (was_in)
		membership_report(membership, member, WM_MEMBER_CHANGE_LEFT);
	member->session = 0;
	wm_auth_end(&member->auth);
	explicit_bzero(member->frame_key, sizeof(member->frame_key));
	member_forget_asked(member);
	membership_transfer_end(membership, member);
}

uint32_t wm_membership_count_in(const struct wm_membership *membership)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < membership->count; i++)
		count += wm_member_is_in(&membership->members[i]);
	return count;
}

uint32_t wm_membership_count(const struct wm_membership *membership, enum wm_member_state state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < membership->count; i++)
		count += membership->members[i].state == state;
	return count;
}
