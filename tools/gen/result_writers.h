/* SPDX-License-Identifier: BSD-3-Clause */
/* What wm_result_write is made of, and cells that what is shown live has too. */
#ifndef WM_GEN_RESULT_WRITERS_H
#define WM_GEN_RESULT_WRITERS_H

#include <jansson.h>

#include "result.h"
#include "table.h"

/* 0, or -ENOMEM; errors of the stream stay in it. */
int wm_result_text(const struct wm_result *result, FILE *stream);
int wm_result_json(const struct wm_result *result, FILE *stream);
int wm_result_csv(const struct wm_result *result, FILE *stream);

/* A row as result.h documents it. The caller's; NULL: no memory. */
json_t *wm_result_json_row(const struct wm_result_row *row);

#define WM_RESULT_CELL_BYTES 32

/* Figures with three digits and k, M or G; a latency as us or ms. "-" where it is
 * not known. Return text. */
char *wm_result_figure(char text[WM_RESULT_CELL_BYTES], bool is_known, double value);
char *wm_result_time(char text[WM_RESULT_CELL_BYTES], bool is_known, uint64_t ns);
/* The next cells of a row: such a figure; a count; one latency each, "-" where none was
 * measured. */
void wm_result_add_figure(struct wm_table *table, bool is_known, double value);
void wm_result_add_count(struct wm_table *table, bool is_known, uint64_t count);
void wm_result_add_times(struct wm_table *table, const struct wm_result_latency *latency,
			 const uint64_t *times_ns, unsigned count);

#endif
