/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WM_GEN_REPORT_CSV_H
#define WM_GEN_REPORT_CSV_H

#include <stdio.h>

#include "result.h"

/* 0, -ENOMEM. Errors of the stream stay in it. */
int wm_report_csv(const struct wm_result *result, FILE *stream);

#endif
