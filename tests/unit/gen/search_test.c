/* SPDX-License-Identifier: BSD-3-Clause */
#include "search.h"

#include "harness.h"
#include "seed.h"

static struct wm_search search;
static struct wm_search_result result;

/* A rack that loses above `limit`, and a sender that ends at `offered`. */
static enum wm_trial run_trial(uint64_t rate, uint64_t limit, uint64_t offered)
{
	if (rate > offered)
		return WM_TRIAL_NOT_OFFERED;
	return rate > limit ? WM_TRIAL_LOSSY : WM_TRIAL_PASSED;
}

static void run(uint64_t limit, uint64_t offered)
{
	uint64_t rate;

	while (wm_search_next(&search, &rate)) {
		CU_ASSERT_FATAL(search.trials < 100000);
		CU_ASSERT_FATAL(rate >= search.range.min && rate <= search.range.max);
		wm_search_report(&search, run_trial(rate, limit, offered));
	}
	wm_search_get_result(&search, &result);
}

static void run_throughput(uint64_t min, uint64_t max, uint64_t resolution, uint64_t limit)
{
	struct wm_search_range range = { min, max, resolution };

	wm_search_init(&search, &range, 1);
	run(limit, UINT64_MAX);
}

static void run_critical(uint64_t min, uint64_t max, uint64_t resolution, uint64_t limit,
			 uint32_t trials_each)
{
	struct wm_search_range range = { min, max, resolution };

	wm_search_init(&search, &range, trials_each);
	run(limit, UINT64_MAX);
}

static void a_lossless_line_takes_one_trial_at_the_top(void)
{
	run_throughput(1, 1000000, 100, UINT64_MAX);
	CU_ASSERT(result.found && result.rate == 1000000 && result.failed_at == 0);
	CU_ASSERT_EQUAL(result.trials, 1);
}

static void every_limit_is_found_to_the_resolution(void)
{
	for (uint64_t limit = 1; limit < 3000; limit++) {
		run_throughput(1, 2000, 7, limit);
		CU_ASSERT(result.found && result.rate <= limit);
		CU_ASSERT(limit >= 2000 ? result.rate == 2000
					: result.rate + 7 >= result.failed_at);
		CU_ASSERT(result.failed_at == 0 || result.failed_at > limit);
		CU_ASSERT(result.trials <= 12);
	}
}

static void a_resolution_of_one_is_exact(void)
{
	for (uint64_t limit = 10; limit < 120; limit++) {
		run_throughput(10, 100, 1, limit);
		CU_ASSERT_EQUAL(result.rate, limit < 100 ? limit : 100);
	}
}

static void a_line_that_loses_even_at_the_bottom_has_no_throughput(void)
{
	run_throughput(100, 1000, 10, 99);
	CU_ASSERT(!result.found && result.rate == 0 && result.failed_at == 100);
	run_throughput(100, 100, 10, 99);
	CU_ASSERT(!result.found && result.trials == 1);
}

static void the_bottom_is_tried_before_giving_up(void)
{
	run_throughput(100, 1000, 500, 100);
	CU_ASSERT(result.found && result.rate == 100);
}

static void the_largest_rates_do_not_overflow(void)
{
	run_throughput(1, UINT64_MAX - 1, 1, UINT64_MAX / 3);
	CU_ASSERT_EQUAL(result.rate, UINT64_MAX / 3);
}

static void a_sender_that_ends_first_is_named(void)
{
	struct wm_search_range range = { 1, 1000, 1 };

	wm_search_init(&search, &range, 1);
	run(700, 600);
	CU_ASSERT(result.rate == 600 && result.failed_at == 601 && result.tester_limited);
	wm_search_init(&search, &range, 1);
	run(500, 600);
	CU_ASSERT(result.rate == 500 && result.failed_at == 501 && !result.tester_limited);
}

static void the_critical_rate_passed_every_one_of_its_trials(void)
{
	run_critical(1, 1000, 1, 640, 29);
	CU_ASSERT(result.found && result.rate == 640 && result.failed_at == 641);
	CU_ASSERT(result.trials_each == 29 && result.candidates == 1);
	CU_ASSERT(result.trials > 29);
}

static void a_critical_rate_of_the_whole_line_takes_its_trials_and_one(void)
{
	run_critical(1, 1000, 1, 1000, 29);
	CU_ASSERT(result.rate == 1000 && result.failed_at == 0 && result.trials == 30);
}

/* A rack whose loss begins to show now and then above `safe`, and always above
 * `limit`. */
static void run_flaky(uint64_t safe, uint64_t limit, uint64_t seed)
{
	uint64_t rate, best = 0;

	while (wm_search_next(&search, &rate)) {
		bool lossy = rate > limit || (rate > safe && wm_random_below(&seed, 4) == 0);

		CU_ASSERT_FATAL(search.trials < 100000);
		wm_search_report(&search, lossy ? WM_TRIAL_LOSSY : WM_TRIAL_PASSED);
		if (wm_search_is_best(&search, rate))
			best = rate;
	}
	wm_search_get_result(&search, &result);
	CU_ASSERT(!result.found || best == result.rate);
}

