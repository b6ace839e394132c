/* SPDX-License-Identifier: BSD-3-Clause */
#include "bug.h"

#include <string.h>

#include "dispatch.h"
#include "flow.h"
#include "ledger.h"
#include "progress.h"
#include "recompute.h"
#include "wiremill/journal.h"

enum sim_bug sim_bug = SIM_BUG_NONE;

static const char *const names[SIM_BUGS] = {
	[SIM_BUG_NONE] = "none",
	[SIM_BUG_NO_SYNC] = "no-sync",
	[SIM_BUG_IGNORE_SYNC] = "ignore-sync",
	[SIM_BUG_EARLY_DURABLE] = "early-durable",
	[SIM_BUG_EARLY_JOURNAL] = "early-journal",
	[SIM_BUG_TORN_RECORD] = "torn-record",
	[SIM_BUG_REPLAY_GAP] = "replay-gap",
	[SIM_BUG_NO_CRC] = "no-crc",
	[SIM_BUG_NO_SESSION] = "no-session",
	[SIM_BUG_NO_JOB] = "no-job",
	[SIM_BUG_SEQUENCE] = "sequence",
	[SIM_BUG_OLD_FLIGHT] = "old-flight",
	[SIM_BUG_LOSE_NOTHING] = "lose-nothing",
	[SIM_BUG_NO_TIMEOUT] = "no-timeout",
	[SIM_BUG_WINDOW] = "window",
	[SIM_BUG_TWICE] = "twice",
	[SIM_BUG_WRONG_NODE] = "wrong-node",
	[SIM_BUG_NO_INVARIANT] = "no-invariant",
	[SIM_BUG_NO_RECOMPUTE] = "no-recompute",
	[SIM_BUG_NO_INVALIDATE] = "no-invalidate",
	[SIM_BUG_RECOMPUTE_TWICE] = "recompute-twice",
	[SIM_BUG_NO_LOOK] = "no-look",
};

const char *sim_bug_name(enum sim_bug bug)
{
	return names[bug];
}

enum sim_bug sim_bug_find(const char *name)
{
	for (int i = 0; i < SIM_BUGS; i++) {
		if (strcmp(names[i], name) == 0)
			return (enum sim_bug)i;
	}
	return SIM_BUGS;
}

/* ---- put before the real ones by the linker -------------------------------------- */

void __real_wm_ledger_lose(struct wm_ledger *ledger, uint64_t token);
void __wrap_wm_ledger_lose(struct wm_ledger *ledger, uint64_t token);
enum wm_ledger_verdict __real_wm_ledger_complete(struct wm_ledger *ledger, uint64_t token,
						 uint16_t node, bool *extent_done);
enum wm_ledger_verdict __wrap_wm_ledger_complete(struct wm_ledger *ledger, uint64_t token,
						 uint16_t node, bool *extent_done);
void __real_wm_flow_init(struct wm_flow *flow, uint32_t seed);
void __wrap_wm_flow_init(struct wm_flow *flow, uint32_t seed);
void __real_wm_flow_begin(struct wm_flow *flow, uint32_t window_max, uint32_t queue_target,
			  const struct wm_kernel *kernel);
void __wrap_wm_flow_begin(struct wm_flow *flow, uint32_t window_max, uint32_t queue_target,
			  const struct wm_kernel *kernel);
bool __real_wm_flow_expire(struct wm_flow *flow, uint64_t now_ns);
bool __wrap_wm_flow_expire(struct wm_flow *flow, uint64_t now_ns);
bool __real_wm_flow_has_room(const struct wm_flow *flow);
bool __wrap_wm_flow_has_room(const struct wm_flow *flow);
int __real_wm_progress_replay(struct wm_progress *progress, uint64_t extent);
int __wrap_wm_progress_replay(struct wm_progress *progress, uint64_t extent);
int __real_wm_journal_decode_record(const uint8_t bytes[WM_JOURNAL_RECORD_BYTES],
				    struct wm_journal_record *record, uint32_t random,
				    uint32_t number);
int __wrap_wm_journal_decode_record(const uint8_t bytes[WM_JOURNAL_RECORD_BYTES],
				    struct wm_journal_record *record, uint32_t random,
				    uint32_t number);

