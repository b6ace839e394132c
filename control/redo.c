/* SPDX-License-Identifier: BSD-3-Clause */
#include "redo.h"

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

int wm_redo_feed(struct wm_redo *redo, const struct wm_journal *journal,
		 uint64_t extents[WM_REDO_BURST], bool *finished)
{
	struct wm_journal_record records[WM_REDO_BURST];
	uint32_t left = redo->end - redo->cursor;
	int found = 0, count;

	*finished = left == 0;
	if (left == 0)
		return 0;
	count = wm_journal_read(journal, redo->cursor, records,
				left < WM_REDO_BURST ? left : WM_REDO_BURST);
	for (int i = 0; i < count; i++) {
		if (records[i].type == WM_JOURNAL_EXTENT &&
		    wm_journal_voids_has(&redo->voids, &records[i], redo->cursor + (uint32_t)i))
			extents[found++] = records[i].extent;
	}
	if (count < 0)
		return count;
	redo->cursor += (uint32_t)count;
	/* A journal that ends before its own quarantine record was read through. */
	if (count == 0)
		redo->cursor = redo->end;
	return found;
}
