/* SPDX-License-Identifier: BSD-3-Clause */
#include "sequence.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define WORDS (WM_SEQUENCE_WINDOW / 64)

static_assert((WM_SEQUENCE_WINDOW & (WM_SEQUENCE_WINDOW - 1)) == 0, "numbers wrap around the bits");

static uint64_t *word_of(struct wm_sequence *sequence, uint64_t number)
{
	return &sequence->seen[number / 64 % WORDS];
}

static uint64_t bit_of(uint64_t number)
{
	return 1ull << number % 64;
}

/* Sets the bit; true: it was set before. */
static bool mark(struct wm_sequence *sequence, uint64_t number)
{
	uint64_t *word = word_of(sequence, number);
	bool was_seen = *word & bit_of(number);

	*word |= bit_of(number);
	return was_seen;
}

void wm_sequence_init(struct wm_sequence *sequence, uint64_t first)
{
	memset(sequence, 0, sizeof(*sequence));
	sequence->first = sequence->next = first;
}

/* The bits of the numbers from next to `number` are of numbers a window ago. */
static void advance(struct wm_sequence *sequence, uint64_t number)
{
	if (number - sequence->next >= WM_SEQUENCE_WINDOW) {
		memset(sequence->seen, 0, sizeof(sequence->seen));
	} else {
		for (uint64_t old = sequence->next; old <= number;) {
			if (old % 64 == 0 && number - old >= 63) {
				*word_of(sequence, old) = 0;
				old += 64;
			} else {
				*word_of(sequence, old) &= ~bit_of(old);
				old++;
			}
		}
	}
	sequence->next = number + 1;
}

static enum wm_sequence_verdict receive_behind(struct wm_sequence *sequence, uint64_t number)
{
	uint64_t distance = sequence->next - 1 - number;

	if (number < sequence->first || distance >= WM_SEQUENCE_WINDOW) {
		sequence->late++;
		return WM_SEQUENCE_LATE;
	}
	if (mark(sequence, number)) {
		sequence->duplicates++;
		return WM_SEQUENCE_DUPLICATE;
	}
	sequence->reordered++;
	return WM_SEQUENCE_REORDERED;
}

enum wm_sequence_verdict wm_sequence_receive(struct wm_sequence *sequence, uint64_t number)
{
	assert(number < UINT64_MAX);
	if (number < sequence->next)
		return receive_behind(sequence, number);
	advance(sequence, number);
	mark(sequence, number);
	sequence->in_order++;
	return WM_SEQUENCE_IN_ORDER;
}

uint64_t wm_sequence_lost(const struct wm_sequence *sequence, uint64_t sent)
{
	assert(sequence->next - sequence->first <= sent);
	return sent - sequence->in_order - sequence->reordered;
}
