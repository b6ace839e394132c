/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

static wm_command_measure *const measures[WM_GEN_COMMANDS] = {
	[WM_GEN_TRANSMIT] = wm_command_traffic,	 [WM_GEN_RECEIVE] = wm_command_traffic,
	[WM_GEN_ECHO] = wm_command_traffic,	 [WM_GEN_ROUNDTRIP] = wm_command_traffic,
	[WM_GEN_THROUGHPUT] = wm_command_search, [WM_GEN_CRITICAL] = wm_command_search,
	[WM_GEN_REPLAY] = wm_command_replay,
};

/* All of them at once, or one after the other. */
static int measure_size(struct wm_gen *gen, const struct wm_gen_options *options,
			const struct wm_gen_targets *targets, const struct wm_size_point *size,
			struct wm_result *result, struct wm_error *error)
{
	wm_command_measure *measure = measures[options->command];
	int ret = 0;

	if (!options->one_by_one)
		return measure(gen, options, targets, size, result, error);
	for (uint32_t i = 0; i < targets->count && ret == 0 && !gen->interrupted; i++) {
		const struct wm_gen_targets one = { &targets->addresses[i], 1, targets->mtu };

		ret = measure(gen, options, &one, size, result, error);
	}
	return ret;
}

int wm_command_run(struct wm_gen *gen, const struct wm_gen_options *options,
		   struct wm_result *result, struct wm_error *error)
{
	struct wm_gen_targets targets = { 0 };
	int ret = 0;

	if (wm_gen_options_send(options))
		ret = wm_gen_targets_find(gen, options, &targets, error);
	for (uint32_t i = 0; i < options->sizes.count && ret == 0 && !gen->interrupted; i++)
		ret = measure_size(gen, options, &targets, &options->sizes.points[i], result,
				   error);
	wm_gen_targets_free(&targets);
	return ret;
}
