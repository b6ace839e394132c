/* SPDX-License-Identifier: BSD-3-Clause */
/* Random tests: seeds are printed first, and `--seed N` replays one. */
#ifndef WM_SEED_H
#define WM_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wm_seeds {
	uint64_t first, count;
};

/* SplitMix64: any seed is good, equal on every machine. */
static inline uint64_t wm_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t wm_random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(wm_random(state) % n);
}

#define WM_SEED_USAGE "[--seed N]"

static inline uint64_t wm_seed_take(int argc, char **argv)
{
	char *end = argv[argc - 1];
	uint64_t seed = strtoull(argv[argc - 1], &end, 0);

	if (argc == 3 && strcmp(argv[1], "--seed") == 0 && end > argv[2] && !*end)
		return seed;
	fprintf(stderr, "usage: %s " WM_SEED_USAGE "\n", argv[0]);
	exit(2);
}

/* Seeds 1 to `count`, or the one that was asked for. A comment in TAP. */
static inline struct wm_seeds wm_seeds_choose(int argc, char **argv, uint64_t count)
{
	struct wm_seeds seeds = { .first = 1, .count = count };

	if (argc > 1)
		seeds = (struct wm_seeds){ .first = wm_seed_take(argc, argv), .count = 1 };
	printf("# seeds %llu to %llu; --seed N replays one\n", (unsigned long long)seeds.first,
	       (unsigned long long)(seeds.first + seeds.count - 1));
	return seeds;
}

#endif
