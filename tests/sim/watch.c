/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch.h"

#include "bug.h"
#include "check.h"
#include "controller.h"
#include "sim_lane.h"
#include "stream.h"

bool __real_wm_dispatch_next(struct wm_dispatch *dispatch, uint64_t now_ns,
			     struct wm_dispatch_send *send);
bool __wrap_wm_dispatch_next(struct wm_dispatch *dispatch, uint64_t now_ns,
			     struct wm_dispatch_send *send);
enum wm_ledger_verdict __real_wm_dispatch_result(struct wm_dispatch *dispatch, uint32_t node,
						 uint64_t batch, uint32_t sequence, uint64_t now_ns,
						 struct wm_dispatch_receipt *receipt);
enum wm_ledger_verdict __wrap_wm_dispatch_result(struct wm_dispatch *dispatch, uint32_t node,
						 uint64_t batch, uint32_t sequence, uint64_t now_ns,
						 struct wm_dispatch_receipt *receipt);
enum wm_ledger_verdict __real_wm_dispatch_opinion(struct wm_dispatch *dispatch, uint32_t node,
						  enum wm_opinion opinion,
						  struct wm_dispatch_receipt *receipt);
enum wm_ledger_verdict __wrap_wm_dispatch_opinion(struct wm_dispatch *dispatch, uint32_t node,
						  enum wm_opinion opinion,
						  struct wm_dispatch_receipt *receipt);
bool __real_wm_dispatch_invalidate_next(struct wm_dispatch *dispatch, uint32_t node,
					uint32_t *cursor, struct wm_ledger_batch *batch);
bool __wrap_wm_dispatch_invalidate_next(struct wm_dispatch *dispatch, uint32_t node,
					uint32_t *cursor, struct wm_ledger_batch *batch);
void __real_wm_dispatch_extent_open(struct wm_dispatch *dispatch, uint32_t slot, uint64_t extent);
void __wrap_wm_dispatch_extent_open(struct wm_dispatch *dispatch, uint32_t slot, uint64_t extent);
void __real_wm_dispatch_node_add(struct wm_dispatch *dispatch, uint32_t node, uint32_t window_max);
void __wrap_wm_dispatch_node_add(struct wm_dispatch *dispatch, uint32_t node, uint32_t window_max);
void __real_wm_dispatch_node_remove(struct wm_dispatch *dispatch, uint32_t node);
void __wrap_wm_dispatch_node_remove(struct wm_dispatch *dispatch, uint32_t node);
void __real_wm_progress_synced(struct wm_progress *progress);
void __wrap_wm_progress_synced(struct wm_progress *progress);
void __real_wm_progress_written(struct wm_progress *progress,
				const struct wm_progress_extent *extent, uint64_t now_ns);
void __wrap_wm_progress_written(struct wm_progress *progress,
				const struct wm_progress_extent *extent, uint64_t now_ns);
bool __real_wm_progress_invalidate(struct wm_progress *progress, uint64_t extent);
bool __wrap_wm_progress_invalidate(struct wm_progress *progress, uint64_t extent);
wm_kernel_invariant *__real_wm_kernel_find_invariant(const struct wm_kernel *kernel);
wm_kernel_invariant *__wrap_wm_kernel_find_invariant(const struct wm_kernel *kernel);

/* ---- batches -------------------------------------------------------------------- */

bool __wrap_wm_dispatch_next(struct wm_dispatch *dispatch, uint64_t now_ns,
			     struct wm_dispatch_send *send)
{
	if (!__real_wm_dispatch_next(dispatch, now_ns, send))
		return false;
	sim_check_sent(sim_current, send);
	return true;
}

static const uint8_t *received(struct sim *sim)
{
	return (const uint8_t *)(sim_frame_header(sim_lane_receiving(sim)) + 1);
}

enum wm_ledger_verdict __wrap_wm_dispatch_result(struct wm_dispatch *dispatch, uint32_t node,
						 uint64_t batch, uint32_t sequence, uint64_t now_ns,
						 struct wm_dispatch_receipt *receipt)
{
	struct sim *sim = sim_current;
	enum wm_ledger_verdict verdict =
		__real_wm_dispatch_result(dispatch, node, batch, sequence, now_ns, receipt);

	sim_trace(sim, "lane: result of batch %llu from member %u: verdict %d",
		  (unsigned long long)batch, node, verdict);
	if (verdict == WM_LEDGER_DUPLICATE || verdict == WM_LEDGER_UNKNOWN)
		return verdict;
	sim_check_result(sim, sim_lane_receiving(sim), &receipt->batch,
			 sim_lane_session(sim, node));
	if (verdict == WM_LEDGER_NEW)
		sim_check_done(sim, &receipt->batch, received(sim));
	else
		sim_check_held(sim, &receipt->batch);
	return verdict;
}

/* What is done then is what this result agrees with. */
enum wm_ledger_verdict __wrap_wm_dispatch_opinion(struct wm_dispatch *dispatch, uint32_t node,
						  enum wm_opinion opinion,
						  struct wm_dispatch_receipt *receipt)
{
	struct sim *sim = sim_current;
	enum wm_ledger_verdict verdict =
		__real_wm_dispatch_opinion(dispatch, node, opinion, receipt);

