/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
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
#define WAIT_DEFAULT_NS (20 * WM_NS_PER_S)
/* What a sender may catch up at full speed must not be more than a switch holds. */
#define DEPTH_DEFAULT_NS (1 * WM_NS_PER_MS)
#define FLOWS_DEFAULT_SOURCE 16u
#define FLOWS_MAX 4096u
#define PPM 1000000u
#define SPEED_MIN_PPM (PPM / 1000)
#define SPEED_MAX_PPM (PPM * 1000)
#define SNAP_BYTES_MAX 65535u

/* How a value is read, and so what `offset` points to. */
enum option_kind {
	OPTION_TEXT,  /* const char * */
	OPTION_FLAG,  /* bool */
	OPTION_U32,   /* uint32_t, 1 .. max */
	OPTION_U64,   /* uint64_t, 1 .. max */
	OPTION_TIME,  /* uint64_t, ns */
	OPTION_LINE,  /* uint64_t, bits a second */
	OPTION_SHARE, /* uint32_t, of a million */
	OPTION_SPEED, /* uint32_t, in millionths */
	OPTION_MAC,   /* of the target */
	OPTION_MTU,   /* uint16_t */
};

struct option_row {
	const char *name;
	const char *value_name; /* NULL: a flag */
	unsigned commands;	/* a bit each */
	enum option_kind kind;
	size_t offset;
	uint64_t max;
	const char *help;
};

static const char *const command_names[WM_GEN_COMMANDS] = {
	[WM_GEN_TRANSMIT] = "transmit",
	[WM_GEN_RECEIVE] = "receive",
	[WM_GEN_ECHO] = "echo",
	[WM_GEN_ROUNDTRIP] = "roundtrip",
	[WM_GEN_THROUGHPUT] = "throughput",
	[WM_GEN_CRITICAL] = "critical",
	[WM_GEN_REPLAY] = "replay",
	[WM_GEN_RUN] = "run",
};

const char *wm_gen_command_name(enum wm_gen_command command)
{
	return command_names[command];
}

/* ---- values ------------------------------------------------------------------ */

static int bad_value(const char *name, const char *value, const char *wanted,
		     struct wm_error *error)
{
	return wm_error_set(error, EINVAL, "--%s is %s, not '%s'", name, wanted, value);
}

static int take_number(const char *name, const char *value, uint64_t max, uint64_t *number,
		       struct wm_error *error)
{
	char wanted[64];

	if (wm_number_parse(value, 1, max, number) == 0)
		return 0;
	snprintf(wanted, sizeof(wanted), "a number from 1 to %" PRIu64, max);
	return bad_value(name, value, wanted, error);
}

/* "250ms", "10s", "5m", "2h", "90" */
static int take_time(const char *name, const char *value, uint64_t *time_ns, struct wm_error *error)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = {
		{ "us", WM_NS_PER_US },	   { "ms", WM_NS_PER_MS },	{ "s", WM_NS_PER_S },
		{ "m", 60 * WM_NS_PER_S }, { "h", 3600 * WM_NS_PER_S }, { "", WM_NS_PER_S },
	};
	size_t digits = strspn(value, "0123456789");
	uint64_t number, max_ns = DURATION_MAX_S * WM_NS_PER_S;
	char text[24];

	snprintf(text, sizeof(text), "%.*s", (int)(digits < sizeof(text) ? digits : 0), value);
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(value + digits, units[i].suffix) != 0)
			continue;
		if (wm_number_parse(text, 1, max_ns / units[i].ns, &number) < 0)
			break;
		*time_ns = number * units[i].ns;
		return 0;
	}
	return bad_value(name, value, "a time such as 500us, 250ms, 10s, 5m or 2h", error);
}

static int take_line(const char *name, const char *value, uint64_t *bits_per_s,
		     struct wm_error *error)
{
	struct wm_rate rate;
	int ret = wm_rate_parse(value, 0, &rate, error);

