/* SPDX-License-Identifier: BSD-3-Clause */
/* A row of a result as JSON: what report.h documents. CSV is made from it too. */
#ifndef WM_GEN_REPORT_JSON_H
#define WM_GEN_REPORT_JSON_H

#include <jansson.h>

#include "result.h"

/* The caller's; NULL: no memory. */
json_t *wm_report_json_row(const struct wm_result_row *row);
json_t *wm_report_json(const struct wm_result *result);

#endif
