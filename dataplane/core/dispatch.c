/* SPDX-License-Identifier: BSD-3-Clause */
#include "dispatch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* Batches one node is served in a row, at least. */
#define QUANTUM_MIN 4u

/* A batch is overdue after two round trips of the quickest node and this. */
#define OVERDUE_NS (10 * WM_NS_PER_MS)

/* Two copies may be in flight, two results held, two nodes have failed: one of so
 * many is another. */
#define CHOICES 7u

#define NOWHERE UINT32_MAX

struct node {
	struct wm_flow *flow;
	uint32_t quantum;	 /* left of its turn */
	uint32_t next, previous; /* in the ring of nodes with room; NOWHERE: not in it */
	uint32_t member_index;	 /* NOWHERE: takes no part in this job */
	uint64_t results;
};

struct wm_dispatch {
	struct wm_dispatch_config config;
	struct wm_dispatch_counters counters;
	struct wm_ledger *ledger;
	struct node *nodes;
	uint32_t *members; /* the nodes of this job, in no order */
	uint32_t member_count;
	/* Who was silent when it joined, and how many were, since the last tick. */
	uint32_t joined_silent, joined_silent_count;
	uint32_t turn; /* the node whose turn it is; NOWHERE: nobody has room */
	uint32_t queue_target;
	uint32_t quantum; /* batches one node is served in a row */
	uint32_t in_flight;
	uint64_t left_ns;
	struct wm_kernel kernel;
	uint32_t audit_threshold;
	uint64_t audit_seed;
	bool draining;
};

static bool is_member(const struct node *node)
{
	return node->member_index != NOWHERE;
}

struct wm_dispatch *wm_dispatch_create(const struct wm_dispatch_config *config)
{
	struct wm_dispatch *dispatch = calloc(1, sizeof(*dispatch));

	if (!dispatch)
		return NULL;
	dispatch->config = *config;
	dispatch->turn = NOWHERE;
	dispatch->ledger = wm_ledger_create(config->extents_max, config->batches_per_extent_max);
	dispatch->nodes = calloc(config->nodes_max, sizeof(*dispatch->nodes));
	dispatch->members = calloc(config->nodes_max, sizeof(*dispatch->members));
	if (!dispatch->ledger || !dispatch->nodes || !dispatch->members) {
		wm_dispatch_destroy(&dispatch);
		return NULL;
	}
	for (uint32_t i = 0; i < config->nodes_max; i++)
		dispatch->nodes[i] =
			(struct node){ .flow = &config->flows[i], .member_index = NOWHERE };
	return dispatch;
}

void wm_dispatch_destroy(struct wm_dispatch **dispatch)
{
	if (!*dispatch)
		return;
	free((*dispatch)->members);
	free((*dispatch)->nodes);
	wm_ledger_destroy(&(*dispatch)->ledger);
	free(*dispatch);
	*dispatch = NULL;
}

void wm_dispatch_start(struct wm_dispatch *dispatch, const struct wm_layout *layout,
		       uint32_t queue_target)
{
	wm_ledger_start(dispatch->ledger, layout);
	memset(&dispatch->counters, 0, sizeof(dispatch->counters));
	for (uint32_t i = 0; i < dispatch->config.nodes_max; i++)
		dispatch->nodes[i].member_index = NOWHERE;
	dispatch->member_count = dispatch->joined_silent_count = 0;
	dispatch->turn = NOWHERE;
	dispatch->kernel = layout->kernel;
	dispatch->queue_target = queue_target;
	/* As many as may wait on the way to a node, but for some that still do. */
	dispatch->quantum = queue_target * 3 / 4;
	if (dispatch->quantum < QUANTUM_MIN)
		dispatch->quantum = QUANTUM_MIN;
	dispatch->in_flight = 0;
	dispatch->audit_threshold = 0;
	dispatch->draining = false;
}

uint64_t wm_dispatch_left_ns(const struct wm_dispatch *dispatch)
{
	return dispatch->left_ns;
}

void wm_dispatch_limit(struct wm_dispatch *dispatch, uint32_t in_flight_max)
{
	dispatch->config.in_flight_max = in_flight_max;
}

