/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* State of one batch. */
#define BATCH_DONE 0x80u
#define BATCH_QUEUED 0x40u /* to do again */
#define BATCH_SENT 0x20u   /* at least once */
#define BATCH_HELD 0x10u   /* a first result is held, or was until it was done */
#define BATCH_DISPUTED 0x08u
#define BATCH_LISTED 0x04u /* stands in a ring, perhaps no longer queued */

/* In flight at once. A batch is queued only while at most two copies are: those of
 * the two nodes whose results are held, or one and its speculative second. */
#define COPIES_MAX 3u
#define FAILED_MAX 3u

/* Bit 63 of a token is flow's. */
#define GENERATION_MAX 0x7fffffffu

struct slot {
	uint64_t extent;
	uint64_t first_batch;
	uint32_t generation; /* of its opening; 0 is never used, so no token is 0 */
	uint32_t batches;
	uint32_t remaining;  /* not done; 0: closed */
	uint32_t fresh;	     /* next batch never sent */
	uint32_t last_count; /* elements of its last batch */
};

struct place {
	uint8_t state;
	uint8_t failures;
	uint16_t at[COPIES_MAX]; /* nodes with a copy in flight, or NOBODY */
	uint16_t from[2];
	uint16_t failed[FAILED_MAX]; /* the first nodes that could not compute it */
};

/* Of place numbers; each stands in one of the two at most once. */
struct ring {
	uint32_t *numbers;
	uint32_t head, tail;
};

struct wm_ledger {
	struct wm_layout layout;
	uint32_t slots_max;
	uint32_t shift; /* place number = slot << shift | place in extent */
	uint64_t remaining;
	uint32_t disputed;
	struct slot *slots;
	struct place *places;
	uint32_t places_max;
	struct ring again[2]; /* to do again: what has no result yet; second opinions */
	uint32_t again_mask;
	uint32_t *fresh; /* ring of slots with fresh batches, in order of opening */
	uint32_t fresh_mask, fresh_head, fresh_tail;
};

static uint32_t power_of_two_above(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power <<= 1;
	return power;
}

struct wm_ledger *wm_ledger_create(uint32_t slots_max, uint32_t batches_per_extent_max)
{
	struct wm_ledger *ledger = calloc(1, sizeof(*ledger));
	uint32_t places;

	if (!ledger)
		return NULL;
	ledger->slots_max = slots_max;
	places = power_of_two_above(slots_max) * power_of_two_above(batches_per_extent_max);
	ledger->places_max = places;
	ledger->again_mask = places - 1;
	ledger->fresh_mask = power_of_two_above(slots_max) - 1;

	ledger->slots = calloc(slots_max, sizeof(*ledger->slots));
	ledger->places = calloc(places, sizeof(*ledger->places));
	for (unsigned i = 0; i < 2; i++)
		ledger->again[i].numbers = calloc(places, sizeof(uint32_t));
	ledger->fresh = calloc(ledger->fresh_mask + 1, sizeof(*ledger->fresh));
	if (!ledger->slots || !ledger->places || !ledger->again[0].numbers ||
	    !ledger->again[1].numbers || !ledger->fresh)
		wm_ledger_destroy(&ledger);
	return ledger;
}

void wm_ledger_destroy(struct wm_ledger **ledger)
{
	if (!*ledger)
		return;
	free((*ledger)->fresh);
	free((*ledger)->again[0].numbers);
	free((*ledger)->again[1].numbers);
	free((*ledger)->places);
	free((*ledger)->slots);
	free(*ledger);
	*ledger = NULL;
}

void wm_ledger_start(struct wm_ledger *ledger, const struct wm_layout *layout)
{
	/* As narrow as this job allows, so that its places share cache lines. */
	for (ledger->shift = 0; 1u << ledger->shift < layout->batches_per_extent;)
		ledger->shift++;
	assert(power_of_two_above(ledger->slots_max) << ledger->shift <= ledger->places_max);
	ledger->layout = *layout;
	ledger->remaining = ledger->disputed = 0;
	memset(ledger->places, 0, ledger->places_max * sizeof(*ledger->places));
	for (unsigned i = 0; i < 2; i++)
		ledger->again[i].head = ledger->again[i].tail = 0;
	ledger->fresh_head = ledger->fresh_tail = 0;
	for (uint32_t i = 0; i < ledger->slots_max; i++)
		ledger->slots[i].remaining = 0;
}

static uint32_t number_of(const struct wm_ledger *ledger, uint32_t slot, uint32_t place)
{
	return slot << ledger->shift | place;
}

