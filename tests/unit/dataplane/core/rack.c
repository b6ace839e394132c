/* SPDX-License-Identifier: BSD-3-Clause */
#include "rack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "seed.h"

#define TICK_NS (5 * WM_NS_PER_MS)
#define BEAT_NS WM_NS_PER_S
#define SUBMISSION_FRAMES 32u
#define QUEUE_FRAMES 1024u
#define BATCHES_PER_EXTENT 32u
#define TRIES_MAX 3u

enum event_kind {
	AT_PORT,  /* a MAP frame leaves the shared link towards its node's */
	AT_NODE,  /* it arrives */
	COMPUTED, /* a submission is done */
	AT_TRUNK, /* a RESULT frame leaves the node's link towards the shared one */
	AT_LANE,  /* it arrives */
	BEAT,
	TICK,
	DIE,
	BACK,
	REMOVE,
	JOIN,
};

struct frame {
	uint64_t batch;
	uint32_t sequence, count; /* count 0: could not */
	uint32_t value;
	uint32_t job;
};

/* What the lane has of a batch, and who was sent it. */
struct kept {
	uint32_t first, second; /* values */
	uint64_t sent_to;	/* bits */
};

struct event {
	uint64_t at_ns, order; /* order: equal times keep the order they were made in */
	enum event_kind kind;
	uint32_t node, life;
	struct frame frame;
};

struct node {
	struct rack_node_config config;
	uint32_t life; /* what was on its way to or in an earlier life is void */
	bool alive, member;
	uint64_t down_free_ns, up_free_ns; /* when the links are idle again */
	uint64_t past_results, past_spurious, past_timeouts;
	bool computing;
	uint32_t submission; /* frames in the one that computes: the oldest */
	struct frame queue[QUEUE_FRAMES];
	uint32_t head, tail;
};

struct rack {
	const struct rack_config *config;
	struct rack_result *result;
	struct wm_layout layout;
	struct wm_dispatch *dispatch;
	struct wm_flow *flows;
	struct node *nodes;
	uint32_t job;
	uint64_t job_start_ns, job_dropped;
	uint64_t random, now_ns, order;
	uint64_t down_free_ns, up_free_ns; /* of the shared link */
	uint64_t next_extent, done, invalidated;
	struct kept *kept;	 /* by batch */
	uint64_t *first_sent_ns; /* by batch; 0: never, UINT64_MAX: done */
	struct event *heap;
	uint32_t events, events_max;
};

/* ---- events: a binary heap ---------------------------------------------------- */

