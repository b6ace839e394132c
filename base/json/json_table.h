/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of a struct as members of a JSON object, by a table: so that what is written
 * in one place is read in another, and a new number is one line; and texts of others.
 * NULL: no memory. Any thread.
 */
#ifndef WM_JSON_TABLE_H
#define WM_JSON_TABLE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct wm_json_field {
	const char *name;
	uint32_t offset;
	uint32_t bytes; /* 2, 4 or 8, unsigned */
};

#define WM_JSON_NUMBER(type, name, field)                          \
	{                                                          \
		(name), (uint32_t)offsetof(type, field),           \
			(uint32_t)sizeof(((const type *)0)->field) \
	}

json_t *wm_json_number(uint64_t value);
/* Of any bytes, which JSON does not take: made printable (printable.h), so that a terminal may
 * show it as well. NULL is null. */
json_t *wm_json_printable(const char *text);
/* The same of what is no UTF-8 (a line that was cut, a file's name); else as it is. */
json_t *wm_json_text(const char *text);
void wm_json_put(json_t *object, const struct wm_json_field *table, size_t count, const void *base);
/* -EBADMSG: one is missing, or is no number that its field holds. */
int wm_json_take(const json_t *object, const struct wm_json_field *table, size_t count, void *base);

#endif