static uint64_t token_of(const struct wm_ledger *ledger, uint32_t number)
{
	return (uint64_t)ledger->slots[number >> ledger->shift].generation << 32 | number;
}

static void place_init(struct place *place)
{
	uint8_t listed = place->state & BATCH_LISTED;

	memset(place, 0xff, sizeof(*place)); /* nobody */
	place->state = listed;
	place->failures = 0;
}

void wm_ledger_open(struct wm_ledger *ledger, uint32_t slot_index, uint64_t extent)
{
	struct slot *slot = &ledger->slots[slot_index];
	uint32_t batches = wm_layout_extent_batches(&ledger->layout, extent);

	assert(slot_index < ledger->slots_max);
	assert(slot->remaining == 0);
	slot->generation = slot->generation % GENERATION_MAX + 1;
	slot->extent = extent;
	slot->first_batch = extent * ledger->layout.batches_per_extent;
	slot->batches = slot->remaining = batches;
	slot->fresh = 0;
	slot->last_count = wm_layout_batch_size(&ledger->layout, extent, batches - 1);
	for (uint32_t i = 0; i < batches; i++)
		place_init(&ledger->places[number_of(ledger, slot_index, i)]);
	ledger->remaining += batches;
	ledger->fresh[ledger->fresh_tail++ & ledger->fresh_mask] = slot_index;
}

static uint32_t ring_pop(struct wm_ledger *ledger, struct ring *ring)
{
	uint32_t number = ring->numbers[ring->head++ & ledger->again_mask];

	ledger->places[number].state &= (uint8_t)~BATCH_LISTED;
	return number;
}

/* Drops the entries of batches that were completed after they had been queued. */
static bool ring_is_empty(struct wm_ledger *ledger, struct ring *ring)
{
	while (ring->head != ring->tail) {
		uint32_t number = ring->numbers[ring->head & ledger->again_mask];

		if (ledger->places[number].state & BATCH_QUEUED)
			return false;
		ring_pop(ledger, ring);
	}
	return true;
}

void wm_ledger_close(struct wm_ledger *ledger)
{
	for (unsigned i = 0; i < 2; i++) {
		while (ledger->again[i].head != ledger->again[i].tail)
			ring_pop(ledger, &ledger->again[i]);
	}
	ledger->fresh_head = ledger->fresh_tail;
	for (uint32_t i = 0; i < ledger->slots_max; i++)
		ledger->slots[i].remaining = 0;
	ledger->remaining = ledger->disputed = 0;
}

bool wm_ledger_has_fresh(const struct wm_ledger *ledger)
{
	return ledger->fresh_head != ledger->fresh_tail;
}

bool wm_ledger_has_work(struct wm_ledger *ledger)
{
	return wm_ledger_has_fresh(ledger) || !ring_is_empty(ledger, &ledger->again[0]) ||
	       !ring_is_empty(ledger, &ledger->again[1]);
}

static uint32_t copies_of(const struct place *place)
{
	uint32_t copies = 0;

	for (uint32_t i = 0; i < COPIES_MAX; i++)
		copies += place->at[i] != WM_LEDGER_NOBODY;
	return copies;
}

static bool look_number(const struct wm_ledger *ledger, uint32_t number,
			struct wm_ledger_batch *batch)
{
	uint32_t slot_index = number >> ledger->shift;
	uint32_t place = number & ((1u << ledger->shift) - 1);
	const struct slot *slot = &ledger->slots[slot_index];
	const struct place *state = &ledger->places[number];

	*batch = (struct wm_ledger_batch){
		.token = token_of(ledger, number),
		.batch = slot->first_batch + place,
		.slot = slot_index,
		.place = place,
		.count = place + 1 == slot->batches ? slot->last_count
						    : ledger->layout.batch_elements,
		.again = state->state & BATCH_SENT,
		.in_flight = copies_of(state) > 0,
		.held = state->state & BATCH_HELD,
		.done = state->state & BATCH_DONE,
		.disputed = state->state & BATCH_DISPUTED,
		.failures = state->failures,
		.from = { state->from[0], state->from[1] },
	};
	return true;
}

static uint32_t next_fresh(struct wm_ledger *ledger)
{
	uint32_t slot_index = ledger->fresh[ledger->fresh_head & ledger->fresh_mask];
	struct slot *slot = &ledger->slots[slot_index];
	uint32_t number = number_of(ledger, slot_index, slot->fresh++);

	if (slot->fresh == slot->batches)
		ledger->fresh_head++;
	return number;
}