static void rare_loss_moves_the_critical_rate_below_it(void)
{
	struct wm_search_range range = { 1, 100000, 100 };
	unsigned above = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		wm_search_init(&search, &range, 29);
		run_flaky(50000, 80000, seed);
		CU_ASSERT(result.found && result.candidates > 1);
		CU_ASSERT(result.rate + 100 > 49000);
		above += result.rate > 50000;
	}
	/* 0.75^29 = 0.024 % a candidate */
	CU_ASSERT(above <= 5);
}

static void a_rack_that_never_passes_all_of_them_has_no_critical_rate(void)
{
	struct wm_search_range range = { 10, 1000, 1 };

	wm_search_init(&search, &range, 29);
	run_flaky(0, 800, 4);
	CU_ASSERT(!result.found && result.failed_at == 10);
}

static void one_trial_each_is_the_throughput(void)
{
	run_critical(1, 1000, 1, 640, 1);
	CU_ASSERT(result.rate == 640 && result.candidates == 0);
}

static void tolerated_loss_passes_to_the_frame(void)
{
	CU_ASSERT_TRUE(wm_search_is_passed(1000000, 0, 0));
	CU_ASSERT_FALSE(wm_search_is_passed(1000000, 1, 0));
	CU_ASSERT_TRUE(wm_search_is_passed(1000000, 10, 10));
	CU_ASSERT_FALSE(wm_search_is_passed(1000000, 11, 10));
	CU_ASSERT_FALSE(wm_search_is_passed(0, 0, 0));
	CU_ASSERT_TRUE(wm_search_is_passed(UINT64_MAX, UINT64_MAX, 1000000));
}

static void trials_follow_from_confidence_and_failure(void)
{
	/* the smallest n with (1 - p)^n <= 1 - C */
	CU_ASSERT_EQUAL(wm_search_trials_for(950000, 100000), 29);
	CU_ASSERT_EQUAL(wm_search_trials_for(950000, 500000), 5);
	CU_ASSERT_EQUAL(wm_search_trials_for(990000, 10000), 459);
	CU_ASSERT_EQUAL(wm_search_trials_for(750000, 500000), 2);
	CU_ASSERT_EQUAL(wm_search_trials_for(1, 999999), 1);
	CU_ASSERT(wm_search_trials_for(999999, 1) > WM_SEARCH_TRIALS_EACH_MAX);
}

static void the_bound_that_is_reported_is_the_one_asked_for_or_less(void)
{
	CU_ASSERT_EQUAL(wm_search_failure_bound(950000, 1), 950000);
	CU_ASSERT_EQUAL(wm_search_failure_bound(750000, 2), 500000);
	for (uint32_t failure = 1000; failure < 1000000; failure += 997) {
		uint32_t trials = wm_search_trials_for(950000, failure);

		CU_ASSERT(wm_search_failure_bound(950000, trials) <= failure);
		CU_ASSERT(trials == 1 || wm_search_failure_bound(950000, trials - 1) > failure);
	}
}

static void each_candidate_costs_its_share_of_confidence(void)
{
	CU_ASSERT_EQUAL(wm_search_confidence_overall(950000, 1), 950000);
	CU_ASSERT_EQUAL(wm_search_confidence_overall(950000, 3), 850000);
	CU_ASSERT_EQUAL(wm_search_confidence_overall(950000, 20), 0);
	CU_ASSERT_EQUAL(wm_search_confidence_overall(950000, UINT32_MAX), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(a_lossless_line_takes_one_trial_at_the_top),
	WM_TEST(every_limit_is_found_to_the_resolution),
	WM_TEST(a_resolution_of_one_is_exact),
	WM_TEST(a_line_that_loses_even_at_the_bottom_has_no_throughput),
	WM_TEST(the_bottom_is_tried_before_giving_up),
	WM_TEST(the_largest_rates_do_not_overflow),
	WM_TEST(a_sender_that_ends_first_is_named),
	WM_TEST(the_critical_rate_passed_every_one_of_its_trials),
	WM_TEST(a_critical_rate_of_the_whole_line_takes_its_trials_and_one),
	WM_TEST(rare_loss_moves_the_critical_rate_below_it),
	WM_TEST(a_rack_that_never_passes_all_of_them_has_no_critical_rate),
	WM_TEST(one_trial_each_is_the_throughput),
	WM_TEST(tolerated_loss_passes_to_the_frame),
	WM_TEST(trials_follow_from_confidence_and_failure),
	WM_TEST(the_bound_that_is_reported_is_the_one_asked_for_or_less),
	WM_TEST(each_candidate_costs_its_share_of_confidence),
};

int main(void)
{
	return WM_TESTS_RUN("search", tests);
}