void wm_dispatch_audit(struct wm_dispatch *dispatch, uint32_t threshold, uint64_t seed)
{
	dispatch->audit_threshold = threshold;
	dispatch->audit_seed = seed;
}

void wm_dispatch_drain(struct wm_dispatch *dispatch, bool draining)
{
	dispatch->draining = draining;
}

/* ---- the ring of nodes with room ---------------------------------------- */

static void ring_insert(struct wm_dispatch *dispatch, uint32_t index)
{
	struct node *node = &dispatch->nodes[index];
	struct node *head;

	if (node->next != NOWHERE)
		return;
	node->quantum = dispatch->quantum;
	if (dispatch->turn == NOWHERE) {
		node->next = node->previous = index;
		dispatch->turn = index;
		return;
	}
	/* Behind everybody: before the one whose turn it is. */
	head = &dispatch->nodes[dispatch->turn];
	node->next = dispatch->turn;
	node->previous = head->previous;
	dispatch->nodes[head->previous].next = index;
	head->previous = index;
}

static void ring_remove(struct wm_dispatch *dispatch, uint32_t index)
{
	struct node *node = &dispatch->nodes[index];

	if (node->next == NOWHERE)
		return;
	if (node->next == index) {
		dispatch->turn = NOWHERE;
	} else {
		dispatch->nodes[node->previous].next = node->next;
		dispatch->nodes[node->next].previous = node->previous;
		if (dispatch->turn == index)
			dispatch->turn = node->next;
	}
	node->next = node->previous = NOWHERE;
}

/* What arrives together is computed together: a node waits until it has room for as many
 * as it is served in a row, or for half its window. */
static bool is_worth_a_turn(const struct wm_dispatch *dispatch, const struct wm_flow *flow)
{
	uint32_t room = flow->window - flow->in_flight;

	return room >= dispatch->quantum || room >= flow->window / 2;
}

static void ring_update(struct wm_dispatch *dispatch, uint32_t index)
{
	const struct wm_flow *flow = dispatch->nodes[index].flow;

	if (!wm_flow_has_room(flow))
		ring_remove(dispatch, index);
	else if (is_worth_a_turn(dispatch, flow))
		ring_insert(dispatch, index);
}

/* ---- nodes --------------------------------------------------------------- */

/* Its copy in flight to this node is not coming. */
static void lose(struct wm_dispatch *dispatch, uint32_t index, uint64_t token)
{
	wm_ledger_answer(dispatch->ledger, token, (uint16_t)index);
	wm_ledger_lose(dispatch->ledger, token);
}

static void lose_what_is_lost(struct wm_dispatch *dispatch, uint32_t index)
{
	struct wm_flow *flow = dispatch->nodes[index].flow;
	uint64_t token;

	while ((token = wm_flow_next_lost(flow)) != 0) {
		lose(dispatch, index, token);
		dispatch->counters.lost++;
		dispatch->in_flight--;
	}
}

void wm_dispatch_node_add(struct wm_dispatch *dispatch, uint32_t index, uint32_t window_max)
{
	struct node *node = &dispatch->nodes[index];

	assert(index < dispatch->config.nodes_max);
	assert(!is_member(node));
	wm_flow_begin(node->flow, window_max, dispatch->queue_target, &dispatch->kernel);
	node->results = 0;
	node->next = node->previous = NOWHERE;
	node->member_index = dispatch->member_count;
	dispatch->members[dispatch->member_count++] = index;
	if (node->flow->silent) {
		dispatch->joined_silent = index;
		dispatch->joined_silent_count++;
	}
	ring_update(dispatch, index);
}

void wm_dispatch_node_remove(struct wm_dispatch *dispatch, uint32_t index)
{
	struct node *node = &dispatch->nodes[index];
	uint32_t last;

	if (!is_member(node))
		return;
	wm_flow_give_up(node->flow);
	lose_what_is_lost(dispatch, index);
	ring_remove(dispatch, index);
	last = dispatch->members[--dispatch->member_count];
	dispatch->members[node->member_index] = last;
	dispatch->nodes[last].member_index = node->member_index;
	node->member_index = NOWHERE;
}

