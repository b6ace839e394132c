/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of options that are more than text. */
#ifndef WM_CLI_VALUE_H
#define WM_CLI_VALUE_H

#include <limits.h>
#include <stdint.h>

#include "cli.h"

/* "90", "90s", "5m", "2h": seconds, from 1 to a year. text NULL: *seconds stays as it
 * is. WM_EXIT_DONE, or WM_EXIT_USAGE and the option was named on stderr. */
int wm_cli_duration(const struct wm_verb *verb, const char *option, const char *text,
		    uint64_t *seconds);
/* "1%", "0.1%": a share of a million, to its last digit. Likewise. */
int wm_cli_share(const struct wm_verb *verb, const char *option, const char *text, uint64_t *ppm);
/* The same file for the controller, which runs in another directory. WM_EXIT_DONE or
 * WM_EXIT_FAILED. */
int wm_cli_path(char absolute[PATH_MAX], const char *path);

#endif
