/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which rate to try next, until the highest good one is known.
 *
 *   wm_search_init(&search, &range, trials_each);
 *   while (wm_search_next(&search, &rate)) {
 *           run a trial at this rate;
 *           wm_search_report(&search, WM_TRIAL_PASSED | LOSSY | NOT_OFFERED);
 *   }
 *   wm_search_get_result(&search, &result);
 *
 * Throughput (RFC 2544 section 26.1): the highest rate at which nothing is lost.
 * The first trial is at the top of the range; from then on half-way between the
 * highest rate that passed and the lowest that did not, until they are no further
 * apart than the resolution. One trial a rate.
 *
 * Critical rate: the highest rate that passes n trials of T seconds out of n. It is
 * searched for as above; then the rate found is tried n times. The first failure
 * is a rate that did not pass, and the next candidate is one resolution below, then
 * two, four, ...; after a rate has passed n times, half-way again. n follows from the
 * chance p that a trial fails and that the user would not miss with confidence C:
 * if a trial failed with a chance of p or more, n would all pass with at most
 * (1 - p)^n, so
 *
 *   n = ceil(ln(1 - C) / ln(1 - p))         C 95 %, p 10 %: 29 trials
 *
 * Each candidate that was tried n times, or until it failed, had this chance to pass
 * wrongly; with k candidates the confidence is at least 1 - k * (1 - C), which the
 * result holds.
 *
 * A trial that the sender could not offer says nothing about the rack: the rate counts
 * as not passed, and the result says that the tester was the limit.
 *
 * Rates are whole numbers of any unit. Pure: no clock, no I/O, no allocation.
 */
#ifndef WM_GEN_SEARCH_H
#define WM_GEN_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

/* More than this is asking for days. */
#define WM_SEARCH_TRIALS_EACH_MAX 10000u

enum wm_trial { WM_TRIAL_PASSED, WM_TRIAL_LOSSY, WM_TRIAL_NOT_OFFERED };

struct wm_search_range {
	uint64_t min, max;   /* 1 <= min <= max */
	uint64_t resolution; /* not 0 */
};

struct wm_search {
	struct wm_search_range range;
	uint32_t trials_each; /* that a rate has to pass: 1, or n */
	bool confirming;      /* n trials of a candidate; false: still one */
	uint32_t passed;      /* trials of the candidate */
	uint64_t candidate;   /* 0: the search is over */
	uint64_t good;	      /* highest that passed all of its trials, 0: none */
	uint64_t bad;	      /* lowest that did not; max + 1: none */
	uint64_t retreat;     /* how far below a failed candidate the next one is */
	uint64_t not_offered; /* lowest rate that could not be offered, 0: none */
	uint32_t trials, candidates;
};

struct wm_search_result {
	bool found;	      /* false: not even range.min passed */
	uint64_t rate;	      /* the highest that passed; 0: none */
	uint64_t failed_at;   /* the lowest that did not; 0: none, the top of the range passed */
	bool tester_limited;  /* failed_at could not be offered */
	uint32_t trials;      /* in all */
	uint32_t trials_each; /* that rate passed, of as many */
	uint32_t candidates;  /* rates that were tried so */
};

/* trials_each: n, to WM_SEARCH_TRIALS_EACH_MAX; 1: throughput. */
void wm_search_init(struct wm_search *search, const struct wm_search_range *range,
		    uint32_t trials_each);

/* False: the search is over. */
bool wm_search_next(const struct wm_search *search, uint64_t *rate);
void wm_search_report(struct wm_search *search, enum wm_trial outcome);
/* After a report: does what was measured at this rate stand for the search so far? The rate
 * has passed all of its trials and none above it has; or none has at all. */
bool wm_search_is_best(const struct wm_search *search, uint64_t rate);
/* Of a search that is over. */
void wm_search_get_result(const struct wm_search *search, struct wm_search_result *result);

/* Has this trial lost no more than is tolerated? A trial that sent nothing has not. */
bool wm_search_is_passed(uint64_t sent, uint64_t lost, uint32_t tolerated_ppm);
/* n of the formula above, shares in ppm: 1 .. 999999. More than
 * WM_SEARCH_TRIALS_EACH_MAX is returned as it is: refuse it. */
uint32_t wm_search_trials_for(uint32_t confidence_ppm, uint32_t failure_ppm);
/* The chance of failure, in ppm rounded up, that n passed trials of n exclude with this confidence.
 */
uint32_t wm_search_failure_bound(uint32_t confidence_ppm, uint32_t trials_each);
/* 1 - k * (1 - C) in ppm, not below 0. */
uint32_t wm_search_confidence_overall(uint32_t confidence_ppm, uint32_t candidates);

#endif
