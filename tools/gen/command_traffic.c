/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "auth.h"
#include "commands.h"
#include "outcome.h"

static enum wm_traffic_mode mode_of(enum wm_gen_command command)
{
	switch (command) {
	case WM_GEN_TRANSMIT:
		return WM_TRAFFIC_TRANSMIT;
	case WM_GEN_RECEIVE:
		return WM_TRAFFIC_RECEIVE;
	case WM_GEN_ECHO:
		return WM_TRAFFIC_ECHO;
	default:
		return WM_TRAFFIC_ROUNDTRIP;
	}
}

static struct wm_traffic_config config_of(const struct wm_gen_options *options,
					  const struct wm_size_point *size)
{
	struct wm_traffic_config config = {
		.mode = mode_of(options->command),
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

	wm_auth_random(&config.run, sizeof(config.run));
	return config;
}

/* Each run is a job of its own to the nodes. */
static int prepare(struct wm_gen *gen, const struct wm_gen_options *options,
		   const struct wm_gen_targets *targets, struct wm_traffic_config *config,
		   struct wm_error *error)
{
	config->targets = targets->addresses;
	config->target_count = targets->count;
	config->kernel = options->kernel;
	if (!options->kernel)
		return 0;
	return wm_gen_prepare(gen, options->kernel, config->run, targets, &config->elements_max,
			      error);
}

static int measure(struct wm_gen *gen, const struct wm_gen_options *options,
		   const struct wm_gen_targets *targets, const struct wm_size_point *size,
		   struct wm_result *result, struct wm_error *error)
{
	struct wm_traffic_config config = config_of(options, size);
	struct wm_traffic *traffic;
	int ret = prepare(gen, options, targets, &config, error);

	if (ret < 0)
		return ret;
	traffic = wm_traffic_create(&config);
	if (!traffic)
		return wm_error_set(error, ENOMEM, "no memory to count %u targets of %u flows",
				    config.target_count, config.flows);
	ret = wm_gen_run(gen, traffic, error);
	if (wm_outcome_add(result, wm_gen_command_name(options->command), traffic) < 0 && ret == 0)
		ret = wm_error_set(error, ENOMEM, "no memory for the result");
	wm_traffic_destroy(&traffic);
	return ret;
}

/* All of them at once, or one after the other. */
static int measure_size(struct wm_gen *gen, const struct wm_gen_options *options,
			const struct wm_gen_targets *targets, const struct wm_size_point *size,
			struct wm_result *result, struct wm_error *error)
{
	int ret = 0;

	if (!options->one_by_one)
		return measure(gen, options, targets, size, result, error);
	for (uint32_t i = 0; i < targets->count && ret == 0 && !gen->interrupted; i++) {
		const struct wm_gen_targets one = { &targets->addresses[i], 1, targets->mtu };

		ret = measure(gen, options, &one, size, result, error);
	}
	return ret;
}

int wm_command_traffic(struct wm_gen *gen, const struct wm_gen_options *options,
		       struct wm_result *result, struct wm_error *error)
{
	struct wm_gen_targets targets = { 0 };
	int ret = 0;

	if (options->command == WM_GEN_TRANSMIT || options->command == WM_GEN_ROUNDTRIP)
		ret = wm_gen_targets_find(gen, options, &targets, error);
	for (uint32_t i = 0; i < options->sizes.count && ret == 0 && !gen->interrupted; i++)
		ret = measure_size(gen, options, &targets, &options->sizes.points[i], result,
				   error);
	wm_gen_targets_free(&targets);
	return ret;
}
