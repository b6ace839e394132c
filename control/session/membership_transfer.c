/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of kernels on their way to members that have them not. */
#include "membership_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static struct wm_membership_transfer *find(struct wm_membership *membership,
					   const struct wm_member *member)
{
	for (unsigned i = 0; i < WM_KERNEL_TRANSFERS_MAX; i++) {
		if (membership->transfers[i].member == member)
			return &membership->transfers[i];
	}
	return NULL;
}

static struct wm_membership_transfer *find_free(struct wm_membership *membership)
{
	return find(membership, NULL);
}

const uint8_t *membership_find_object(const struct wm_membership *membership,
				      const struct wm_kernel *kernel, size_t *bytes_count)
{
	const struct wm_membership_calls *calls = &membership->calls;

	*bytes_count = 0;
	if (wm_kernel_is_builtin(kernel) || !calls->find_object)
		return NULL;
	return calls->find_object(calls->context, kernel->hash, bytes_count);
}

/* ---- frames ------------------------------------------------------------------------- */

static bool is_computing(const struct wm_membership *membership)
{
	return wm_membership_count(membership, WM_MEMBER_READY) > 0;
}

/* Of all transfers: while a job runs, what wm_transfer_share says. */
static uint32_t budget(struct wm_membership *membership, uint64_t now_ns)
{
	assert(now_ns >= membership->share_ns);
	/* Nobody tells here what batches take: it is the least that a transfer gets. */
	wm_transfer_share_add(&membership->share, 0, now_ns - membership->share_ns);
	membership->share_ns = now_ns;
	return is_computing(membership) ? wm_transfer_share_budget(&membership->share) : UINT32_MAX;
}

static void send_chunk(struct wm_membership *membership, struct wm_member *member,
		       struct wm_transfer_chunk *next, const uint8_t *object)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	next->chunk.data = next->chunk.data_bytes > 0 ? object + next->chunk.offset : NULL;
	membership_send(membership, member, &next->header, body,
			wm_chunk_encode(body, WM_AUTH_BODY_BYTES_MAX, &next->chunk));
}

static void pump(struct wm_membership *membership, struct wm_membership_transfer *transfer,
		 uint64_t now_ns)
{
	struct wm_transfer_chunk next;
	size_t bytes_count;
	const uint8_t *object =
		membership_find_object(membership, &transfer->job->kernel.kernel, &bytes_count);

	/* Whoever ends the job ends this too, and holds the object until then. */
	assert(object && bytes_count == transfer->transfer.object.bytes);
	while (wm_transfer_next(&transfer->transfer, now_ns, budget(membership, now_ns), &next)) {
		wm_transfer_share_take(&membership->share, next.wire_bytes);
		send_chunk(membership, transfer->member, &next, object);
	}
}

/* ---- life --------------------------------------------------------------------------- */

void membership_transfer_end(struct wm_membership *membership, const struct wm_member *member)
{
	struct wm_membership_transfer *transfer = find(membership, member);

	if (transfer)
		transfer->member = NULL;
}

bool membership_transfer_is_on(const struct wm_membership *membership,
			       const struct wm_member *member)
{
	return find((struct wm_membership *)membership, member) != NULL;
}

bool membership_transfer_begin(struct wm_membership *membership,
			       const struct wm_membership_job *job, struct wm_member *member,
			       uint64_t now_ns)
{
	struct wm_membership_transfer *transfer = find_free(membership);
	struct wm_transfer_config config = {
		.session = member->session,
		.body_bytes_max = WM_AUTH_BODY_BYTES_MAX,
		.window_bytes_max = WM_KERNEL_TRANSFER_CHUNKS *
				    wm_chunk_data_bytes(WM_AUTH_BODY_BYTES_MAX),
	};
	int ret;

	assert(wm_member_is_in(member) && !membership_transfer_is_on(membership, member));
	if (!transfer)
		return false;
	memcpy(config.object.hash, job->kernel.kernel.hash, sizeof(config.object.hash));
	config.object.bytes = job->kernel.object_bytes;
	wm_auth_random(&config.seed, sizeof(config.seed));
	ret = wm_transfer_init(&transfer->transfer, &config);
	assert(ret == 0); /* an object's bytes, and a body with room for blocks */
	(void)ret;
	transfer->member = member;
	transfer->job = job;
	wm_log_info("node %s: gets kernel %s, %" PRIu32 " bytes", member->hello.name,
		    job->kernel.kernel.name, job->kernel.object_bytes);
	pump(membership, transfer, now_ns);
	return true;
}

/* It has it, and is asked again; or it is over without, which counts as any failure to
 * prepare does. */
static void finish(struct wm_membership *membership, struct wm_membership_transfer *transfer,
		   int status, uint64_t now_ns)
{
	const struct wm_membership_job *job = transfer->job;
	struct wm_member *member = transfer->member;
	char reason[WM_MESSAGE_TEXT_BYTES];

	transfer->member = NULL;
	if (status == 0) {
		membership_ask(membership, job, member, now_ns);
		return;
	}
	snprintf(reason, sizeof(reason), "kernel %s did not get there: %s", job->kernel.kernel.name,
		 wm_transfer_reason(status));
	membership_take_failure(membership, job, member, reason);
}

static void look(struct wm_membership *membership, struct wm_membership_transfer *transfer,
		 uint64_t now_ns)
{
	int status = wm_transfer_status(&transfer->transfer);

	if (status == -EINPROGRESS)
		pump(membership, transfer, now_ns);
	else
		finish(membership, transfer, status, now_ns);
}

int membership_receive_chunk_ack(struct wm_membership *membership, struct wm_member *member,
				 const struct wm_wire_header *header, const uint8_t *body,
				 size_t body_bytes, uint64_t now_ns)
{
	struct wm_membership_transfer *transfer = find(membership, member);

	/* Late, of one that is over. */
	if (!transfer)
		return 0;
	if (wm_transfer_ack(&transfer->transfer, header, body, body_bytes, now_ns) == WM_DROP_BODY)
		return -EBADMSG;
	look(membership, transfer, now_ns);
	return 0;
}

void membership_transfer_tick(struct wm_membership *membership, uint64_t now_ns)
{
	for (unsigned i = 0; i < WM_KERNEL_TRANSFERS_MAX; i++) {
		struct wm_membership_transfer *transfer = &membership->transfers[i];

		if (!transfer->member)
			continue;
		wm_transfer_expire(&transfer->transfer, now_ns);
		look(membership, transfer, now_ns);
	}
}