void wm_dispatch_node_beat(struct wm_dispatch *dispatch, uint32_t index, bool works,
			   uint64_t now_ns)
{
	struct node *node = &dispatch->nodes[index];

	wm_flow_beat(node->flow, works, now_ns);
	if (is_member(node))
		ring_update(dispatch, index);
}

/* ---- batches ------------------------------------------------------------- */

void wm_dispatch_extent_open(struct wm_dispatch *dispatch, uint32_t slot, uint64_t extent)
{
	wm_ledger_open(dispatch->ledger, slot, extent);
}

void wm_dispatch_extents_close(struct wm_dispatch *dispatch)
{
	wm_ledger_close(dispatch->ledger);
}

static void turn_pass(struct wm_dispatch *dispatch, uint32_t index)
{
	struct node *node = &dispatch->nodes[index];

	if (!wm_flow_has_room(node->flow)) {
		ring_remove(dispatch, index);
	} else if (index == dispatch->turn && --node->quantum == 0) {
		node->quantum = dispatch->quantum;
		dispatch->turn = node->next;
	}
}

/* Is there a node that can be given work, has no part in the batch, and did not fail? */
static bool is_another(const struct wm_dispatch *dispatch, const struct wm_ledger_batch *batch)
{
	for (uint32_t i = 0; i < dispatch->member_count; i++) {
		uint32_t index = dispatch->members[i];

		if (!dispatch->nodes[index].flow->silent &&
		    !wm_ledger_has_part(dispatch->ledger, batch->token, (uint16_t)index) &&
		    !wm_ledger_has_failed(dispatch->ledger, batch->token, (uint16_t)index))
			return true;
	}
	return false;
}

/* Who could not compute it gets it again only where nobody else can. */
static bool may_do(const struct wm_dispatch *dispatch, const struct wm_ledger_batch *batch,
		   uint32_t index)
{
	if (wm_ledger_has_part(dispatch->ledger, batch->token, (uint16_t)index))
		return false;
	return batch->failures == 0 ||
	       !wm_ledger_has_failed(dispatch->ledger, batch->token, (uint16_t)index) ||
	       !is_another(dispatch, batch);
}

/* The caller can keep so many second results that differ from the first. */
static bool is_dispute_full(const struct wm_dispatch *dispatch, const struct wm_ledger_batch *batch)
{
	return batch->held && !batch->disputed &&
	       wm_ledger_disputed(dispatch->ledger) >= WM_DISPATCH_DISPUTES_MAX;
}

/* Whose turn it is, but for one that has a part in the batch. */
static uint32_t choose_node(const struct wm_dispatch *dispatch, const struct wm_ledger_batch *batch)
{
	uint32_t index = dispatch->turn;

	if (!batch->again)
		return index;
	if (is_dispute_full(dispatch, batch))
		return NOWHERE;
	for (unsigned i = 0; i < CHOICES; i++) {
		if (may_do(dispatch, batch, index))
			return index;
		index = dispatch->nodes[index].next;
	}
	return NOWHERE;
}

/* One to be sent again, and a node for it: one that no node with room may do goes behind the
 * others, and does not hold up those that somebody may. */
static uint32_t take_again(struct wm_dispatch *dispatch, bool opinion,
			   struct wm_ledger_batch *batch)
{
	for (unsigned i = 0; i < CHOICES; i++) {
		uint32_t index;

		if (!wm_ledger_take_again(dispatch->ledger, opinion, batch))
			return NOWHERE;
		index = choose_node(dispatch, batch);
		if (index != NOWHERE)
			return index;
		wm_ledger_put_back(dispatch->ledger, batch->token);
	}
	return NOWHERE;
}

/* A batch, and a node for it. */
static uint32_t take_batch(struct wm_dispatch *dispatch, struct wm_ledger_batch *batch)
{
	for (unsigned opinion = 0; opinion < 2; opinion++) {
		uint32_t index = take_again(dispatch, opinion, batch);

		if (index != NOWHERE)
			return index;
	}
	return wm_ledger_take_fresh(dispatch->ledger, batch) ? dispatch->turn : NOWHERE;
}

