/* SPDX-License-Identifier: BSD-3-Clause */
/* Text in columns, as wide as what they hold. */
#ifndef WM_CLI_TABLE_H
#define WM_CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct wm_column {
	const char *name;
	bool right; /* figures */
};

struct wm_table;

/* columns are kept by reference. Memory that runs out ends the program. */
struct wm_table *wm_table_create(const struct wm_column *columns, unsigned column_count);
/* The next cell, row by row. */
void wm_table_add(struct wm_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Header and rows; no spaces at the ends of lines. */
void wm_table_print(const struct wm_table *table, FILE *stream);
void wm_table_destroy(struct wm_table **table);

#endif
