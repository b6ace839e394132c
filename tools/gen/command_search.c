/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "commands.h"
#include "search.h"

#define PPM 1000000u
/* A trial whose sender gave up more of its schedule than this was not of that rate. */
#define SLIPPED_MAX_PPM (PPM / 100)
/* On a machine that does other things as well, one such trial is an accident. */
#define OFFERS_MAX 3u

static uint64_t share_of(uint64_t whole, uint32_t ppm)
{
	uint64_t share = whole / PPM * ppm + whole % PPM * ppm / PPM;

	return share > 0 ? share : 1;
}

static void search_init(struct wm_search *search, const struct wm_gen_options *options)
{
	const uint64_t resolution = share_of(options->rate.per_s, options->resolution_ppm);
	const struct wm_search_range range = {
		.min = resolution,
		.max = options->rate.per_s,
		.resolution = resolution,
	};
	uint32_t trials_each = 1;

	if (options->command == WM_GEN_CRITICAL)
		trials_each = wm_search_trials_for(options->confidence_ppm, options->failure_ppm);
	wm_search_init(search, &range, trials_each);
}

static enum wm_trial outcome_of(const struct wm_traffic *traffic, uint32_t tolerated_ppm)
{
	uint64_t lasted_ns = traffic->send_end_ns - traffic->start_ns;

	/* A loss by another cause than the rate. */
	if (traffic->link_downs > 0)
		return WM_TRIAL_NOT_OFFERED;
	if (traffic->bucket.slipped_ns > share_of(lasted_ns, SLIPPED_MAX_PPM))
		return WM_TRIAL_NOT_OFFERED;
	return wm_search_is_passed(traffic->totals.sent.frames, wm_traffic_lost_of_all(traffic),
				   tolerated_ppm)
		       ? WM_TRIAL_PASSED
		       : WM_TRIAL_LOSSY;
}

/* One rate of a search. *traffic is that of the last offer. */
static int try_rate(struct wm_gen *gen, const struct wm_gen_targets *targets,
		    const struct wm_traffic_config *config, uint32_t tolerated_ppm,
		    struct wm_traffic **traffic, enum wm_trial *outcome, struct wm_error *error)
{
	int ret = 0;

	*traffic = NULL;
	*outcome = WM_TRIAL_NOT_OFFERED;
	for (unsigned i = 0; i < OFFERS_MAX && *outcome == WM_TRIAL_NOT_OFFERED; i++) {
		wm_traffic_destroy(traffic);
		ret = wm_trial_run(gen, targets, config, traffic, error);
		if (ret < 0 || gen->interrupted)
			return ret;
		*outcome = outcome_of(*traffic, tolerated_ppm);
	}
	return ret;
}

/* The last trial at the rate that is found; if none is, the last of all. */
static void keep(struct wm_traffic **kept, struct wm_traffic **traffic,
		 const struct wm_search *search)
{
	if (wm_search_is_best(search, (*traffic)->config.rate.per_s)) {
		wm_traffic_destroy(kept);
		*kept = *traffic;
		*traffic = NULL;
	}
	wm_traffic_destroy(traffic);
}

static int search_rates(struct wm_gen *gen, const struct wm_gen_options *options,
			const struct wm_gen_targets *targets, struct wm_traffic_config *config,
			struct wm_search *search, struct wm_traffic **kept, struct wm_error *error)
{
	struct wm_traffic *traffic;
	enum wm_trial outcome;
	int ret = 0;

	config->mode = WM_TRAFFIC_ROUNDTRIP;
	while (ret == 0 && wm_search_next(search, &config->rate.per_s)) {
		ret = try_rate(gen, targets, config, options->tolerated_ppm, &traffic, &outcome,
			       error);
		if (ret == 0 && !gen->interrupted) {
			wm_search_report(search, outcome);
			keep(kept, &traffic, search);
			continue;
		}
		wm_traffic_destroy(&traffic);
		return ret;
	}
	return ret;
}

static struct wm_result_search found_by(const struct wm_search *search,
					const struct wm_gen_options *options)
{
	bool critical = options->command == WM_GEN_CRITICAL;
	struct wm_result_search found = {
		.kind = critical ? WM_SEARCH_CRITICAL : WM_SEARCH_THROUGHPUT,
		.resolution = search->range.resolution,
		.trial_ns = options->duration_ns,
		.tolerated_ppm = options->tolerated_ppm,
		.confidence_ppm = critical ? options->confidence_ppm : 0,
	};

	wm_search_get_result(search, &found.found);
	return found;
}

/* A search that was cut short has found nothing yet. */
int wm_command_search(struct wm_gen *gen, const struct wm_gen_options *options,
		      const struct wm_gen_targets *targets, const struct wm_size_point *size,
		      struct wm_result *result, struct wm_error *error)
{
	struct wm_traffic_config config = wm_trial_config(options, size);
	unsigned row = result->row_count;
	struct wm_traffic *kept = NULL;
	struct wm_search search;
	int ret;

	search_init(&search, options);
	ret = search_rates(gen, options, targets, &config, &search, &kept, error);
	if (ret == 0 && !gen->interrupted) {
		ret = wm_result_add_traffic(result, wm_gen_command_name(options->command), kept);
		if (ret < 0)
			wm_error_set(error, ENOMEM, "no memory for the result");
		else
			result->rows[row].search = found_by(&search, options);
	}
	wm_traffic_destroy(&kept);
	return ret;
}
