/* SPDX-License-Identifier: BSD-3-Clause */
#include "dispatch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Batches one node is served in a row. */
#define QUANTUM 4u

#define NOWHERE UINT32_MAX

struct node {
	struct wm_flow flow;
	bool member;		 /* takes part in this job */
	uint32_t quantum;	 /* left of its turn */
	uint32_t next, previous; /* in the ring of nodes with room; NOWHERE: not in it */
	uint32_t member_index;
	uint64_t results;
};

struct wm_dispatch {
	struct wm_dispatch_config config;
	struct wm_dispatch_counters counters;
	struct wm_ledger *ledger;
	struct node *nodes;
	uint32_t *members; /* the nodes of this job, in no order */
	uint32_t member_count;
	uint32_t turn; /* the node whose turn it is; NOWHERE: nobody has room */
	uint32_t queue_target;
	uint32_t in_flight;
};

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
	if (!dispatch->ledger || !dispatch->nodes || !dispatch->members)
		wm_dispatch_destroy(&dispatch);
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
		dispatch->nodes[i].member = false;
	dispatch->member_count = 0;
	dispatch->turn = NOWHERE;
	dispatch->queue_target = queue_target;
	dispatch->in_flight = 0;
}

/* ---- the ring of nodes with room ---------------------------------------- */

