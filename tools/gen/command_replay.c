/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>

#include "capture.h"
#include "clock.h"
#include "commands.h"
#include "log.h"
#include "replay.h"

/* Of a capture, which is in memory while it is sent: much less than a machine has, which
 * is to become a rack's controller. */
#define CAPTURE_BYTES_MAX (1ull << 30)

/* As long as a receiver waits that was not told otherwise (--idle). */
#define PAUSE_NS (2 * WM_NS_PER_S)

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

/* Nobody is to wonder for an hour whether it hangs, or why the other end has ended. */
static void tell_pause(const struct wm_gen_options *options, const struct wm_capture *capture)
{
	struct wm_replay replay;
	uint64_t pause_ns, before;

	if (options->rate.unit != WM_RATE_RECORDED)
		return;
	wm_replay_init(&replay, capture, options->speed_ppm, options->passes);
	pause_ns = wm_replay_pause_ns(&replay, &before);
	if (pause_ns >= PAUSE_NS)
		wm_log_warning("%s: nothing is sent for %.1f s before frame %" PRIu64
			       ", as recorded: a receiver whose --idle is shorter ends there; "
			       "--speed and --rate shorten it",
			       options->file, (double)pause_ns / (double)WM_NS_PER_S, before);
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
	tell_pause(options, capture);
	ret = replay(gen, options, targets, capture, result, error);
	wm_capture_destroy(&capture);
	return ret;
}
