/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_ether.h>

#include "bucket.h"
#include "clock.h"
#include "number.h"
#include "replay.h"
#include "search.h"
#include "traffic.h"
#include "wiremill/limits.h"
#include "wrap.h"

#define DURATION_DEFAULT_NS (10 * WM_NS_PER_S)
#define DURATION_MAX_S (365u * 24 * 3600)
/* RFC 2544 section 23: two seconds for what is still on its way. */
#define IDLE_DEFAULT_NS (2 * WM_NS_PER_S)
#define FLOWS_DEFAULT_SOURCE 16u
#define FLOWS_MAX 4096u
#define PPM 1000000u
#define SPEED_MIN_PPM (PPM / 1000)
#define SPEED_MAX_PPM (PPM * 1000)
#define SPEED_WANTED "a factor from 0.001 to 1000, such as 2 or 0.5x"
#define SNAP_BYTES_MAX 65535u

static const char *const ops[] = { "echo", "map", NULL };
static const char *const lives[] = { [WM_LIVE_AUTO] = "auto",
				     [WM_LIVE_SCREEN] = "screen",
				     [WM_LIVE_LINES] = "lines",
				     [WM_LIVE_OFF] = "off",
				     NULL };

/* ---- values that only this program has ------------------------------------------ */

/* "2", "0.5x": so many millionths. */
static int take_speed(const struct wm_option *option, void *values, const char *text,
		      struct wm_error *error)
{
	struct wm_gen_options *options = values;
	struct wm_decimal factor;
	const char *rest = text;
	uint64_t ppm;

	if (!wm_decimal_read(&rest, &factor) || (*rest && strcmp(rest, "x") != 0))
		return wm_option_refuse(option, SPEED_WANTED, text, error);
	ppm = wm_decimal_scale(factor, PPM, 1, SPEED_MAX_PPM, NULL);
	if (ppm < SPEED_MIN_PPM || ppm > SPEED_MAX_PPM)
		return wm_option_refuse(option, SPEED_WANTED, text, error);
	options->speed_ppm = (uint32_t)ppm;
	return 0;
}

static int take_mac(const struct wm_option *option, void *values, const char *text,
		    struct wm_error *error)
{
	struct wm_gen_options *options = values;
	struct rte_ether_addr mac;

	if (rte_ether_unformat_addr(text, &mac) < 0 || !rte_is_unicast_ether_addr(&mac))
		return wm_option_refuse(option, "a machine's address such as 02:00:00:00:00:07",
					text, error);
	memcpy(options->mac, mac.addr_bytes, sizeof(options->mac));
	options->has_mac = true;
	return 0;
}

/* ---- the table ----------------------------------------------------------------- */

#define BIT(command) (1u << (command))
#define ALL (BIT(WM_GEN_COMMANDS) - 1)
#define RECEIVERS (BIT(WM_GEN_RECEIVE) | BIT(WM_GEN_ECHO))
#define REPLAY BIT(WM_GEN_REPLAY)
#define SENDERS (ALL & ~RECEIVERS & ~BIT(WM_GEN_RUN))
#define PROBERS (SENDERS & ~REPLAY)
#define STEPS (ALL & ~BIT(WM_GEN_RUN))
#define NUMBERED (STEPS & ~REPLAY)
#define SEARCHES (BIT(WM_GEN_THROUGHPUT) | BIT(WM_GEN_CRITICAL))
#define MAPPERS (BIT(WM_GEN_ROUNDTRIP) | SEARCHES)
#define FIELD(field) WM_OPTION_FIELD(struct wm_gen_options, field)
/* A year: longer is a mistake. */
#define TIME(field_)                                                                  \
	.type = WM_OPTION_DURATION, FIELD(field_), .unit_ns = 1, .min = WM_NS_PER_US, \
	.max = DURATION_MAX_S * WM_NS_PER_S
#define COUNT(field_, max_) .type = WM_OPTION_COUNT, FIELD(field_), .min = 1, .max = (max_)
/* Below all. */
#define SHARE(field_) .type = WM_OPTION_SHARE, FIELD(field_), .min = 1, .max = PPM - 1

