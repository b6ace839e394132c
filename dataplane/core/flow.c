/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include <assert.h>
#include <string.h>

#include "clock.h"
#include "round_trip.h"
#include "wiremill/limits.h"

/* Marks a token in the ring that was declared lost, to notice a late result. */
#define TOKEN_LOST (1ull << 63)

#define REORDER_FIRST 3u /* RFC 5681's three duplicate ACKs */
#define REORDER_MAX 64u
#define WINDOW_FIRST 4u
#define WINDOW_MIN 2u
/* Ports that hold twice the queue's target drop no frame while a window is opened again by a
 * quarter a round; by a half, some do (flow-jobs). */
#define REOPEN_PART 4u

/* Machines that share cores show gaps of 20 to 100 ms: a timer below 200 ms
 * would fire on them. A second keeps "goes elsewhere in well under 2 s", but for a node
 * that needs about as long itself: that one has four times the least that it needed, which
 * is what it has in flight at first, one after the other. A stall of a quick one does not
 * count: its other results were quick. */
#define TIMEOUT_FIRST_NS (500 * WM_NS_PER_MS)
#define TIMEOUT_MIN_NS (200 * WM_NS_PER_MS)
#define TIMEOUT_MAX_NS (1 * WM_NS_PER_S)
#define TIMEOUT_MAX_BASES 4u
/* For the first results of a node that says it works on them, by a beat each second. */
#define TIMEOUT_WORKING_NS (60 * WM_NS_PER_S)
#define WORKING_NS (5 * WM_NS_PER_S / 2)

/* A queue of bytes is a queue of time, too: on a link of a tenth of the speed the same
 * bytes wait ten times as long, and so does the extent that one of them belongs to. */
#define QUEUE_DELAY_MAX_NS (20 * WM_NS_PER_MS)

#define BASE_PERIOD_NS (10 * WM_NS_PER_S)
#define SILENCE_MAX_SHIFT 4u /* 16 s */

static_assert(WM_FLOW_RING >= 4 * WM_NODE_WINDOW_MAX, "late results stay in the ring");
static_assert((WM_FLOW_RING & (WM_FLOW_RING - 1)) == 0, "sequences wrap around the ring");

static struct wm_flow_entry *entry_of(struct wm_flow *flow, uint32_t sequence)
{
	return &flow->ring[sequence % WM_FLOW_RING];
}

/* Sequences wrap; they are compared by distance. */
static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
	return value < min ? min : value > max ? max : value;
}

static void round_begin(struct wm_flow *flow)
{
	flow->round_end = flow->next;
	flow->round_answers = flow->round_losses = 0;
	flow->round_rtt_ns = UINT64_MAX;
	flow->limited = false;
}

void wm_flow_init(struct wm_flow *flow, uint32_t seed)
{
	memset(flow, 0, sizeof(*flow));
	flow->first = flow->next = flow->lost_before = seed;
	flow->newest = seed - 1;
	flow->reorder = REORDER_FIRST;
}

/* ---- from job to job --------------------------------------------------------------- */

/* Nothing that was sent counts any more, be it in flight, answered or given up. */
static void forget_sent(struct wm_flow *flow)
{
	memset(flow->ring, 0, sizeof(flow->ring));
	flow->first = flow->lost_before = flow->next;
	flow->newest = flow->next - 1;
	flow->in_flight = 0;
	flow->counters = (struct wm_flow_counters){ 0 };
}

/* Another kernel needs another time, and says so as the first one did; what it could not
 * compute were batches of the job before. These may reach it where those did not: who is
 * silent is asked again after the next beat, however long that one would have waited. */
static void forget_kernel(struct wm_flow *flow)
{
	flow->srtt_ns = flow->rttvar_ns = 0;
	flow->timeout_ns = TIMEOUT_FIRST_NS;
	flow->base_ns[0] = flow->base_ns[1] = UINT64_MAX;
	flow->base_renew_ns = 0;
	flow->works_ns = 0;
	flow->silent_until_ns = 0;
	if (flow->unable)
		flow->silent = flow->unable = false;
}

/* Its window at the end of the job before, be it that it was being probed or opened. */
static uint32_t window_before(const struct wm_flow *flow)
{
	if (flow->learned)
		return flow->learned;
	return flow->base_window ? flow->base_window : flow->window;
}

static void window_first(struct wm_flow *flow)
{
	flow->window = clamp(WINDOW_FIRST, 1, flow->window_max);
	flow->learned = 0;
	flow->slow_start = true;
	flow->grew = false;
}

