/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "array.h"
#include "cli.h"
#include "client.h"
#include "number.h"
#include "table.h"
#include "wrap.h"

static const struct wm_column columns[] = {
	{ "NAME", 0 },
	{ "HASH", 0 },
	{ "VERSION", WM_COLUMN_RIGHT },
	{ "IN", WM_COLUMN_RIGHT },
	{ "OUT", WM_COLUMN_RIGHT },
	{ "HALO", WM_COLUMN_RIGHT },
	{ "SIZE", WM_COLUMN_RIGHT | WM_COLUMN_WIDE },
	{ "JOB", WM_COLUMN_RIGHT | WM_COLUMN_OPTIONAL },
	{ "USED", WM_COLUMN_WIDE },
	{ "PARAMETERS", WM_COLUMN_CUT | WM_COLUMN_TEXT | WM_COLUMN_OPTIONAL },
};

static void number_add(struct wm_table *table, const json_t *kernel, const char *name)
{
	if (wm_cli_number(kernel, name))
		wm_table_add(table, "%" PRIu64, wm_cli_number(kernel, name));
	else
		wm_table_add(table, "%s", "");
}

static void params_add(struct wm_table *table, const json_t *params)
{
	char text[512] = "";
	size_t n = 0, i;
	const json_t *param;

	json_array_foreach(params, i, param)
	{
		if (n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "",
					      json_string_value(param));
	}
	wm_table_add(table, "%s", text);
}

static void kernel_add(struct wm_table *table, const json_t *kernel)
{
	const char *hash = wm_cli_text(kernel, "hash");
	char bytes[32];

	wm_table_add(table, "%s", wm_cli_text(kernel, "name"));
	wm_table_add(table, "%.12s", *hash ? hash : "built in");
	number_add(table, kernel, "version");
	number_add(table, kernel, "in_bytes");
	number_add(table, kernel, "out_bytes");
	wm_table_add(table, "%" PRIu64 " %" PRIu64, wm_cli_number(kernel, "halo_before"),
		     wm_cli_number(kernel, "halo_after"));
	if (*hash)
		wm_table_add(table, "%s",
			     wm_number_format_bytes(bytes, sizeof(bytes),
						    wm_cli_number(kernel, "object_bytes")));
	else
		wm_table_add(table, "%s", "");
	number_add(table, kernel, "job");
	wm_table_add(table, "%.19s", wm_cli_text(kernel, "used"));
	params_add(table, json_object_get(kernel, "params"));
}

static int run(const struct wm_cli *cli)
{
	int status;
	json_t *list =
		wm_client_list(cli->socket_path, "kernel.list", json_object(), "kernels", &status);
	struct wm_table *table;
	const json_t *kernel;
	size_t i;

	if (!list)
		return status;
	if (cli->json) {
		wm_cli_print_json(list);
	} else {
		table = wm_table_create(columns, WM_ARRAY_COUNT(columns));
		json_array_foreach(json_object_get(list, "kernels"), i, kernel)
			kernel_add(table, kernel);
		wm_table_print(table, stdout, wm_wrap_screen(stdout));
		wm_table_destroy(&table);
	}
	json_decref(list);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_kernel_list = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill kernel list",
	.summary = "the kernels that the controller has, a line each",
	.about = "What is built in, and what is in the library, in order of their names. IN and OUT\n"
		 "are the bytes of an element, HALO the elements before and after it, JOB the number\n"
		 "of one that needs it, PARAMETERS those that are not at their default.",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
