/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "printable.h"

#define GAP 2u

struct wm_table {
	const struct wm_column *columns;
	unsigned column_count;
	unsigned cell_count, cell_count_max;
	char **cells;
};

static void *checked(void *memory)
{
	if (!memory) {
		wm_cli_failed("no memory");
		exit(WM_EXIT_FAILED);
	}
	return memory;
}

struct wm_table *wm_table_create(const struct wm_column *columns, unsigned column_count)
{
	struct wm_table *table = checked(calloc(1, sizeof(*table)));

	table->columns = columns;
	table->column_count = column_count;
	return table;
}

void wm_table_add(struct wm_table *table, const char *format, ...)
{
	char *text, *shown;
	size_t room;
	va_list args;

	if (table->cell_count == table->cell_count_max) {
		table->cell_count_max = table->cell_count_max * 2 + 64;
		table->cells = checked(
			realloc(table->cells, table->cell_count_max * sizeof(*table->cells)));
	}
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		checked(NULL);
	va_end(args);
	room = 4 * strlen(text) + 1;
	shown = checked(malloc(room));
	table->cells[table->cell_count++] = wm_printable(shown, room, text);
	free(text);
}

/* Characters, not bytes: those that continue a UTF-8 character do not count. */
static unsigned text_width(const char *text)
{
	unsigned width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static const char *cell(const struct wm_table *table, unsigned row, unsigned column)
{
	unsigned i = row * table->column_count + column;

	return i < table->cell_count ? table->cells[i] : "";
}

static unsigned column_width(const struct wm_table *table, unsigned column)
{
	unsigned width = text_width(table->columns[column].name);

	for (unsigned i = column; i < table->cell_count; i += table->column_count) {
		if (text_width(table->cells[i]) > width)
			width = text_width(table->cells[i]);
	}
	return width;
}

/* Spaces are owed, and paid when something follows them. */
static void text_print(FILE *stream, const char *text, unsigned width, bool right, unsigned *owed)
{
	unsigned missing = width - text_width(text);

	if (*text) {
		fprintf(stream, "%*s", (int)(*owed + (right ? missing : 0)), "");
		fputs(text, stream);
		*owed = GAP + (right ? 0 : missing);
	} else {
		*owed += width + GAP;
	}
}

void wm_table_print(const struct wm_table *table, FILE *stream)
{
	unsigned count = table->column_count, rows = (table->cell_count + count - 1) / count;

	for (unsigned line = 0; line <= rows; line++) {
		unsigned owed = 0;

		for (unsigned column = 0; column < count; column++)
			text_print(stream,
				   line == 0 ? table->columns[column].name
					     : cell(table, line - 1, column),
				   column_width(table, column), table->columns[column].right,
				   &owed);
		fputc('\n', stream);
	}
}

void wm_table_destroy(struct wm_table **table)
{
	for (unsigned i = 0; i < (*table)->cell_count; i++)
		free((*table)->cells[i]);
	free((*table)->cells);
	free(*table);
	*table = NULL;
}
