/* SPDX-License-Identifier: BSD-3-Clause */
/* Jobs: who is asked to prepare them, and who has. */
#include "membership_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "log.h"

#define ASK_AGAIN_NS (200 * WM_NS_PER_MS)
/* A node that failed to prepare rests before it is asked again, twice as long each time. */
#define REST_NS (1 * WM_NS_PER_S)
#define FAILURES_MAX 5u

/* ---- the table --------------------------------------------------------------------- */

/* WM_RUNNING_JOBS_MAX: it is none of those that run. */
static unsigned place_of(const struct wm_membership *membership, uint32_t id)
{
	unsigned place = 0;

	while (place < WM_RUNNING_JOBS_MAX && (id == 0 || membership->jobs[place].id != id))
		place++;
	return place;
}

/* NULL: it is none of those that run. */
static struct wm_membership_job *find_job(struct wm_membership *membership, uint32_t id)
{
	unsigned place = place_of(membership, id);

	return place < WM_RUNNING_JOBS_MAX ? &membership->jobs[place] : NULL;
}

/* Its entry, or a free one. */
static struct wm_membership_job *take_place(struct wm_membership *membership, uint32_t id)
{
	struct wm_membership_job *job = find_job(membership, id);

	for (unsigned i = 0; !job && i < WM_RUNNING_JOBS_MAX; i++) {
		if (membership->jobs[i].id == 0)
			job = &membership->jobs[i];
	}
	assert(job);
	return job;
}

struct wm_member_job *member_job(const struct wm_membership *membership, struct wm_member *member,
				 const struct wm_membership_job *job)
{
	return &member->jobs[job - membership->jobs];
}

/* ---- asking ------------------------------------------------------------------------ */

void membership_ask(struct wm_membership *membership, const struct wm_membership_job *job,
		    struct wm_member *member, uint64_t now_ns)
{
	struct wm_member_job *asked = member_job(membership, member, job);
	const struct wm_wire_header header = {
		.op = WM_OP_KERNEL,
		.session = member->session,
		.job = job->id,
		.batch = asked->failures,
	};
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	assert(job->id != 0 && wm_member_is_in(member));
	assert(wm_member_mtu(member) >= job->mtu);
	asked->asked = true;
	asked->answered = asked->lacks = false;
	asked->asked_ns = now_ns;
	membership_transfer_end(membership, member); /* what it has of it goes on from there */
	membership_send(membership, member, &header, body,
			wm_message_encode_kernel(body, WM_AUTH_BODY_BYTES_MAX, &job->kernel));
}

void membership_ask_if_fit(struct wm_membership *membership, const struct wm_membership_job *job,
			   struct wm_member *member, uint64_t now_ns)
{
	member_job(membership, member, job)->failures = 0;
	member->reason[0] = '\0';
	if (wm_member_mtu(member) >= job->mtu) {
		membership_ask(membership, job, member, now_ns);
		return;
	}
	snprintf(member->reason, sizeof(member->reason),
		 "%s MTU of %" PRIu32 " is too small for job %" PRIu32 ", which uses %" PRIu32,
		 wm_member_path_is_narrow(member) ? "the path to it, with an" : "its",
		 wm_member_mtu(member), job->id, job->mtu);
	wm_log_warning("node %s: %s: it gets the next job", member->hello.name, member->reason);
}

void membership_ask_for_all(struct wm_membership *membership, struct wm_member *member,
			    uint64_t now_ns)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		if (membership->jobs[i].id != 0)
			membership_ask_if_fit(membership, &membership->jobs[i], member, now_ns);
	}
}

/* Not answered yet, or not with success and rested since. */
static bool is_to_be_asked(const struct wm_member *member, const struct wm_member_job *asked,
			   uint64_t now_ns)
{
	if (!asked->asked || member->state == WM_MEMBER_READY)
		return false;
	if (!asked->answered)
		return now_ns > asked->asked_ns + ASK_AGAIN_NS;
	assert(asked->failures > 0);
	return asked->failures < FAILURES_MAX &&
	       now_ns > asked->asked_ns + (REST_NS << (asked->failures - 1));
}