static const struct wm_option rows[] = {
	{ .name = "interface",
	  .value_name = "IF",
	  .type = WM_OPTION_TEXT,
	  FIELD(device.interface),
	  .help = "a kernel network interface, through DPDK's net_af_packet" },
	{ .name = "vdev",
	  .value_name = "ARGS",
	  .type = WM_OPTION_TEXT,
	  FIELD(device.vdev),
	  .help = "any DPDK virtual device, as EAL's --vdev takes it" },
	{ .name = "pci",
	  .value_name = "ADDRESS",
	  .type = WM_OPTION_TEXT,
	  FIELD(device.pci),
	  .help = "a PCI device bound to a DPDK driver" },
	{ .name = "mtu",
	  .value_name = "M",
	  .type = WM_OPTION_COUNT,
	  FIELD(device.mtu),
	  .min = WM_MTU_MIN,
	  .max = WM_MTU_MAX,
	  .help = "of what --pci or --vdev names (the largest up to 9000 that it can have)" },
	{ .name = "lcores",
	  .value_name = "LIST",
	  .type = WM_OPTION_TEXT,
	  FIELD(lcores),
	  .help = "cores as EAL's --lcores takes them: the first controls, the second polls (the "
		  "first two that may be used)" },
	{ .name = "key",
	  .value_name = "FILE",
	  .only = PROBERS | BIT(WM_GEN_RUN),
	  .type = WM_OPTION_PATH,
	  FIELD(key_path),
	  .help = "the cluster key, for nodes that have one" },
	{ .name = "node",
	  .value_name = "NAME,...",
	  .only = PROBERS,
	  .type = WM_OPTION_TEXT,
	  FIELD(nodes),
	  .help = "these nodes (all that come)" },
	{ .name = "nodes",
	  .value_name = "N",
	  .only = PROBERS,
	  COUNT(node_count, WM_NODES_MAX),
	  .help = "all nodes, N at least" },
	{ .name = "mac",
	  .value_name = "ADDRESS",
	  .only = SENDERS,
	  .type = WM_OPTION_CUSTOM,
	  .take = take_mac,
	  .help = "no node, but the machine there, such as one that runs 'wiremill-gen echo'; to "
		  "replay: where all frames go (as recorded)" },
	{ .name = "one-by-one",
	  .only = PROBERS,
	  .type = WM_OPTION_FLAG,
	  FIELD(one_by_one),
	  .help = "each node alone, not all at once" },
	{ .name = "wait",
	  .value_name = "TIME",
	  .only = PROBERS,
	  TIME(wait_ns),
	  .preset = "20s",
	  .help = "for the nodes" },
	{ .name = "op",
	  .value_name = "OP",
	  .only = MAPPERS,
	  .type = WM_OPTION_TEXT,
	  FIELD(op),
	  .choices = ops,
	  .preset = "echo",
	  .help = "echo: answered before a node's GPU; map: computed by it" },
	{ .name = "kernel",
	  .value_name = "NAME",
	  .only = MAPPERS,
	  .type = WM_OPTION_TEXT,
	  FIELD(kernel_name),
	  .preset = "xor",
	  .help = "of --op map" },
	{ .name = "size",
	  .value_name = "LIST",
	  .only = PROBERS,
	  .type = WM_OPTION_TEXT,
	  FIELD(sizes_text),
	  .help = "of frames, with FCS: 64,1518 64-1518:64 imix jumbo rfc2544 (64; jumbo to map)" },
	{ .name = "rate",
	  .value_name = "RATE",
	  .only = SENDERS,
	  .type = WM_OPTION_TEXT,
	  FIELD(rate_text),
	  .help = "10kpps, 900mbit on the wire, 900mbit/l2 of frames, 50% of the line, max (max; "
		  "to replay: when they came); a search begins there (max: at the line's)" },
	{ .name = "line-rate",
	  .value_name = "BITS",
	  .only = SENDERS | BIT(WM_GEN_RUN),
	  .type = WM_OPTION_RATE,
	  FIELD(line_bits_per_s),
	  .min = 1,
	  .max = WM_RATE_PER_S_MAX,
	  .help = "the link's speed, where the port does not say it" },
	{ .name = "burst",
	  .value_name = "N",
	  .only = SENDERS,
	  COUNT(burst, WM_BUCKET_BURST_MAX),
	  .preset = "1",
	  .help = "frames back to back, then a pause" },
	{ .name = "depth",
	  .value_name = "TIME",
	  .only = SENDERS,
	  TIME(depth_ns),
	  .preset = "1ms",
	  /* What it may catch up at full speed must not be more than a switch holds. */
	  .help = "how far behind its schedule the sender may be and catch up; any, to recorded "
		  "times" },
	{ .name = "window",
	  .value_name = "N",
	  .only = PROBERS,
	  COUNT(window, 65536),
	  .help = "frames in flight to one target at most (no bound)" },
	{ .name = "flows",
	  .value_name = "N",
	  .only = NUMBERED,
	  COUNT(flows, FLOWS_MAX),
	  .help = "to each target (1), or from each source at most (16)" },
	{ .name = "count",
	  .value_name = "N",
	  .only = STEPS,
	  COUNT(count, UINT64_MAX),
	  .help = "of frames, then it ends; of a search: each trial" },
	{ .name = "duration",
	  .value_name = "TIME",
	  .only = STEPS,
	  TIME(duration_ns),
	  .help = "then it ends, or each trial of a search (10s to send without --count, until "
		  "Ctrl-C to receive, one pass to replay)" },
	{ .name = "idle",
	  .value_name = "TIME",
	  .only = NUMBERED,
	  TIME(idle_ns),
	  .help = "without a frame: what is missing is lost (2s; to transmit nothing is waited "
		  "for); to receive: then it ends (never)" },
	{ .name = "speed",
	  .value_name = "FACTOR",
	  .only = REPLAY,
	  .type = WM_OPTION_CUSTOM,
	  .take = take_speed,
	  .help = "of the recorded times: 2 is twice as fast (1)" },
	{ .name = "loop",
	  .value_name = "N",
	  .only = REPLAY,
	  COUNT(passes, UINT64_MAX),
	  .help = "passes over the file (1; with --count or --duration as many as it takes)" },
	{ .name = "keep-source",
	  .only = REPLAY,
	  .type = WM_OPTION_FLAG,
	  FIELD(keep_source),
	  .help = "the recorded source address, which switches learn to be here (the port's own)" },
	{ .name = "resolution",
	  .value_name = "SHARE",
	  .only = SEARCHES,
	  SHARE(resolution_ppm),
	  .preset = "1%",
	  .help = "of the highest rate, to which it is searched" },
	{ .name = "tolerate",
	  .value_name = "SHARE",
	  .only = SEARCHES,
	  SHARE(tolerated_ppm),
	  .help = "of the frames that may be lost (none)" },
	{ .name = "confidence",
	  .value_name = "SHARE",
	  .only = BIT(WM_GEN_CRITICAL),
	  SHARE(confidence_ppm),
	  .preset = "95%",
	  .help = "that few trials at the rate found would lose a frame" },
	{ .name = "failure",
	  .value_name = "SHARE",
	  .only = BIT(WM_GEN_CRITICAL),
	  SHARE(failure_ppm),
	  .preset = "10%",
	  .help = "how few: so many of all trials" },
	{ .name = "keep-going",
	  .only = BIT(WM_GEN_RUN),
	  .type = WM_OPTION_FLAG,
	  FIELD(keep_going),
	  .help = "with the steps behind one that fails" },
	{ .name = "json",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  FIELD(json_path),
	  .help = "the result as JSON, which wiremill-plot draws; - is stdout" },
	{ .name = "csv",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  FIELD(csv_path),
	  .help = "the result as CSV; - is stdout" },
	{ .name = "write",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  FIELD(write_path),
	  .help = "all frames that the port sends and receives, as pcapng" },
	{ .name = "snaplen",
	  .value_name = "BYTES",
	  COUNT(snap_bytes, SNAP_BYTES_MAX),
	  .help = "what --write keeps of a frame (all; a cut one cannot be replayed)" },
	{ .name = "live",
	  .value_name = "HOW",
	  .type = WM_OPTION_CHOICE,
	  FIELD(live),
	  .choices = lives,
	  .preset = "auto",
	  .help = "what is shown while it runs: screen, lines, off, or auto, a screen where stderr "
		  "is a terminal (lines where it cannot be drawn over), else off" },
};