	if (ret < 0 || rate.unit != WM_RATE_BITS_L1)
		return bad_value(name, value, "the link's speed such as 10Gbit", error);
	*bits_per_s = rate.per_s;
	return 0;
}

/* A rate of a line of a million is a share. */
static int take_share(const char *name, const char *value, uint32_t *ppm, struct wm_error *error)
{
	struct wm_rate rate;

	if (!strchr(value, '%') || wm_rate_parse(value, PPM, &rate, NULL) < 0 ||
	    rate.unit != WM_RATE_BITS_L1 || rate.per_s >= PPM)
		return bad_value(name, value, "a share below 100%, such as 0.5%", error);
	*ppm = (uint32_t)rate.per_s;
	return 0;
}

/* "2", "0.5x": a rate of so many million frames is that many millionths. */
static int take_speed(const char *name, const char *value, uint32_t *ppm, struct wm_error *error)
{
	size_t digits = strspn(value, "0123456789.");
	struct wm_rate rate;
	char text[32];

	snprintf(text, sizeof(text), "%.*sMpps", (int)(digits < 16 ? digits : 0), value);
	if ((value[digits] && strcmp(value + digits, "x") != 0) ||
	    wm_rate_parse(text, 0, &rate, NULL) < 0 || rate.per_s < SPEED_MIN_PPM ||
	    rate.per_s > SPEED_MAX_PPM)
		return bad_value(name, value, "a factor from 0.001 to 1000, such as 2 or 0.5x",
				 error);
	*ppm = (uint32_t)rate.per_s;
	return 0;
}

static int take_mtu(const char *name, const char *value, uint16_t *mtu, struct wm_error *error)
{
	uint64_t number;

	if (wm_number_parse(value, WM_MTU_MIN, WM_MTU_MAX, &number) < 0)
		return bad_value(name, value, "a number from 1280 to 9000", error);
	*mtu = (uint16_t)number;
	return 0;
}

static int take_mac(struct wm_gen_options *options, const char *name, const char *value,
		    struct wm_error *error)
{
	struct rte_ether_addr mac;