bool wm_dispatch_next(struct wm_dispatch *dispatch, uint64_t now_ns, struct wm_dispatch_send *send)
{
	uint32_t index;

	if (dispatch->turn == NOWHERE || dispatch->in_flight >= dispatch->config.in_flight_max)
		return false;
	index = take_batch(dispatch, &send->batch);
	if (index == NOWHERE)
		return false;

	send->node = index;
	send->sequence = wm_flow_send(dispatch->nodes[index].flow, send->batch.token, now_ns);
	wm_ledger_sent_to(dispatch->ledger, send->batch.token, (uint16_t)index);
	dispatch->in_flight++;
	dispatch->counters.sent++;
	dispatch->counters.resent += send->batch.again && !send->batch.held &&
				     !send->batch.in_flight;
	turn_pass(dispatch, index);
	return true;
}

/* A result counts under a sequence that this node was given for this batch only, be it
 * given up meanwhile: nobody can answer for what went to others. */
static uint64_t token_of_result(const struct wm_dispatch *dispatch, const struct wm_flow *flow,
				uint64_t batch, uint32_t sequence, struct wm_ledger_batch *found)
{
	uint64_t token = wm_flow_look(flow, sequence);

	return wm_ledger_look(dispatch->ledger, token, found) && found->batch == batch
		       ? token
		       : WM_TOKEN_NONE;
}

bool wm_dispatch_expect(const struct wm_dispatch *dispatch, uint32_t index, uint64_t batch,
			uint32_t sequence, struct wm_ledger_batch *expected)
{
	const struct node *node = &dispatch->nodes[index];

	return is_member(node) && token_of_result(dispatch, node->flow, batch, sequence, expected);
}

/* The flow's part of a result: what it answers, and what it shows to be lost.
 * Returns the batch's token; *answered: the one that was in flight until now. */
static uint64_t settle(struct wm_dispatch *dispatch, uint32_t index, uint64_t batch,
		       uint32_t sequence, uint64_t now_ns, struct wm_ledger_batch *found,
		       uint64_t *answered)
{
	struct wm_flow *flow = dispatch->nodes[index].flow;
	uint64_t token = token_of_result(dispatch, flow, batch, sequence, found);

	*answered = wm_flow_accept(flow, sequence, now_ns);
	if (*answered) {
		uint64_t sent_ns = wm_flow_sent_ns(flow, sequence);

		if (sent_ns > dispatch->left_ns)
			dispatch->left_ns = sent_ns;
		dispatch->in_flight--;
		/* A sequence that was sent with another batch: that one is not coming. */
		if (*answered == token)
			wm_ledger_answer(dispatch->ledger, token, (uint16_t)index);
		else
			lose(dispatch, index, *answered);
	}
	lose_what_is_lost(dispatch, index);
	ring_update(dispatch, index);
	return token;
}

/* Of a result under no valid sequence: one that came before, or nonsense? */
static enum wm_ledger_verdict judge_stray(const struct wm_dispatch *dispatch, uint64_t batch)
{
	struct wm_ledger_batch found;

	/* Of a closed extent, each was done. */
	if (!wm_ledger_look(dispatch->ledger, wm_ledger_find(dispatch->ledger, batch), &found))
		return WM_LEDGER_DUPLICATE;
	return found.done || found.held ? WM_LEDGER_DUPLICATE : WM_LEDGER_UNKNOWN;
}

/* Which batches are audited is drawn per job, so that no node can know. */
static bool is_audited(const struct wm_dispatch *dispatch, uint64_t batch)
{
	uint64_t mixed = (batch + dispatch->audit_seed) * 0x9e3779b97f4a7c15ull;

	return (mixed ^ mixed >> 29) % (1ull << 32) < dispatch->audit_threshold;
}

static enum wm_ledger_verdict judge(struct wm_dispatch *dispatch, uint32_t index, uint64_t token,
				    struct wm_dispatch_receipt *receipt)
{
	const struct wm_ledger_batch *batch = &receipt->batch;

	if (batch->done || (!batch->held && !is_audited(dispatch, batch->batch)))
		return wm_ledger_complete(dispatch->ledger, token, (uint16_t)index,
					  &receipt->extent_done);
	if (!batch->held) {
		wm_ledger_hold(dispatch->ledger, token, (uint16_t)index);
		return WM_LEDGER_HELD;
	}
	if (batch->from[0] != index && batch->from[1] != index)
		return WM_LEDGER_COMPARE;
	/* Its second copy of what is held already; the other opinion may have been lost. */
	wm_ledger_lose(dispatch->ledger, token);
	return WM_LEDGER_DUPLICATE;
}