/* ---- the commands ---------------------------------------------------------------- */

#define COMMAND(command_, name_, operand_, summary_)             \
	[command_] = { .name = PROGRAM " " name_,                \
		       .version = VERSION,                       \
		       .summary = summary_,                      \
		       .usage = operand_ PORTS,                  \
		       .operand = (operand_)[0] ? "FILE" : NULL, \
		       .command = BIT(command_),                 \
		       .sets = { { rows, ROWS } } }
#define PROGRAM "wiremill-gen"
#define VERSION PROGRAM " " WM_VERSION
#define PORTS "--interface IF | --vdev ARGS | --pci ADDRESS [option ...]"
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct wm_option_schema commands[WM_GEN_COMMANDS] = {
	COMMAND(WM_GEN_TRANSMIT, "transmit", "", "sends"),
	COMMAND(WM_GEN_RECEIVE, "receive", "", "counts what comes"),
	COMMAND(WM_GEN_ECHO, "echo", "", "sends back what comes"),
	COMMAND(WM_GEN_ROUNDTRIP, "roundtrip", "", "sends, and counts what comes back"),
	COMMAND(WM_GEN_THROUGHPUT, "throughput", "",
		"searches the highest rate at which nothing is lost (RFC 2544)"),
	COMMAND(WM_GEN_CRITICAL, "critical", "",
		"searches the highest rate that passes so many trials that chance is excluded"),
	COMMAND(WM_GEN_REPLAY, "replay", "FILE ",
		"sends the frames of a pcap or pcapng, at the times at which they came; from the "
		"port's own address, else as they are"),
	COMMAND(WM_GEN_RUN, "run", "FILE ",
		"steps, one such command a line, on the same port (- reads them from standard "
		"input); the first that fails ends it"),
};

