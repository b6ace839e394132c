/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "commands.h"
#include "outcome.h"
#include "trial.h"

int wm_command_trial(struct wm_gen *gen, const struct wm_gen_options *options,
		     const struct wm_gen_targets *targets, const struct wm_traffic_config *config,
		     struct wm_result *result, struct wm_error *error)
{
	struct wm_traffic *traffic;
	int ret = wm_trial_run(gen, targets, config, &traffic, error);

	if (traffic && wm_outcome_add(result, wm_gen_command_name(options->command), traffic) < 0 &&
	    ret == 0)
		ret = wm_error_set(error, ENOMEM, "no memory for the result");
	wm_traffic_destroy(&traffic);
	return ret;
}

int wm_command_traffic(struct wm_gen *gen, const struct wm_gen_options *options,
		       const struct wm_gen_targets *targets, const struct wm_size_point *size,
		       struct wm_result *result, struct wm_error *error)
{
	const struct wm_traffic_config config = wm_trial_config(options, size);

	return wm_command_trial(gen, options, targets, &config, result, error);
}