static enum wm_ledger_verdict count_verdict(struct wm_dispatch *dispatch, uint32_t index,
					    enum wm_ledger_verdict verdict)
{
	dispatch->counters.results += verdict == WM_LEDGER_NEW;
	dispatch->counters.duplicates += verdict == WM_LEDGER_DUPLICATE;
	dispatch->counters.unknown += verdict == WM_LEDGER_UNKNOWN;
	dispatch->nodes[index].results += verdict == WM_LEDGER_NEW;
	return verdict;
}

enum wm_ledger_verdict wm_dispatch_result(struct wm_dispatch *dispatch, uint32_t index,
					  uint64_t batch, uint32_t sequence, uint64_t now_ns,
					  struct wm_dispatch_receipt *receipt)
{
	uint64_t token, answered;

	receipt->extent_done = false;
	receipt->wrong_node = WM_LEDGER_NOBODY;
	if (!is_member(&dispatch->nodes[index])) {
		dispatch->counters.unknown++;
		return WM_LEDGER_UNKNOWN;
	}
	token = settle(dispatch, index, batch, sequence, now_ns, &receipt->batch, &answered);
	if (token == WM_TOKEN_NONE)
		return count_verdict(dispatch, index, judge_stray(dispatch, batch));
	return count_verdict(dispatch, index, judge(dispatch, index, token, receipt));
}

enum wm_ledger_verdict wm_dispatch_opinion(struct wm_dispatch *dispatch, uint32_t index,
					   enum wm_opinion opinion,
					   struct wm_dispatch_receipt *receipt)
{
	const struct wm_ledger_batch *batch = &receipt->batch;
	uint32_t right = index;

	if (opinion == WM_OPINION_NEITHER && batch->disputed)
		return WM_LEDGER_UNKNOWN;
	if (opinion == WM_OPINION_NEITHER && is_dispute_full(dispatch, batch)) {
		wm_ledger_lose(dispatch->ledger, batch->token);
		return WM_LEDGER_DUPLICATE;
	}
	if (opinion == WM_OPINION_NEITHER) {
		wm_ledger_dispute(dispatch->ledger, batch->token, (uint16_t)index);
		return WM_LEDGER_HELD;
	}
	if (batch->disputed)
		receipt->wrong_node = batch->from[opinion == WM_OPINION_FIRST];
	right = batch->from[opinion == WM_OPINION_SECOND];
	wm_ledger_agree(dispatch->ledger, batch->token, (uint16_t)index);
	dispatch->counters.audited++;
	return count_verdict(dispatch, right,
			     wm_ledger_complete(dispatch->ledger, batch->token, (uint16_t)right,
						&receipt->extent_done));
}

uint32_t wm_dispatch_failed(struct wm_dispatch *dispatch, uint32_t index, uint64_t batch,
			    uint32_t sequence, uint64_t now_ns, struct wm_dispatch_receipt *receipt)
{
	struct node *node = &dispatch->nodes[index];
	uint64_t token, answered;

	if (!is_member(node))
		return 0;
	token = settle(dispatch, index, batch, sequence, now_ns, &receipt->batch, &answered);
	/* It fails faster than others compute, and must not draw all work to itself. */
	wm_flow_rest(node->flow, now_ns);
	ring_update(dispatch, index);
	/* Once for each time that it was asked. */
	if (answered == 0 || answered != token)
		return 0;
	dispatch->counters.failed++;
	return wm_ledger_fail(dispatch->ledger, token, (uint16_t)index);
}

bool wm_dispatch_invalidate_next(struct wm_dispatch *dispatch, uint32_t index, uint32_t *cursor,
				 struct wm_ledger_batch *batch)
{
	return wm_ledger_invalidate_next(dispatch->ledger, (uint16_t)index, cursor, batch);
}

