/* SPDX-License-Identifier: BSD-3-Clause */
/* What each command does with a generator that stands. Rows go to the result, also of
 * what a signal ended early. 0 or a negative errno. */
#ifndef WM_GEN_COMMANDS_H
#define WM_GEN_COMMANDS_H

#include "gen.h"
#include "options.h"
#include "result.h"

/* The command of the options. */
int wm_command_run(struct wm_gen *gen, const struct wm_gen_options *options,
		   struct wm_result *result, struct wm_error *error);

/* All its steps, into one result. */
int wm_command_steps(struct wm_gen *gen, const struct wm_gen_options *options,
		     struct wm_result *result, struct wm_error *error);

/* One size, to those targets at once. wm_command_run chooses from these: */
typedef int wm_command_measure(struct wm_gen *gen, const struct wm_gen_options *options,
			       const struct wm_gen_targets *targets,
			       const struct wm_size_point *size, struct wm_result *result,
			       struct wm_error *error);

/* transmit, receive, echo, roundtrip: one stretch of traffic. */
wm_command_measure wm_command_traffic;
/* throughput, critical: as many as the search wants. */
wm_command_measure wm_command_search;
/* replay: a capture. */
wm_command_measure wm_command_replay;

/* ---- what these have in common: one stretch of traffic, from its kernel to its last answer */

/* What the options say of traffic of that size, but for whom it goes to. */
struct wm_traffic_config wm_trial_config(const struct wm_gen_options *options,
					 const struct wm_size_point *size);
/*
 * Runs it: to those targets, from config. *traffic is the caller's to destroy, also where
 * a port that failed left it incomplete; NULL: it did not begin.
 */
int wm_trial_run(struct wm_gen *gen, const struct wm_gen_targets *targets,
		 const struct wm_traffic_config *config, struct wm_traffic **traffic,
		 struct wm_error *error);
/* The same, and its rows. */
int wm_command_trial(struct wm_gen *gen, const struct wm_gen_options *options,
		     const struct wm_gen_targets *targets, const struct wm_traffic_config *config,
		     struct wm_result *result, struct wm_error *error);

#endif
