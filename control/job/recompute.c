/* SPDX-License-Identifier: BSD-3-Clause */
#include "recompute.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of WM_RECOMPUTE_BURST records, looked at in one call: 65536 records are a few milliseconds of
 * a thread that nobody waits for. */
#define PIECES 1024u
#define WORD_BITS 64u

void wm_recompute_init(struct wm_recompute *recompute, uint64_t extents)
{
	*recompute = (struct wm_recompute){ .extents = extents };
}

void wm_recompute_fini(struct wm_recompute *recompute)
{
	free(recompute->is_invalid);
	recompute->is_invalid = NULL;
	recompute->active = false;
}

/* ---- the window ------------------------------------------------------------------- */

static uint64_t window_extents(const struct wm_recompute *recompute)
{
	uint64_t left = recompute->extents - recompute->first;

	return left < WM_RECOMPUTE_WINDOW ? left : WM_RECOMPUTE_WINDOW;
}

static size_t window_bytes(const struct wm_recompute *recompute)
{
	return (window_extents(recompute) + WORD_BITS - 1) / WORD_BITS *
	       sizeof(recompute->is_invalid[0]);
}

static void window_begin(struct wm_recompute *recompute, uint64_t first)
{
	assert(first < recompute->extents);
	free(recompute->is_invalid);
	recompute->is_invalid = NULL;
	recompute->first = first;
	recompute->place = 0;
	recompute->cursor = 0;
}

static void window_set(struct wm_recompute *recompute, uint64_t place, bool is_invalid)
{
	uint64_t bit = 1ull << place % WORD_BITS;

	assert(place < window_extents(recompute));
	if (is_invalid)
		recompute->is_invalid[place / WORD_BITS] |= bit;
	else
		recompute->is_invalid[place / WORD_BITS] &= ~bit;
}

/* Takes the invalid extents from `place` on out of the window. */
static int window_take(struct wm_recompute *recompute, uint64_t extents[WM_RECOMPUTE_BURST])
{
	uint64_t count = window_extents(recompute);
	uint32_t found = 0;

	while (recompute->place < count && found < WM_RECOMPUTE_BURST) {
		uint64_t word = recompute->is_invalid[recompute->place / WORD_BITS];

		if (word == 0) {
			recompute->place = (recompute->place / WORD_BITS + 1) * WORD_BITS;
			continue;
		}
		if (word >> recompute->place % WORD_BITS & 1) {
			extents[found++] = recompute->first + recompute->place;
			window_set(recompute, recompute->place, false);
		}
		recompute->place++;
	}
	return (int)found;
}

/* ---- the journal -------------------------------------------------------------------- */

void wm_recompute_begin(struct wm_recompute *recompute, uint64_t nodes, uint32_t number,
			uint32_t pass)
{
	struct wm_journal_record record = { .type = WM_JOURNAL_QUARANTINE, .nodes = nodes };

	assert(recompute->extents > 0 && pass > 0);
	wm_journal_invalid_note(&recompute->invalid, &record, number);
	if (number + 1 > recompute->end)
		recompute->end = number + 1;
	window_begin(recompute, 0);
	recompute->pass = pass;
	recompute->active = true;
}

void wm_recompute_join(struct wm_recompute *recompute, struct wm_recompute *begun)
{
	for (unsigned bit = 0; bit < WM_JOURNAL_NODE_BITS; bit++) {
		if (begun->invalid.before[bit] > recompute->invalid.before[bit])
			recompute->invalid.before[bit] = begun->invalid.before[bit];
	}
	if (begun->end > recompute->end)
		recompute->end = begun->end;
	recompute->pass = begun->pass;
	window_begin(recompute, 0);
	recompute->active = true;
	begun->active = false;
}

static void note(struct wm_recompute *recompute, const struct wm_journal_record *record)
{
	uint64_t place = record->extent - recompute->first;

	if (record->type == WM_JOURNAL_EXTENT && place < window_extents(recompute))
		window_set(recompute, place,
			   wm_journal_invalid_has(&recompute->invalid, record, recompute->cursor));
	recompute->cursor++;
}

/* Returns how many records there were, or a negative errno. */
static int read_piece(struct wm_recompute *recompute, const struct wm_journal *journal)
{
	struct wm_journal_record records[WM_RECOMPUTE_BURST];
	int count = wm_journal_read(journal, recompute->cursor, records, WM_RECOMPUTE_BURST);

	for (int i = 0; i < count; i++)
		note(recompute, &records[i]);
	/* The quarantine's own record is beyond: whatever cannot be read may be invalid. */
	if (count >= 0 && count < (int)WM_RECOMPUTE_BURST && recompute->cursor < recompute->end)
		return -EBADMSG;
	return count;
}

/* As far as the journal goes by now, or a part of it. *end: that was its end. */
static int read_on(struct wm_recompute *recompute, const struct wm_journal *journal, bool *end)
{
	int count = WM_RECOMPUTE_BURST;

	for (unsigned i = 0; i < PIECES && count == (int)WM_RECOMPUTE_BURST; i++)
		count = read_piece(recompute, journal);
	*end = count < (int)WM_RECOMPUTE_BURST;
	return count < 0 ? count : 0;
}

int wm_recompute_feed(struct wm_recompute *recompute, const struct wm_journal *journal,
		      uint64_t extents[WM_RECOMPUTE_BURST], bool *finished)
{
	int ret, found;
	bool end;

	assert(recompute->active && recompute->first < recompute->extents);
	*finished = false;
	if (!recompute->is_invalid && !(recompute->is_invalid = calloc(1, window_bytes(recompute))))
		return -ENOMEM;
	/* What was made again in the meantime is in the journal, too. */
	ret = read_on(recompute, journal, &end);
	if (ret < 0 || !end)
		return ret;
	found = window_take(recompute, extents);
	if (found > 0)
		return found;
	if (window_extents(recompute) == recompute->extents - recompute->first)
		*finished = true;
	else
		window_begin(recompute, recompute->first + WM_RECOMPUTE_WINDOW);
	return 0;
}
