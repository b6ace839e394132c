/* SPDX-License-Identifier: BSD-3-Clause */
/* One seed, or many. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>

#include "number.h"
#include "world.h"

struct options {
	uint64_t first, count;
	bool trace, hash, stop;
};

static uint64_t current_seed;

/* An assertion in the real code is a finding too. */
static void say_seed(int signal_number)
{
	fprintf(stderr, "not finished: an assertion or a fault in seed %" PRIu64 "\n",
		current_seed);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void add(struct world_tally *total, const struct world_tally *one)
{
	const uint64_t *from = (const uint64_t *)one;
	uint64_t *to = (uint64_t *)total;

	for (size_t i = 0; i < sizeof(*total) / sizeof(*to); i++)
		to[i] += from[i];
}

static bool run_seed(const struct options *options, uint64_t seed, struct world_tally *total)
{
	static struct world world;
	bool good;

	current_seed = seed;
	good = world_run(&world, seed, options->trace);
	if (!good)
		printf("seed %" PRIu64 ": %s\n", seed, world.sim.violation);
	if (options->hash)
		printf("seed %" PRIu64 ": hash %016" PRIx64 ", %" PRIu64 " events, %.3f s\n", seed,
		       world.sim.hash, world.sim.events, (double)world.sim.now_ns / WM_NS_PER_S);
	world.tally.seeds = 1;
	add(total, &world.tally);
	world_destroy(&world);
	fflush(stdout);
	return good;
}

static int run(const struct options *options)
{
	struct world_tally total = { 0 };
	uint64_t failed = 0;

	printf("seeds from %" PRIu64 "%s%s\n", options->first, transfer_bug ? ", planted bug " : "",
	       transfer_bug ? transfer_bug_name(transfer_bug) : "");
	for (uint64_t i = 0; i < options->count && !(options->stop && failed); i++)
		failed += !run_seed(options, options->first + i, &total);
	printf("%" PRIu64 " seeds, %" PRIu64 " violations, %.0f million events, %.1f h of virtual "
	       "time\n",
	       total.seeds, failed, (double)total.events / 1e6,
	       (double)total.virtual_ns / WM_NS_PER_S / 3600);
	printf("in them: %" PRIu64 " transfers complete, %" PRIu64 " chunks, %" PRIu64
	       " of them lost, %" PRIu64 " bytes sent again, %" PRIu64 " deaths of nodes, %" PRIu64
	       " stops of the controller, %" PRIu64 " objects replaced, %" PRIu64
	       " memories given up, %" PRIu64 " chunks refused, %" PRIu64 " wrong hashes, %" PRIu64
	       " senders that gave up\n",
	       total.complete, total.chunks, total.lost, total.again_bytes, total.deaths,
	       total.restarts, total.replaced, total.anew, total.refused, total.wrong,
	       total.given_up);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- options ------------------------------------------------------------------------------------
 */

static const char usage[] =
	"usage: wm-sim-transfer [--seeds N] [--from S] | --seed S [--trace]\n"
	"\n"
	"Brings objects to nodes in virtual time, over a network where anything may fail, and\n"
	"checks that what is called complete is the object.\n"
	"\n"
	"  --seeds N      so many seeds (default: 1000)\n"
	"  --from S       the first of them (default: 1)\n"
	"  --seed S       this seed only\n"
	"  --trace        tells what happens\n"
	"  --stop         ends with the first violation\n"
	"  --hash         a line for each seed: equal for equal runs\n"
	"  --bug NAME     with a bug planted\n"
	"  --list-bugs    the names of those\n"
	"  --help         this text\n"
	"\n"
	"Exit status: 0 no violation, 1 at least one, 2 wrong usage.\n";

static int list_bugs(void)
{
	for (int i = TRANSFER_BUG_NONE + 1; i < TRANSFER_BUGS; i++)
		puts(transfer_bug_name((enum transfer_bug)i));
	return EXIT_SUCCESS;
}

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "wm-sim-transfer: %s: '%s'; see wm-sim-transfer --help\n", what, value);
	return 2;
}

static int take_number(uint64_t *number, const char *name, const char *text)
{
	return wm_number_parse(text, 0, UINT64_MAX, number) < 0 ? complain(name, text) : 0;
}

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 'n':
		return take_number(&options->count, "--seeds is a whole number", optarg);
	case 'f':
		return take_number(&options->first, "--from is a whole number", optarg);
	case 's':
		options->count = 1;
		options->hash = true;
		return take_number(&options->first, "--seed is a whole number", optarg);
	case 't':
		options->trace = true;
		return 0;
	case 'h':
		options->hash = true;
		return 0;
	case 'x':
		options->stop = true;
		return 0;
	case 'b':
		transfer_bug = transfer_bug_find(optarg);
		return transfer_bug == TRANSFER_BUGS ? complain("no such bug", optarg) : 0;
	default:
		return complain("no such option", "see above");
	}
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "seeds", required_argument, NULL, 'n' }, { "from", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },  { "trace", no_argument, NULL, 't' },
		{ "hash", no_argument, NULL, 'h' },	   { "stop", no_argument, NULL, 'x' },
		{ "bug", required_argument, NULL, 'b' },   { "list-bugs", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'u' },	   { NULL, 0, NULL, 0 },
	};
	struct options options = { .first = 1, .count = 1000 };
	int option, status = 0;

	while (status == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'l')
			return list_bugs();
		if (option == 'u')
			return fputs(usage, stdout) < 0;
		status = take_option(&options, option);
	}
	if (status == 0 && optind < argc)
		status = complain("unexpected", argv[optind]);
	if (status)
		return status;
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	signal(SIGABRT, say_seed);
	signal(SIGSEGV, say_seed);
	return run(&options);
}
