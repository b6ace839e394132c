/* SPDX-License-Identifier: BSD-3-Clause */
/* wiremilld: the controller. Options, then control/daemon.c. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "key.h"
#include "log.h"
#include "number.h"
#include "printable.h"
#include "signals.h"
#include "streams.h"
#include "wiremill/control.h"
#include "wiremill/limits.h"

/* Half of what a cheap switch buffers a port. */
#define QUEUE_TARGET_BYTES (128u * 1024)

static const char usage_text[] =
	"usage: wiremilld --interface IF | --vdev ARGS | --pci ADDRESS ... [option ...]\n"
	"\n"
	"The controller: streams files through the nodes of a rack. Runs in the\n"
	"foreground until SIGTERM, SIGINT, SIGQUIT or SIGHUP (which a closed terminal\n"
	"sends; nohup keeps it off); drive it with 'wiremill'. The log goes to stderr;\n"
	"lines that nobody takes are dropped and counted.\n"
	"\n"
	"  --interface IF       a kernel network interface, through DPDK's net_af_packet\n"
	"  --vdev ARGS          any DPDK virtual device, as EAL's --vdev takes it\n"
	"  --pci ADDRESS        a PCI device bound to a DPDK driver\n"
	"                       these three up to 4 times in all: a lane for each, each\n"
	"                       with a switch of its own\n"
	"  --mtu M              of what --pci and --vdev name (the largest up to 9000\n"
	"                       that it can have; an interface has its own)\n"
	"  --socket PATH        control socket (" WM_SOCKET_PATH_DEFAULT ")\n"
	"  --state DIRECTORY    where the queue of jobs is kept (" WM_STATE_DIRECTORY_DEFAULT ")\n"
	"  --lcores LIST        cores as EAL's --lcores takes them: the first controls,\n"
	"                       the others poll, one a lane ('0@(0-1),1@(0-1)' floats\n"
	"                       over two; the first that may be used)\n"
	"  --queue-target BYTES that may wait on the way to one node (128K)\n"
	"  --key FILE           the cluster key, as 'wiremill key FILE' makes it\n"
	"  --auth AUTH          of each batch: crc32c (default) finds damage; aead, by\n"
	"                       that key, forgery too, for 16 bytes a frame and processor\n"
	"                       time\n"
	"  --log-level LEVEL    error, warning, info or debug (info)\n"
	"  -V, --version        says which one this is\n"
	"  -h, --help           says this\n";

enum option_id {
	OPT_INTERFACE = 256,
	OPT_VDEV,
	OPT_PCI,
	OPT_MTU,
	OPT_SOCKET,
	OPT_STATE,
	OPT_LCORES,
	OPT_QUEUE_TARGET,
	OPT_KEY,
	OPT_AUTH,
	OPT_LOG_LEVEL,
	OPT_VERSION = 'V',
	OPT_HELP = 'h',
};

static const struct option options[] = {
	{ "interface", required_argument, NULL, OPT_INTERFACE },
	{ "vdev", required_argument, NULL, OPT_VDEV },
	{ "pci", required_argument, NULL, OPT_PCI },
	{ "mtu", required_argument, NULL, OPT_MTU },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "lcores", required_argument, NULL, OPT_LCORES },
	{ "queue-target", required_argument, NULL, OPT_QUEUE_TARGET },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "auth", required_argument, NULL, OPT_AUTH },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static const char *key_path;
static uint16_t mtu; /* 0: not given */

static int wrong_usage(const char *what, const char *value)
{
	fprintf(stderr, "wiremilld: %s", what);
	wm_printable_print(stderr, value);
	fputs(": see 'wiremilld --help'\n", stderr);
	return WM_EXIT_USAGE;
}

static int parse_log_level(const char *text)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, levels[i]) == 0) {
			wm_log_init("wiremilld", (enum wm_log_level)i);
			return 0;
		}
	}
	return -1;
}

static int take_auth(struct wm_daemon_config *config, const char *text)
{
	if (strcmp(text, "aead") == 0)
		config->auth = WM_WIRE_AEAD;
	else if (strcmp(text, "crc32c") == 0)
		config->auth = WM_WIRE_CRC32C;
	else
		return wrong_usage("--auth takes crc32c or aead, not ", text);
	return -1;
}

