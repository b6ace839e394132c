/* SPDX-License-Identifier: BSD-3-Clause */
/* wiremilld: the controller. Options, then control/daemon.c. */
#include <unistd.h>

#include "compiler.h"
#include "daemon_options.h"
#include "key.h"
#include "log.h"
#include "signals.h"
#include "streams.h"
#include "wiremill/control.h"

static int run(struct wm_daemon_options *options, struct wm_error *error)
{
	struct wm_key key;
	int ret = 0;

	wm_secret_lock(&key, sizeof(key));
	if (options->key_path) {
		options->config.key = &key;
		ret = wm_key_read(&key, options->key_path, error);
	}
	if (ret == 0)
		ret = wm_daemon_run(&options->config, error);
	wm_secret_wipe(&key, sizeof(key));
	return ret;
}

int main(int argc, char **argv)
{
	struct wm_daemon_options options;
	struct wm_error error = { "" };
	int status;

	if (wm_compiler_is_asked(argc, argv))
		return wm_compiler_main();
	wm_streams_keep();
	wm_signals_ignore();
	status = wm_daemon_options_take(&options, argc, argv);
	if (status >= 0)
		return status;
	wm_log_init("wiremilld", options.log_level);
	if (geteuid() != 0) {
		wm_log_error("raw frames and hugepages need root: run it with sudo");
		return WM_EXIT_FAILED;
	}
	if (wm_log_start() < 0)
		wm_log_warning("the log has no thread of its own: whoever reads it must not stall");
	if (run(&options, &error) < 0) {
		wm_log_error("%s", error.text);
		return WM_EXIT_FAILED;
	}
	return WM_EXIT_DONE;
}
