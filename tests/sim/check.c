/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bug.h"
#include "disk.h"
#include "frame.h"
#include "sim_lane.h"
#include "wiremill/limits.h"

#define STUCK_NS (2 * WM_NS_PER_S)
/* Of a slow node, that its flow may wait for as well. */
#define STUCK_ROUND_TRIPS 4u
#define NOWHERE UINT32_MAX

/* A batch of the running job: sent ones that are not done stand in a list, the one
 * that was sent longest ago first. */
struct watch {
	uint64_t sent_ns;
	uint32_t previous, next, node;
	bool pending, done, failed;
	bool wrong; /* taken so, from that node then */
	uint64_t taken_ns;
};

/* What the next batch to a node is sent under, in that session. */
struct sequence {
	uint32_t session, next;
};

struct sim_check {
	struct watch *batches;
	uint32_t first, last;
	uint64_t stalled_since_ns; /* when there was no node last: nothing could be sent */
	struct wm_progress replayed;
	bool *durable;			 /* by extent: it need not be made again */
	uint8_t *taken;			 /* the output as far as results were taken */
	uint64_t *invalid;		 /* scratch: by extent, whether a record of it is invalid */
	uint64_t accused[SIM_NODES_MAX]; /* when; 0: not */
	uint64_t caught[SIM_NODES_MAX];	 /* when that was durable */
	struct sequence sequences[SIM_NODES_MAX];
};

void sim_check_create(struct sim *sim)
{
	sim->check = sim_allocate(1, sizeof(*sim->check));
	sim->check->batches = sim_allocate(sim->plan.layout.batches, sizeof(*sim->check->batches));
	sim->check->durable = sim_allocate(sim->plan.layout.extents, sizeof(bool));
	sim->check->taken = sim_allocate(sim->plan.layout.output_bytes, 1);
	sim->check->invalid = sim_allocate(sim->plan.layout.extents, sizeof(uint64_t));
}

void sim_check_destroy(struct sim *sim)
{
	free(sim->check->durable);
	free(sim->check->taken);
	free(sim->check->invalid);
	free(sim->check->batches);
	free(sim->check);
}

