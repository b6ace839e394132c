/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask for: the methods that wiremill/control.h lists. */
#include "methods.h"

#include <unistd.h>

static json_t *version(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context;
	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	return json_pack("{s:s, s:i}", "version", WM_VERSION, "pid", (int)getpid());
}

static const struct wm_rpc_method methods[] = {
	{ .name = "version", .call = version },
	{ 0 },
};

const struct wm_rpc_method *const wm_methods[] = {
	wm_methods_jobs, wm_methods_kernels, wm_methods_nodes, wm_methods_stats, methods, NULL,
};
