/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a result goes: files, stdout. They are opened before anything is
 * measured, so that a path that cannot be written is told while it costs nothing.
 *
 *   open    each file is there and can be written, what was in it stays
 *   write   files first, stdout last. Each is tried, whatever became of the
 *           others, and each that failed is an error in the log. What stdout does not take,
 *           stderr gets.
 *   close   a file that open made, and that nothing was written to, is removed
 *
 * Control thread only.
 */
#ifndef WM_GEN_OUTPUTS_H
#define WM_GEN_OUTPUTS_H

#include <stdbool.h>

#include "result.h"
#include "wiremill/error.h"

/* NULL: not wanted; kept by reference. "-" as a path of JSON or CSV, not of both, is stdout,
 * which gets the text where neither is. */
struct wm_outputs_wanted {
	const char *json_path, *csv_path;
	const char *read_path, *write_path; /* what else is open: no result may replace them */
};

struct wm_output {
	enum wm_result_format format;
	const char *path;
	int fd; /* -1: not open */
	bool is_new;
};

#define WM_OUTPUTS_FILES 2u

struct wm_outputs {
	struct wm_output files[WM_OUTPUTS_FILES];
	enum wm_result_format on_stdout;
};

/* A negative errno: nothing is open, nothing was made. */
int wm_outputs_open(struct wm_outputs *outputs, const struct wm_outputs_wanted *wanted,
		    struct wm_error *error);
/* The first error of all. Once. */
int wm_outputs_write(struct wm_outputs *outputs, const struct wm_result *result);
void wm_outputs_close(struct wm_outputs *outputs);

#endif
