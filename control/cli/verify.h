/* SPDX-License-Identifier: BSD-3-Clause */
/* What both ways to verify share: the bar, Ctrl-C, and how files differ. */
#ifndef WM_CLI_VERIFY_H
#define WM_CLI_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "progress_bar.h"
#include "wiremill/verify.h"

struct wm_verify_watch {
	struct wm_progress_bar progress;
	uint64_t started_ns, drawn_ns;
	uint64_t total_bytes; /* that the output should have */
};

/* Keeps SIGINT and SIGTERM pending, for wm_verify_show to see. */
void wm_verify_watch_init(struct wm_verify_watch *watch);
/* A wm_verify_progress; context is the watch. */
bool wm_verify_show(void *watch, uint64_t done_bytes, uint64_t total_bytes);

/* Of a result that is not equal. */
bool wm_verify_is_longer(const struct wm_verify_result *result,
			 const struct wm_verify_watch *watch);
bool wm_verify_is_shorter(const struct wm_verify_result *result, const char *path);
/* Both sizes, to be added to the line; "" where they are the same. */
#define WM_VERIFY_SIZES_BYTES 80
const char *wm_verify_sizes(char text[WM_VERIFY_SIZES_BYTES],
			    const struct wm_verify_result *result);

/* manifest NULL: where the job left it. Returns the exit status. */
int wm_verify_by_manifest(const struct wm_cli *cli, const char *output, const char *manifest);

#endif
