/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "printable.h"
#include "wiremill/control.h"

#define GAP 2u
/* A value is cut to no less: "ab...yz" says something. */
#define CUT_MIN 8u
/* Of a path, its last component is worth more than that, within reason. */
#define PATH_MIN 18u

struct wm_table {
	const struct wm_column *columns;
	unsigned column_count;
	unsigned cell_count, cell_count_max;
	char **cells;
};

static void *checked(void *memory)
{
	if (!memory) {
		wm_log_error("no memory for a table");
		exit(WM_EXIT_FAILED);
	}
	return memory;
}

struct wm_table *wm_table_create(const struct wm_column *columns, unsigned column_count)
{
	struct wm_table *table = checked(calloc(1, sizeof(*table)));

	assert(column_count <= WM_TABLE_COLUMNS_MAX);
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

/* Where character number `count` begins. */
static const char *text_skip(const char *text, unsigned count)
{
	for (; *text; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80 && count-- == 0)
			break;
	}
	return text;
}

/* Row 0 is the header. */
static const char *cell(const struct wm_table *table, unsigned row, unsigned column)
{
	unsigned i = row * table->column_count + column - table->column_count;

	if (row == 0)
		return table->columns[column].name;
	return i < table->cell_count ? table->cells[i] : "";
}

/* ---- how wide ---------------------------------------------------------------- */

/* Of each column; 0: it is left out. */
struct layout {
	unsigned widths[WM_TABLE_COLUMNS_MAX];
	unsigned least[WM_TABLE_COLUMNS_MAX]; /* widths that still say something */
	unsigned rows;			      /* with the header */
};

/* With its slash. */
static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash : path;
}

static unsigned column_least(const struct wm_table *table, unsigned rows, unsigned column)
{
	unsigned least = CUT_MIN, width;

	if (!(table->columns[column].flags & WM_COLUMN_PATH))
		return least;
	for (unsigned row = 1; row < rows; row++) {
		width = strlen("...") + text_width(last_component(cell(table, row, column)));
		least = width > least ? width : least;
	}
	return least < PATH_MIN ? least : PATH_MIN;
}

static unsigned column_width(const struct wm_table *table, unsigned rows, unsigned column)
{
	unsigned width = 0, content = 0;

	for (unsigned row = 1; row < rows; row++) {
		width = text_width(cell(table, row, column));
		content = width > content ? width : content;
	}
	if (content == 0 && (table->columns[column].flags & WM_COLUMN_OPTIONAL))
		return 0;
	width = text_width(table->columns[column].name);
	return content > width ? content : width;
}

static unsigned total_width(const struct wm_table *table, const struct layout *layout)
{
	unsigned total = 0;

	for (unsigned i = 0; i < table->column_count; i++)
		total += layout->widths[i] ? layout->widths[i] + GAP : 0;
	return total > GAP ? total - GAP : 0;
}

/* The last of those that may be. False: none is left. */
static bool column_leave_out(const struct wm_table *table, struct layout *layout, unsigned flag)
{
	for (unsigned i = table->column_count; i > 0; i--) {
		if (layout->widths[i - 1] && (table->columns[i - 1].flags & flag)) {
			layout->widths[i - 1] = 0;
			return true;
		}
	}
	return false;
}

/* The widest gives a place. False: all are as narrow as makes sense. */
static bool column_narrow(const struct wm_table *table, struct layout *layout)
{
	unsigned *widest = NULL;

	for (unsigned i = 0; i < table->column_count; i++) {
		if ((table->columns[i].flags & WM_COLUMN_CUT) &&
		    layout->widths[i] > layout->least[i] &&
		    (!widest || layout->widths[i] > *widest))
			widest = &layout->widths[i];
	}
	if (widest)
		--*widest;
	return widest;
}

/* Narrower, as far as that makes sense. False: it is still too wide. */
static bool layout_narrow(const struct wm_table *table, struct layout *layout, unsigned width)
{
	while (total_width(table, layout) > width) {
		if (!column_narrow(table, layout))
			return false;
	}
	return true;
}

static void layout_make(const struct wm_table *table, struct layout *layout, unsigned width)
{
	unsigned count = table->column_count;
	struct layout whole;

	layout->rows = 1 + (table->cell_count + count - 1) / count;
	for (unsigned i = 0; i < count; i++) {
		layout->widths[i] = column_width(table, layout->rows, i);
		layout->least[i] = column_least(table, layout->rows, i);
	}
	if (width == 0)
		return;
	while (total_width(table, layout) > width &&
	       column_leave_out(table, layout, WM_COLUMN_WIDE))
		;
	/* What one more gives up is shared by those that stay. */
	whole = *layout;
	while (!layout_narrow(table, layout, width) &&
	       column_leave_out(table, &whole, WM_COLUMN_SPARE))
		*layout = whole;
}

/* ---- out ----------------------------------------------------------------------- */

/* Characters of it that stand before the dots, of `room` for both sides. */
static unsigned head_width(const char *text, unsigned room, unsigned flags)
{
	unsigned last = text_width(last_component(text));

	if (flags & WM_COLUMN_TEXT)
		return room;
	if (flags & WM_COLUMN_PATH)
		return last < room ? room - last : 0;
	return (room + 1) / 2;
}

/* As it is, or "its be...the end", or "its beginning...", or "/a/pat.../its name". */
static void cell_print(FILE *stream, const char *text, unsigned width, unsigned flags)
{
	unsigned whole = text_width(text), head = head_width(text, width - 3, flags);
	const char *tail;

	if (whole <= width) {
		fputs(text, stream);
		return;
	}
	tail = text_skip(text, whole - (width - 3 - head));
	fprintf(stream, "%.*s...%s", (int)(text_skip(text, head) - text), text, tail);
}

/* Spaces are owed, and paid when something follows them. */
static void text_print(FILE *stream, const char *text, unsigned width, unsigned flags,
		       unsigned *owed)
{
	unsigned whole = text_width(text), missing = whole < width ? width - whole : 0;
	bool right = flags & WM_COLUMN_RIGHT;

	if (*text) {
		fprintf(stream, "%*s", (int)(*owed + (right ? missing : 0)), "");
		cell_print(stream, text, width, flags);
		*owed = GAP + (right ? 0 : missing);
	} else {
		*owed += width + GAP;
	}
}

void wm_table_print(const struct wm_table *table, FILE *stream, unsigned width)
{
	struct layout layout;

	layout_make(table, &layout, width);
	for (unsigned row = 0; row < layout.rows; row++) {
		unsigned owed = 0;

		for (unsigned column = 0; column < table->column_count; column++) {
			if (layout.widths[column])
				text_print(stream, cell(table, row, column), layout.widths[column],
					   table->columns[column].flags, &owed);
		}
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