static bool take_number(struct wm_ledger *ledger, uint32_t number, struct wm_ledger_batch *batch)
{
	uint8_t *state = &ledger->places[number].state;

	look_number(ledger, number, batch);
	*state = (uint8_t)((*state & ~BATCH_QUEUED) | BATCH_SENT);
	return true;
}

bool wm_ledger_take_fresh(struct wm_ledger *ledger, struct wm_ledger_batch *batch)
{
	return wm_ledger_has_fresh(ledger) && take_number(ledger, next_fresh(ledger), batch);
}

bool wm_ledger_take_again(struct wm_ledger *ledger, bool opinion, struct wm_ledger_batch *batch)
{
	struct ring *ring = &ledger->again[opinion];

	return !ring_is_empty(ledger, ring) && take_number(ledger, ring_pop(ledger, ring), batch);
}

bool wm_ledger_take(struct wm_ledger *ledger, struct wm_ledger_batch *batch)
{
	return wm_ledger_take_again(ledger, false, batch) ||
	       wm_ledger_take_again(ledger, true, batch) || wm_ledger_take_fresh(ledger, batch);
}

/* The place number of a token of an open extent, or UINT32_MAX. */
static uint32_t number_of_token(const struct wm_ledger *ledger, uint64_t token)
{
	uint32_t number = (uint32_t)token;
	uint32_t slot_index = number >> ledger->shift;

	if (token == WM_TOKEN_NONE || slot_index >= ledger->slots_max ||
	    ledger->slots[slot_index].remaining == 0 || token_of(ledger, number) != token)
		return UINT32_MAX;
	return number;
}

static struct place *place_of_token(struct wm_ledger *ledger, uint64_t token)
{
	uint32_t number = number_of_token(ledger, token);

	return number == UINT32_MAX ? NULL : &ledger->places[number];
}

static void queue(struct wm_ledger *ledger, struct place *place)
{
	struct ring *ring = &ledger->again[(place->state & BATCH_HELD) != 0];

	place->state |= BATCH_QUEUED;
	if (place->state & BATCH_LISTED)
		return;
	place->state |= BATCH_LISTED;
	ring->numbers[ring->tail++ & ledger->again_mask] = (uint32_t)(place - ledger->places);
	assert(ring->tail - ring->head <= ledger->again_mask + 1);
}

/* Is a node at it whose result would be a new one? */
static bool is_awaited(const struct place *place)
{
	for (uint32_t i = 0; i < COPIES_MAX; i++) {
		uint16_t node = place->at[i];

		if (node != WM_LEDGER_NOBODY && node != place->from[0] && node != place->from[1])
			return true;
	}
	return false;
}

/* What keeps every batch from being forgotten: not done, it is queued or awaited. */
static void want(struct wm_ledger *ledger, struct place *place)
{
	if (!(place->state & BATCH_DONE) && !is_awaited(place))
		queue(ledger, place);
}

static void exchange(struct place *place, uint16_t from, uint16_t to)
{
	for (uint32_t i = 0; i < COPIES_MAX; i++) {
		if (place->at[i] == from) {
			place->at[i] = to;
			return;
		}
	}
	assert(!"a copy that is not in flight, or one too many");
}

void wm_ledger_sent_to(struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	exchange(place_of_token(ledger, token), WM_LEDGER_NOBODY, node);
}

void wm_ledger_put_back(struct wm_ledger *ledger, uint64_t token)
{
	queue(ledger, place_of_token(ledger, token));
}

bool wm_ledger_copy(struct wm_ledger *ledger, uint64_t token)
{
	struct place *place = place_of_token(ledger, token);

	if (!place || place->state & (BATCH_DONE | BATCH_QUEUED) || copies_of(place) != 1)
		return false;
	queue(ledger, place);
	return true;
}

void wm_ledger_answer(struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	struct place *place = place_of_token(ledger, token);

	if (place)
		exchange(place, node, WM_LEDGER_NOBODY);
}

void wm_ledger_lose(struct wm_ledger *ledger, uint64_t token)
{
	struct place *place = place_of_token(ledger, token);

	if (place)
		want(ledger, place);
}

bool wm_ledger_has_part(const struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	const struct place *place = &ledger->places[(uint32_t)token];

	for (uint32_t i = 0; i < COPIES_MAX; i++) {
		if (place->at[i] == node)
			return true;
	}
	return place->from[0] == node || place->from[1] == node;
}

static bool has_failed(const struct place *place, uint16_t node)
{
	for (unsigned i = 0; i < FAILED_MAX && i < place->failures; i++) {
		if (place->failed[i] == node)
			return true;
	}
	return false;
}

bool wm_ledger_has_failed(const struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	const struct place *place = &ledger->places[(uint32_t)token];

	return has_failed(place, node);
}

