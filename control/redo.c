/* SPDX-License-Identifier: BSD-3-Clause */
#include "redo.h"

#include <errno.h>

/* Of WM_REDO_BURST records, looked at in one call: 2048 reads take the control thread
 * 2 ms, and the journal of 12 TB some minutes. */
#define PIECES 32u

void wm_redo_begin(struct wm_redo *redo, uint64_t nodes, uint32_t number, uint32_t pass)
{
	struct wm_journal_record record = { .type = WM_JOURNAL_QUARANTINE, .nodes = nodes };

	wm_journal_voids_note(&redo->voids, &record, number);
	if (number > redo->end)
		redo->end = number;
	redo->cursor = 0;
	redo->pass = pass;
	redo->active = true;
}

/* Returns how many void extents the next records name, or a negative errno. */
static int read_piece(struct wm_redo *redo, const struct wm_journal *journal,
		      uint64_t extents[WM_REDO_BURST])
{
	struct wm_journal_record records[WM_REDO_BURST];
	uint32_t left = redo->end - redo->cursor;
	int found = 0, count;

	count = wm_journal_read(journal, redo->cursor, records,
				left < WM_REDO_BURST ? left : WM_REDO_BURST);
	/* The quarantine's own record is beyond: whatever cannot be read may be void. */
	if (count == 0)
		return -EBADMSG;
	for (int i = 0; i < count; i++) {
		if (records[i].type == WM_JOURNAL_EXTENT &&
		    wm_journal_voids_has(&redo->voids, &records[i], redo->cursor + (uint32_t)i))
			extents[found++] = records[i].extent;
	}
	if (count > 0)
		redo->cursor += (uint32_t)count;
	return count < 0 ? count : found;
}

int wm_redo_feed(struct wm_redo *redo, const struct wm_journal *journal,
		 uint64_t extents[WM_REDO_BURST], bool *finished)
{
	int found = 0;

	*finished = redo->cursor == redo->end;
	for (unsigned i = 0; i < PIECES && found == 0 && redo->cursor < redo->end; i++)
		found = read_piece(redo, journal, extents);
	return found;
}
