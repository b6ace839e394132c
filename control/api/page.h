/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One page of a list that may be longer than a line of JSON-RPC:
 *
 *	{ NAME: [item ...], "next": number of the last one, or null if there are no more }
 *
 * Items come in the order of their numbers; the next page is asked for by "after": next.
 */
#ifndef WM_PAGE_H
#define WM_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct wm_page {
	json_t *items;
	uint64_t limit; /* items at most */
	size_t bytes;	/* that they take as text */
	uint64_t last;	/* number of the last one */
	bool more;
};

/* limit 0: as many as a page may have. */
void wm_page_init(struct wm_page *page, uint64_t limit);
/* Is there room for another? False: the page says that there are more. */
bool wm_page_has_room(struct wm_page *page);
/* Takes over item. */
void wm_page_add(struct wm_page *page, uint64_t number, json_t *item);
/* The page as a method's result, for the caller. */
json_t *wm_page_fini(struct wm_page *page, const char *name);

#endif
