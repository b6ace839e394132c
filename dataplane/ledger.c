/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

#include <assert.h>
#include <stdlib.h>

/* State of one batch: flags and, below them, the copies in flight. */
#define BATCH_DONE 0x80u
#define BATCH_QUEUED 0x40u /* in the ring of lost batches */
#define BATCH_SENT 0x20u   /* at least once */
#define BATCH_COPIES 0x1fu

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

struct wm_ledger {
	struct wm_layout layout;
	uint32_t slots_max;
	uint32_t shift; /* place number = slot << shift | place in extent */
	uint64_t remaining;
	struct slot *slots;
	uint8_t *states;
	uint32_t *lost; /* ring of place numbers, each at most once */
	uint32_t lost_mask, lost_head, lost_tail;
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
	while (1u << ledger->shift < batches_per_extent_max)
		ledger->shift++;
	places = power_of_two_above(slots_max) << ledger->shift;
	/* A batch that was queued, completed late, and whose slot was opened
	 * again may leave one stale entry beside its new one. */
	ledger->lost_mask = 2 * places - 1;
	ledger->fresh_mask = power_of_two_above(slots_max) - 1;

	ledger->slots = calloc(slots_max, sizeof(*ledger->slots));
	ledger->states = calloc(places, sizeof(*ledger->states));
	ledger->lost = calloc(2 * (size_t)places, sizeof(*ledger->lost));
	ledger->fresh = calloc(ledger->fresh_mask + 1, sizeof(*ledger->fresh));
	if (!ledger->slots || !ledger->states || !ledger->lost || !ledger->fresh)
		wm_ledger_destroy(&ledger);
	return ledger;
}

void wm_ledger_destroy(struct wm_ledger **ledger)
{
	if (!*ledger)
		return;
	free((*ledger)->fresh);
	free((*ledger)->lost);
	free((*ledger)->states);
	free((*ledger)->slots);
	free(*ledger);
	*ledger = NULL;
}

void wm_ledger_start(struct wm_ledger *ledger, const struct wm_layout *layout)
{
	assert(layout->batches_per_extent <= 1u << ledger->shift);
	ledger->layout = *layout;
	ledger->remaining = 0;
	ledger->lost_head = ledger->lost_tail = 0;
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
		ledger->states[number_of(ledger, slot_index, i)] = 0;
	ledger->remaining += batches;
	ledger->fresh[ledger->fresh_tail++ & ledger->fresh_mask] = slot_index;
}

/* Drops the entries of batches that were completed after they had been queued. */
static bool lost_is_empty(struct wm_ledger *ledger)
{
	while (ledger->lost_head != ledger->lost_tail) {
		uint32_t number = ledger->lost[ledger->lost_head & ledger->lost_mask];

		if (ledger->states[number] & BATCH_QUEUED)
			return false;
		ledger->lost_head++;
	}
	return true;
}

bool wm_ledger_has_work(struct wm_ledger *ledger)
{
	return ledger->fresh_head != ledger->fresh_tail || !lost_is_empty(ledger);
}

static bool look_number(const struct wm_ledger *ledger, uint32_t number,
			struct wm_ledger_batch *batch)
{
	uint32_t slot_index = number >> ledger->shift;
	uint32_t place = number & ((1u << ledger->shift) - 1);
	const struct slot *slot = &ledger->slots[slot_index];

	*batch = (struct wm_ledger_batch){
		.token = token_of(ledger, number),
		.batch = slot->first_batch + place,
		.slot = slot_index,
		.place = place,
		.count = place + 1 == slot->batches ? slot->last_count
						    : ledger->layout.batch_elements,
		.again = ledger->states[number] & BATCH_SENT,
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

bool wm_ledger_take(struct wm_ledger *ledger, struct wm_ledger_batch *batch)
{
	uint32_t number;

	if (!lost_is_empty(ledger))
		number = ledger->lost[ledger->lost_head++ & ledger->lost_mask];
	else if (ledger->fresh_head != ledger->fresh_tail)
		number = next_fresh(ledger);
	else
		return false;

	look_number(ledger, number, batch);
	ledger->states[number] &= (uint8_t)~BATCH_QUEUED;
	ledger->states[number] |= BATCH_SENT;
	assert((ledger->states[number] & BATCH_COPIES) < BATCH_COPIES);
	ledger->states[number]++;
	return true;
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

void wm_ledger_lose(struct wm_ledger *ledger, uint64_t token)
{
	uint32_t number = number_of_token(ledger, token);
	uint8_t state;

	if (number == UINT32_MAX)
		return;
	state = ledger->states[number];
	assert(state & BATCH_COPIES);
	state--;
	if (!(state & (BATCH_DONE | BATCH_QUEUED | BATCH_COPIES))) {
		state |= BATCH_QUEUED;
		ledger->lost[ledger->lost_tail++ & ledger->lost_mask] = number;
		assert(ledger->lost_tail - ledger->lost_head <= ledger->lost_mask + 1);
	}
	ledger->states[number] = state;
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

enum wm_ledger_verdict wm_ledger_complete(struct wm_ledger *ledger, uint64_t token,
					  bool *extent_done)
{
	uint32_t number = number_of_token(ledger, token);
	struct slot *slot;

	*extent_done = false;
	if (number == UINT32_MAX)
		return WM_LEDGER_DUPLICATE; /* of an extent that was finished meanwhile */
	if (!(ledger->states[number] & BATCH_SENT))
		return WM_LEDGER_UNKNOWN;
	if (ledger->states[number] & BATCH_DONE)
		return WM_LEDGER_DUPLICATE;

	ledger->states[number] |= BATCH_DONE;
	ledger->states[number] &= (uint8_t)~BATCH_QUEUED;
	slot = &ledger->slots[number >> ledger->shift];
	slot->remaining--;
	ledger->remaining--;
	*extent_done = slot->remaining == 0;
	return WM_LEDGER_NEW;
}

uint64_t wm_ledger_remaining(const struct wm_ledger *ledger)
{
	return ledger->remaining;
}