/* How long the quickest node takes, and then some; UINT64_MAX: not known. */
static uint64_t patience_ns(const struct wm_dispatch *dispatch)
{
	uint64_t least_ns = UINT64_MAX;

	for (uint32_t i = 0; i < dispatch->member_count; i++) {
		const struct wm_flow *flow = dispatch->nodes[dispatch->members[i]].flow;

		if (!flow->silent && flow->srtt_ns && flow->srtt_ns < least_ns)
			least_ns = flow->srtt_ns;
	}
	return least_ns == UINT64_MAX ? UINT64_MAX : 2 * least_ns + OVERDUE_NS;
}

/* What a slow node has had for longer than that may go to another as well. */
static void speculate(struct wm_dispatch *dispatch, uint64_t now_ns)
{
	uint64_t patience = patience_ns(dispatch);

	if (now_ns < patience)
		return;
	for (uint32_t i = 0; i < dispatch->member_count; i++) {
		const struct wm_flow *flow = dispatch->nodes[dispatch->members[i]].flow;
		uint32_t cursor = flow->first;
		uint64_t token;

		while ((token = wm_flow_older(flow, &cursor, now_ns - patience)) != 0)
			dispatch->counters.speculated += wm_ledger_copy(dispatch->ledger, token);
	}
}

static void note_wait(struct wm_dispatch *dispatch, struct wm_flow *flow, uint64_t now_ns)
{
	uint64_t waited_ns = wm_flow_waiting_ns(flow, now_ns);

	if (waited_ns > dispatch->counters.waited_max_ns)
		dispatch->counters.waited_max_ns = waited_ns;
}

uint32_t wm_dispatch_tick(struct wm_dispatch *dispatch, uint64_t now_ns, uint32_t *silent)
{
	/* It fell silent in a job before, where it was told; in this one nobody knows yet. */
	uint32_t count = dispatch->joined_silent_count;

	*silent = dispatch->joined_silent;
	dispatch->joined_silent_count = 0;
	for (uint32_t i = 0; i < dispatch->member_count; i++) {
		uint32_t index = dispatch->members[i];
		struct node *node = &dispatch->nodes[index];

		note_wait(dispatch, node->flow, now_ns);
		if (wm_flow_expire(node->flow, now_ns)) {
			*silent = index;
			count++;
		}
		lose_what_is_lost(dispatch, index);
		ring_update(dispatch, index);
	}
	/* Copies would go before what was never sent. */
	if (dispatch->draining && dispatch->member_count > 1 &&
	    !wm_ledger_has_fresh(dispatch->ledger))
		speculate(dispatch, now_ns);
	return count;
}

/* ---- for people ----------------------------------------------------------- */

uint32_t wm_dispatch_nodes_alive(const struct wm_dispatch *dispatch)
{
	uint32_t alive = 0;

	for (uint32_t i = 0; i < dispatch->member_count; i++)
		alive += !dispatch->nodes[dispatch->members[i]].flow->silent;
	return alive;
}

uint32_t wm_dispatch_nodes_answering(const struct wm_dispatch *dispatch, uint32_t *unable)
{
	uint32_t answering = 0;

	*unable = 0;
	for (uint32_t i = 0; i < dispatch->member_count; i++) {
		const struct wm_flow *flow = dispatch->nodes[dispatch->members[i]].flow;

		*unable += flow->unable;
		answering += !flow->unable && wm_flow_answers(flow);
	}
	return answering;
}

bool wm_dispatch_is_stuck(const struct wm_dispatch *dispatch)
{
	return dispatch->turn != NOWHERE && dispatch->in_flight == 0 &&
	       wm_ledger_has_work(dispatch->ledger);
}

void wm_dispatch_node_get_state(const struct wm_dispatch *dispatch, uint32_t index,
				struct wm_dispatch_node_state *state)
{
	const struct node *node = &dispatch->nodes[index];

	*state = (struct wm_dispatch_node_state){
		.window = node->flow->window,
		.in_flight = node->flow->in_flight,
		.silent = !node->flow->unable && !wm_flow_answers(node->flow),
		.rtt_ns = node->flow->srtt_ns,
		.results = node->results,
		.flow = node->flow->counters,
	};
}

const struct wm_dispatch_counters *wm_dispatch_get_counters(const struct wm_dispatch *dispatch)
{
	return &dispatch->counters;
}
