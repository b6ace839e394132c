/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hinders a running job of which no batch has been done for a while, in words for
 * who waits for it: frames that come and are all dropped for one reason, or a link.
 * Pure; one thread.
 */
#ifndef WM_HINDRANCE_H
#define WM_HINDRANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

struct wm_hindrance_seen {
	uint64_t batches, sent; /* of the job: done; frames sent for it */
	struct wm_drops drops;	/* of all lanes */
};

struct wm_hindrance {
	struct wm_hindrance_seen last; /* when the last batch was done */
	uint64_t progress_ns;	       /* that was then */
	char text[80];		       /* "" while the job goes on, or nothing is known */
};

/* A job begins to run. */
void wm_hindrance_begin(struct wm_hindrance *hindrance, const struct wm_hindrance_seen *seen,
			uint64_t now_ns);
/* Now and then. link: what is wrong with that, or NULL. True: there is a text, and was none
 * before. A job for which nothing is sent waits for its disk. */
bool wm_hindrance_look(struct wm_hindrance *hindrance, const struct wm_hindrance_seen *seen,
		       const char *link, uint64_t now_ns);

#endif