	sim_trace(sim, "lane: batch %llu compared: opinion %d, verdict %d",
		  (unsigned long long)receipt->batch.batch, opinion, verdict);
	if (verdict == WM_LEDGER_NEW)
		sim_check_done(sim, &receipt->batch, received(sim));
	if (receipt->wrong_node != WM_LEDGER_NOBODY)
		sim_trace(sim, "lane: member %u was found wrong", receipt->wrong_node);
	return verdict;
}

bool __wrap_wm_dispatch_invalidate_next(struct wm_dispatch *dispatch, uint32_t node,
					uint32_t *cursor, struct wm_ledger_batch *batch)
{
	if (sim_bug == SIM_BUG_NO_INVALIDATE ||
	    !__real_wm_dispatch_invalidate_next(dispatch, node, cursor, batch))
		return false;
	sim_check_batch_invalid(sim_current, batch);
	return true;
}

/* ---- nodes ----------------------------------------------------------------------- */

void __wrap_wm_dispatch_node_add(struct wm_dispatch *dispatch, uint32_t node, uint32_t window_max)
{
	__real_wm_dispatch_node_add(dispatch, node, window_max);
	sim_lane_set_member(sim_current, node, true);
}

void __wrap_wm_dispatch_node_remove(struct wm_dispatch *dispatch, uint32_t node)
{
	__real_wm_dispatch_node_remove(dispatch, node);
	sim_lane_set_member(sim_current, node, false);
}

/* ---- extents ---------------------------------------------------------------------- */

void __wrap_wm_dispatch_extent_open(struct wm_dispatch *dispatch, uint32_t slot, uint64_t extent)
{
	sim_check_extent_open(sim_current, extent);
	__real_wm_dispatch_extent_open(dispatch, slot, extent);
}

void __wrap_wm_progress_written(struct wm_progress *progress,
				const struct wm_progress_extent *extent, uint64_t now_ns)
{
	/* It was told before. */
	if (sim_bug != SIM_BUG_EARLY_JOURNAL)
		__real_wm_progress_written(progress, extent, now_ns);
}

void __wrap_wm_progress_synced(struct wm_progress *progress)
{
	/* It was told before. */
	if (sim_bug == SIM_BUG_EARLY_DURABLE && progress->syncing == 0)
		return;
	sim_check_durable(sim_current, progress->written, progress->syncing);
	__real_wm_progress_synced(progress);
}

bool __wrap_wm_progress_invalidate(struct wm_progress *progress, uint64_t extent)
{
	struct sim *sim = sim_current;

	sim_trace(sim, "lane: extent %llu is invalid", (unsigned long long)extent);
	if (!__real_wm_progress_invalidate(progress, extent))
		sim_violate(sim, "extent %llu is invalid, and there is no room for it",
			    (unsigned long long)extent);
	sim_check_extent_invalid(sim, extent);
	return true;
}

/* ---- bugs -------------------------------------------------------------------------- */

wm_kernel_invariant *__wrap_wm_kernel_find_invariant(const struct wm_kernel *kernel)
{
	if (sim_bug == SIM_BUG_NO_INVARIANT || sim_bug == SIM_BUG_NO_CRC)
		return NULL;
	return __real_wm_kernel_find_invariant(kernel);
}

void sim_bug_written_early(struct sim *sim, uint64_t extent, const uint8_t *output)
{
	struct wm_span span = wm_layout_extent(&sim->plan.layout, extent);
	struct wm_progress_extent written = {
		.extent = extent,
		.crc32c = wm_frame_crc_add(0, output, span.out_bytes),
	};

	if (sim_bug == SIM_BUG_EARLY_JOURNAL)
		__real_wm_progress_written(&sim_lane_job(sim)->progress, &written, sim->now_ns);
}

void sim_bug_durable_early(struct sim *sim)
{
	struct wm_progress *progress = &sim_lane_job(sim)->progress;

	if (sim_bug == SIM_BUG_EARLY_DURABLE && progress->syncing > 0)
		wm_progress_synced(progress);
}

/* What the header says it should be, if the bug does not look at it. */
static void disguise_header(struct sim *sim, struct wm_wire_header *header,
			    const uint32_t *sessions)
{
	uint32_t node = header->session & WM_SESSION_NODE_MASK;

	if (sim_bug == SIM_BUG_NO_JOB && wm_stream_job(sim_lane_stream(sim)))
		header->job = sim_lane_job(sim)->id;
	if (sim_bug == SIM_BUG_NO_SESSION && node < SIM_NODES_MAX)
		header->session = sessions[node];
}

void sim_bug_disguise(struct sim *sim, struct sim_frame *frame, const uint32_t *sessions)
{
	struct wm_wire_header *header = sim_frame_header(frame);
	uint32_t bytes = wm_frame_result_bytes(&sim->plan.layout.kernel, header->count);
	bool whole;

	if (header->count > sim->plan.layout.batch_elements ||
	    wm_frame_check_length(frame->bytes, bytes) != WM_DROP_NONE)
		return;
	whole = wm_frame_check_crc(header, header + 1, bytes) == WM_DROP_NONE;
	if (sim_bug != SIM_BUG_NO_CRC && !whole)
		return;
	disguise_header(sim, header, sessions);
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), header + 1, bytes);
}
