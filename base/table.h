/* SPDX-License-Identifier: BSD-3-Clause */
/* Text in columns, as wide as what they hold, within the width of a screen where there is one. */
#ifndef WM_TABLE_H
#define WM_TABLE_H

#include <stdbool.h>
#include <stdio.h>

enum wm_column_flags {
	WM_COLUMN_RIGHT = 1,	/* figures */
	WM_COLUMN_CUT = 2,	/* where it is narrow, long values are cut in the middle */
	WM_COLUMN_WIDE = 4,	/* left out where it is narrow, the last such first */
	WM_COLUMN_OPTIONAL = 8, /* left out where no row has it */
	WM_COLUMN_TEXT = 16,	/* cut at their end: sentences begin with what matters */
	WM_COLUMN_PATH = 32,  /* cut before their last component, which is what tells them apart */
	WM_COLUMN_SPARE = 64, /* left out where the others would else be too narrow */
};

struct wm_column {
	const char *name;
	unsigned flags;
};

#define WM_TABLE_COLUMNS_MAX 16u

struct wm_table;

/* columns are kept by reference. Memory that runs out is said in the log, and ends the program
 * with status 1: a table is what a program shows last. */
struct wm_table *wm_table_create(const struct wm_column *columns, unsigned column_count);
/* The next cell, row by row; made printable. */
void wm_table_add(struct wm_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Header and rows, none longer than width as far as columns may be cut (0: as long as they
 * are); no spaces at the ends of lines. */
void wm_table_print(const struct wm_table *table, FILE *stream, unsigned width);
void wm_table_destroy(struct wm_table **table);

#endif
