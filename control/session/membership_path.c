/* SPDX-License-Identifier: BSD-3-Clause */
/* What passes to the members: found by ECHO frames (path.h), said, and heeded. */
#include "membership_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t wm_member_mtu(const struct wm_member *member)
{
	return member->path.mtu > 0 ? smaller(member->path.mtu, member->hello.mtu)
				    : member->hello.mtu;
}

bool wm_member_path_is_narrow(const struct wm_member *member)
{
	return wm_member_is_in(member) && member->path.mtu > 0 &&
	       member->path.mtu < member->path.most;
}

void wm_membership_look(struct wm_membership *membership, uint32_t index, uint64_t now_ns)
{
	struct wm_member *member = &membership->members[index];

	if (membership->calls.probe && wm_member_is_in(member) && member->path.round == 0)
		wm_path_look(&member->path, smaller(member->hello.mtu, membership->mtu_most),
			     now_ns);
}

bool wm_membership_port_is_below(const struct wm_membership *membership,
				 const struct wm_member *member, uint32_t mtu)
{
	const struct wm_membership_calls *calls = &membership->calls;
	uint32_t now = calls->port_mtu ? calls->port_mtu(calls->context, member->mac) : 0;

	return now > 0 && now < mtu;
}

static void say(const struct wm_membership *membership, const struct wm_member *member,
		uint32_t before)
{
	if (wm_member_path_is_narrow(member) &&
	    wm_membership_port_is_below(membership, member, member->path.most))
		wm_log_warning("node %s: frames of MTU %" PRIu32 " pass between it and this "
			       "controller, larger ones do not: the controller's own port was "
			       "set below the %" PRIu32 " that it started with",
			       member->hello.name, member->path.mtu, member->path.most);
	else if (wm_member_path_is_narrow(member))
		wm_log_warning(
			"node %s: frames of MTU %" PRIu32 " pass between it and this "
			"controller, larger ones do not, though the links of both have %" PRIu32
			": set the MTU of the switch's ports between them",
			member->hello.name, member->path.mtu, member->path.most);
	else if (before > 0)
		wm_log_info("node %s: frames of MTU %" PRIu32 " pass now", member->hello.name,
			    member->path.mtu);
}

/* It takes no batch of this job that would not arrive, and is back once they do. */
static void heed(struct wm_membership *membership, const struct wm_membership_job *job,
		 struct wm_member *member, uint64_t now_ns)
{
	struct wm_member_job *asked = member_job(membership, member, job);
	bool fits = wm_member_mtu(member) >= job->mtu;

	if (job->id == 0 || fits == asked->asked)
		return;
	if (!fits && member->state == WM_MEMBER_READY) {
		membership_report(membership, member, WM_MEMBER_CHANGE_UNFIT);
		member_enter(member, WM_MEMBER_ADMITTED);
	}
	asked->asked = asked->answered = asked->lacks = false;
	membership_transfer_end(membership, member);
	membership_ask_if_fit(membership, job, member, now_ns);
}

static void note(struct wm_membership *membership, struct wm_member *member, uint32_t before,
		 uint64_t now_ns)
{
	if (member->path.mtu == before)
		return;
	say(membership, member, before);
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++)
		heed(membership, &membership->jobs[i], member, now_ns);
}

void membership_path_tick(struct wm_membership *membership, struct wm_member *member,
			  uint64_t now_ns)
{
	uint32_t sizes[WM_PATH_SIZES_MAX], before = member->path.mtu;
	uint32_t count = wm_path_tick(&member->path, now_ns, sizes);
	const struct wm_wire_header header = {
		.op = WM_OP_ECHO,
		.session = member->session,
		.batch = member->path.id,
	};

	for (uint32_t i = 0; i < count; i++)
		membership->calls.probe(membership->calls.context, member->mac, &header, sizes[i]);
	note(membership, member, before, now_ns);
}

void wm_membership_receive_echo(struct wm_membership *membership,
				const uint8_t source[WM_ETHER_ADDR_BYTES],
				const struct wm_wire_header *header, uint64_t now_ns)
{
	struct wm_member *member = &membership->members[header->session & (WM_NODES_MAX - 1)];
	uint32_t before = member->path.mtu;

	if (!wm_member_is_in(member) || member->session != header->session ||
	    memcmp(member->mac, source, WM_ETHER_ADDR_BYTES) != 0) {
		membership->ignored++;
		return;
	}
	wm_path_receive_echo(&member->path, (uint32_t)header->batch,
			     WM_WIRE_HEADER_BYTES + header->count, now_ns);
	note(membership, member, before, now_ns);
}

bool wm_membership_paths_are_open(const struct wm_membership *membership, uint64_t now_ns)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		const struct wm_member *member = &membership->members[i];

		if (wm_member_is_in(member) && wm_path_is_open(&member->path, now_ns))
			return true;
	}
	return false;
}

/* By the frames of some job. */
static bool is_unreached(const struct wm_membership *membership, const struct wm_member *member)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		if (membership->jobs[i].id != 0 && member->path.mtu < membership->jobs[i].mtu)
			return wm_member_path_is_narrow(member);
	}
	return false;
}

const struct wm_member *wm_membership_find_unreached(const struct wm_membership *membership)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		if (is_unreached(membership, &membership->members[i]))
			return &membership->members[i];
	}
	return NULL;
}
