/* SPDX-License-Identifier: BSD-3-Clause */
/* Bugs that the simulator must find: put before the real functions by the linker. */
#include <errno.h>
#include <string.h>

#include "world.h"

enum transfer_bug transfer_bug = TRANSFER_BUG_NONE;

static const char *const names[TRANSFER_BUGS] = {
	[TRANSFER_BUG_NONE] = "none",		[TRANSFER_BUG_TAIL] = "tail",
	[TRANSFER_BUG_HASH] = "hash",		[TRANSFER_BUG_OLDER] = "older-object",
	[TRANSFER_BUG_OVERWRITE] = "overwrite", [TRANSFER_BUG_NO_TIMER] = "no-timer",
	[TRANSFER_BUG_NO_SHARE] = "no-share",	[TRANSFER_BUG_WINDOW] = "window",
	[TRANSFER_BUG_NO_RESUME] = "no-resume", [TRANSFER_BUG_SAME_LIFE] = "same-life",
};

const char *transfer_bug_name(enum transfer_bug bug)
{
	return names[bug];
}

enum transfer_bug transfer_bug_find(const char *name)
{
	for (int i = 0; i < TRANSFER_BUGS; i++) {
		if (strcmp(names[i], name) == 0)
			return (enum transfer_bug)i;
	}
	return TRANSFER_BUGS;
}

bool __real_wm_receiver_hash(struct wm_receiver *receiver, uint64_t bytes_max);
bool __wrap_wm_receiver_hash(struct wm_receiver *receiver, uint64_t bytes_max);
enum wm_drop __real_wm_receiver_take(struct wm_receiver *receiver,
				     const struct wm_wire_header *header, const uint8_t *body,
				     size_t body_bytes);
enum wm_drop __wrap_wm_receiver_take(struct wm_receiver *receiver,
				     const struct wm_wire_header *header, const uint8_t *body,
				     size_t body_bytes);
bool __real_wm_transfer_next(struct wm_transfer *transfer, uint64_t now_ns, uint32_t budget_bytes,
			     struct wm_transfer_chunk *out);
bool __wrap_wm_transfer_next(struct wm_transfer *transfer, uint64_t now_ns, uint32_t budget_bytes,
			     struct wm_transfer_chunk *out);
enum wm_drop __real_wm_transfer_ack(struct wm_transfer *transfer,
				    const struct wm_wire_header *header, const uint8_t *body,
				    size_t body_bytes, uint64_t now_ns);
enum wm_drop __wrap_wm_transfer_ack(struct wm_transfer *transfer,
				    const struct wm_wire_header *header, const uint8_t *body,
				    size_t body_bytes, uint64_t now_ns);
void __real_wm_transfer_expire(struct wm_transfer *transfer, uint64_t now_ns);
void __wrap_wm_transfer_expire(struct wm_transfer *transfer, uint64_t now_ns);
uint32_t __real_wm_transfer_share_budget(const struct wm_transfer_share *share);
uint32_t __wrap_wm_transfer_share_budget(const struct wm_transfer_share *share);

bool __wrap_wm_receiver_hash(struct wm_receiver *receiver, uint64_t bytes_max)
{
	bool over = __real_wm_receiver_hash(receiver, bytes_max);

	if (transfer_bug == TRANSFER_BUG_HASH && receiver->status == -EBADMSG)
		receiver->status = 0;
	if (transfer_bug != TRANSFER_BUG_TAIL || over || receiver->status != -EINPROGRESS ||
	    receiver->blocks < 2 || receiver->received + 1 < receiver->blocks)
		return over;
	receiver->status = 0;
	receiver->received = receiver->blocks;
	receiver->hashed_bytes = receiver->config.object.bytes;
	return true;
}

static void overwrite(struct wm_receiver *receiver, const uint8_t *body, size_t body_bytes)
{
	struct wm_chunk chunk;

	if (wm_chunk_decode(body, body_bytes, &chunk) == 0 && chunk.data_bytes > 0)
		memcpy(receiver->config.memory + chunk.offset, chunk.data, chunk.data_bytes);
}

enum wm_drop __wrap_wm_receiver_take(struct wm_receiver *receiver,
				     const struct wm_wire_header *header, const uint8_t *body,
				     size_t body_bytes)
{
	struct wm_wire_header taken = *header;
	enum wm_drop drop;

	if (transfer_bug == TRANSFER_BUG_OLDER)
		taken.batch = receiver->id;
	drop = __real_wm_receiver_take(receiver, &taken, body, body_bytes);
	if (transfer_bug == TRANSFER_BUG_OVERWRITE && drop == WM_DROP_NONE)
		overwrite(receiver, body, body_bytes);
	return drop;
}

bool __wrap_wm_transfer_next(struct wm_transfer *transfer, uint64_t now_ns, uint32_t budget_bytes,
			     struct wm_transfer_chunk *out)
{
	if (transfer_bug == TRANSFER_BUG_WINDOW && transfer->window_bytes_theirs > 0)
		transfer->window_bytes_theirs = UINT32_MAX;
	return __real_wm_transfer_next(transfer, now_ns, budget_bytes, out);
}

enum wm_drop __wrap_wm_transfer_ack(struct wm_transfer *transfer,
				    const struct wm_wire_header *header, const uint8_t *body,
				    size_t body_bytes, uint64_t now_ns)
{
	bool first = transfer->counters.acks == 0;
	enum wm_drop drop = __real_wm_transfer_ack(transfer, header, body, body_bytes, now_ns);

	if (transfer_bug != TRANSFER_BUG_NO_RESUME || !first || drop != WM_DROP_NONE ||
	    transfer->status != -EINPROGRESS)
		return drop;
	memset(transfer->held, 0, sizeof(transfer->held));
	transfer->base = transfer->scan = transfer->held_beyond = 0;
	return drop;
}

void __wrap_wm_transfer_expire(struct wm_transfer *transfer, uint64_t now_ns)
{
	if (transfer_bug != TRANSFER_BUG_NO_TIMER)
		__real_wm_transfer_expire(transfer, now_ns);
}

uint32_t __wrap_wm_transfer_share_budget(const struct wm_transfer_share *share)
{
	if (transfer_bug == TRANSFER_BUG_NO_SHARE)
		return UINT32_MAX;
	return __real_wm_transfer_share_budget(share);
}
