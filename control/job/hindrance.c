/* SPDX-License-Identifier: BSD-3-Clause */
#include "hindrance.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "number.h"

/* A batch takes milliseconds, and a second at most until it is sent again. */
#define PATIENCE_NS (2 * WM_NS_PER_S)

void wm_hindrance_begin(struct wm_hindrance *hindrance, const struct wm_hindrance_seen *seen,
			uint64_t now_ns)
{
	*hindrance = (struct wm_hindrance){ .last = *seen, .progress_ns = now_ns };
}

/* Why most were dropped since; WM_DROP_NONE: none was. A result that comes once more hinders
 * nobody, and that a node could not compute is said elsewhere. */
static enum wm_drop main_reason(const struct wm_drops *before, const struct wm_drops *drops,
				uint64_t *count)
{
	enum wm_drop reason = WM_DROP_NONE;

	*count = 0;
	for (unsigned i = WM_DROP_NONE + 1; i < WM_DROP_REASONS; i++) {
		uint64_t since = drops->count[i] - before->count[i];

		if (i == WM_DROP_DUPLICATE || i == WM_DROP_FAILED || since <= *count)
			continue;
		*count = since;
		reason = (enum wm_drop)i;
	}
	return reason;
}

bool wm_hindrance_look(struct wm_hindrance *hindrance, const struct wm_hindrance_seen *seen,
		       const char *link, uint64_t now_ns)
{
	char frames[WM_COUNT_BYTES];
	bool is_new = hindrance->text[0] == '\0';
	enum wm_drop reason;
	uint64_t count;

	if (seen->batches != hindrance->last.batches) {
		wm_hindrance_begin(hindrance, seen, now_ns);
		return false;
	}
	if (now_ns - hindrance->progress_ns < PATIENCE_NS ||
	    (!link && seen->sent == hindrance->last.sent))
		return false;
	reason = main_reason(&hindrance->last.drops, &seen->drops, &count);
	hindrance->text[0] = '\0';
	if (link)
		snprintf(hindrance->text, sizeof(hindrance->text), "%s", link);
	else if (reason != WM_DROP_NONE)
		snprintf(hindrance->text, sizeof(hindrance->text), "%s dropped as %s",
			 wm_number_format_count(frames, sizeof(frames), count, "frame"),
			 wm_drop_name(reason));
	return is_new && hindrance->text[0];
}
