/* SPDX-License-Identifier: BSD-3-Clause */
#include "json_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low bytes of a number come first");

json_t *wm_json_number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *wm_json_printable(const char *text)
{
	json_t *string;
	size_t room;
	char *copy;

	if (!text)
		return json_null();
	room = 4 * strlen(text) + 1;
	copy = malloc(room);
	if (!copy)
		return NULL;
	string = json_string(wm_printable(copy, room, text));
	free(copy);
	return string;
}

json_t *wm_json_text(const char *text)
{
	json_t *string = json_string(text);

	return string ? string : wm_json_printable(text);
}

void wm_json_put(json_t *object, const struct wm_json_field *table, size_t count, const void *base)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 0;

		memcpy(&value, (const char *)base + table[i].offset, table[i].bytes);
		json_object_set_new(object, table[i].name, wm_json_number(value));
	}
}

int wm_json_take(const json_t *object, const struct wm_json_field *table, size_t count, void *base)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *member = json_object_get(object, table[i].name);
		uint64_t value = (uint64_t)json_integer_value(member);

		if (!json_is_integer(member) || value > INT64_MAX ||
		    (table[i].bytes < sizeof(value) && value >> 8 * table[i].bytes))
			return -EBADMSG;
		memcpy((char *)base + table[i].offset, &value, table[i].bytes);
	}
	return 0;
}
