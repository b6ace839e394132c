/* SPDX-License-Identifier: BSD-3-Clause */
#include "recompute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of WM_REDO_BURST records, looked at in one call: 65536 records are a few milliseconds of
 * a thread that nobody waits for. */
#define PIECES 1024u
#define WORD_BITS 64u

void wm_redo_init(struct wm_redo *redo, uint64_t extents)
{
	*redo = (struct wm_redo){ .extents = extents };
}

void wm_redo_fini(struct wm_redo *redo)
{
	free(redo->is_invalid);
	redo->is_invalid = NULL;
	redo->active = false;
}

/* ---- the window ------------------------------------------------------------------- */

static uint64_t window_extents(const struct wm_redo *redo)
{
	uint64_t left = redo->extents - redo->first;

	return left < WM_REDO_WINDOW ? left : WM_REDO_WINDOW;
}

static size_t window_bytes(const struct wm_redo *redo)
{
	return (window_extents(redo) + WORD_BITS - 1) / WORD_BITS * sizeof(redo->is_invalid[0]);
}

static void window_begin(struct wm_redo *redo, uint64_t first)
{
	free(redo->is_invalid);
	redo->is_invalid = NULL;
	redo->first = first;
	redo->place = 0;
	redo->cursor = 0;
}

static void window_set(struct wm_redo *redo, uint64_t place, bool is_invalid)
{
	uint64_t bit = 1ull << place % WORD_BITS;

	if (is_invalid)
		redo->is_invalid[place / WORD_BITS] |= bit;
	else
		redo->is_invalid[place / WORD_BITS] &= ~bit;
}

/* Takes the invalid extents from `place` on out of the window. */
static int window_take(struct wm_redo *redo, uint64_t extents[WM_REDO_BURST])
{
	uint64_t count = window_extents(redo);
	uint32_t found = 0;

	while (redo->place < count && found < WM_REDO_BURST) {
		uint64_t word = redo->is_invalid[redo->place / WORD_BITS];

		if (word == 0) {
			redo->place = (redo->place / WORD_BITS + 1) * WORD_BITS;
			continue;
		}
		if (word >> redo->place % WORD_BITS & 1) {
			extents[found++] = redo->first + redo->place;
			window_set(redo, redo->place, false);
		}
		redo->place++;
	}
	return (int)found;
}

/* ---- the journal -------------------------------------------------------------------- */

void wm_redo_begin(struct wm_redo *redo, uint64_t nodes, uint32_t number, uint32_t pass)
{
	struct wm_journal_record record = { .type = WM_JOURNAL_QUARANTINE, .nodes = nodes };

	wm_journal_invalid_note(&redo->invalid, &record, number);
	if (number + 1 > redo->end)
		redo->end = number + 1;
	window_begin(redo, 0);
	redo->pass = pass;
	redo->active = true;
}

void wm_redo_join(struct wm_redo *redo, struct wm_redo *begun)
{
	for (unsigned bit = 0; bit < WM_JOURNAL_NODE_BITS; bit++) {
		if (begun->invalid.before[bit] > redo->invalid.before[bit])
			redo->invalid.before[bit] = begun->invalid.before[bit];
	}
	if (begun->end > redo->end)
		redo->end = begun->end;
	redo->pass = begun->pass;
	window_begin(redo, 0);
	redo->active = true;
	begun->active = false;
}

static void note(struct wm_redo *redo, const struct wm_journal_record *record)
{
	uint64_t place = record->extent - redo->first;

	if (record->type == WM_JOURNAL_EXTENT && place < window_extents(redo))
		window_set(redo, place,
			   wm_journal_invalid_has(&redo->invalid, record, redo->cursor));
	redo->cursor++;
}

/* Returns how many records there were, or a negative errno. */
static int read_piece(struct wm_redo *redo, const struct wm_journal *journal)
{
	struct wm_journal_record records[WM_REDO_BURST];
	int count = wm_journal_read(journal, redo->cursor, records, WM_REDO_BURST);

	for (int i = 0; i < count; i++)
		note(redo, &records[i]);
	/* The quarantine's own record is beyond: whatever cannot be read may be invalid. */
	if (count >= 0 && count < (int)WM_REDO_BURST && redo->cursor < redo->end)
		return -EBADMSG;
	return count;
}

/* As far as the journal goes by now, or a part of it. *end: that was its end. */
static int read_on(struct wm_redo *redo, const struct wm_journal *journal, bool *end)
{
	int count = WM_REDO_BURST;

	for (unsigned i = 0; i < PIECES && count == (int)WM_REDO_BURST; i++)
		count = read_piece(redo, journal);
	*end = count < (int)WM_REDO_BURST;
	return count < 0 ? count : 0;
}

int wm_redo_feed(struct wm_redo *redo, const struct wm_journal *journal,
		 uint64_t extents[WM_REDO_BURST], bool *finished)
{
	int ret, found;
	bool end;

	*finished = false;
	if (!redo->is_invalid && !(redo->is_invalid = calloc(1, window_bytes(redo))))
		return -ENOMEM;
	/* What was made again in the meantime is in the journal, too. */
	ret = read_on(redo, journal, &end);
	if (ret < 0 || !end)
		return ret;
	found = window_take(redo, extents);
	if (found > 0)
		return found;
	if (window_extents(redo) == redo->extents - redo->first)
		*finished = true;
	else
		window_begin(redo, redo->first + WM_REDO_WINDOW);
	return 0;
}
