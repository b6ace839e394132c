/* SPDX-License-Identifier: BSD-3-Clause */
#include "page.h"

#include "json_table.h"
#include "wiremill/limits.h"

void wm_page_init(struct wm_page *page, uint64_t limit)
{
	if (limit == 0 || limit > WM_RPC_PAGE_ITEMS_MAX)
		limit = WM_RPC_PAGE_ITEMS_MAX;
	*page = (struct wm_page){ .items = json_array(), .limit = limit };
}

bool wm_page_has_room(struct wm_page *page)
{
	page->more = json_array_size(page->items) >= page->limit ||
		     page->bytes >= WM_RPC_PAGE_BYTES_MAX;
	return !page->more;
}

void wm_page_add(struct wm_page *page, uint64_t number, json_t *item)
{
	page->bytes += json_dumpb(item, NULL, 0, JSON_COMPACT);
	page->last = number;
	json_array_append_new(page->items, item);
}

json_t *wm_page_fini(struct wm_page *page, const char *name)
{
	return json_pack("{s:o, s:o}", name, page->items, "next",
			 page->more ? wm_json_number(page->last) : json_null());
}
