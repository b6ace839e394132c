/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pictures of a result, made by the program gnuplot:
 *
 *   PREFIX-rate.svg           frames/s and bit/s received (or sent) against frame size
 *   PREFIX-latency.svg        p50, p99, p99.99 and max against frame size
 *   PREFIX-distribution.svg   latency against the share of frames below it, one line a
 *                             size, to as many nines as there are frames for
 *
 * Rows of one test and one size are drawn as their mean, but for distributions.
 * Only rows of the whole rack are drawn, and only those pictures that have something to
 * show. PREFIX-*.gp, the script with its data, stays beside each, to be changed and run
 * again. Control thread: waits for gnuplot.
 */
#ifndef WM_GEN_PLOT_H
#define WM_GEN_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "result.h"
#include "wiremill/error.h"

enum wm_plot_kind { WM_PLOT_RATE, WM_PLOT_LATENCY, WM_PLOT_DISTRIBUTION, WM_PLOT_KINDS };
enum wm_plot_format { WM_PLOT_SVG, WM_PLOT_PNG };

/* Has the result anything to draw in this kind? */
bool wm_plot_has(const struct wm_result *result, enum wm_plot_kind kind);
/* The script, data included, that draws `picture`. 0, or a negative errno of the stream. */
int wm_plot_write_script(const struct wm_result *result, enum wm_plot_kind kind,
			 enum wm_plot_format format, const char *picture, FILE *stream);
/* Before there is a result: is gnuplot there, and can the pictures be written? */
int wm_plot_check(const char *prefix, struct wm_error *error);
/* All pictures. *drawn: how many; 0 is no error. */
int wm_plot_save(const struct wm_result *result, enum wm_plot_format format, const char *prefix,
		 unsigned *drawn, struct wm_error *error);

#endif
