/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "frame.h"
#include "lane.h"
#include "wiremill/limits.h"

#define STUCK_NS (2 * WM_NS_PER_S)
#define NOWHERE UINT32_MAX

/* A batch of the running job: sent ones that are not done stand in a list, the one
 * that was sent longest ago first. */
struct watch {
	uint64_t sent_ns;
	uint32_t previous, next, node;
	bool pending, done;
};

struct sim_check {
	struct watch *batches;
	uint32_t first, last;
	struct wm_progress replayed;
	bool *durable; /* by extent: it need not be made again */
};

void sim_check_create(struct sim *sim)
{
	sim->check = sim_allocate(1, sizeof(*sim->check));
	sim->check->batches = sim_allocate(sim->plan.layout.batches, sizeof(*sim->check->batches));
	sim->check->durable = sim_allocate(sim->plan.layout.extents, sizeof(bool));
}

void sim_check_destroy(struct sim *sim)
{
	free(sim->check->durable);
	free(sim->check->batches);
	free(sim->check);
}

void sim_check_job_start(struct sim *sim)
{
	memset(sim->check->batches, 0, sim->plan.layout.batches * sizeof(*sim->check->batches));
	sim->check->first = sim->check->last = NOWHERE;
	if (sim_lane_job(sim)->progress.durable == 0)
		memset(sim->check->durable, 0, sim->plan.layout.extents * sizeof(bool));
}

/* ---- batches -------------------------------------------------------------------- */

static void unlink_batch(struct sim_check *check, uint32_t index)
{
	struct watch *batch = &check->batches[index];

	if (!batch->pending)
		return;
	if (batch->previous == NOWHERE)
		check->first = batch->next;
	else
		check->batches[batch->previous].next = batch->next;
	if (batch->next == NOWHERE)
		check->last = batch->previous;
	else
		check->batches[batch->next].previous = batch->previous;
	batch->pending = false;
}

static void append_batch(struct sim_check *check, uint32_t index)
{
	struct watch *batch = &check->batches[index];

	batch->pending = true;
	batch->next = NOWHERE;
	batch->previous = check->last;
	if (check->last == NOWHERE)
		check->first = index;
	else
		check->batches[check->last].next = index;
	check->last = index;
}

/* Whoever waits for a batch for so long, while there is room for others. */
static void check_stuck(struct sim *sim, const char *meanwhile)
{
	const struct watch *oldest;

	if (sim->check->first == NOWHERE)
		return;
	oldest = &sim->check->batches[sim->check->first];
	if (sim->now_ns - oldest->sent_ns > STUCK_NS)
		sim_violate(sim, "batch %u waits on node %u for %.3f s, %s", sim->check->first,
			    oldest->node, (double)(sim->now_ns - oldest->sent_ns) / WM_NS_PER_S,
			    meanwhile);
}

void sim_check_sent(struct sim *sim, const struct wm_dispatch_send *send)
{
	uint32_t index = (uint32_t)send->batch.batch;
	struct watch *batch = &sim->check->batches[index];

	if (batch->done)
		sim_violate(sim, "batch %u is sent after its result", index);
	if (sim->check->durable[index / sim->plan.layout.batches_per_extent])
		sim_violate(sim, "batch %u is computed again, though its extent is durable", index);
	if (!send->batch.again) {
		if (batch->pending)
			sim_violate(sim, "batch %u is sent as new again", index);
		check_stuck(sim, "and new ones are sent");
	}
	unlink_batch(sim->check, index);
	batch->sent_ns = sim->now_ns;
	batch->node = send->node;
	append_batch(sim->check, index);
	sim->tally.sent++;
	sim->tally.again += send->batch.again;
	sim_mix(sim, send->batch.batch << 16 ^ send->node);
	sim_trace(sim, "lane: batch %u to node %u, stamp %u%s", index, send->node, send->stamp,
		  send->batch.again ? ", again" : "");
}

