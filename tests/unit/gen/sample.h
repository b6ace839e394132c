/* SPDX-License-Identifier: BSD-3-Clause */
/* A result as a run might give it, for the tests of what is made of results. */
#ifndef WM_SAMPLE_H
#define WM_SAMPLE_H

#include <stdio.h>

#include "result.h"

/* 0: a transmit-only row; 1 to 4: round trips with histograms at four sizes, of which the
 * last is a mixture; 5: a node of the first; 6: a critical rate. The caller ends it with
 * wm_result_fini. */
void wm_sample_result(struct wm_result *result);
/* What writing gives, as text that the caller frees. */
char *wm_sample_text(int (*write)(const struct wm_result *result, FILE *stream),
		     const struct wm_result *result);

#endif
