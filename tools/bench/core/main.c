/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wm-core-load: what a batch costs the core, by a load that is the same each time (load.h).
 *
 * It prints nanoseconds a batch, and the memory of it all. Instructions are counted
 * from outside: valgrind --tool=callgrind --toggle-collect=load_run.
 */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "clock.h"
#include "load.h"
#include "number.h"
#include "wiremill/limits.h"

#define BATCHES_MAX 1000000000ull
#define MILLION 1000000ull

struct options {
	uint64_t nodes, bytes, batches, loss, audit;
	bool middle, frames;
};

static const char usage_text[] =
	"Usage: wm-core-load [OPTION]...\n"
	"Runs the controller's decisions in virtual time and says what they cost.\n"
	"\n"
	"  --nodes N      1 to 1024 (12)\n"
	"  --bytes SIZE   of the job's input, as 12G or 12T (1G)\n"
	"  --batches N    to run after those that warm up (1000000)\n"
	"  --middle       half of the job was made before, and its journal is replayed\n"
	"  --loss PPM     so many of a million batches are lost (0)\n"
	"  --audit PPM    so many of a million are computed twice (0)\n"
	"  --frames       with the checks of each frame's header\n"
	"  --help         print this text\n"
	"\n"
	"Prints one JSON object. Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static int parse_one(struct options *options, int key)
{
	switch (key) {
	case 'n':
		return wm_number_parse(optarg, 1, WM_NODES_MAX, &options->nodes);
	case 's':
		return wm_number_parse_bytes(optarg, 64, 1ull << 50, &options->bytes);
	case 'b':
		return wm_number_parse(optarg, 1, BATCHES_MAX, &options->batches);
	case 'l':
		return wm_number_parse(optarg, 0, MILLION / 2, &options->loss);
	case 'a':
		return wm_number_parse(optarg, 0, MILLION - 1, &options->audit);
	case 'm':
		options->middle = true;
		return 0;
	case 'f':
		options->frames = true;
		return 0;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		return -1;
	}
}

static int parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "nodes", required_argument, NULL, 'n' },
		{ "bytes", required_argument, NULL, 's' },
		{ "batches", required_argument, NULL, 'b' },
		{ "loss", required_argument, NULL, 'l' },
		{ "audit", required_argument, NULL, 'a' },
		{ "middle", no_argument, NULL, 'm' },
		{ "frames", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int key;

	*options = (struct options){ .nodes = 12, .bytes = 1ull << 30, .batches = 1000000 };
	while ((key = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (parse_one(options, key) < 0)
			return -1;
	}
	/* A broken vector at the end is nobody's. */
	options->bytes -= options->bytes % 32;
	return optind == argc ? 0 : -1;
}

static struct load *create(const struct options *options)
{
	struct load_config config = {
		.nodes = (uint32_t)options->nodes,
		.input_bytes = options->bytes,
		.loss = (uint32_t)options->loss,
		.audit = (uint32_t)((options->audit << 32) / MILLION),
		.frames = options->frames,
	};

	if (options->middle)
		config.replayed = options->bytes / WM_EXTENT_BYTES / 2;
	return load_create(&config);
}

static uint64_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static uint64_t memory_peak_bytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_maxrss * 1024;
}

int main(int argc, char **argv)
{
	uint64_t warm, done, began_ns, ns, heap = heap_bytes();
	struct options options;
	struct load *load;

	if (parse(&options, argc, argv) < 0) {
		fputs("wm-core-load: wrong usage; see wm-core-load --help\n", stderr);
		return 2;
	}
	load = create(&options);
	if (!load) {
		fputs("wm-core-load: no memory, or --bytes is no job\n", stderr);
		return 1;
	}
	warm = load_run(load, options.batches / 10);
	began_ns = wm_clock_ns();
	done = load_run(load, options.batches) - warm;
	ns = wm_clock_ns() - began_ns;
	if (done < options.batches) {
		fputs("wm-core-load: the job is shorter than --batches and a tenth of it: make "
		      "--bytes larger\n",
		      stderr);
		return 1;
	}
	printf("{\"nodes\": %llu, \"bytes\": %llu, \"extents\": %llu, \"batches\": %llu, "
	       "\"ns_per_batch\": %.2f, \"heap_bytes\": %llu, \"memory_peak_bytes\": %llu}\n",
	       (unsigned long long)options.nodes, (unsigned long long)options.bytes,
	       (unsigned long long)load_extents(load), (unsigned long long)done,
	       (double)ns / (double)done, (unsigned long long)(heap_bytes() - heap),
	       (unsigned long long)memory_peak_bytes());
	load_destroy(&load);
	return 0;
}