void sim_check_result(struct sim *sim, struct sim_frame *frame, const struct wm_ledger_batch *batch,
		      uint32_t session)
{
	const struct wm_layout *layout = &sim->plan.layout;
	const struct wm_wire_header *header = sim_frame_header(frame);
	uint64_t extent = batch->batch / layout->batches_per_extent;
	uint64_t offset = (extent * layout->extent_elements +
			   (uint64_t)batch->place * layout->batch_elements) *
			  layout->kernel.out_bytes;
	uint32_t index = (uint32_t)batch->batch;

	if (frame->damaged)
		sim_violate(sim, "a damaged result of batch %u is taken", index);
	if (frame->session != session)
		sim_violate(sim, "a result of session %x is taken, the node has %x", frame->session,
			    session);
	if (frame->job != sim_lane_job(sim)->id)
		sim_violate(sim, "a result of job %u is taken, %u runs", frame->job,
			    sim_lane_job(sim)->id);
	if (!sim->check->batches[index].pending)
		sim_violate(sim, "batch %u is done %s", index,
			    sim->check->batches[index].done ? "twice" : "before it was sent");
	if (memcmp(header + 1, sim->expected + offset,
		   (size_t)batch->count * layout->kernel.out_bytes) != 0)
		sim_violate(sim, "a wrong result of batch %u is taken", index);
	unlink_batch(sim->check, index);
	sim->check->batches[index].done = true;
	sim_mix(sim, batch->batch);
}

/* ---- bounds ---------------------------------------------------------------------- */

void sim_check_round(struct sim *sim)
{
	const struct sim_job *job = sim_lane_job(sim);
	const struct wm_progress *progress;

	if (!job)
		return;
	progress = &job->progress;
	if (progress->open + progress->written_count > WM_PROGRESS_BACKLOG_MAX ||
	    progress->gap_count > WM_PROGRESS_GAPS_MAX)
		sim_violate(sim,
			    "progress is beyond its bounds: %" PRIu64 " open, %u written, "
			    "%u gaps",
			    progress->open, progress->written_count, progress->gap_count);
	if (progress->durable + progress->written_count + progress->open + progress->gap_count !=
	    progress->next)
		sim_violate(sim,
			    "an extent is lost: %" PRIu64 " durable, %u written, %" PRIu64
			    " open, %u gaps of %" PRIu64,
			    progress->durable, progress->written_count, progress->open,
			    progress->gap_count, progress->next);
	if (sim_lane_slots_free(sim) > sim->plan.slots)
		sim_violate(sim, "more slots are free than there are");
}

void sim_check_tick(struct sim *sim)
{
	bool idle = false;
	uint32_t in_flight = 0;

	if (sim_lane_state(sim) != SIM_LANE_RUNNING)
		return;
	for (uint32_t i = 0; i < SIM_NODES_MAX; i++) {
		struct wm_dispatch_node_state state;

		if (!sim_lane_has_member(sim, i))
			continue;
		wm_dispatch_node_state(sim_lane_dispatch(sim), i, &state);
		in_flight += state.in_flight;
		idle |= !state.silent && state.in_flight == 0;
		if (state.in_flight > WM_NODE_WINDOW_MAX ||
		    (i < sim->plan.nodes && state.window > WM_NODE_WINDOW_MAX))
			sim_violate(sim, "node %u has %u batches in flight", i, state.in_flight);
		if (state.in_flight > sim->plan.window_largest)
			sim_violate(sim, "node %u has %u batches in flight, more than any holds", i,
				    state.in_flight);
	}
	if (in_flight > sim->plan.in_flight_max)
		sim_violate(sim, "%u batches in flight, the port takes back %u", in_flight,
			    sim->plan.in_flight_max);
	if (idle)
		check_stuck(sim, "and a node is idle");
}

/* ---- what is durable --------------------------------------------------------------- */

static bool is_right(const struct sim *sim, const uint8_t *output, uint64_t extent, uint32_t crc32c)
{
	struct wm_span span = wm_layout_extent(&sim->plan.layout, extent);

	return memcmp(output + span.out_offset, sim->expected + span.out_offset, span.out_bytes) ==
		       0 &&
	       wm_frame_crc_add(0, output + span.out_offset, span.out_bytes) == crc32c;
}

