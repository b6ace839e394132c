/* SPDX-License-Identifier: BSD-3-Clause */
#include "silence.h"

#include <stdio.h>

#include "clock.h"

/* A request takes milliseconds, and a disk that has to wake up some seconds. */
#define PATIENCE_NS (2 * WM_NS_PER_S)

static const char *const file_names[WM_STORE_FILES] = {
	[WM_STORE_INPUT] = "input",
	[WM_STORE_OUTPUT] = "output",
};

void wm_silence_begin(struct wm_silence *silence, uint64_t now_ns)
{
	*silence = (struct wm_silence){ .text = "" };
	for (unsigned i = 0; i < WM_STORE_FILES; i++)
		silence->since_ns[i] = now_ns;
}

static bool is_silent(struct wm_silence *silence, unsigned file,
		      const struct wm_store_requests *requests, uint64_t now_ns)
{
	if (requests->answered == requests->asked ||
	    requests->answered != silence->answered[file]) {
		silence->answered[file] = requests->answered;
		silence->since_ns[file] = now_ns;
	}
	return now_ns - silence->since_ns[file] >= PATIENCE_NS;
}

enum wm_silence_news wm_silence_look(struct wm_silence *silence,
				     const struct wm_store_requests requests[WM_STORE_FILES],
				     const char *const paths[WM_STORE_FILES], uint64_t now_ns)
{
	bool was_silent = silence->text[0] != '\0';

	silence->text[0] = '\0';
	for (unsigned i = WM_STORE_FILES; i-- > 0;) {
		if (is_silent(silence, i, &requests[i], now_ns))
			snprintf(silence->text, sizeof(silence->text),
				 "for its disk to answer: %s %s (" WM_SILENCE_REMEDY ")",
				 file_names[i], paths[i]);
	}
	if (was_silent == (silence->text[0] != '\0'))
		return WM_SILENCE_NONE;
	return was_silent ? WM_SILENCE_ENDED : WM_SILENCE_BEGAN;
}
