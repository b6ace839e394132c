/* SPDX-License-Identifier: BSD-3-Clause */
/* One stretch of traffic as the options say, from its kernel to its last answer. */
#ifndef WM_GEN_TRIAL_H
#define WM_GEN_TRIAL_H

#include "gen.h"
#include "options.h"
#include "traffic.h"

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

#endif
