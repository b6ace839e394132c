/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>

#include "capture.h"
#include "commands.h"
#include "log.h"
#include "outcome.h"
#include "trial.h"

/* Of a capture, which is in memory while it is sent: much less than a machine has, which
 * is to become a rack's controller. */
#define CAPTURE_BYTES_MAX (1ull << 30)

static struct wm_capture *load(const struct wm_gen *gen, const struct wm_gen_options *options,
			       struct wm_error *error)
{
	struct wm_capture *capture =
		wm_capture_load(options->file, gen->port.mtu, CAPTURE_BYTES_MAX, error);

	if (capture && capture->backwards > 0)
		wm_log_warning("%s: %" PRIu64 " frames are older than the one before: they are "
			       "sent at its time",
			       options->file, capture->backwards);
	return capture;
}

static int replay(struct wm_gen *gen, const struct wm_gen_options *options,
		  const struct wm_gen_targets *targets, const struct wm_capture *capture,
		  struct wm_result *result, struct wm_error *error)
{
	static const struct wm_size_point recorded = { .name = "recorded" };
	struct wm_traffic_config config = wm_trial_config(options, &recorded);

	config.capture = capture;
	config.passes = options->passes;
	config.keep_source = options->keep_source;
	return wm_command_trial(gen, options, targets, &config, result, error);
}

/* Of no size: frames have the one that they had. */
int wm_command_replay(struct wm_gen *gen, const struct wm_gen_options *options,
		      const struct wm_gen_targets *targets, const struct wm_size_point *size,
		      struct wm_result *result, struct wm_error *error)
{
	struct wm_capture *capture = load(gen, options, error);
	int ret;

	(void)size;
	if (!capture)
		return -errno;
	ret = replay(gen, options, targets, capture, result, error);
	wm_capture_destroy(&capture);
	return ret;
}