static bool is_earlier(const struct event *a, const struct event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void event_add(struct rack *rack, struct event event)
{
	uint32_t i = rack->events++;

	if (i == rack->events_max) {
		rack->events_max = rack->events_max ? 2 * rack->events_max : 1024;
		rack->heap = realloc(rack->heap, rack->events_max * sizeof(*rack->heap));
		assert(rack->heap);
	}
	event.order = rack->order++;
	while (i > 0 && is_earlier(&event, &rack->heap[(i - 1) / 2])) {
		rack->heap[i] = rack->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	rack->heap[i] = event;
}

static struct event event_take(struct rack *rack)
{
	struct event first = rack->heap[0], last = rack->heap[--rack->events];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < rack->events) {
		if (child + 1 < rack->events &&
		    is_earlier(&rack->heap[child + 1], &rack->heap[child]))
			child++;
		if (!is_earlier(&rack->heap[child], &last))
			break;
		rack->heap[i] = rack->heap[child];
		i = child;
	}
	rack->heap[i] = last;
	return first;
}

static void event_at(struct rack *rack, uint64_t at_ns, enum event_kind kind, uint32_t index,
		     struct frame frame)
{
	event_add(rack, (struct event){ .at_ns = at_ns,
					.kind = kind,
					.node = index,
					.life = rack->nodes[index].life,
					.frame = frame });
}

static bool happens(struct rack *rack, uint32_t in_a_million)
{
	return in_a_million && wm_random_below(&rack->random, 1000000) < in_a_million;
}

/* ---- links ----------------------------------------------------------------------- */

/* When a frame that enters a link now leaves it. False: its queue is full. */
static bool link_pass(struct rack *rack, const struct rack_link *link, uint64_t *free_ns,
		      uint64_t *at_ns)
{
	if (*free_ns < rack->now_ns)
		*free_ns = rack->now_ns;
	if (link->queue_frames &&
	    *free_ns - rack->now_ns > (uint64_t)link->queue_frames * link->frame_ns) {
		rack->result->dropped++;
		return false;
	}
	*free_ns += link->frame_ns;
	*at_ns = *free_ns + link->delay_ns;
	return true;
}

static void link_send(struct rack *rack, const struct rack_link *link, uint64_t *free_ns,
		      enum event_kind kind, uint32_t index, struct frame frame)
{
	uint64_t at_ns;

	if (link_pass(rack, link, free_ns, &at_ns))
		event_at(rack, at_ns, kind, index, frame);
}

/* A node's link, where frames get lost, doubled and late. */
static void cable_send(struct rack *rack, uint64_t *free_ns, enum event_kind kind, uint32_t index,
		       struct frame frame)
{
	const struct rack_node_config *config = &rack->nodes[index].config;
	uint64_t at_ns;

	if (happens(rack, config->loss))
		return;
	if (!link_pass(rack, &config->link, free_ns, &at_ns))
		return;
	if (happens(rack, config->reorder))
		at_ns += wm_random(&rack->random) % config->reorder_ns;
	event_at(rack, at_ns, kind, index, frame);
	if (happens(rack, config->duplicate))
		event_at(rack, at_ns + wm_random(&rack->random) % (20 * config->link.frame_ns + 1),
			 kind, index, frame);
}

/* ---- nodes ------------------------------------------------------------------------ */

static void node_compute(struct rack *rack, uint32_t index)
{
	struct node *node = &rack->nodes[index];
	uint32_t waiting = node->tail - node->head;
	uint64_t ns;

	if (node->computing || waiting == 0)
		return;
	node->submission = waiting < SUBMISSION_FRAMES ? waiting : SUBMISSION_FRAMES;
	ns = node->config.submit_ns + node->submission * node->config.compute_ns;
	if (happens(rack, node->config.stall))
		ns += node->config.stall_ns;
	node->computing = true;
	event_at(rack, rack->now_ns + ns, COMPUTED, index, (struct frame){ 0 });
}

static void node_receive(struct rack *rack, uint32_t index, struct frame frame)
{
	struct node *node = &rack->nodes[index];

	if (node->tail - node->head == QUEUE_FRAMES)
		return;
	node->queue[node->tail++ % QUEUE_FRAMES] = frame;
	node_compute(rack, index);
}

static void node_computed(struct rack *rack, uint32_t index)
{
	struct node *node = &rack->nodes[index];

	for (uint32_t i = 0; i < node->submission; i++) {
		struct frame frame = node->queue[node->head++ % QUEUE_FRAMES];

		if (happens(rack, node->config.wrong))
			frame.value = 1 + (uint32_t)rack->order;
		if (happens(rack, node->config.fail))
			frame.count = 0;
		cable_send(rack, &node->up_free_ns, AT_TRUNK, index, frame);
	}
	node->computing = false;
	node_compute(rack, index);
}

static void node_join(struct rack *rack, uint32_t index)
{
	struct node *node = &rack->nodes[index];

	node->life++;
	node->alive = node->member = true;
	node->computing = false;
	node->head = node->tail = 0;
	node->down_free_ns = node->up_free_ns = 0;
	wm_flow_init(&rack->flows[index], (uint32_t)wm_random(&rack->random));
	wm_dispatch_node_add(rack->dispatch, index, node->config.window_max);
	event_at(rack, rack->now_ns + wm_random(&rack->random) % BEAT_NS, BEAT, index,
		 (struct frame){ 0 });
}

static void node_leave(struct rack *rack, uint32_t index)
{
	struct node *node = &rack->nodes[index];
	struct wm_dispatch_node_state state;

	if (!node->member)
		return;
	wm_dispatch_node_get_state(rack->dispatch, index, &state);
	node->past_results += state.results;
	node->past_spurious += state.flow.spurious;
	node->past_timeouts += state.flow.timeouts;
	wm_dispatch_node_remove(rack->dispatch, index);
	node->member = false;
}

static void node_back(struct rack *rack, uint32_t index)
{
	node_leave(rack, index);
	node_join(rack, index);
}

/* ---- the lane ---------------------------------------------------------------------- */

static void lane_open(struct rack *rack, uint32_t slot)
{
	if (rack->next_extent < rack->layout.extents)
		wm_dispatch_extent_open(rack->dispatch, slot, rack->next_extent++);
	wm_dispatch_drain(rack->dispatch,
			  !rack->config->no_drain && rack->next_extent == rack->layout.extents);
}

static void lane_note_in_flight(struct rack *rack, uint32_t index)
{
	struct rack_result *result = rack->result;
	struct wm_dispatch_node_state state;

	wm_dispatch_node_get_state(rack->dispatch, index, &state);
	if (state.in_flight > result->window_peak)
		result->window_peak = state.in_flight;
	if (state.in_flight > rack->nodes[index].config.window_max)
		result->over_limit = true;
}

static void lane_send(struct rack *rack)
{
	struct wm_dispatch_send send;

	while (wm_dispatch_next(rack->dispatch, rack->now_ns, &send)) {
		struct frame frame = { .batch = send.batch.batch,
				       .sequence = send.sequence,
				       .count = send.batch.count,
				       .job = rack->job };

		if (rack->first_sent_ns[frame.batch] == 0)
			rack->first_sent_ns[frame.batch] = rack->now_ns ? rack->now_ns : 1;
		rack->result->sent_again_to_same += rack->kept[frame.batch].sent_to >> send.node &
						    1;
		rack->kept[frame.batch].sent_to |= 1ull << send.node;
		lane_note_in_flight(rack, send.node);
		link_send(rack, &rack->config->shared, &rack->down_free_ns, AT_PORT, send.node,
			  frame);
	}
}

static void lane_check_off(struct rack *rack, struct frame frame)
{
	uint64_t *first_sent_ns = &rack->first_sent_ns[frame.batch];
	struct rack_result *result = rack->result;

	if (*first_sent_ns == UINT64_MAX) {
		result->done_twice++;
		return;
	}
	if (rack->now_ns - *first_sent_ns > result->age_max_ns)
		result->age_max_ns = rack->now_ns - *first_sent_ns;
	*first_sent_ns = UINT64_MAX;
	rack->done++;
	result->measured += rack->now_ns >= rack->config->measure_ns;
}

static void lane_quarantine(struct rack *rack, uint32_t index)
{
	struct wm_ledger_batch batch;
	uint32_t cursor = 0;

	node_leave(rack, index);
	rack->nodes[index].alive = false;
	rack->result->quarantined |= 1ull << index;
	if (rack->nodes[index].config.wrong == 0)
		rack->result->innocent++;
	while (wm_dispatch_invalidate_next(rack->dispatch, index, &cursor, &batch)) {
		rack->kept[batch.batch].sent_to = 0;
		if (!batch.done)
			continue;
		rack->first_sent_ns[batch.batch] = rack->now_ns;
		rack->done--;
		rack->invalidated++;
	}
}

static enum wm_opinion lane_compare(const struct kept *kept, const struct wm_ledger_batch *batch,
				    uint32_t value)
{
	if (value == kept->first)
		return WM_OPINION_FIRST;
	return batch->disputed && value == kept->second ? WM_OPINION_SECOND : WM_OPINION_NEITHER;
}

/* True: the batch is done. */
static bool lane_audit(struct rack *rack, uint32_t index, struct frame frame,
		       struct wm_dispatch_receipt *receipt)
{
	struct kept *kept = &rack->kept[frame.batch];
	enum wm_opinion opinion = lane_compare(kept, &receipt->batch, frame.value);
	enum wm_ledger_verdict verdict =
		wm_dispatch_opinion(rack->dispatch, index, opinion, receipt);

	if (verdict == WM_LEDGER_HELD)
		kept->second = frame.value;
	else if (verdict == WM_LEDGER_UNKNOWN)
		rack->result->given_up = true;
	else if (opinion == WM_OPINION_SECOND)
		kept->first = kept->second;
	return verdict == WM_LEDGER_NEW;
}

static bool lane_keep(struct rack *rack, uint32_t index, struct frame frame,
		      enum wm_ledger_verdict verdict, struct wm_dispatch_receipt *receipt)
{
	if (verdict == WM_LEDGER_COMPARE)
		return lane_audit(rack, index, frame, receipt);
	if (verdict == WM_LEDGER_NEW || verdict == WM_LEDGER_HELD)
		rack->kept[frame.batch].first = frame.value;
	return verdict == WM_LEDGER_NEW;
}

static void lane_failure(struct rack *rack, uint32_t index, struct frame frame)
{
	struct wm_dispatch_receipt receipt;

	if (wm_dispatch_failed(rack->dispatch, index, frame.batch, frame.sequence, rack->now_ns,
			       &receipt) >= TRIES_MAX)
		rack->result->given_up = true;
}

static void lane_receive(struct rack *rack, uint32_t index, struct frame frame)
{
	struct wm_dispatch_receipt receipt;
	struct wm_ledger_batch expected;
	enum wm_ledger_verdict verdict;

	if (frame.job != rack->job) {
		rack->result->stale++;
		return;
	}
	if (frame.count == 0) {
		lane_failure(rack, index, frame);
		return;
	}
	/* As a lane does: no length, no result. */
	if (wm_dispatch_expect(rack->dispatch, index, frame.batch, frame.sequence, &expected) &&
	    (expected.batch != frame.batch || expected.count != frame.count))
		rack->result->wrong_count++;
	verdict = wm_dispatch_result(rack->dispatch, index, frame.batch, frame.sequence,
				     rack->now_ns, &receipt);
	if (!lane_keep(rack, index, frame, verdict, &receipt))
		return;
	if (receipt.batch.batch != frame.batch)
		rack->result->wrong_count++;
	lane_check_off(rack, frame);
	if (receipt.wrong_node != WM_LEDGER_NOBODY)
		lane_quarantine(rack, receipt.wrong_node);
	if (receipt.extent_done)
		lane_open(rack, receipt.batch.slot);
}

static void lane_tick(struct rack *rack)
{
	uint32_t in_flight = 0, silent;

	wm_dispatch_tick(rack->dispatch, rack->now_ns, &silent);
	for (uint32_t i = 0; i < rack->config->nodes; i++) {
		struct wm_dispatch_node_state state;

		if (!rack->nodes[i].member)
			continue;
		wm_dispatch_node_get_state(rack->dispatch, i, &state);
		in_flight += state.in_flight;
	}
	if (in_flight > rack->result->in_flight_peak)
		rack->result->in_flight_peak = in_flight;
	if (in_flight > rack->config->in_flight_max)
		rack->result->over_limit = true;
	event_at(rack, rack->now_ns + TICK_NS, TICK, 0, (struct frame){ 0 });
}

/* ---- time ---------------------------------------------------------------------------- */

static void beat(struct rack *rack, uint32_t index)
{
	const struct node *node = &rack->nodes[index];

	if (!node->alive)
		return;
	wm_dispatch_node_beat(rack->dispatch, index, node->head != node->tail, rack->now_ns);
	event_at(rack, rack->now_ns + BEAT_NS, BEAT, index, (struct frame){ 0 });
}

/* What happens in or to a node. */
static void event_of_node(struct rack *rack, const struct event *event)
{
	struct node *node = &rack->nodes[event->node];

	if (event->life != node->life || !node->alive)
		return;
	if (event->kind == AT_PORT)
		cable_send(rack, &node->down_free_ns, AT_NODE, event->node, event->frame);
	else if (event->kind == AT_NODE)
		node_receive(rack, event->node, event->frame);
	else if (event->kind == COMPUTED)
		node_computed(rack, event->node);
	else if (event->kind == BEAT)
		beat(rack, event->node);
}

static void event_run(struct rack *rack, const struct event *event)
{
	struct node *node = &rack->nodes[event->node];

	switch (event->kind) {
	case AT_PORT:
	case AT_NODE:
	case COMPUTED:
	case BEAT:
		event_of_node(rack, event);
		break;
	case AT_TRUNK:
		link_send(rack, &rack->config->shared, &rack->up_free_ns, AT_LANE, event->node,
			  event->frame);
		break;
	case AT_LANE:
		/* Results of an earlier life have another session. */
		if (event->life == node->life)
			lane_receive(rack, event->node, event->frame);
		break;
	case TICK:
		lane_tick(rack);
		break;
	case DIE:
		node->alive = false;
		break;
	case BACK:
		node_back(rack, event->node);
		break;
	case REMOVE:
		node_leave(rack, event->node);
		break;
	case JOIN:
		node_join(rack, event->node);
		break;
	}
}

/* ---- a run ---------------------------------------------------------------------------- */

struct rack_node_config rack_node(void)
{
	return (struct rack_node_config){
		.link = { .frame_ns = 66320, .queue_frames = 30, .delay_ns = 25000 },
		.submit_ns = 50000,
		.compute_ns = 10000,
		.window_max = 128,
	};
}

static void rack_plan(struct rack *rack, uint32_t index)
{
	const struct rack_node_config *config = &rack->nodes[index].config;
	struct event event = { .node = index };

	if (config->die_ns) {
		event.kind = DIE, event.at_ns = config->die_ns;
		event_add(rack, event);
	}
	if (config->remove_ns) {
		event.kind = REMOVE, event.at_ns = config->remove_ns;
		event_add(rack, event);
	}
	if (config->back_ns) {
		event.kind = BACK, event.at_ns = config->back_ns;
		event_add(rack, event);
	}
}

static void job_start(struct rack *rack)
{
	const struct rack_config *config = rack->config;

	if (config->other_kernels)
		rack->layout.kernel.name[0] = (char)('a' + rack->job);
	wm_dispatch_start(rack->dispatch, &rack->layout, config->queue_target);
	wm_dispatch_audit(rack->dispatch, config->audit, config->seed);
}

static void job_open(struct rack *rack)
{
	for (uint32_t slot = 0; slot < rack->config->extents_max; slot++)
		lane_open(rack, slot);
}

static void rack_start(struct rack *rack)
{
	const struct rack_config *config = rack->config;
	struct wm_dispatch_config dispatch = { .nodes_max = config->nodes,
					       .extents_max = config->extents_max,
					       .batches_per_extent_max = BATCHES_PER_EXTENT,
					       .in_flight_max = config->in_flight_max };

	rack->flows = calloc(config->nodes, sizeof(*rack->flows));
	dispatch.flows = rack->flows;
	/* The last extent has 7 batches, its last batch 5 elements. */
	rack->layout = (struct wm_layout){
		.kernel = { .name = "test", .in_bytes = 32, .out_bytes = 32 },
		.batch_elements = 256,
		.extent_elements = 256 * BATCHES_PER_EXTENT - 100,
		.batches_per_extent = BATCHES_PER_EXTENT,
		.extents = config->extents,
		.batches = (config->extents - 1) * BATCHES_PER_EXTENT + 7,
	};
	rack->layout.elements = (config->extents - 1) * rack->layout.extent_elements + 6 * 256 + 5;
	rack->random = config->seed;
	rack->dispatch = wm_dispatch_create(&dispatch);
	rack->nodes = calloc(config->nodes, sizeof(*rack->nodes));
	rack->kept = calloc(rack->layout.batches, sizeof(*rack->kept));
	rack->first_sent_ns = calloc(rack->layout.batches, sizeof(*rack->first_sent_ns));
	assert(rack->flows && rack->dispatch && rack->nodes && rack->kept && rack->first_sent_ns);

	job_start(rack);
	for (uint32_t i = 0; i < config->nodes; i++) {
		rack->nodes[i].config = config->node[i];
		if (config->node[i].join_ns)
			event_at(rack, config->node[i].join_ns, JOIN, i, (struct frame){ 0 });
		else
			node_join(rack, i);
		rack_plan(rack, i);
	}
	job_open(rack);
	event_at(rack, TICK_NS, TICK, 0, (struct frame){ 0 });
}

static void job_end(struct rack *rack)
{
	struct rack_result *result = rack->result;

	result->job_ns[rack->job] = rack->now_ns - rack->job_start_ns;
	result->job_dropped[rack->job] = result->dropped - rack->job_dropped;
}

/* The nodes are still there. */
static void job_next(struct rack *rack)
{
	job_end(rack);
	rack->job++;
	rack->job_start_ns = rack->now_ns;
	rack->job_dropped = rack->result->dropped;
	rack->done = rack->next_extent = 0;
	memset(rack->kept, 0, rack->layout.batches * sizeof(*rack->kept));
	memset(rack->first_sent_ns, 0, rack->layout.batches * sizeof(*rack->first_sent_ns));
	job_start(rack);
	for (uint32_t i = 0; i < rack->config->nodes; i++) {
		if (rack->nodes[i].member)
			wm_dispatch_node_add(rack->dispatch, i, rack->nodes[i].config.window_max);
	}
	job_open(rack);
}

static void rack_finish(struct rack *rack)
{
	struct rack_result *result = rack->result;

	result->end_ns = rack->now_ns;
	result->batches = rack->layout.batches;
	result->done = rack->done;
	result->finished = rack->done == result->batches;
	result->counters = *wm_dispatch_get_counters(rack->dispatch);
	for (uint32_t i = 0; i < rack->config->nodes; i++) {
		wm_dispatch_node_get_state(rack->dispatch, i, &result->state[i]);
		node_leave(rack, i);
		result->results[i] = rack->nodes[i].past_results;
		result->spurious += rack->nodes[i].past_spurious;
		result->timeouts += rack->nodes[i].past_timeouts;
	}
	wm_dispatch_destroy(&rack->dispatch);
	free(rack->flows);
	for (uint64_t i = 0; i < rack->layout.batches; i++)
		result->wrong_kept += rack->kept[i].first != 0;
	result->invalidated = rack->invalidated;
	free(rack->kept);
	free(rack->first_sent_ns);
	free(rack->nodes);
	free(rack->heap);
}

void rack_run(const struct rack_config *config, struct rack_result *result)
{
	struct rack rack = { .config = config, .result = result };

	memset(result, 0, sizeof(*result));
	rack_start(&rack);
	lane_send(&rack);
	while (!result->given_up) {
		struct event event;

		if (rack.done == rack.layout.batches) {
			if (rack.job + 1 >= config->jobs)
				break;
			job_next(&rack);
			lane_send(&rack);
		}
		event = event_take(&rack);

		if (event.at_ns > config->until_ns)
			break;
		rack.now_ns = event.at_ns;
		event_run(&rack, &event);
		if (event.kind >= AT_LANE)
			lane_send(&rack);
	}
	job_end(&rack);
	rack_finish(&rack);
}
