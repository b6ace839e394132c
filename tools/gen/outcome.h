/* SPDX-License-Identifier: BSD-3-Clause */
/* Traffic that is over, as rows of a result: one of all, then one a target. */
#ifndef WM_GEN_OUTCOME_H
#define WM_GEN_OUTCOME_H

#include "result.h"
#include "traffic.h"

/* test: the command's name. 0 or -ENOMEM. */
int wm_outcome_add(struct wm_result *result, const char *test, const struct wm_traffic *traffic);
/* Frames of all targets that did not come. */
uint64_t wm_outcome_lost(const struct wm_traffic *traffic);

#endif
