/* SPDX-License-Identifier: BSD-3-Clause */
#include "node_options.h"

#include <errno.h>
#include <unistd.h>

#include "message.h"
#include "wiremill/limits.h"

static const char *const modes[] = {
	[WM_XDP_AUTO] = "auto", [WM_XDP_NATIVE] = "native", [WM_XDP_GENERIC] = "generic", NULL
};

static const struct wm_option rows[] = {
	{ .name = "interface",
	  .value_name = "IF",
	  .type = WM_OPTION_TEXT,
	  .flags = WM_OPTION_REQUIRED,
	  WM_OPTION_FIELD(struct wm_node_options, interface),
	  .help = "the link to the controller" },
	{ .name = "name",
	  .value_name = "NAME",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct wm_node_options, name),
	  .help = "how the controller lists this node (the host's name)" },
	{ .name = "key",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  WM_OPTION_FIELD(struct wm_node_options, key_path),
	  .help = "the cluster key, as 'wiremill key FILE' makes it" },
	{ .name = "require-aead",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct wm_node_options, require_aead),
	  .help = "join no controller whose batches have no tag by that key" },
	{ .name = "cache",
	  .value_name = "DIR",
	  .type = WM_OPTION_PATH,
	  WM_OPTION_FIELD(struct wm_node_options, cache_path),
	  .help = "keep kernels there that the controller sent (in memory, until it ends)" },
	{ .name = "xdp",
	  .value_name = "MODE",
	  .type = WM_OPTION_CHOICE,
	  WM_OPTION_FIELD(struct wm_node_options, mode),
	  .choices = modes,
	  .preset = "auto",
	  .help = "auto, native or generic" },
	{ .name = "require-native",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct wm_node_options, require_native),
	  .help = "fail if the driver has no XDP of its own" },
	{ .name = "device",
	  .value_name = "TEXT",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct wm_node_options, device),
	  .help = "the GPU whose name contains TEXT (the best)" },
	{ .name = "require-gpu",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct wm_node_options, require_gpu),
	  .help = "fail if only a software device is there" },
	{ .name = "validate",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct wm_node_options, validate),
	  .help = "run under the Vulkan validation layer; its warnings fail the run" },
	{ .name = "no-compute",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct wm_node_options, no_compute),
	  .help = "answer every batch with zeroes: to measure all but the compute" },
	{ .name = "busy-poll",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct wm_node_options, busy_poll),
	  .help = "never sleep: one core for the lowest latency" },
	{ .name = "log-level",
	  .value_name = "LEVEL",
	  .type = WM_OPTION_CHOICE,
	  WM_OPTION_FIELD(struct wm_node_options, log_level),
	  .choices = wm_log_level_names,
	  .preset = "info",
	  .help = "error, warning, info or debug" },
};

const struct wm_option_schema wm_node_schema = {
	.name = "wiremill-node",
	.version = "wiremill-node " WM_VERSION,
	.usage = "--interface IF [option ...]",
	.about = "Computes batches for the controller on the Ethernet of that interface.",
	.notes = "Needs CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF and CAP_IPC_LOCK.\n\n"
		 "Exit status: 0 stopped by a signal, 1 failed, 2 wrong usage.",
	.sets = { { rows, sizeof(rows) / sizeof(rows[0]) } },
};

/* Of those that exclude or need each other. */
static int check_together(struct wm_node_options *options, struct wm_error *error)
{
	if (options->require_native && options->mode == WM_XDP_GENERIC)
		return wm_error_set(error, EINVAL, "--require-native contradicts --xdp generic");
	if (options->require_native)
		options->mode = WM_XDP_NATIVE;
	if (options->no_compute && (options->device || options->require_gpu || options->validate))
		return wm_error_set(error, EINVAL,
				    "--no-compute uses no GPU: leave out --device, --require-gpu "
				    "and --validate");
	if (options->require_aead && !options->key_path)
		return wm_error_set(error, EINVAL,
				    "--require-aead needs the cluster key (--key FILE)");
	return 0;
}

static int take_name(struct wm_node_options *options, struct wm_error *error)
{
	if (!options->name) {
		if (gethostname(options->host_name, sizeof(options->host_name) - 1) < 0)
			return wm_error_set(error, EINVAL,
					    "the host has no name: give one with --name");
		options->name = options->host_name;
	}
	if (!wm_message_name_is_valid(options->name, WM_NODE_NAME_BYTES))
		return wm_error_set(error, EINVAL,
				    "a name is 1 to 31 letters, digits, '.', '_' or '-' (--name), "
				    "not '%s'",
				    options->name);
	return 0;
}

int wm_node_options_take(struct wm_node_options *options, int argc, char **argv)
{
	void *const values[WM_OPTION_SETS] = { options };
	struct wm_error error = { "" };
	struct wm_option_line line;
	int status;

	*options = (struct wm_node_options){ 0 };
	status = wm_option_take(&wm_node_schema, values, argc - 1, argv + 1, &line);
	if (status < 0 && (check_together(options, &error) < 0 || take_name(options, &error) < 0))
		return wm_option_wrong_usage(wm_node_schema.name, "%s", error.text);
	return status;
}