bool wm_ledger_look(const struct wm_ledger *ledger, uint64_t token, struct wm_ledger_batch *batch)
{
	uint32_t number = number_of_token(ledger, token);

	return number != UINT32_MAX && look_number(ledger, number, batch);
}

uint64_t wm_ledger_find(const struct wm_ledger *ledger, uint64_t batch)
{
	for (uint32_t i = 0; i < ledger->slots_max; i++) {
		const struct slot *slot = &ledger->slots[i];

		if (slot->remaining && batch - slot->first_batch < slot->batches)
			return token_of(ledger, number_of(ledger, i,
							  (uint32_t)(batch - slot->first_batch)));
	}
	return WM_TOKEN_NONE;
}

enum wm_ledger_verdict wm_ledger_complete(struct wm_ledger *ledger, uint64_t token, uint16_t node,
					  bool *extent_done)
{
	struct place *place = place_of_token(ledger, token);
	struct slot *slot;

	*extent_done = false;
	if (!place)
		return WM_LEDGER_DUPLICATE; /* of an extent that was finished meanwhile */
	if (!(place->state & BATCH_SENT))
		return WM_LEDGER_UNKNOWN;
	if (place->state & BATCH_DONE)
		return WM_LEDGER_DUPLICATE;

	ledger->disputed -= (place->state & BATCH_DISPUTED) != 0;
	place->state |= BATCH_DONE;
	place->state &= (uint8_t)~BATCH_QUEUED;
	place->from[0] = node;
	slot = &ledger->slots[(uint32_t)token >> ledger->shift];
	slot->remaining--;
	ledger->remaining--;
	*extent_done = slot->remaining == 0;
	return WM_LEDGER_NEW;
}

void wm_ledger_hold(struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	struct place *place = place_of_token(ledger, token);

	assert(!(place->state & (BATCH_DONE | BATCH_HELD)));
	place->state |= BATCH_HELD;
	place->from[0] = node;
	want(ledger, place);
}

void wm_ledger_dispute(struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	struct place *place = place_of_token(ledger, token);

	assert((place->state & (BATCH_DONE | BATCH_HELD | BATCH_DISPUTED)) == BATCH_HELD);
	place->state |= BATCH_DISPUTED;
	place->from[1] = node;
	ledger->disputed++;
	want(ledger, place);
}

void wm_ledger_agree(struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	place_of_token(ledger, token)->from[1] = node;
}

uint32_t wm_ledger_disputed(const struct wm_ledger *ledger)
{
	return ledger->disputed;
}

uint32_t wm_ledger_fail(struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	struct place *place = place_of_token(ledger, token);

	if (!place || place->state & BATCH_DONE)
		return 0;
	if (!has_failed(place, node) && place->failures < UINT8_MAX) {
		if (place->failures < FAILED_MAX)
			place->failed[place->failures] = node;
		place->failures++;
	}
	want(ledger, place);
	return place->failures;
}

/* Forgets the results of a place, of whomever. */
static void invalidate_place(struct wm_ledger *ledger, struct place *place, struct slot *slot)
{
	if (place->state & BATCH_DONE) {
		slot->remaining++;
		ledger->remaining++;
	} else {
		ledger->disputed -= (place->state & BATCH_DISPUTED) != 0;
	}
	place->state &= (uint8_t) ~(BATCH_DONE | BATCH_HELD | BATCH_DISPUTED);
	place->from[0] = place->from[1] = WM_LEDGER_NOBODY;
	want(ledger, place);
}

/* That another node agreed does not help: that one may be found wrong next. */
static bool depends_on(const struct place *place, uint16_t node)
{
	return place->from[0] == node || place->from[1] == node;
}

bool wm_ledger_invalidate_next(struct wm_ledger *ledger, uint16_t node, uint32_t *cursor,
			       struct wm_ledger_batch *batch)
{
	uint32_t end = ledger->slots_max << ledger->shift;

	for (; *cursor < end; ++*cursor) {
		struct slot *slot = &ledger->slots[*cursor >> ledger->shift];
		struct place *place = &ledger->places[*cursor];

		if (slot->remaining == 0 ||
		    (*cursor & ((1u << ledger->shift) - 1)) >= slot->batches ||
		    !depends_on(place, node))
			continue;
		look_number(ledger, *cursor, batch);
		invalidate_place(ledger, place, slot);
		++*cursor;
		return true;
	}
	return false;
}

uint64_t wm_ledger_remaining(const struct wm_ledger *ledger)
{
	return ledger->remaining;
}