const struct wm_option_schema wm_gen_schema = {
	.name = PROGRAM,
	.version = VERSION,
	.usage = "COMMAND " PORTS,
	.about = "Measures a network with frames of its own (EtherType 0x88B5). It stands in the "
		 "place of a controller: nodes answer it, and so does another wiremill-gen. "
		 "'wiremill-gen COMMAND --help' has the options of that command alone.",
	.notes = "Exit status: 0 it ran, 1 it failed, 2 wrong usage. Ctrl-C ends what runs and "
		 "shows what it found.",
	.commands = commands,
	.command_count = WM_GEN_COMMANDS,
	.sets = { { rows, ROWS } },
};

const char *wm_gen_command_name(enum wm_gen_command command)
{
	return commands[command].name + strlen(PROGRAM " ");
}

static int find_command(const char *word, enum wm_gen_command *command, struct wm_error *error)
{
	for (unsigned i = 0; i < WM_GEN_COMMANDS; i++) {
		if (strcmp(word, wm_gen_command_name((enum wm_gen_command)i)) == 0) {
			*command = (enum wm_gen_command)i;
			return 0;
		}
	}
	return wm_error_set(error, EINVAL, "there is no command '%s'", word);
}

/* ---- what goes together ------------------------------------------------------------ */

static bool maps(const struct wm_gen_options *options)
{
	return strcmp(options->op, "map") == 0;
}

/* Where nothing is said of it. */
static void set_end(struct wm_gen_options *options)
{
	if (options->command == WM_GEN_REPLAY && options->passes == 0)
		options->passes = 1;
	if (BIT(options->command) & PROBERS)
		options->duration_ns = DURATION_DEFAULT_NS;
}

static void set_defaults(struct wm_gen_options *options)
{
	bool receives = BIT(options->command) & RECEIVERS;

	if (!options->sizes_text)
		options->sizes_text = maps(options) ? "jumbo" : "64";
	if (!options->rate_text && options->command != WM_GEN_REPLAY)
		options->rate_text = "max"; /* else as recorded */
	if (options->speed_ppm == 0)
		options->speed_ppm = WM_REPLAY_SPEED_ONE_PPM;
	if (options->duration_ns == 0 && options->count == 0)
		set_end(options);
	if (options->idle_ns == 0 && !receives)
		options->idle_ns = IDLE_DEFAULT_NS;
	if (options->flows == 0)
		options->flows = receives ? FLOWS_DEFAULT_SOURCE : 1;
}

static int check_op(const struct wm_gen_options *options, struct wm_error *error)
{
	if (maps(options) && (options->has_mac || options->flows > 1))
		return wm_error_set(error, EINVAL,
				    "--op map is for nodes, with one flow: not with --%s",
				    options->has_mac ? "mac" : "flows");
	return 0;
}