static int take_mtu(const char *text)
{
	uint64_t number;

	if (wm_number_parse(text, WM_MTU_MIN, WM_MTU_MAX, &number) < 0)
		return wrong_usage("--mtu takes 1280 to 9000, not ", text);
	mtu = (uint16_t)number;
	return -1;
}

static int take_device(struct wm_daemon_config *config, struct wm_port_device device)
{
	if (config->device_count == WM_LANES_MAX)
		return wrong_usage("4 ports are the most: one lane each", "");
	config->devices[config->device_count++] = device;
	return -1;
}

/* Returns an exit status, or -1 to go on. */
static int take_option(int option, const char *word, struct wm_daemon_config *config)
{
	uint64_t bytes;

	switch (option) {
	case OPT_INTERFACE:
		return take_device(config, (struct wm_port_device){ .interface = optarg });
	case OPT_VDEV:
		return take_device(config, (struct wm_port_device){ .vdev = optarg });
	case OPT_PCI:
		return take_device(config, (struct wm_port_device){ .pci = optarg });
	case OPT_MTU:
		return take_mtu(optarg);
	case OPT_SOCKET:
		config->socket_path = optarg;
		return -1;
	case OPT_STATE:
		config->state_directory = optarg;
		return -1;
	case OPT_LCORES:
		config->lcores = optarg;
		return -1;
	case OPT_QUEUE_TARGET:
		if (wm_number_parse_bytes(optarg, 1, 1u << 30, &bytes) < 0)
			return wrong_usage("--queue-target takes 1 to 1G bytes, not ", optarg);
		config->queue_target_bytes = (uint32_t)bytes;
		return -1;
	case OPT_KEY:
		key_path = optarg;
		return -1;
	case OPT_AUTH:
		return take_auth(config, optarg);
	case OPT_LOG_LEVEL:
		if (parse_log_level(optarg) < 0)
			return wrong_usage("--log-level takes error, warning, info or debug, not ",
					   optarg);
		return -1;
	case OPT_VERSION:
		puts("wiremilld " WM_VERSION);
		return WM_EXIT_DONE;
	case OPT_HELP:
		fputs(usage_text, stdout);
		return WM_EXIT_DONE;
	default:
		return wrong_usage("unknown option, or one without its value: ", word);
	}
}

static int take_options(int argc, char **argv, struct wm_daemon_config *config)
{
	struct wm_error error = { "" };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		int status = take_option(option, argv[optind - 1], config);

		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return wrong_usage("unexpected argument ", argv[optind]);
	if (config->auth == WM_WIRE_AEAD && !key_path)
		return wrong_usage("--auth aead needs the cluster key (--key FILE)", "");
	if (config->device_count == 0)
		return wrong_usage("name a port by --interface, --vdev or --pci", "");
	for (uint32_t i = 0; i < config->device_count; i++)
		config->devices[i].mtu = mtu;
	if (wm_port_devices_check(config->devices, config->device_count, &error) < 0)
		return wrong_usage(error.text, "");
	return -1;
}

static int run(struct wm_daemon_config *config, struct wm_error *error)
{
	struct wm_key key;
	int ret = 0;

	wm_secret_lock(&key, sizeof(key));
	if (key_path) {
		config->key = &key;
		ret = wm_key_read(&key, key_path, error);
	}
	if (ret == 0)
		ret = wm_daemon_run(config, error);
	wm_secret_wipe(&key, sizeof(key));
	return ret;
}

int main(int argc, char **argv)
{
	struct wm_daemon_config config = {
		.socket_path = WM_SOCKET_PATH_DEFAULT,
		.state_directory = WM_STATE_DIRECTORY_DEFAULT,
		.queue_target_bytes = QUEUE_TARGET_BYTES,
	};
	struct wm_error error = { "" };
	int status;

	wm_streams_keep();
	wm_signals_ignore();
	wm_log_init("wiremilld", WM_LOG_INFO);
	status = take_options(argc, argv, &config);
	if (status >= 0)
		return status;
	if (geteuid() != 0) {
		wm_log_error("raw frames and hugepages need root: run it with sudo");
		return WM_EXIT_FAILED;
	}
	if (wm_log_start() < 0)
		wm_log_warning("the log has no thread of its own: whoever reads it must not stall");
	if (run(&config, &error) < 0) {
		wm_log_error("%s", error.text);
		return WM_EXIT_FAILED;
	}
	return WM_EXIT_DONE;
}
