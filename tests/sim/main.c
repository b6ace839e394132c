/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wm-sim: looks for seeds whose world breaks what check.h promises.
 *
 *   wm-sim --seeds 20000 --from 1        so many seeds
 *   wm-sim --minutes 60                  as many as fit
 *   wm-sim --seed 4711 --trace           one, with everything that happens
 *   wm-sim --bug no-sync --seeds 500     with a bug planted (--list-bugs)
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bug.h"
#include "check.h"
#include "controller.h"
#include "dataset.h"
#include "disk.h"
#include "log.h"
#include "network.h"
#include "node.h"
#include "number.h"
#include "sim.h"
#include "sim_lane.h"

/* A run that takes more events than any should stands still in virtual time. */
#define EVENTS_MAX 20000000ull

/* ---- chance for the real code ------------------------------------------------- */

void __wrap_wm_auth_random(void *bytes, size_t count);
ssize_t __wrap_getrandom(void *bytes, size_t count, unsigned flags);

void __wrap_wm_auth_random(void *bytes, size_t count)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		at[i] = (uint8_t)(wm_random(&sim_current->entropy) >> 32);
}

ssize_t __wrap_getrandom(void *bytes, size_t count, unsigned flags)
{
	(void)flags;
	__wrap_wm_auth_random(bytes, count);
	return (ssize_t)count;
}

