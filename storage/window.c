/* SPDX-License-Identifier: BSD-3-Clause */
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int note_invalid(void *context, const struct wm_journal_record *record)
{
	struct wm_window *window = context;

	wm_journal_invalid_note(&window->invalid, record, window->number++);
	return 0;
}

static int note_extent(void *context, const struct wm_journal_record *record)
{
	struct wm_window *window = context;
	uint64_t number = window->number++;
	uint64_t place = record->extent - window->first;

	if (record->type != WM_JOURNAL_EXTENT || place >= window->count)
		return 0;
	window->crcs[place] = record->crc32c;
	window->present[place] = !wm_journal_invalid_has(&window->invalid, record, number);
	return 0;
}

static int scan(struct wm_window *window, wm_journal_visit *visit, struct wm_error *error)
{
	window->number = 0;
	return wm_journal_scan(window->journal, visit, window, error);
}

int wm_window_init(struct wm_window *window, const struct wm_journal *journal,
		   struct wm_error *error)
{
	int ret;

	*window = (struct wm_window){ .journal = journal };
	window->crcs = malloc(WM_WINDOW_EXTENTS * sizeof(window->crcs[0]));
	window->present = malloc(WM_WINDOW_EXTENTS * sizeof(window->present[0]));
	if (window->crcs && window->present)
		ret = scan(window, note_invalid, error);
	else
		ret = wm_error_set(error, ENOMEM, "no memory to sort a journal with: %s",
				   journal->path);
	if (ret < 0)
		wm_window_fini(window);
	return ret;
}

void wm_window_fini(struct wm_window *window)
{
	free(window->present);
	free(window->crcs);
	window->present = NULL;
	window->crcs = NULL;
}

int wm_window_load(struct wm_window *window, uint64_t first, struct wm_error *error)
{
	uint64_t left = wm_journal_extents(&window->journal->identity) - first;

	window->first = first;
	window->count = left < WM_WINDOW_EXTENTS ? left : WM_WINDOW_EXTENTS;
	memset(window->present, 0, window->count * sizeof(window->present[0]));
	return scan(window, note_extent, error);
}