/* Of those that exclude each other. */
static int check_whole(const struct wm_gen_options *options, struct wm_error *error)
{
	if (options->has_mac && (options->nodes || options->node_count || options->one_by_one))
		return wm_error_set(error, EINVAL,
				    "--mac names one machine, which is no node: "
				    "not with --node, --nodes or --one-by-one");
	if (options->nodes && options->node_count)
		return wm_error_set(error, EINVAL, "either --node or --nodes");
	if (options->rate_text && options->speed_ppm > 0)
		return wm_error_set(error, EINVAL, "either --rate or --speed");
	if (options->snap_bytes > 0 && !options->write_path)
		return wm_error_set(error, EINVAL, "--snaplen is for --write");
	if (options->json_path && options->csv_path && strcmp(options->json_path, "-") == 0 &&
	    strcmp(options->csv_path, "-") == 0)
		return wm_error_set(error, EINVAL,
				    "--json - and --csv - would both be on standard output: name "
				    "a file for one of them");
	return 0;
}

int wm_gen_options_parse(struct wm_gen_options *options, int argc, char **argv,
			 struct wm_error *error)
{
	void *const values[WM_OPTION_SETS] = { options };
	struct wm_option_line line;
	int ret = find_command(argv[0], &options->command, error);

	if (ret == 0)
		ret = wm_option_parse(&commands[options->command], values, argc - 1, argv + 1,
				      &line, error);
	if (ret < 0)
		return ret;
	options->request = line.request;
	options->file = line.operand;
	if (options->request != WM_OPTION_RUN)
		return 0;
	ret = check_whole(options, error);
	if (ret < 0)
		return ret;
	set_defaults(options);
	return check_op(options, error);
}

void wm_gen_options_print_help(enum wm_gen_command command)
{
	wm_option_print_help(&commands[command], stdout, wm_wrap_page(stdout));
}

bool wm_gen_options_send(const struct wm_gen_options *options)
{
	return BIT(options->command) & SENDERS;
}

bool wm_gen_options_want_nodes(const struct wm_gen_options *options)
{
	return options->command == WM_GEN_RUN ||
	       ((BIT(options->command) & PROBERS) && !options->has_mac);
}

/* The sizes must hold something to compute. */
static int take_kernel(struct wm_gen_options *options, struct wm_error *error)
{
	options->kernel = wm_kernel_find(options->kernel_name);
	if (!options->kernel)
		return wm_error_set(error, EINVAL, "there is no kernel '%s'", options->kernel_name);
	for (uint32_t i = 0; i < options->sizes.count; i++) {
		if (wm_traffic_elements(options->kernel, options->sizes.points[i].first) == 0)
			return wm_error_set(error, EINVAL,
					    "frames of %s bytes are too small for a batch of %s",
					    options->sizes.points[i].name, options->kernel->name);
	}
	return 0;
}

/* The search begins at --rate, or else at the line's. */
static int check_search(struct wm_gen_options *options, uint64_t line_bits_per_s,
			struct wm_error *error)
{
	uint32_t trials = wm_search_trials_for(options->confidence_ppm, options->failure_ppm);

	if (!(BIT(options->command) & SEARCHES))
		return 0;
	if (trials > WM_SEARCH_TRIALS_EACH_MAX)
		return wm_error_set(error, EINVAL,
				    "--confidence and --failure ask for %" PRIu32
				    " trials of each rate, more than %u",
				    trials, WM_SEARCH_TRIALS_EACH_MAX);
	if (options->rate.unit != WM_RATE_MAX)
		return 0;
	if (line_bits_per_s == 0)
		return wm_error_set(
			error, EINVAL,
			"a search needs a rate to begin at: give --rate or --line-rate");
	options->rate = (struct wm_rate){ WM_RATE_BITS_L1, line_bits_per_s };
	return 0;
}

int wm_gen_options_complete(struct wm_gen_options *options, uint16_t mtu, uint64_t line_bits_per_s,
			    struct wm_error *error)
{
	int ret = wm_sizes_parse(options->sizes_text, mtu, &options->sizes, error);

	options->rate = (struct wm_rate){ WM_RATE_RECORDED, options->speed_ppm };
	if (ret == 0 && options->rate_text)
		ret = wm_rate_parse(options->rate_text, line_bits_per_s, &options->rate, error);
	if (ret == 0 && maps(options))
		ret = take_kernel(options, error);
	return ret < 0 ? ret : check_search(options, line_bits_per_s, error);
}