/* The queue's target is of bytes: by it, as many bytes as before are so many batches. */
static void window_resume(struct wm_flow *flow, uint32_t queue_target)
{
	uint64_t window = (uint64_t)window_before(flow) * queue_target / flow->queue_target;

	if (window > flow->window_max)
		window = flow->window_max;
	flow->learned =
		clamp((uint32_t)window, clamp(WINDOW_MIN, 1, flow->window_max), flow->window_max);
	flow->window = clamp(queue_target, WINDOW_FIRST, WM_NODE_WINDOW_MAX);
	if (flow->window < flow->learned)
		return;
	flow->window = flow->learned;
	flow->learned = 0;
}

void wm_flow_begin(struct wm_flow *flow, uint32_t window_max, uint32_t queue_target,
		   const struct wm_kernel *kernel)
{
	assert(window_max >= 1 && window_max <= WM_NODE_WINDOW_MAX);
	if (queue_target == 0)
		queue_target = 1;
	forget_sent(flow);
	forget_kernel(flow);
	flow->window_max = window_max;
	if (wm_kernel_is_same(&flow->kernel, kernel) && flow->queue_target > 0)
		window_resume(flow, queue_target);
	else
		window_first(flow);
	flow->base_window = 0;
	flow->queue_target = queue_target;
	flow->kernel = *kernel;
	round_begin(flow);
}

/* ---- batches ------------------------------------------------------------------------- */

bool wm_flow_has_room(const struct wm_flow *flow)
{
	return !flow->silent && flow->in_flight < flow->window &&
	       flow->next - flow->first < WM_FLOW_RING - WM_NODE_WINDOW_MAX;
}

uint32_t wm_flow_send(struct wm_flow *flow, uint64_t token, uint64_t now_ns)
{
	uint32_t sequence = flow->next++;

	assert(token != 0 && !(token & TOKEN_LOST));
	*entry_of(flow, sequence) = (struct wm_flow_entry){ .token = token, .sent_ns = now_ns };
	flow->in_flight++;
	flow->counters.sent++;
	if (flow->in_flight >= flow->window)
		flow->limited = true;
	return sequence;
}

/* The least round trip of the last 10 to 20 s. */
static uint64_t base_ns(const struct wm_flow *flow)
{
	return flow->base_ns[0] < flow->base_ns[1] ? flow->base_ns[0] : flow->base_ns[1];
}