static void ring_insert(struct wm_dispatch *dispatch, uint32_t index)
{
	struct node *node = &dispatch->nodes[index];
	struct node *head;

	if (node->next != NOWHERE)
		return;
	node->quantum = QUANTUM;
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

static void ring_update(struct wm_dispatch *dispatch, uint32_t index)
{
	if (wm_flow_has_room(&dispatch->nodes[index].flow))
		ring_insert(dispatch, index);
	else
		ring_remove(dispatch, index);
}

/* ---- nodes --------------------------------------------------------------- */

static void lose_what_is_lost(struct wm_dispatch *dispatch, struct node *node)
{
	uint64_t token;

	while ((token = wm_flow_next_lost(&node->flow)) != 0) {
		wm_ledger_lose(dispatch->ledger, token);
		dispatch->counters.lost++;
		dispatch->in_flight--;
	}
}

void wm_dispatch_node_add(struct wm_dispatch *dispatch, uint32_t index, uint32_t window_max,
			  uint32_t stamp_seed)
{
	struct node *node = &dispatch->nodes[index];

	assert(index < dispatch->config.nodes_max);
	assert(!node->member);
	wm_flow_init(&node->flow, window_max, dispatch->queue_target, stamp_seed);
	node->member = true;
	node->results = 0;
	node->next = node->previous = NOWHERE;
	node->member_index = dispatch->member_count;
	dispatch->members[dispatch->member_count++] = index;
	ring_update(dispatch, index);
}

void wm_dispatch_node_remove(struct wm_dispatch *dispatch, uint32_t index)
{
	struct node *node = &dispatch->nodes[index];
	uint32_t last;

	if (!node->member)
		return;
	wm_flow_give_up(&node->flow);
	lose_what_is_lost(dispatch, node);
	ring_remove(dispatch, index);
	node->member = false;
	last = dispatch->members[--dispatch->member_count];
	dispatch->members[node->member_index] = last;
	dispatch->nodes[last].member_index = node->member_index;
}

void wm_dispatch_node_hear(struct wm_dispatch *dispatch, uint32_t index, uint64_t now_ns)
{
	struct node *node = &dispatch->nodes[index];

	if (!node->member)
		return;
	wm_flow_hear(&node->flow, now_ns);
	ring_update(dispatch, index);
}

/* ---- batches ------------------------------------------------------------- */

void wm_dispatch_extent_open(struct wm_dispatch *dispatch, uint32_t slot, uint64_t extent)
{
	wm_ledger_open(dispatch->ledger, slot, extent);
}

static void turn_pass(struct wm_dispatch *dispatch, uint32_t index)
{
	struct node *node = &dispatch->nodes[index];

	if (!wm_flow_has_room(&node->flow)) {
		ring_remove(dispatch, index);
	} else if (--node->quantum == 0) {
		node->quantum = QUANTUM;
		dispatch->turn = node->next;
	}
}

bool wm_dispatch_next(struct wm_dispatch *dispatch, uint64_t now_ns, struct wm_dispatch_send *send)
{
	uint32_t index = dispatch->turn;

	if (index == NOWHERE || dispatch->in_flight >= dispatch->config.in_flight_max)
		return false;
	if (!wm_ledger_take(dispatch->ledger, &send->batch))
		return false;

	send->node = index;
	send->stamp = wm_flow_send(&dispatch->nodes[index].flow, send->batch.token, now_ns);
	dispatch->in_flight++;
	dispatch->counters.sent++;
	dispatch->counters.resent += send->batch.again;
	turn_pass(dispatch, index);
	return true;
}

/* The stamp names the token at once; the batch index proves it, and finds the
 * token of a result that comes after it was given up. */
static uint64_t token_of_result(const struct wm_dispatch *dispatch, const struct node *node,
				uint64_t batch, uint32_t stamp, struct wm_ledger_batch *found)
{
	uint64_t token = wm_flow_look(&node->flow, stamp);

	if (wm_ledger_look(dispatch->ledger, token, found) && found->batch == batch)
		return token;
	token = wm_ledger_find(dispatch->ledger, batch);
	return wm_ledger_look(dispatch->ledger, token, found) ? token : WM_TOKEN_NONE;
}

bool wm_dispatch_expect(const struct wm_dispatch *dispatch, uint32_t index, uint64_t batch,
			uint32_t stamp, struct wm_ledger_batch *expected)
{
	const struct node *node = &dispatch->nodes[index];

	return node->member && token_of_result(dispatch, node, batch, stamp, expected);
}

enum wm_ledger_verdict wm_dispatch_result(struct wm_dispatch *dispatch, uint32_t index,
					  uint64_t batch, uint32_t stamp, uint64_t now_ns,
					  struct wm_dispatch_receipt *receipt)
{
	struct node *node = &dispatch->nodes[index];
	enum wm_ledger_verdict verdict;
	uint64_t token, answered;

	receipt->extent_done = false;
	if (!node->member) {
		dispatch->counters.unknown++;
		return WM_LEDGER_UNKNOWN;
	}
	token = token_of_result(dispatch, node, batch, stamp, &receipt->batch);
	answered = wm_flow_accept(&node->flow, stamp, now_ns);
	if (answered) {
		dispatch->in_flight--;
		/* A stamp that was sent with another batch: that one is not coming. */
		if (answered != token)
			wm_ledger_lose(dispatch->ledger, answered);
	}
	lose_what_is_lost(dispatch, node);
	ring_update(dispatch, index);

	verdict = wm_ledger_complete(dispatch->ledger, token, &receipt->extent_done);
	dispatch->counters.results += verdict == WM_LEDGER_NEW;
	dispatch->counters.duplicates += verdict == WM_LEDGER_DUPLICATE;
	dispatch->counters.unknown += verdict == WM_LEDGER_UNKNOWN;
	node->results += verdict == WM_LEDGER_NEW;
	return verdict;
}

uint32_t wm_dispatch_tick(struct wm_dispatch *dispatch, uint64_t now_ns)
{
	uint32_t silent = 0;

	for (uint32_t i = 0; i < dispatch->member_count; i++) {
		uint32_t index = dispatch->members[i];
		struct node *node = &dispatch->nodes[index];

		silent += wm_flow_expire(&node->flow, now_ns);
		lose_what_is_lost(dispatch, node);
		ring_update(dispatch, index);
	}
	return silent;
}

/* ---- for people ----------------------------------------------------------- */

uint32_t wm_dispatch_nodes_alive(const struct wm_dispatch *dispatch)
{
	uint32_t alive = 0;

	for (uint32_t i = 0; i < dispatch->member_count; i++)
		alive += !dispatch->nodes[dispatch->members[i]].flow.silent;
	return alive;
}

void wm_dispatch_node_state(const struct wm_dispatch *dispatch, uint32_t index,
			    struct wm_dispatch_node_state *state)
{
	const struct node *node = &dispatch->nodes[index];

	*state = (struct wm_dispatch_node_state){
		.window = node->flow.window,
		.in_flight = node->flow.in_flight,
		.silent = node->flow.silent,
		.rtt_ns = node->flow.srtt_ns,
		.results = node->results,
		.flow = node->flow.counters,
	};
}

const struct wm_dispatch_counters *wm_dispatch_counters(const struct wm_dispatch *dispatch)
{
	return &dispatch->counters;
}