void membership_ask_again(struct wm_membership *membership, struct wm_member *member,
			  uint64_t now_ns)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		const struct wm_membership_job *job = &membership->jobs[i];

		/* It was not asked again while it waited for its turn. */
		if (job->id != 0 && member->jobs[i].lacks) {
			if (!membership_transfer_is_on(membership, member))
				membership_transfer_begin(membership, job, member, now_ns);
			continue;
		}
		if (job->id != 0 && is_to_be_asked(member, &member->jobs[i], now_ns))
			membership_ask(membership, job, member, now_ns);
	}
}

/* ---- answers ----------------------------------------------------------------------- */

void membership_take_failure(struct wm_membership *membership, const struct wm_membership_job *job,
			     struct wm_member *member, const char *reason)
{
	struct wm_member_job *asked = member_job(membership, member, job);

	asked->answered = true;
	asked->lacks = false;
	asked->failures++;
	snprintf(member->reason, sizeof(member->reason), "not ready: %s", reason);
	wm_log_warning("node %s cannot take part in job %" PRIu32 ": %s", member->hello.name,
		       job->id, reason);
}

void membership_receive_ack(struct wm_membership *membership, struct wm_member *member,
			    const struct wm_wire_header *header, const struct wm_ack *ack,
			    uint64_t now_ns)
{
	const struct wm_membership_job *job = find_job(membership, header->job);
	struct wm_member_job *asked;

	if (!job)
		return; /* it has ended */
	asked = member_job(membership, member, job);
	if (!asked->asked || asked->answered || asked->lacks || header->batch != asked->failures)
		return; /* repeated, or to an earlier question */
	if (ack->status == ENODATA && job->kernel.object_bytes > 0) {
		asked->lacks = true;
		membership_transfer_begin(membership, job, member, now_ns);
		return;
	}
	if (ack->status != 0) {
		membership_take_failure(membership, job, member, ack->text);
		return;
	}
	asked->answered = true;
	member_enter(member, WM_MEMBER_READY);
	asked->took_part = job->id;
	membership_report(membership, member, WM_MEMBER_CHANGE_READY);
}

/* ---- the life of a job -------------------------------------------------------------- */

void wm_membership_job_begin(struct wm_membership *membership, uint32_t id,
			     const struct wm_layout *layout, uint32_t mtu, uint64_t now_ns)
{
	struct wm_membership_job *job = take_place(membership, id);
	size_t object_bytes;

	assert(id != 0 && mtu > 0);
	(void)membership_find_object(membership, &layout->kernel, &object_bytes);
	assert(object_bytes <= WM_KERNEL_OBJECT_BYTES_MAX);
	*job = (struct wm_membership_job){
		.id = id,
		.mtu = mtu,
		.kernel = { .kernel = layout->kernel,
			    .batch_elements = layout->batch_elements,
			    .object_bytes = (uint32_t)object_bytes },
	};
	for (uint32_t i = 0; i < membership->count; i++) {
		if (wm_member_is_in(&membership->members[i]))
			membership_ask_if_fit(membership, job, &membership->members[i], now_ns);
	}
}

void wm_membership_job_end(struct wm_membership *membership, uint32_t id)
{
	struct wm_membership_job *job = find_job(membership, id);

	if (!job)
		return;
	for (uint32_t i = 0; i < membership->count; i++) {
		struct wm_member *member = &membership->members[i];
		struct wm_member_job *asked = member_job(membership, member, job);

		asked->asked = asked->answered = asked->lacks = false;
		membership_transfer_end(membership, member);
		if (member->state == WM_MEMBER_READY)
			member_enter(member, WM_MEMBER_ADMITTED);
		if (wm_member_is_in(member))
			member->reason[0] = '\0';
	}
	job->id = 0;
}

bool wm_membership_has_answered(const struct wm_membership *membership,
				const struct wm_member *member, uint32_t id)
{
	unsigned place = place_of(membership, id);

	return place < WM_RUNNING_JOBS_MAX && member->jobs[place].answered;
}

bool wm_membership_job_is_answered(const struct wm_membership *membership, uint32_t id)
{
	unsigned place = place_of(membership, id);

	for (uint32_t i = 0; place < WM_RUNNING_JOBS_MAX && i < membership->count; i++) {
		const struct wm_member *member = &membership->members[i];

		if (wm_member_is_in(member) && member->jobs[place].asked &&
		    !member->jobs[place].answered)
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