int __real_wm_recompute_feed(struct wm_recompute *recompute, const struct wm_journal *journal,
			     uint64_t extents[WM_RECOMPUTE_BURST], bool *finished);
int __wrap_wm_recompute_feed(struct wm_recompute *recompute, const struct wm_journal *journal,
			     uint64_t extents[WM_RECOMPUTE_BURST], bool *finished);

void __wrap_wm_ledger_lose(struct wm_ledger *ledger, uint64_t token)
{
	if (sim_bug != SIM_BUG_LOSE_NOTHING)
		__real_wm_ledger_lose(ledger, token);
}

enum wm_ledger_verdict __wrap_wm_ledger_complete(struct wm_ledger *ledger, uint64_t token,
						 uint16_t node, bool *extent_done)
{
	enum wm_ledger_verdict verdict =
		__real_wm_ledger_complete(ledger, token, node, extent_done);

	if (sim_bug == SIM_BUG_TWICE && verdict == WM_LEDGER_DUPLICATE && token != WM_TOKEN_NONE)
		return WM_LEDGER_NEW;
	return verdict;
}

/* The session seeds the sequences: with that, old results do not fit either. */
void __wrap_wm_flow_init(struct wm_flow *flow, uint32_t seed)
{
	__real_wm_flow_init(flow, sim_bug == SIM_BUG_NO_SESSION ? 1 : seed);
}

void __wrap_wm_flow_begin(struct wm_flow *flow, uint32_t window_max, uint32_t queue_target,
			  const struct wm_kernel *kernel)
{
	static struct wm_flow before;

	before = *flow;
	__real_wm_flow_begin(flow, window_max, queue_target, kernel);
	if (sim_bug == SIM_BUG_SEQUENCE) {
		flow->first = flow->next = flow->lost_before = flow->round_end = 1;
		flow->newest = 0;
	}
	if (sim_bug == SIM_BUG_OLD_FLIGHT) {
		memcpy(flow->ring, before.ring, sizeof(flow->ring));
		flow->first = before.first;
		flow->newest = before.newest;
		flow->lost_before = before.lost_before;
		flow->in_flight = before.in_flight;
	}
}

bool __wrap_wm_flow_expire(struct wm_flow *flow, uint64_t now_ns)
{
	return sim_bug == SIM_BUG_NO_TIMEOUT ? false : __real_wm_flow_expire(flow, now_ns);
}

bool __wrap_wm_flow_has_room(const struct wm_flow *flow)
{
	if (sim_bug == SIM_BUG_WINDOW)
		return flow->in_flight <= flow->window_max;
	return __real_wm_flow_has_room(flow);
}

/* When the pass is over, the first of those that it named, once more. */
int __wrap_wm_recompute_feed(struct wm_recompute *recompute, const struct wm_journal *journal,
			     uint64_t extents[WM_RECOMPUTE_BURST], bool *finished)
{
	static uint64_t named;
	static bool has_named;
	int count = __real_wm_recompute_feed(recompute, journal, extents, finished);

	if (sim_bug != SIM_BUG_RECOMPUTE_TWICE)
		return count;
	if (count > 0) {
		named = extents[0];
		has_named = true;
	} else if (*finished && has_named) {
		extents[0] = named;
		has_named = *finished = false;
		return 1;
	}
	return count;
}

int __wrap_wm_progress_replay(struct wm_progress *progress, uint64_t extent)
{
	if (sim_bug == SIM_BUG_REPLAY_GAP && extent < progress->extents) {
		while (progress->next < extent)
			__real_wm_progress_replay(progress, progress->next);
	}
	return __real_wm_progress_replay(progress, extent);
}

int __wrap_wm_journal_decode_record(const uint8_t bytes[WM_JOURNAL_RECORD_BYTES],
				    struct wm_journal_record *record, uint32_t random,
				    uint32_t number)
{
	if (sim_bug != SIM_BUG_TORN_RECORD)
		return __real_wm_journal_decode_record(bytes, record, random, number);
	/* As drawn in journal.h, and believed. */
	memcpy(&record->type, bytes, 4);
	memcpy(&record->crc32c, bytes + 4, 4);
	memcpy(&record->extent, bytes + 8, 8);
	memcpy(&record->nodes, bytes + 16, 8);
	return record->type == WM_JOURNAL_EXTENT ? 0 : -1;
}
