/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask for: the table of methods that wiremill/control.h lists. */
#include "methods.h"

#include <unistd.h>

static json_t *version(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context;
	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	return json_pack("{s:s, s:i}", "version", WM_VERSION, "pid", (int)getpid());
}

const struct wm_rpc_method wm_methods[] = {
	{ .name = "job.submit", .begin = wm_method_job_submit },
	{ .name = "job.show", .call = wm_method_job_show },
	{ .name = "job.list", .call = wm_method_job_list },
	{ .name = "job.resume", .begin = wm_method_job_resume },
	{ .name = "job.discard", .begin = wm_method_job_discard },
	{ .name = "job.cancel", .call = wm_method_job_cancel },
	{ .name = "node.list", .call = wm_method_node_list },
	{ .name = "node.admit", .call = wm_method_node_admit },
	{ .name = "stats", .call = wm_method_stats },
	{ .name = "version", .call = version },
};
const unsigned wm_method_count = sizeof(wm_methods) / sizeof(wm_methods[0]);