/* What the real code logs is part of a trace. */
void __wrap_wm_log(enum wm_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void __wrap_wm_log(enum wm_log_level level, const char *format, ...)
{
	char text[512];
	va_list arguments;

	(void)level;
	if (!sim_current->trace)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	sim_say(sim_current, "log: %s", text);
}

/* ---- one seed -------------------------------------------------------------------- */

static void create(struct sim *sim, uint64_t seed, bool trace)
{
	memset(sim, 0, sizeof(*sim));
	sim->trace = trace;
	sim->random = seed;
	sim->entropy = seed ^ 0x5bf03635f0a31e29;
	sim_plan_draw(&sim->plan, seed);
	sim_dataset_create(sim, seed);
	sim_disk_create(sim);
	sim_network_create(sim);
	sim_lane_create(sim);
	sim_check_create(sim);
	sim_nodes_create(sim);
	sim_controller_create(sim);
}

void sim_destroy(struct sim *sim)
{
	sim_controller_destroy(sim);
	sim_nodes_destroy(sim);
	sim_check_destroy(sim);
	sim_lane_destroy(sim);
	sim_network_destroy(sim);
	sim_disk_destroy(sim);
	sim_dataset_destroy(sim);
	free(sim->heap);
}

bool sim_run_seed(struct sim *sim, uint64_t seed, bool trace)
{
	create(sim, seed, trace);
	while (!sim->ended && sim_step(sim)) {
		sim_controller_step(sim);
		if (sim->now_ns > sim->plan.until_ns || sim->events > EVENTS_MAX)
			sim_violate(sim, "not done %.0f s after the last fault",
				    (double)(sim->now_ns - sim->plan.heal_ns) / WM_NS_PER_S);
	}
	return !sim->violation[0];
}

/* ---- many --------------------------------------------------------------------------- */

struct options {
	uint64_t first, count, minutes;
	bool trace, hash, stop;
};

struct totals {
	uint64_t runs, failed, events, virtual_ns;
	struct sim_tally tally;
};

static uint64_t current_seed;

/* An assertion in the real code is a finding too. */
static void say_seed(int signal_number)
{
	static const char text[] = "not finished: an assertion or a fault in seed ";
	char number[24], *at = number + sizeof(number);
	uint64_t seed = current_seed;
	ssize_t ret;

	*--at = '\n';
	do
		*--at = (char)('0' + seed % 10);
	while (seed /= 10);
	ret = write(STDOUT_FILENO, text, sizeof(text) - 1);
	ret = write(STDOUT_FILENO, at, (size_t)(number + sizeof(number) - at));
	(void)ret;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void run_seed(const struct options *options, uint64_t seed, struct totals *totals)
{
	static struct sim sim;
	bool good;

	sim_current = &sim;
	current_seed = seed;
	if (options->trace)
		printf("seed %" PRIu64 "\n", seed);
	good = sim_run_seed(&sim, seed, options->trace);
	if (!good)
		printf("seed %" PRIu64 ": %s\n", seed, sim.violation);
	if (options->hash)
		printf("seed %" PRIu64 ": hash %016" PRIx64 ", %" PRIu64 " events, %.3f s, %s\n",
		       seed, sim.hash, sim.events, (double)sim.now_ns / WM_NS_PER_S, sim.outcome);
	totals->runs++;
	totals->failed += !good;
	totals->events += sim.events;
	totals->virtual_ns += sim.now_ns;
	totals->tally.jobs += sim.tally.jobs;
	totals->tally.crashes += sim.tally.crashes;
	totals->tally.resumes += sim.tally.resumes;
	totals->tally.failures += sim.tally.failures;
	totals->tally.deaths += sim.tally.deaths;
	totals->tally.sent += sim.tally.sent;
	totals->tally.again += sim.tally.again;
	totals->tally.io_errors += sim.tally.io_errors;
	totals->tally.input_changes += sim.tally.input_changes;
	totals->tally.quarantines += sim.tally.quarantines;
	totals->tally.undetected += sim.tally.undetected;
	sim_destroy(&sim);
	fflush(stdout);
}

static int run(const struct options *options)
{
	uint64_t until_ns = wm_clock_ns() + options->minutes * 60 * WM_NS_PER_S;
	uint64_t start_ns = wm_clock_ns();
	struct totals totals = { 0 };

	printf("seeds from %" PRIu64 "%s%s\n", options->first, sim_bug ? ", planted bug " : "",
	       sim_bug ? sim_bug_name(sim_bug) : "");
	fflush(stdout);
	for (uint64_t i = 0; options->minutes ? wm_clock_ns() < until_ns : i < options->count;
	     i++) {
		run_seed(options, options->first + i, &totals);
		if (options->stop && totals.failed)
			break;
	}
	printf("%" PRIu64 " seeds, %" PRIu64 " violations, %.0f million events, %.1f h of virtual "
	       "time in %.1f s\n",
	       totals.runs, totals.failed, (double)totals.events / 1e6,
	       (double)totals.virtual_ns / WM_NS_PER_S / 3600,
	       (double)(wm_clock_ns() - start_ns) / WM_NS_PER_S);
	printf("in them: %" PRIu64 " jobs done, %" PRIu64 " crashes of the controller, %" PRIu64
	       " failed jobs, %" PRIu64 " resumes, %" PRIu64 " deaths of nodes, %" PRIu64
	       " failed I/Os, %" PRIu64 " batches sent, %" PRIu64 " of them again, %" PRIu64
	       " inputs written to, %" PRIu64 " nodes caught, %" PRIu64
	       " wrong batches that no audit looked at\n",
	       totals.tally.jobs, totals.tally.crashes, totals.tally.failures, totals.tally.resumes,
	       totals.tally.deaths, totals.tally.io_errors, totals.tally.sent, totals.tally.again,
	       totals.tally.input_changes, totals.tally.quarantines, totals.tally.undetected);
	return totals.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- options -------------------------------------------------------------------------- */

static const char usage[] =
	"usage: wm-sim [--seeds N] [--from S] | --minutes M [--from S] | --seed S [--trace]\n"
	"\n"
	"Runs the controller's and the nodes' decisions in virtual time on a simulated network,\n"
	"disk and rack, where anything may fail, and checks that the output is exact.\n"
	"\n"
	"  --seeds N      so many seeds (default: 1000)\n"
	"  --from S       the first of them (default: 1)\n"
	"  --minutes M    as many seeds as fit\n"
	"  --seed S       this seed only\n"
	"  --trace        tells everything that happens\n"
	"  --stop         ends with the first violation\n"
	"  --hash         a line for each seed: equal for equal runs\n"
	"  --bug NAME     with a bug planted\n"
	"  --list-bugs    the names of those\n"
	"  --help         this text\n"
	"\n"
	"Exit status: 0 no violation, 1 at least one, 2 wrong usage.\n";

static int list_bugs(void)
{
	for (int i = SIM_BUG_NONE + 1; i < SIM_BUGS; i++)
		puts(sim_bug_name((enum sim_bug)i));
	return EXIT_SUCCESS;
}

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "wm-sim: %s: '%s'; see wm-sim --help\n", what, value);
	return 2;
}

static int parse_number(uint64_t *number, const char *option, const char *text)
{
	return wm_number_parse(text, 0, UINT64_MAX, number) < 0 ? complain(option, text) : 0;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "seeds", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "seed", required_argument, NULL, 's' },
		{ "trace", no_argument, NULL, 't' },
		{ "hash", no_argument, NULL, 'h' },
		{ "bug", required_argument, NULL, 'b' },
		{ "list-bugs", no_argument, NULL, 'l' },
		{ "stop", no_argument, NULL, 'x' },
		{ "help", no_argument, NULL, '?' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .first = 1, .count = 1000 };
	int option, status = 0;

	opterr = 0;
	while (status == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'n':
			status = parse_number(&options.count, "--seeds is a whole number", optarg);
			break;
		case 'f':
			status = parse_number(&options.first, "--from is a whole number", optarg);
			break;
		case 'm':
			status = parse_number(&options.minutes, "--minutes is a whole number",
					      optarg);
			break;
		case 's':
			status = parse_number(&options.first, "--seed is a whole number", optarg);
			options.count = 1;
			options.hash = true;
			break;
		case 't':
			options.trace = true;
			break;
		case 'h':
			options.hash = true;
			break;
		case 'x':
			options.stop = true;
			break;
		case 'b':
			sim_bug = sim_bug_find(optarg);
			if (sim_bug == SIM_BUGS)
				status = complain("no such bug", optarg);
			break;
		case 'l':
			return list_bugs();
		default:
			if (optopt == 0) {
				fputs(usage, stdout);
				return EXIT_SUCCESS;
			}
			status = complain("no such option", argv[optind - 1]);
			break;
		}
	}
	if (status == 0 && optind < argc)
		status = complain("unexpected", argv[optind]);
	if (status)
		return status;
	signal(SIGABRT, say_seed);
	signal(SIGSEGV, say_seed);
	return run(&options);
}
