/* SPDX-License-Identifier: BSD-3-Clause */
/* The job: who is asked to prepare it, and who has. */
#include "membership_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "log.h"

#define ASK_AGAIN_NS (200 * WM_NS_PER_MS)
/* A node that failed to prepare rests before it is asked again, twice as long each time. */
#define REST_NS (1 * WM_NS_PER_S)
#define FAILURES_MAX 5u

static void ask(struct wm_membership *membership, struct wm_member *member, uint64_t now_ns)
{
	const struct wm_wire_header header = {
		.op = WM_OP_KERNEL,
		.session = member->session,
		.job = membership->job,
		.batch = member->failures,
	};
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	assert(membership->job != 0 && wm_member_is_in(member));
	assert(wm_member_mtu(member) >= membership->job_mtu);
	member->asked = true;
	member->answered = false;
	member->asked_ns = now_ns;
	membership_send(
		membership, member, &header, body,
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

/* Not answered yet, or not with success and rested since. */
static bool is_to_be_asked(const struct wm_membership *membership, const struct wm_member *member,
			   uint64_t now_ns)
{
	if (membership->job == 0 || !member->asked || member->state == WM_MEMBER_READY)
		return false;
	if (!member->answered)
		return now_ns > member->asked_ns + ASK_AGAIN_NS;
	assert(member->failures > 0);
	return member->failures < FAILURES_MAX &&
	       now_ns > member->asked_ns + (REST_NS << (member->failures - 1));
}

void membership_ask_again(struct wm_membership *membership, struct wm_member *member,
			  uint64_t now_ns)
{
	if (is_to_be_asked(membership, member, now_ns))
		ask(membership, member, now_ns);
}

void membership_receive_ack(struct wm_membership *membership, struct wm_member *member,
			    const struct wm_wire_header *header, const struct wm_ack *ack)
{
	uint32_t job = header->job;

	if (job == 0 || job != membership->job || !member->asked || member->answered ||
	    header->batch != member->failures)
		return; /* repeated, of a job that has ended, or to an earlier question */
	member->answered = true;
	if (ack->status == 0) {
		member_enter(member, WM_MEMBER_READY);
		member->took_part = job;
		membership_report(membership, member, WM_MEMBER_CHANGE_READY);
		return;
	}
	member->failures++;
	snprintf(member->reason, sizeof(member->reason), "not ready: %s", ack->text);
	wm_log_warning("node %s cannot take part in job %" PRIu32 ": %s", member->hello.name, job,
		       ack->text);
}

void wm_membership_job_begin(struct wm_membership *membership, uint32_t job,
			     const struct wm_layout *layout, uint32_t mtu, uint64_t now_ns)
{
	assert(job != 0 && mtu > 0);
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
		if (member->state == WM_MEMBER_READY)
			member_enter(member, WM_MEMBER_ADMITTED);
		if (wm_member_is_in(member))
			member->reason[0] = '\0';
	}
}

bool wm_membership_job_is_answered(const struct wm_membership *membership)
{
	for (uint32_t i = 0; i < membership->count; i++) {
		const struct wm_member *member = &membership->members[i];

		if (wm_member_is_in(member) && member->asked && !member->answered)
			return false;
	}
	return true;
}

uint32_t wm_membership_find_mtu(const struct wm_membership *membership, uint32_t mtu_max,
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