static uint64_t greater(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

static void time_out(struct wm_flow *flow, uint64_t rtt_ns)
{
	uint64_t most_ns;

	flow->timeout_ns = wm_round_trip_add(&flow->srtt_ns, &flow->rttvar_ns, rtt_ns);
	if (rtt_ns < flow->base_ns[0])
		flow->base_ns[0] = rtt_ns;
	most_ns = greater(TIMEOUT_MAX_NS, TIMEOUT_MAX_BASES * base_ns(flow));
	if (flow->timeout_ns < TIMEOUT_MIN_NS)
		flow->timeout_ns = TIMEOUT_MIN_NS;
	if (flow->timeout_ns > most_ns)
		flow->timeout_ns = most_ns;
}

/* What an answer in time says of the queues, too. */
static void measure_round_trip(struct wm_flow *flow, uint64_t rtt_ns, uint64_t now_ns)
{
	if (flow->base_renew_ns == 0)
		flow->base_renew_ns = (now_ns / BASE_PERIOD_NS + 1) * BASE_PERIOD_NS;
	time_out(flow, rtt_ns);
	if (rtt_ns < flow->round_rtt_ns)
		flow->round_rtt_ns = rtt_ns;
}

/* How much of a round trip is waiting. */
static uint64_t queue_delay_ns(const struct wm_flow *flow, uint64_t rtt_ns)
{
	uint64_t base = base_ns(flow);

	return rtt_ns > base ? rtt_ns - base : 0;
}

/* Batches of the window that wait in a queue instead of being worked on. */
static uint32_t queue_length(const struct wm_flow *flow, uint64_t rtt_ns)
{
	uint64_t delay_ns = queue_delay_ns(flow, rtt_ns);

	/* A clock that does not move gives a round trip of 0. */
	return delay_ns ? (uint32_t)(delay_ns * flow->window / rtt_ns) : 0;
}

/* As many as may wait, and no longer than they may. */
static uint32_t queue_target(const struct wm_flow *flow, uint32_t queue, uint64_t rtt_ns)
{
	uint64_t delay_ns = queue_delay_ns(flow, rtt_ns);

	if (delay_ns <= QUEUE_DELAY_MAX_NS)
		return flow->queue_target;
	return clamp((uint32_t)(queue * QUEUE_DELAY_MAX_NS / delay_ns), 1, flow->queue_target);
}

static void window_shrink(struct wm_flow *flow, uint32_t by)
{
	flow->window = clamp(flow->window > by ? flow->window - by : 0,
			     clamp(WINDOW_MIN, 1, flow->window_max), flow->window_max);
	flow->slow_start = false;
	flow->learned = 0;
}

static void window_grow(struct wm_flow *flow, uint32_t by)
{
	flow->window = clamp(flow->window + by, 1, flow->window_max);
}

/* Back to the window of the job before: what is sent beyond the answers waits in a switch
 * until they are as many. */
static void window_reopen(struct wm_flow *flow)
{
	flow->window += flow->window / REOPEN_PART + 1;
	if (flow->window < flow->learned)
		return;
	flow->window = flow->learned;
	flow->learned = 0;
}

/*
 * Doubles every other round, since the answers of a round tell of the window of
 * the round before. Its last answer sees the queue that the growth made; the
 * least of them, which is steadier later on, still misses it.
 */
static void slow_start(struct wm_flow *flow, uint64_t last_rtt_ns)
{
	if (queue_length(flow, last_rtt_ns) > flow->queue_target / 2)
		flow->slow_start = false;
	else if (flow->limited && (flow->grew = !flow->grew))
		window_grow(flow, flow->round_answers);
}

static void window_adapt(struct wm_flow *flow, uint64_t last_rtt_ns)
{
	uint32_t queue = queue_length(flow, flow->round_rtt_ns);
	uint32_t target = queue_target(flow, queue, flow->round_rtt_ns);
	uint32_t sent = flow->round_answers + flow->round_losses;

	if (flow->round_losses * 8 > sent && flow->round_losses > 1)
		window_shrink(flow, flow->window / 4 + 1);
	else if (flow->round_losses && queue > target / 2)
		window_shrink(flow, flow->window / 8 + 1);
	else if (queue > target)
		window_shrink(flow, (queue - target + 1) / 2);
	else if (flow->learned && flow->limited)
		window_reopen(flow);
	else if (flow->slow_start)
		slow_start(flow, last_rtt_ns);
	else if (flow->limited && queue < target)
		window_grow(flow, 1);
}

/* Every period: forget the older minimum, and look through a standing queue. The
 * periods are those of the clock, and begin at once, not with a round: flows that
 * share an uplink drain its queue together, since one alone would take the queue
 * of the others for its base and add its own on top. */
static void base_probe(struct wm_flow *flow, uint64_t now_ns)
{
	flow->base_renew_ns = (now_ns / BASE_PERIOD_NS + 1) * BASE_PERIOD_NS;
	flow->base_ns[1] = flow->base_ns[0];
	flow->base_ns[0] = UINT64_MAX;
	flow->base_window = window_before(flow);
	window_shrink(flow, flow->window - flow->window / 8);
	round_begin(flow);
}

static void round_finish(struct wm_flow *flow, uint64_t last_rtt_ns)
{
	if (flow->base_window)
		flow->window = flow->base_window;
	else
		window_adapt(flow, last_rtt_ns);
	flow->base_window = 0;
	round_begin(flow);
}

static bool is_remembered(const struct wm_flow *flow, uint32_t sequence)
{
	uint32_t age = flow->next - sequence;

	return age > 0 && age <= WM_FLOW_RING;
}

uint64_t wm_flow_look(const struct wm_flow *flow, uint32_t sequence)
{
	return is_remembered(flow, sequence)
		       ? flow->ring[sequence % WM_FLOW_RING].token & ~TOKEN_LOST
		       : 0;
}

/* It was declared lost in error: from now on wait as long as would have helped.
 * Where only the timer gave it up, nothing newer is answered yet, and nothing is
 * learned about the order. */
static void accept_late(struct wm_flow *flow, uint32_t sequence, uint64_t rtt_ns)
{
	flow->counters.spurious++;
	time_out(flow, rtt_ns);
	if (is_before(sequence, flow->newest))
		flow->reorder = clamp(flow->newest - sequence + 1, flow->reorder, REORDER_MAX);
}

uint64_t wm_flow_accept(struct wm_flow *flow, uint32_t sequence, uint64_t now_ns)
{
	struct wm_flow_entry *entry = entry_of(flow, sequence);
	uint64_t token = entry->token, rtt_ns;

	if (!is_remembered(flow, sequence))
		return 0;
	flow->silent = flow->unable = false;
	flow->timeouts_in_row = 0;
	entry->token = 0;
	rtt_ns = now_ns - entry->sent_ns;
	if (token & TOKEN_LOST)
		accept_late(flow, sequence, rtt_ns);
	if (token == 0 || token & TOKEN_LOST)
		return 0;

	flow->in_flight--;
	flow->counters.answered++;
	flow->round_answers++;
	measure_round_trip(flow, rtt_ns, now_ns);
	if (is_before(flow->newest, sequence)) {
		flow->newest = sequence;
		if (is_before(flow->lost_before, sequence - flow->reorder + 1))
			flow->lost_before = sequence - flow->reorder + 1;
	}
	if (now_ns >= flow->base_renew_ns)
		base_probe(flow, now_ns);
	else if (!is_before(sequence, flow->round_end))
		round_finish(flow, rtt_ns);
	return token;
}

uint64_t wm_flow_sent_ns(const struct wm_flow *flow, uint32_t sequence)
{
	return flow->ring[sequence % WM_FLOW_RING].sent_ns;
}

uint64_t wm_flow_older(const struct wm_flow *flow, uint32_t *cursor, uint64_t before_ns)
{
	while (is_before(*cursor, flow->next)) {
		const struct wm_flow_entry *entry = &flow->ring[(*cursor)++ % WM_FLOW_RING];

		if (entry->token != 0 && !(entry->token & TOKEN_LOST))
			return entry->sent_ns < before_ns ? entry->token : 0;
	}
	return 0;
}

uint64_t wm_flow_next_lost(struct wm_flow *flow)
{
	while (is_before(flow->first, flow->lost_before)) {
		struct wm_flow_entry *entry = entry_of(flow, flow->first++);
		uint64_t token = entry->token;

		if (token == 0)
			continue;
		entry->token |= TOKEN_LOST;
		flow->in_flight--;
		flow->round_losses++;
		flow->counters.lost++;
		return token;
	}
	return 0;
}

/* Steps over what is answered, so that `first` is the oldest in flight. */
static void settle_answered(struct wm_flow *flow)
{
	while (flow->first != flow->next && entry_of(flow, flow->first)->token == 0)
		flow->first++;
	if (is_before(flow->lost_before, flow->first))
		flow->lost_before = flow->first;
}

static uint64_t timeout_ns(const struct wm_flow *flow, uint64_t now_ns)
{
	if (flow->srtt_ns == 0 && flow->works_ns != 0 && now_ns - flow->works_ns < WORKING_NS)
		return TIMEOUT_WORKING_NS;
	return flow->timeout_ns;
}

static bool is_overdue(struct wm_flow *flow, uint32_t sequence, uint64_t now_ns)
{
	return now_ns - entry_of(flow, sequence)->sent_ns >= timeout_ns(flow, now_ns);
}

uint64_t wm_flow_waiting_ns(struct wm_flow *flow, uint64_t now_ns)
{
	settle_answered(flow);
	return flow->in_flight ? now_ns - entry_of(flow, flow->first)->sent_ns : 0;
}

bool wm_flow_expire(struct wm_flow *flow, uint64_t now_ns)
{
	uint32_t backoff;

	settle_answered(flow);
	if (flow->in_flight == 0 || !is_overdue(flow, flow->first, now_ns))
		return false;
	if (is_before(flow->first, flow->newest)) {
		/* A node that answers what was sent later is not silent. */
		while (is_before(flow->lost_before, flow->newest) &&
		       is_overdue(flow, flow->lost_before, now_ns))
			flow->lost_before++;
		return false;
	}

	wm_flow_give_up(flow);
	flow->counters.timeouts++;
	backoff = clamp(flow->timeouts_in_row, 0, SILENCE_MAX_SHIFT);
	flow->silent_until_ns = flow->timeouts_in_row ? now_ns + (WM_NS_PER_S << backoff) : now_ns;
	flow->timeouts_in_row++;
	flow->silent = true;
	return true;
}

void wm_flow_beat(struct wm_flow *flow, bool works, uint64_t now_ns)
{
	flow->works_ns = works ? now_ns : 0;
	if (works && flow->srtt_ns == 0 && !flow->unable) {
		flow->silent = false;
		flow->timeouts_in_row = 0;
	}
	if (flow->silent && now_ns >= flow->silent_until_ns)
		flow->silent = false;
}

void wm_flow_rest(struct wm_flow *flow, uint64_t now_ns)
{
	flow->silent = flow->unable = true;
	flow->silent_until_ns = now_ns;
}

bool wm_flow_answers(const struct wm_flow *flow)
{
	return !flow->silent && flow->timeouts_in_row == 0;
}

void wm_flow_give_up(struct wm_flow *flow)
{
	flow->lost_before = flow->next;
	flow->window = clamp(WINDOW_MIN, 1, flow->window_max);
	flow->base_window = flow->learned = 0;
	flow->slow_start = true;
	round_begin(flow);
}