void sim_check_job_start(struct sim *sim)
{
	for (uint64_t i = 0; i < sim->plan.layout.batches; i++) {
		struct watch *batch = &sim->check->batches[i];

		batch->pending = batch->done = batch->failed = false;
	}
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

/* What a node may take for its first results; which of them a member is, nobody knows here. */
static uint64_t slowest_ns(const struct sim_plan *plan)
{
	uint64_t slowest = 0;

	for (uint32_t i = 0; i < plan->nodes; i++) {
		const struct sim_node_plan *node = &plan->node[i];
		uint64_t ns = node->stall_ns + node->freeze_ns +
			      SIM_NODE_WINDOW_MAX * node->frame_ns;

		slowest = ns > slowest ? ns : slowest;
	}
	return slowest;
}

/* A node that says that it works is waited for until its first result, however slow. */
static uint64_t stuck_ns(struct sim *sim, uint32_t member)
{
	struct wm_dispatch_node_state state;

	wm_dispatch_node_get_state(sim_lane_dispatch(sim), member, &state);
	return STUCK_NS +
	       (state.rtt_ns > 0 ? STUCK_ROUND_TRIPS * state.rtt_ns : slowest_ns(&sim->plan));
}

/* Whoever waits for a batch for so long, while there is room for others. */
static void check_stuck(struct sim *sim, const char *meanwhile)
{
	const struct watch *oldest;
	uint64_t since_ns;

	if (sim->check->first == NOWHERE)
		return;
	oldest = &sim->check->batches[sim->check->first];
	since_ns = oldest->sent_ns > sim->check->stalled_since_ns ? oldest->sent_ns
								  : sim->check->stalled_since_ns;
	if (sim->now_ns - since_ns > stuck_ns(sim, oldest->node))
		sim_violate(sim, "batch %u waits on node %u for %.3f s, %s", sim->check->first,
			    oldest->node, (double)(sim->now_ns - since_ns) / WM_NS_PER_S,
			    meanwhile);
}

static void check_sequence(struct sim *sim, const struct wm_dispatch_send *send)
{
	struct sequence *sequence = &sim->check->sequences[send->node];
	uint32_t session = sim_lane_session(sim, send->node);

	if (sequence->session == session && sequence->next != send->sequence)
		sim_violate(sim, "node %u is sent sequence %u in session %x, %u is next",
			    send->node, send->sequence, session, sequence->next);
	*sequence = (struct sequence){ session, send->sequence + 1 };
}

void sim_check_sent(struct sim *sim, const struct wm_dispatch_send *send)
{
	uint32_t index = (uint32_t)send->batch.batch;
	struct watch *batch = &sim->check->batches[index];

	check_sequence(sim, send);
	if (batch->done)
		sim_violate(sim, "batch %u is sent after its result", index);
	if (!send->batch.again) {
		if (batch->pending)
			sim_violate(sim, "batch %u is sent as new again", index);
		check_stuck(sim, "and new ones are sent");
	}
	unlink_batch(sim->check, index);
	batch->sent_ns = sim->now_ns;
	batch->node = send->node;
	/* A second opinion may wait for long: not every node can give it. */
	if (!send->batch.held && !batch->failed)
		append_batch(sim->check, index);
	sim->tally.sent++;
	sim->tally.again += send->batch.again;
	sim_mix(sim, send->batch.batch << 16 ^ send->node);
	sim_trace(sim, "lane: batch %u to node %u, sequence %u%s", index, send->node,
		  send->sequence, send->batch.again ? ", again" : "");
}

void sim_check_result(struct sim *sim, struct sim_frame *frame, const struct wm_ledger_batch *batch,
		      uint32_t session)
{
	struct watch *watch = &sim->check->batches[batch->batch];

	if (frame->damaged)
		sim_violate(sim, "a damaged result of batch %" PRIu64 " is taken", batch->batch);
	if (frame->session != session)
		sim_violate(sim, "a result of session %x is taken, the node has %x", frame->session,
			    session);
	if (frame->job != sim_lane_job(sim)->id)
		sim_violate(sim, "a result of job %u is taken, %u runs", frame->job,
			    sim_lane_job(sim)->id);
	if (watch->done)
		sim_violate(sim, "batch %" PRIu64 " is done twice", batch->batch);
	watch->node = frame->node;
}

/* It may wait for long, when the only other node is a slow one: this one is not asked again. */
void sim_check_failed(struct sim *sim, uint64_t batch)
{
	sim->check->batches[batch].failed = true;
	unlink_batch(sim->check, (uint32_t)batch);
}

/* It may wait for long: not every node may give the second opinion. */
void sim_check_held(struct sim *sim, const struct wm_ledger_batch *batch)
{
	unlink_batch(sim->check, (uint32_t)batch->batch);
}

static uint64_t offset_of(const struct wm_layout *layout, uint64_t batch)
{
	uint64_t extent = batch / layout->batches_per_extent;
	uint64_t place = batch % layout->batches_per_extent;

	return (extent * layout->extent_elements + place * layout->batch_elements) *
	       layout->kernel.out_bytes;
}

static uint32_t bytes_of(const struct wm_layout *layout, uint64_t batch)
{
	return wm_layout_batch_size(layout, batch / layout->batches_per_extent,
				    (uint32_t)(batch % layout->batches_per_extent)) *
	       layout->kernel.out_bytes;
}

void sim_check_done(struct sim *sim, const struct wm_ledger_batch *batch, const uint8_t *bytes)
{
	const struct wm_layout *layout = &sim->plan.layout;
	struct watch *watch = &sim->check->batches[batch->batch];
	uint64_t offset = offset_of(layout, batch->batch);
	size_t count = bytes_of(layout, batch->batch);

	unlink_batch(sim->check, (uint32_t)batch->batch);
	watch->done = true;
	watch->taken_ns = sim->now_ns;
	watch->wrong = memcmp(bytes, sim->expected + offset, count) != 0;
	memcpy(sim->check->taken + offset, bytes, count);
	/* Of an input that has changed a result is what was read: the journal must not vouch. */
	if (watch->wrong && !sim_disk_input_differs(sim, &sim_lane_job(sim)->journal) &&
	    (!sim->plan.blind || sim_bug == SIM_BUG_WRONG_NODE))
		sim_violate(sim, "a wrong result of batch %" PRIu64 " is taken", batch->batch);
	sim_mix(sim, batch->batch);
}

void sim_check_batch_invalid(struct sim *sim, const struct wm_ledger_batch *batch)
{
	unlink_batch(sim->check, (uint32_t)batch->batch);
	sim->check->batches[batch->batch].done = false;
}

void sim_check_extent_invalid(struct sim *sim, uint64_t extent)
{
	sim->check->durable[extent] = false;
}

void sim_check_extent_open(struct sim *sim, uint64_t extent)
{
	uint64_t first = extent * sim->plan.layout.batches_per_extent;
	uint32_t count = wm_layout_extent_batches(&sim->plan.layout, extent);

	if (sim->check->durable[extent])
		sim_violate(sim, "extent %" PRIu64 " is made again, though it is durable", extent);
	for (uint32_t i = 0; i < count; i++)
		sim->check->batches[first + i].done = false;
}

/* ---- nodes that compute wrong --------------------------------------------------------- */

void sim_check_accused(struct sim *sim, const uint8_t mac[WM_ETHER_ADDR_BYTES])
{
	uint32_t node = mac[WM_ETHER_ADDR_BYTES - 1] - 1u;

	sim->tally.quarantines++;
	if (node >= sim->plan.nodes || sim->plan.node[node].wrong == 0)
		sim_violate(sim, "node %u is said to compute wrong, and does not", node);
	else
		sim->check->accused[node] = sim->now_ns;
}

void sim_check_quarantined(struct sim *sim)
{
	for (uint32_t i = 0; i < SIM_NODES_MAX; i++) {
		if (sim->check->accused[i])
			sim->check->caught[i] = sim->check->accused[i];
		sim->check->accused[i] = 0;
	}
}

/* ---- bounds ---------------------------------------------------------------------- */

void sim_check_round(struct sim *sim)
{
	const struct wm_lane_job *job = sim_lane_job(sim);
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
	if (wm_stream_slots_free(sim_lane_stream(sim)) > sim->plan.slots)
		sim_violate(sim, "more slots are free than there are");
}

void sim_check_tick(struct sim *sim)
{
	bool idle = false;
	uint32_t in_flight = 0;

	if (wm_stream_get_state(sim_lane_stream(sim)) != WM_STREAM_RUNNING)
		return;
	if (wm_dispatch_nodes_alive(sim_lane_dispatch(sim)) == 0)
		sim->check->stalled_since_ns = sim->now_ns;
	for (uint32_t i = 0; i < SIM_NODES_MAX; i++) {
		struct wm_dispatch_node_state state;

		if (!sim_lane_has_member(sim, i))
			continue;
		wm_dispatch_node_get_state(sim_lane_dispatch(sim), i, &state);
		in_flight += state.in_flight;
		idle |= !state.silent && state.in_flight == 0;
		if (state.in_flight > SIM_NODE_WINDOW_MAX ||
		    (i < sim->plan.nodes && state.window > SIM_NODE_WINDOW_MAX))
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

	return memcmp(output + span.out_offset, sim->check->taken + span.out_offset,
		      span.out_bytes) == 0 &&
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

/* Calls visit for each good record of the journal; how many there are. */
typedef bool visit(struct sim *sim, const struct wm_journal_record *record, uint32_t number);

static uint32_t scan(struct sim *sim, const uint8_t *journal, uint32_t random, visit *visitor)
{
	uint64_t bytes = sim_disk_bytes(sim, SIM_LOG);
	struct wm_journal_record record;
	uint32_t number = 0;

	for (uint64_t at = WM_JOURNAL_HEADER_BYTES; at + WM_JOURNAL_RECORD_BYTES <= bytes;
	     at += WM_JOURNAL_RECORD_BYTES, number++) {
		if (wm_journal_decode_record(journal + at, &record, random, number) < 0)
			break;
		if (record.type == WM_JOURNAL_EXTENT && record.extent >= sim->plan.layout.extents) {
			sim_violate(sim, "record %u is of extent %" PRIu64, number, record.extent);
			break;
		}
		if (!visitor(sim, &record, number))
			break;
	}
	return number;
}

static struct wm_journal_invalid invalid;

static bool note_invalid(struct sim *sim, const struct wm_journal_record *record, uint32_t number)
{
	(void)sim;
	wm_journal_invalid_note(&invalid, record, number);
	return true;
}

/* What any of its records makes invalid will be made again. */
static bool mark_invalid(struct sim *sim, const struct wm_journal_record *record, uint32_t number)
{
	if (record->type == WM_JOURNAL_EXTENT && wm_journal_invalid_has(&invalid, record, number))
		sim->check->invalid[record->extent] = 1;
	return true;
}

static bool check_vouched(struct sim *sim, const struct wm_journal_record *record, uint32_t number)
{
	if (record->type != WM_JOURNAL_EXTENT)
		return true;
	if (wm_progress_replay(&sim->check->replayed, record->extent) < 0)
		sim_violate(sim, "record %u, extent %" PRIu64 ", does not replay", number,
			    record->extent);
	else if (!sim->check->invalid[record->extent] &&
		 !is_right(sim, sim_disk_stable(sim, SIM_SINK), record->extent, record->crc32c))
		sim_violate(sim,
			    "the journal vouches for extent %" PRIu64 ", whose bytes are not right",
			    record->extent);
	return !sim->violation[0];
}

/* The last record of the extent in question decides. */
static bool judge_extent(struct sim *sim, const struct wm_journal_record *record, uint32_t number)
{
	uint64_t *judged = &sim->check->invalid[record->extent];

	if (record->type == WM_JOURNAL_EXTENT)
		*judged = wm_journal_invalid_has(&invalid, record, number);
	return true;
}

void sim_check_declared_invalid(struct sim *sim, uint64_t extent)
{
	const uint8_t *journal = sim_disk_current(sim, SIM_LOG);
	uint32_t random = sim_lane_job(sim) ? sim_lane_job(sim)->journal.random : 0;

	memset(&invalid, 0, sizeof(invalid));
	sim->check->invalid[extent] = 0;
	scan(sim, journal, random, note_invalid);
	scan(sim, journal, random, judge_extent);
	if (sim_lane_job(sim) && !sim->check->invalid[extent])
		sim_violate(sim,
			    "extent %" PRIu64 " is declared invalid, and its last record is not",
			    extent);
}

static bool mark_durable(struct sim *sim, const struct wm_journal_record *record, uint32_t number)
{
	(void)number;
	if (record->type == WM_JOURNAL_EXTENT)
		sim->check->durable[record->extent] = true;
	return true;
}

/* Everything that the journal vouches for, and how many records there are. */
static uint32_t check_journal(struct sim *sim)
{
	const uint8_t *journal = sim_disk_stable(sim, SIM_LOG);
	struct wm_journal_identity identity;
	uint32_t random;

	if (wm_journal_decode_header(journal, &identity, &random) < 0) {
		sim_violate(sim, "the journal has no header");
		return 0;
	}
	memset(&invalid, 0, sizeof(invalid));
	memset(sim->check->invalid, 0, sim->plan.layout.extents * sizeof(*sim->check->invalid));
	wm_progress_init(&sim->check->replayed, sim->plan.layout.extents);
	scan(sim, journal, random, note_invalid);
	scan(sim, journal, random, mark_invalid);
	return scan(sim, journal, random, check_vouched);
}

void sim_check_resumed(struct sim *sim)
{
	struct wm_journal_identity identity;
	uint32_t random;

	memset(sim->check->durable, 0, sim->plan.layout.extents * sizeof(bool));
	if (wm_journal_decode_header(sim_disk_current(sim, SIM_LOG), &identity, &random) == 0)
		scan(sim, sim_disk_current(sim, SIM_LOG), random, mark_durable);
}

void sim_check_crash(struct sim *sim)
{
	const struct sim_names *names = sim_disk_names(sim);
	uint32_t records;

	memset(sim->check->accused, 0, sizeof(sim->check->accused));
	if (names->committed)
		sim_check_output(sim);
	if (!names->journal)
		return;
	records = check_journal(sim);
	if (!names->sink && !names->committed && records > 0)
		sim_violate(sim, "there is a journal of %u records, and no output", records);
	sim_trace(sim, "disk: %u records are left", records);
}

void sim_check_manifest(struct sim *sim)
{
	check_journal(sim);
	if (!wm_progress_is_complete(&sim->check->replayed))
		sim_violate(sim, "the job is done, and its journal lacks %" PRIu64 " extents",
			    sim->plan.layout.extents - sim->check->replayed.durable);
}

/* A wrong batch may only come from a node that was not caught since. */
static bool is_excused(const struct sim *sim, uint64_t batch)
{
	const struct watch *watch = &sim->check->batches[batch];

	return sim->plan.blind && watch->wrong && watch->taken_ns > sim->check->caught[watch->node];
}

void sim_check_output(struct sim *sim)
{
	const struct wm_layout *layout = &sim->plan.layout;
	const uint8_t *output = sim_disk_stable(sim, SIM_SINK);

	for (uint64_t i = 0; i < layout->batches; i++) {
		uint64_t offset = offset_of(layout, i);

		if (memcmp(output + offset, sim->expected + offset, bytes_of(layout, i)) == 0)
			continue;
		if (!is_excused(sim, i)) {
			sim_violate(sim,
				    "the output is done, and differs in batch %" PRIu64
				    " of node %u",
				    i, sim->check->batches[i].node);
			return;
		}
		sim->tally.undetected++;
	}
}
