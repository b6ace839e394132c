/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "cli.h"
#include "client.h"
#include "number.h"
#include "table.h"
#include "wrap.h"

static struct asked {
	bool wide;
} asked;

static const struct wm_option options[] = {
	{ .name = "wide",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct asked, wide),
	  .help = "all columns, and nothing cut" },
};

static const struct wm_column columns[] = {
	{ "NODE", WM_COLUMN_CUT },
	{ "STATE", 0 },
	{ "MTU", WM_COLUMN_RIGHT },
	{ "DEVICE", WM_COLUMN_CUT },
	{ "XDP", WM_COLUMN_WIDE },
	{ "WINDOW", WM_COLUMN_RIGHT | WM_COLUMN_WIDE },
	{ "FLIGHT", WM_COLUMN_RIGHT | WM_COLUMN_WIDE },
	{ "RTT", WM_COLUMN_RIGHT },
	{ "BATCHES", WM_COLUMN_RIGHT },
	{ "RESENDS", WM_COLUMN_RIGHT },
	{ "REMARK", WM_COLUMN_CUT | WM_COLUMN_TEXT | WM_COLUMN_OPTIONAL },
};

/* "native, zero-copy, multi-buffer": what was obtained. */
static void xdp_add(struct wm_table *table, const json_t *node)
{
	wm_table_add(table, "%s, %s%s", wm_cli_text(node, "xdp_mode"),
		     wm_cli_bool(node, "zero_copy") ? "zero-copy" : "copy",
		     wm_cli_bool(node, "multi_buffer") ? ", multi-buffer" : "");
}

/* Measured while a job runs. */
static void rtt_add(struct wm_table *table, const json_t *node)
{
	if (wm_cli_number(node, "rtt_us"))
		wm_table_add(table, "%" PRIu64 " us", wm_cli_number(node, "rtt_us"));
	else
		wm_table_add(table, "-");
}

/* Why it is in that state, or what has happened to it. */
static void remark_add(struct wm_table *table, const json_t *node)
{
	char times[WM_COUNT_BYTES];
	uint64_t losses = wm_cli_number(node, "device_losses");

	if (wm_cli_bool(node, "path_narrow"))
		wm_table_add(table, "frames above MTU %" PRIu64 " do not pass: see the switch",
			     wm_cli_number(node, "path_mtu"));
	else if (wm_cli_number(node, "unheard") > 0)
		wm_table_add(table,
			     "%" PRIu64 " frames to other queues of its card: its log says more",
			     wm_cli_number(node, "unheard"));
	else if (losses > 0 && !*wm_cli_text(node, "reason"))
		wm_table_add(table, "device lost, rebuilt %s",
			     wm_number_format_count(times, sizeof(times), losses, "time"));
	else
		wm_table_add(table, "%s", wm_cli_text(node, "reason"));
}

static void node_add(struct wm_table *table, const json_t *node)
{
	wm_table_add(table, "%s", wm_cli_text(node, "name"));
	wm_table_add(table, "%s", wm_cli_text(node, "state"));
	wm_table_add(table, "%" PRIu64, wm_cli_number(node, "mtu"));
	wm_table_add(table, "%s%s", wm_cli_text(node, "device"),
		     wm_cli_bool(node, "software") ? " [CPU]" : "");
	xdp_add(table, node);
	wm_table_add(table, "%" PRIu64, wm_cli_number(node, "window"));
	wm_table_add(table, "%" PRIu64, wm_cli_number(node, "in_flight"));
	rtt_add(table, node);
	wm_table_add(table, "%" PRIu64, wm_cli_number(node, "batches"));
	wm_table_add(table, "%" PRIu64, wm_cli_number(node, "resends"));
	remark_add(table, node);
}

static void nodes_print(const json_t *nodes)
{
	struct wm_table *table;
	const json_t *node;
	size_t i;

	if (json_array_size(nodes) == 0) {
		printf("no nodes: start wiremill-node on a machine of the controller's link\n");
		return;
	}
	table = wm_table_create(columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(nodes, i, node) node_add(table, node);
	wm_table_print(table, stdout, asked.wide ? 0 : wm_wrap_screen(stdout));
	wm_table_destroy(&table);
}

static int run(const struct wm_cli *cli)
{
	int status;
	json_t *list =
		wm_client_list(cli->socket_path, "node.list", json_object(), "nodes", &status);

	if (!list)
		return status;
	if (cli->json)
		wm_cli_print_json(list);
	else
		nodes_print(json_object_get(list, "nodes"));
	json_decref(list);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_node_list = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill node list",
	.summary = "the machines that compute, and what each obtained",
	.about =
		"XDP is the mode of its network card, and whether the kernel copies frames;\n"
		"[CPU] is a processor in the place of a GPU; WINDOW how many batches may be in\n"
		"flight to it; RTT from a batch sent to its result. Where the terminal is narrow\n"
		"some columns are left out, and long values cut.",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
