/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WM_GEN_REPORT_TEXT_H
#define WM_GEN_REPORT_TEXT_H

#include <stdio.h>

#include "result.h"

#define WM_REPORT_CELL_BYTES 32

/* Figures with three digits and k, M or G; a latency as us or ms. "-" where it is
 * not known. Return text. */
char *wm_report_text_figure(char text[WM_REPORT_CELL_BYTES], bool is_known, double value);
char *wm_report_text_latency(char text[WM_REPORT_CELL_BYTES], bool is_known, uint64_t ns);

/* Errors of the stream stay in it. */
void wm_report_text(const struct wm_result *result, FILE *stream);

#endif