void sim_check_durable(struct sim *sim, const struct wm_progress_extent *extents, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!is_right(sim, sim_disk_stable(sim, SIM_SINK), extents[i].extent,
			      extents[i].crc32c))
			sim_violate(sim, "extent %" PRIu64 " is reported durable, and is not",
				    extents[i].extent);
		sim->check->durable[extents[i].extent] = true;
	}
}

static void scan(struct sim *sim, const uint8_t *journal, struct wm_progress *progress,
		 uint32_t random, uint32_t *good, const uint8_t *output)
{
	uint64_t bytes = sim_disk_bytes(sim, SIM_LOG);
	struct wm_journal_record record;
	uint32_t number = 0;

	for (uint64_t at = WM_JOURNAL_HEADER_BYTES; at + WM_JOURNAL_RECORD_BYTES <= bytes;
	     at += WM_JOURNAL_RECORD_BYTES, number++) {
		if (wm_journal_decode_record(journal + at, &record, random, number) < 0)
			break;
		if (wm_progress_replay(progress, record.extent) < 0) {
			sim_violate(sim, "record %u, extent %" PRIu64 ", does not replay", number,
				    record.extent);
			break;
		}
		if (!output)
			sim->check->durable[record.extent] = true;
		if (output && !is_right(sim, output, record.extent, record.crc32c)) {
			sim_violate(sim,
				    "the journal vouches for extent %" PRIu64
				    ", whose bytes are not right",
				    record.extent);
			break;
		}
	}
	*good = number;
}

uint32_t sim_check_journal(struct sim *sim, const uint8_t *journal, struct wm_progress *progress,
			   uint32_t *random)
{
	struct wm_journal_identity identity;
	uint32_t good;

	if (wm_journal_decode_header(journal, &identity, random) < 0) {
		sim_violate(sim, "the journal has no header");
		return 0;
	}
	memset(sim->check->durable, 0, sim->plan.layout.extents * sizeof(bool));
	scan(sim, journal, progress, *random, &good, NULL);
	return good;
}

static const uint8_t *read_header(struct sim *sim, uint32_t *random)
{
	const uint8_t *journal = sim_disk_stable(sim, SIM_LOG);
	struct wm_journal_identity identity;

	if (wm_journal_decode_header(journal, &identity, random) == 0)
		return journal;
	sim_violate(sim, "the journal has no header");
	return NULL;
}

void sim_check_crash(struct sim *sim)
{
	const struct sim_names *names = sim_disk_names(sim);
	const uint8_t *journal;
	uint32_t random, good;

	if (names->committed)
		sim_check_output(sim);
	if (!names->journal || !(journal = read_header(sim, &random)))
		return;
	if (!names->sink && !names->committed)
		sim_violate(sim, "there is a journal, and no output");
	wm_progress_init(&sim->check->replayed, sim->plan.layout.extents);
	scan(sim, journal, &sim->check->replayed, random, &good, sim_disk_stable(sim, SIM_SINK));
	sim_trace(sim, "disk: %u records are left", good);
}

void sim_check_manifest(struct sim *sim, uint32_t random)
{
	uint32_t good;

	wm_progress_init(&sim->check->replayed, sim->plan.layout.extents);
	scan(sim, sim_disk_current(sim, SIM_LOG), &sim->check->replayed, random, &good,
	     sim_disk_stable(sim, SIM_SINK));
	if (!wm_progress_is_complete(&sim->check->replayed))
		sim_violate(sim, "the job is done, and its journal lacks %" PRIu64 " extents",
			    sim->plan.layout.extents - sim->check->replayed.durable);
}

void sim_check_output(struct sim *sim)
{
	const uint8_t *output = sim_disk_stable(sim, SIM_SINK);

	for (uint64_t at = 0; at < sim->plan.layout.output_bytes; at++) {
		if (output[at] != sim->expected[at]) {
			sim_violate(sim, "the output is done, and differs at byte %" PRIu64, at);
			return;
		}
	}
}
