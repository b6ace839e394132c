/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon_options.h"

#include <errno.h>

#include "wiremill/control.h"
#include "wiremill/limits.h"

static const char *const auths[] = { [WM_WIRE_CRC32C] = "crc32c", [WM_WIRE_AEAD] = "aead", NULL };

/* The field is one of those of the next device. */
static int take_device(const struct wm_option *option, void *values, const char *text,
		       struct wm_error *error)
{
	struct wm_daemon_config *config = &((struct wm_daemon_options *)values)->config;
	struct wm_port_device *device;

	if (config->device_count == WM_LANES_MAX)
		return wm_error_set(error, EINVAL, "%u ports are the most: one lane each",
				    WM_LANES_MAX);
	device = &config->devices[config->device_count++];
	*device = (struct wm_port_device){ 0 };
	*(const char **)((char *)device + option->offset) = text;
	return 0;
}

static const struct wm_option rows[] = {
	{ .name = "interface",
	  .value_name = "IF",
	  .type = WM_OPTION_CUSTOM,
	  .flags = WM_OPTION_MANY,
	  WM_OPTION_FIELD(struct wm_port_device, interface),
	  .take = take_device,
	  .help = "a kernel network interface, through DPDK's net_af_packet" },
	{ .name = "vdev",
	  .value_name = "ARGS",
	  .type = WM_OPTION_CUSTOM,
	  .flags = WM_OPTION_MANY,
	  WM_OPTION_FIELD(struct wm_port_device, vdev),
	  .take = take_device,
	  .help = "any DPDK virtual device, as EAL's --vdev takes it" },
	{ .name = "pci",
	  .value_name = "ADDRESS",
	  .type = WM_OPTION_CUSTOM,
	  .flags = WM_OPTION_MANY,
	  WM_OPTION_FIELD(struct wm_port_device, pci),
	  .take = take_device,
	  .help = "a PCI device bound to a DPDK driver; these three up to 4 times in all: a lane "
		  "for each, each with a switch of its own" },
	{ .name = "mtu",
	  .value_name = "M",
	  .type = WM_OPTION_COUNT,
	  WM_OPTION_FIELD(struct wm_daemon_options, mtu),
	  .min = WM_MTU_MIN,
	  .max = WM_MTU_MAX,
	  .help = "of what --pci and --vdev name (the largest up to 9000 that it can have; an "
		  "interface has its own)" },
	{ .name = "socket",
	  .value_name = "PATH",
	  .type = WM_OPTION_PATH,
	  WM_OPTION_FIELD(struct wm_daemon_options, config.socket_path),
	  .preset = WM_SOCKET_PATH_DEFAULT,
	  .help = "control socket" },
	{ .name = "state",
	  .value_name = "DIRECTORY",
	  .type = WM_OPTION_PATH,
	  WM_OPTION_FIELD(struct wm_daemon_options, config.state_directory),
	  .preset = WM_STATE_DIRECTORY_DEFAULT,
	  .help = "where the queue of jobs is kept" },
	{ .name = "lcores",
	  .value_name = "LIST",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct wm_daemon_options, config.lcores),
	  .help = "cores as EAL's --lcores takes them: the first controls, the others poll, one "
		  "a lane ('0@(0-1),1@(0-1)' floats over two; the first that may be used)" },
	{ .name = "queue-target",
	  .value_name = "BYTES",
	  .type = WM_OPTION_BYTES,
	  WM_OPTION_FIELD(struct wm_daemon_options, config.queue_target_bytes),
	  .min = 1,
	  .max = 1u << 30,
	  /* Half of what a cheap switch buffers a port. */
	  .preset = "128K",
	  .help = "that may wait on the way to one node" },
	{ .name = "key",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  WM_OPTION_FIELD(struct wm_daemon_options, key_path),
	  .help = "the cluster key, as 'wiremill key FILE' makes it" },
	{ .name = "auth",
	  .value_name = "AUTH",
	  .type = WM_OPTION_CHOICE,
	  WM_OPTION_FIELD(struct wm_daemon_options, config.auth),
	  .choices = auths,
	  .preset = "crc32c",
	  .help = "of each batch: crc32c finds damage; aead, by that key, forgery too, for 16 "
		  "bytes a frame and processor time" },
	{ .name = "log-level",
	  .value_name = "LEVEL",
	  .type = WM_OPTION_CHOICE,
	  WM_OPTION_FIELD(struct wm_daemon_options, log_level),
	  .choices = wm_log_level_names,
	  .preset = "info",
	  .help = "error, warning, info or debug" },
};

const struct wm_option_schema wm_daemon_schema = {
	.name = "wiremilld",
	.version = "wiremilld " WM_VERSION,
	.usage = "--interface IF | --vdev ARGS | --pci ADDRESS ... [option ...]",
	.about =
		"The controller: streams files through the nodes of a rack. Runs in the foreground "
		"until SIGTERM, SIGINT, SIGQUIT or SIGHUP (which a closed terminal sends; nohup "
		"keeps it off); drive it with 'wiremill'. The log goes to stderr; lines that "
		"nobody "
		"takes are dropped and counted.",
	.sets = { { rows, sizeof(rows) / sizeof(rows[0]) } },
};

static int check_whole(struct wm_daemon_options *options, struct wm_error *error)
{
	struct wm_daemon_config *config = &options->config;

	if (config->auth == WM_WIRE_AEAD && !options->key_path)
		return wm_error_set(error, EINVAL,
				    "--auth aead needs the cluster key (--key FILE)");
	if (config->device_count == 0)
		return wm_error_set(error, EINVAL, "name a port by --interface, --vdev or --pci");
	for (uint32_t i = 0; i < config->device_count; i++)
		config->devices[i].mtu = options->mtu;
	return wm_port_devices_check(config->devices, config->device_count, error);
}

int wm_daemon_options_take(struct wm_daemon_options *options, int argc, char **argv)
{
	void *const values[WM_OPTION_SETS] = { options };
	struct wm_error error = { "" };
	struct wm_option_line line;
	int status;

	*options = (struct wm_daemon_options){ 0 };
	status = wm_option_take(&wm_daemon_schema, values, argc - 1, argv + 1, &line);
	if (status < 0 && check_whole(options, &error) < 0)
		return wm_option_wrong_usage(wm_daemon_schema.name, "%s", error.text);
	return status;
}