	if (rte_ether_unformat_addr(value, &mac) < 0 || !rte_is_unicast_ether_addr(&mac))
		return bad_value(name, value, "a machine's address such as 02:00:00:00:00:07",
				 error);
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
#define FIELD(field) offsetof(struct wm_gen_options, field)

static const struct option_row rows[] = {
	{ "interface", "IF", ALL, OPTION_TEXT, FIELD(device.interface), 0,
	  "a kernel network interface, through DPDK's net_af_packet" },
	{ "vdev", "ARGS", ALL, OPTION_TEXT, FIELD(device.vdev), 0,
	  "any DPDK virtual device, as EAL's --vdev takes it" },
	{ "pci", "ADDRESS", ALL, OPTION_TEXT, FIELD(device.pci), 0,
	  "a PCI device bound to a DPDK driver" },
	{ "mtu", "M", ALL, OPTION_MTU, FIELD(device.mtu), 0,
	  "of what --pci or --vdev names (the largest up to 9000 that it can have)" },
	{ "lcores", "LIST", ALL, OPTION_TEXT, FIELD(lcores), 0,
	  "cores as EAL's --lcores takes them: the first controls, the second polls (the "
	  "first two that may be used)" },
	{ "key", "FILE", PROBERS | BIT(WM_GEN_RUN), OPTION_TEXT, FIELD(key_path), 0,
	  "the cluster key, for nodes that have one" },

	{ "node", "NAME,...", PROBERS, OPTION_TEXT, FIELD(nodes), 0,
	  "these nodes (all that come)" },
	{ "nodes", "N", PROBERS, OPTION_U32, FIELD(node_count), WM_NODES_MAX,
	  "all nodes, N at least" },
	{ "mac", "ADDRESS", SENDERS, OPTION_MAC, 0, 0,
	  "no node, but the machine there, such as one that runs 'wiremill-gen echo'; to "
	  "replay: where all frames go (as recorded)" },
	{ "one-by-one", NULL, PROBERS, OPTION_FLAG, FIELD(one_by_one), 0,
	  "each node alone, not all at once" },
	{ "wait", "TIME", PROBERS, OPTION_TIME, FIELD(wait_ns), 0, "for the nodes (20s)" },

	{ "op", "OP", MAPPERS, OPTION_TEXT, FIELD(op), 0,
	  "echo: answered before a node's GPU; map: computed by it (echo)" },
	{ "kernel", "NAME", MAPPERS, OPTION_TEXT, FIELD(kernel_name), 0, "of --op map (xor)" },

	{ "size", "LIST", PROBERS, OPTION_TEXT, FIELD(sizes_text), 0,
	  "of frames, with FCS: 64,1518 64-1518:64 imix jumbo rfc2544 (64; jumbo to map)" },
	{ "rate", "RATE", SENDERS, OPTION_TEXT, FIELD(rate_text), 0,
	  "10kpps, 900mbit on the wire, 900mbit/l2 of frames, 50% of the line, max (max; to "
	  "replay: when they came)" },
	{ "line-rate", "BITS", SENDERS | BIT(WM_GEN_RUN), OPTION_LINE, FIELD(line_bits_per_s), 0,
	  "the link's speed, where the port does not say it" },
	{ "burst", "N", SENDERS, OPTION_U32, FIELD(burst), WM_BUCKET_BURST_MAX,
	  "frames back to back, then a pause (1)" },
	{ "depth", "TIME", SENDERS, OPTION_TIME, FIELD(depth_ns), 0,
	  "how far behind its schedule the sender may be and catch up (1ms; any, to recorded "
	  "times)" },
	{ "window", "N", PROBERS, OPTION_U32, FIELD(window), 65536,
	  "frames in flight to one target at most (no bound)" },
	{ "flows", "N", NUMBERED, OPTION_U32, FIELD(flows), FLOWS_MAX,
	  "to each target (1), or from each source at most (16)" },
	{ "count", "N", STEPS, OPTION_U64, FIELD(count), UINT64_MAX, "of frames, then it ends" },
	{ "duration", "TIME", STEPS, OPTION_TIME, FIELD(duration_ns), 0,
	  "then it ends (10s to send without --count, until Ctrl-C to receive, one pass to "
	  "replay)" },
	{ "idle", "TIME", NUMBERED, OPTION_TIME, FIELD(idle_ns), 0,
	  "without a frame: what is missing is lost (2s); to receive: then it ends" },

	{ "speed", "FACTOR", REPLAY, OPTION_SPEED, FIELD(speed_ppm), 0,
	  "of the recorded times: 2 is twice as fast (1)" },
	{ "loop", "N", REPLAY, OPTION_U64, FIELD(passes), UINT64_MAX,
	  "passes over the file (1; with --count or --duration as many as it takes)" },
	{ "keep-source", NULL, REPLAY, OPTION_FLAG, FIELD(keep_source), 0,
	  "the recorded source address, which switches learn to be here (the port's own)" },

	{ "resolution", "SHARE", SEARCHES, OPTION_SHARE, FIELD(resolution_ppm), 0,
	  "of the highest rate, to which it is searched (1%)" },
	{ "tolerate", "SHARE", SEARCHES, OPTION_SHARE, FIELD(tolerated_ppm), 0,
	  "of the frames that may be lost (none)" },
	{ "confidence", "SHARE", BIT(WM_GEN_CRITICAL), OPTION_SHARE, FIELD(confidence_ppm), 0,
	  "that few trials at the rate found would lose a frame (95%)" },
	{ "failure", "SHARE", BIT(WM_GEN_CRITICAL), OPTION_SHARE, FIELD(failure_ppm), 0,
	  "how few: so many of all trials (10%)" },

	{ "keep-going", NULL, BIT(WM_GEN_RUN), OPTION_FLAG, FIELD(keep_going), 0,
	  "with the steps behind one that fails" },

	{ "json", "FILE", ALL, OPTION_TEXT, FIELD(json_path), 0,
	  "the result as JSON, which wiremill-plot draws; - is stdout" },
	{ "csv", "FILE", ALL, OPTION_TEXT, FIELD(csv_path), 0, "the result as CSV; - is stdout" },
	{ "write", "FILE", ALL, OPTION_TEXT, FIELD(write_path), 0,
	  "all frames that the port sends and receives, as pcapng" },
	{ "snaplen", "BYTES", ALL, OPTION_U32, FIELD(snap_bytes), SNAP_BYTES_MAX,
	  "what --write keeps of a frame (all; a cut one cannot be replayed)" },
	{ "live", "HOW", ALL, OPTION_TEXT, FIELD(live_text), 0,
	  "what is shown while it runs: screen, lines or off (a screen where stderr is a "
	  "terminal, else off)" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int take(struct wm_gen_options *options, const struct option_row *row, const char *value,
		struct wm_error *error)
{
	void *field = (uint8_t *)options + row->offset;
	uint64_t number;
	int ret;

	switch (row->kind) {
	case OPTION_TEXT:
		*(const char **)field = value;
		return 0;
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_U32:
		ret = take_number(row->name, value, row->max, &number, error);
		if (ret == 0)
			*(uint32_t *)field = (uint32_t)number;
		return ret;
	case OPTION_U64:
		return take_number(row->name, value, row->max, field, error);
	case OPTION_TIME:
		return take_time(row->name, value, field, error);
	case OPTION_LINE:
		return take_line(row->name, value, field, error);
	case OPTION_SHARE:
		return take_share(row->name, value, field, error);
	case OPTION_SPEED:
		return take_speed(row->name, value, field, error);
	case OPTION_MTU:
		return take_mtu(row->name, value, field, error);
	case OPTION_MAC:
		return take_mac(options, row->name, value, error);
	}
	return -EINVAL;
}

/* ---- the line ------------------------------------------------------------------ */

static int find_command(const char *word, enum wm_gen_command *command, struct wm_error *error)
{
	for (unsigned i = 0; i < WM_GEN_COMMANDS; i++) {
		if (strcmp(word, command_names[i]) == 0) {
			*command = (enum wm_gen_command)i;
			return 0;
		}
	}
	return wm_error_set(error, EINVAL, "there is no command '%s'", word);
}

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

	if (!options->op)
		options->op = "echo";
	if (!options->kernel_name)
		options->kernel_name = "xor";
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
	if (options->depth_ns == 0)
		options->depth_ns = DEPTH_DEFAULT_NS;
	if (options->wait_ns == 0)
		options->wait_ns = WAIT_DEFAULT_NS;
	if (options->flows == 0)
		options->flows = receives ? FLOWS_DEFAULT_SOURCE : 1;
	if (options->resolution_ppm == 0)
		options->resolution_ppm = PPM / 100;
	if (options->confidence_ppm == 0)
		options->confidence_ppm = PPM / 100 * 95;
	if (options->failure_ppm == 0)
		options->failure_ppm = PPM / 10;
	if (options->burst == 0)
		options->burst = 1;
}

static int check_op(const struct wm_gen_options *options, struct wm_error *error)
{
	if (!maps(options) && strcmp(options->op, "echo") != 0)
		return bad_value("op", options->op, "echo or map", error);
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
		return wm_error_set(error, EINVAL, "either --json or --csv goes to stdout");
	return 0;
}

static int take_live(struct wm_gen_options *options, struct wm_error *error)
{
	static const char *const names[] = {
		[WM_LIVE_SCREEN] = "screen", [WM_LIVE_LINES] = "lines", [WM_LIVE_OFF] = "off"
	};

	options->live = WM_LIVE_AUTO;
	for (unsigned i = WM_LIVE_SCREEN; options->live_text && i <= WM_LIVE_OFF; i++) {
		if (strcmp(options->live_text, names[i]) == 0)
			options->live = (enum wm_live_how)i;
	}
	if (options->live_text && options->live == WM_LIVE_AUTO)
		return bad_value("live", options->live_text, "screen, lines or off", error);
	return 0;
}

static bool takes_file(const struct wm_gen_options *options)
{
	return options->command == WM_GEN_RUN || options->command == WM_GEN_REPLAY;
}

static int take_rows(struct wm_gen_options *options, int argc, char **argv, struct wm_error *error)
{
	struct option longs[ROWS + 2] = { 0 };
	int index, ret = 0;

	for (unsigned i = 0; i < ROWS; i++)
		longs[i] = (struct option){ rows[i].name,
					    rows[i].value_name ? required_argument : no_argument,
					    NULL, (int)i };
	longs[ROWS] = (struct option){ "help", no_argument, NULL, (int)ROWS };
	opterr = 0;
	optind = 0; /* steps are read line by line */
	while (ret == 0 && (index = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (index == (int)ROWS)
			options->help = true;
		else if (index == '?')
			ret = wm_error_set(error, EINVAL,
					   "unknown option, or one without its value: %s",
					   argv[optind - 1]);
		else if (!(rows[index].commands & BIT(options->command)))
			ret = wm_error_set(error, EINVAL, "%s knows no --%s",
					   command_names[options->command], rows[index].name);
		else
			ret = take(options, &rows[index], optarg, error);
	}
	if (ret == 0 && takes_file(options) && !options->help) {
		if (optind >= argc)
			return wm_error_set(error, EINVAL, "%s needs a file",
					    command_names[options->command]);
		options->file = argv[optind++];
	}
	if (ret == 0 && optind < argc)
		ret = wm_error_set(error, EINVAL, "unexpected argument %s", argv[optind]);
	return ret;
}

int wm_gen_options_parse(struct wm_gen_options *options, int argc, char **argv,
			 struct wm_error *error)
{
	int ret = find_command(argv[0], &options->command, error);

	if (ret == 0)
		ret = take_rows(options, argc, argv, error);
	if (ret < 0 || options->help)
		return ret;
	ret = check_whole(options, error);
	if (ret == 0)
		ret = take_live(options, error);
	if (ret < 0)
		return ret;
	set_defaults(options);
	return check_op(options, error);
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

void wm_gen_options_print_help(void)
{
	static const char head[] =
		"usage: wiremill-gen COMMAND --interface IF | --vdev ARGS | --pci ADDRESS\n"
		"       [option ...]\n"
		"\n"
		"Measures a network with frames of its own (EtherType 0x88B5). It stands in the\n"
		"place of a controller: nodes answer it, and so does another wiremill-gen.\n"
		"\n"
		"  transmit   sends\n"
		"  receive    counts what comes\n"
		"  echo       sends back what comes\n"
		"  roundtrip  sends, and counts what comes back\n"
		"  throughput searches the highest rate at which nothing is lost (RFC 2544)\n"
		"  critical   the same, by so many trials that chance is excluded\n"
		"  replay FILE  sends the frames of a pcap or pcapng, at the times at which they\n"
		"             came; from the port's own address, else as they are\n"
		"  run FILE   steps, one such command a line, on the same port (- reads them from\n"
		"             standard input); the first that fails ends it\n"
		"\n";
	char form[64];

	fputs(head, stdout);
	for (unsigned i = 0; i < ROWS; i++) {
		snprintf(form, sizeof(form), "--%s%s%s", rows[i].name,
			 rows[i].value_name ? " " : "",
			 rows[i].value_name ? rows[i].value_name : "");
		wm_wrap_row(stdout, wm_wrap_page(stdout), form, rows[i].help);
	}
	wm_wrap_row(stdout, wm_wrap_page(stdout), "-V, --version", "says which one this is");
	wm_wrap_row(stdout, wm_wrap_page(stdout), "-h, --help", "says this");
	puts("\n"
	     "Exit status: 0 it ran, 1 it failed, 2 wrong usage. Ctrl-C ends what runs and\n"
	     "shows what it found.");
}
