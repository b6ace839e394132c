/* SPDX-License-Identifier: BSD-3-Clause */
/* What each command does with a generator that stands. Rows go to the result, also of
 * what a signal ended early. 0 or a negative errno. */
#ifndef WM_GEN_COMMANDS_H
#define WM_GEN_COMMANDS_H

#include "gen.h"
#include "options.h"
#include "result.h"

/* transmit, receive, echo, roundtrip: one stretch of traffic a size, or a size and node. */
int wm_command_traffic(struct wm_gen *gen, const struct wm_gen_options *options,
		       struct wm_result *result, struct wm_error *error);

#endif
