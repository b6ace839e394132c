/* SPDX-License-Identifier: BSD-3-Clause */
#include "search.h"

#include <assert.h>
#include <math.h>

#define PPM 1000000u
/* What a quotient of logarithms may be too large by, before it is rounded up. */
#define ROUNDING 1e-9

void wm_search_init(struct wm_search *search, const struct wm_search_range *range,
		    uint32_t trials_each)
{
	assert(range->min >= 1 && range->min <= range->max && range->max < UINT64_MAX);
	assert(range->resolution > 0);
	assert(trials_each >= 1 && trials_each <= WM_SEARCH_TRIALS_EACH_MAX);
	*search = (struct wm_search){ .range = *range,
				      .trials_each = trials_each,
				      .candidate = range->max,
				      .bad = range->max + 1,
				      .retreat = range->resolution };
}

/* Half-way between what passed and what did not; the least rate, untried, stands in
 * for one that passed. 0: nothing lies between. */
static uint64_t bisect(const struct wm_search *search)
{
	uint64_t low = search->good ? search->good : search->range.min;

	if (search->bad <= low)
		return 0;
	if (search->bad - low > search->range.resolution)
		return low + (search->bad - low) / 2;
	return search->good ? 0 : low;
}

static uint64_t step_back(struct wm_search *search)
{
	uint64_t room = search->bad - search->range.min;
	uint64_t step = search->retreat < room ? search->retreat : room;

	search->retreat *= 2;
	return step ? search->bad - step : 0;
}

static void begin_confirming(struct wm_search *search)
{
	search->confirming = true;
	search->candidate = search->good;
	search->good = 0;
}

static void choose_candidate(struct wm_search *search)
{
	search->passed = 0;
	if (search->confirming && search->good == 0)
		search->candidate = step_back(search);
	else
		search->candidate = bisect(search);
	if (search->candidate == 0 && !search->confirming && search->trials_each > 1 &&
	    search->good > 0)
		begin_confirming(search);
	if (search->candidate > 0 && search->confirming)
		search->candidates++;
}

bool wm_search_next(const struct wm_search *search, uint64_t *rate)
{
	*rate = search->candidate;
	return search->candidate > 0;
}

static void fail(struct wm_search *search, enum wm_trial outcome)
{
	search->bad = search->candidate;
	if (outcome == WM_TRIAL_NOT_OFFERED)
		search->not_offered = search->candidate;
	choose_candidate(search);
}

static void pass(struct wm_search *search)
{
	uint32_t needed = search->confirming ? search->trials_each : 1;

	if (++search->passed < needed)
		return;
	search->good = search->candidate;
	choose_candidate(search);
}

void wm_search_report(struct wm_search *search, enum wm_trial outcome)
{
	assert(search->candidate > 0);
	search->trials++;
	if (outcome == WM_TRIAL_PASSED)
		pass(search);
	else
		fail(search, outcome);
}

bool wm_search_is_best(const struct wm_search *search, uint64_t rate)
{
	return search->good == 0 || search->good == rate;
}

void wm_search_get_result(const struct wm_search *search, struct wm_search_result *result)
{
	assert(search->candidate == 0);
	*result = (struct wm_search_result){
		.found = search->good > 0,
		.rate = search->good,
		.failed_at = search->bad <= search->range.max ? search->bad : 0,
		.trials = search->trials,
		.trials_each = search->trials_each,
		.candidates = search->candidates,
	};
	result->tester_limited = result->failed_at > 0 && result->failed_at == search->not_offered;
}

bool wm_search_is_passed(uint64_t sent, uint64_t lost, uint32_t tolerated_ppm)
{
	return sent > 0 && (unsigned __int128)lost * PPM <= (unsigned __int128)sent * tolerated_ppm;
}

uint32_t wm_search_trials_for(uint32_t confidence_ppm, uint32_t failure_ppm)
{
	double trials;

	assert(confidence_ppm > 0 && confidence_ppm < PPM && failure_ppm > 0 && failure_ppm < PPM);
	trials = log1p(-(double)confidence_ppm / PPM) / log1p(-(double)failure_ppm / PPM);
	trials = ceil(trials - ROUNDING);
	return trials < 1 ? 1 : (uint32_t)trials;
}

uint32_t wm_search_failure_bound(uint32_t confidence_ppm, uint32_t trials_each)
{
	assert(confidence_ppm > 0 && confidence_ppm < PPM && trials_each > 0);
	return (uint32_t)ceil(PPM * -expm1(log1p(-(double)confidence_ppm / PPM) / trials_each) -
			      ROUNDING * PPM);
}

uint32_t wm_search_confidence_overall(uint32_t confidence_ppm, uint32_t candidates)
{
	uint64_t doubt = (uint64_t)(PPM - confidence_ppm) * candidates;

	return doubt < PPM ? PPM - (uint32_t)doubt : 0;
}
