/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "commands.h"

static enum wm_traffic_mode mode_of(enum wm_gen_command command)
{
	switch (command) {
	case WM_GEN_TRANSMIT:
		return WM_TRAFFIC_TRANSMIT;
	case WM_GEN_RECEIVE:
		return WM_TRAFFIC_RECEIVE;
	case WM_GEN_ECHO:
		return WM_TRAFFIC_ECHO;
	case WM_GEN_REPLAY:
		return WM_TRAFFIC_REPLAY;
	default:
		return WM_TRAFFIC_ROUNDTRIP;
	}
}

struct wm_traffic_config wm_trial_config(const struct wm_gen_options *options,
					 const struct wm_size_point *size)
{
	return (struct wm_traffic_config){
		.mode = mode_of(options->command),
		.kernel = options->kernel,
		.flows = options->flows,
		.window = options->window,
		.size = *size,
		.rate = options->rate,
		.burst_frames = options->burst,
		.depth_ns = options->depth_ns,
		.count_max = options->count,
		.duration_ns = options->duration_ns,
		.idle_ns = options->idle_ns,
	};
}

/* Each is a job of its own to the nodes, which take no older one. */
static int prepare(struct wm_gen *gen, const struct wm_gen_targets *targets,
		   struct wm_traffic_config *config, struct wm_error *error)
{
	config->run = gen->next_run++;
	config->targets = targets->addresses;
	config->target_count = targets->count;
	if (!config->kernel)
		return 0;
	return wm_gen_prepare(gen, config->kernel, config->run, targets, &config->elements_max,
			      error);
}

int wm_trial_run(struct wm_gen *gen, const struct wm_gen_targets *targets,
		 const struct wm_traffic_config *config, struct wm_traffic **traffic,
		 struct wm_error *error)
{
	struct wm_traffic_config own = *config;
	int ret;

	*traffic = NULL;
	ret = prepare(gen, targets, &own, error);
	if (ret < 0)
		return ret;
	*traffic = wm_traffic_create(&own);
	if (!*traffic)
		return wm_error_set(error, ENOMEM, "no memory to count %u targets of %u flows",
				    own.target_count, own.flows);
	return wm_gen_run(gen, *traffic, error);
}

int wm_command_trial(struct wm_gen *gen, const struct wm_gen_options *options,
		     const struct wm_gen_targets *targets, const struct wm_traffic_config *config,
		     struct wm_result *result, struct wm_error *error)
{
	struct wm_traffic *traffic;
	int ret = wm_trial_run(gen, targets, config, &traffic, error);

	if (traffic &&
	    wm_result_add_traffic(result, wm_gen_command_name(options->command), traffic) < 0 &&
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
