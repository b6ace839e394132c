/* SPDX-License-Identifier: BSD-3-Clause */
#include "option_sample.h"

#include <errno.h>
#include <string.h>

#include "clock.h"

static int take_many(const struct wm_option *option, void *values, const char *text,
		     struct wm_error *error)
{
	struct option_sample *sample = values;

	if (strcmp(text, "bad") == 0)
		return wm_option_refuse(option, "anything good", text, error);
	sample->many++;
	return 0;
}

static const char *const levels[] = { "low", "middle", "high", NULL };
static const char *const words[] = { "yes", "no", NULL };

static const struct wm_option own[] = {
	{ .name = "text",
	  .value_name = "TEXT",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct option_sample, text),
	  .help = "some text" },
	{ .name = "path",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  .flags = WM_OPTION_REQUIRED,
	  WM_OPTION_FIELD(struct option_sample, path),
	  .help = "a file" },
	{ .name = "word",
	  .value_name = "yes|no",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct option_sample, word),
	  .choices = words,
	  .help = "either" },
	{ .name = "maybe",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  .flags = WM_OPTION_VALUE_OPTIONAL,
	  WM_OPTION_FIELD(struct option_sample, maybe),
	  .help = "perhaps a file" },
	{ .name = "count",
	  .value_name = "N",
	  .type = WM_OPTION_COUNT,
	  WM_OPTION_FIELD(struct option_sample, count),
	  .min = 1,
	  .max = UINT64_MAX,
	  .help = "a number" },
	{ .name = "mtu",
	  .value_name = "M",
	  .type = WM_OPTION_COUNT,
	  WM_OPTION_FIELD(struct option_sample, mtu),
	  .min = 1280,
	  .max = 9000,
	  .preset = "1500",
	  .help = "of two bytes" },
	{ .name = "bytes",
	  .value_name = "BYTES",
	  .type = WM_OPTION_BYTES,
	  WM_OPTION_FIELD(struct option_sample, bytes),
	  .min = 1,
	  .max = 1u << 30,
	  .preset = "128K",
	  .help = "how much" },
	{ .name = "seconds",
	  .value_name = "DURATION",
	  .type = WM_OPTION_DURATION,
	  WM_OPTION_FIELD(struct option_sample, seconds),
	  .unit_ns = WM_NS_PER_S,
	  .min = 1,
	  .max = 365u * 24 * 3600,
	  .help = "how long" },
	{ .name = "time",
	  .value_name = "TIME",
	  .type = WM_OPTION_DURATION,
	  WM_OPTION_FIELD(struct option_sample, time_us),
	  .unit_ns = WM_NS_PER_US,
	  .min = 1,
	  .max = 3600000000u,
	  .help = "how long, finely" },
	{ .name = "share",
	  .value_name = "SHARE",
	  .type = WM_OPTION_SHARE,
	  WM_OPTION_FIELD(struct option_sample, share_ppm),
	  .max = 1000000,
	  .help = "how much of all" },
	{ .name = "rate",
	  .value_name = "BITS",
	  .type = WM_OPTION_RATE,
	  WM_OPTION_FIELD(struct option_sample, bits_per_s),
	  .min = 1,
	  .max = 1000000000000,
	  .help = "how fast" },
	{ .name = "level",
	  .value_name = "LEVEL",
	  .type = WM_OPTION_CHOICE,
	  WM_OPTION_FIELD(struct option_sample, level),
	  .choices = levels,
	  .preset = "middle",
	  .help = "low, middle or high" },
	{ .name = "many",
	  .value_name = "X",
	  .type = WM_OPTION_CUSTOM,
	  .flags = WM_OPTION_MANY,
	  .take = take_many,
	  .help = "once more" },
	{ .name = "flag",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct option_sample, flag),
	  .help = "whether" },
	{ .name = "burst",
	  .value_name = "N",
	  .type = WM_OPTION_COUNT,
	  .only = 2,
	  WM_OPTION_FIELD(struct option_sample, burst),
	  .min = 1,
	  .max = 64,
	  .help = "of the other" },
};

static const struct wm_option common[] = {
	{ .name = "json",
	  .type = WM_OPTION_FLAG,
	  WM_OPTION_FIELD(struct option_sample, json),
	  .help = "of a set that commands share, with words enough to need a second line" },
};

const struct wm_option_schema option_sample_schema = {
	.name = "tool first",
	.version = "tool 1.0",
	.summary = "does what a test wants",
	.about = "One paragraph\nof words.\n\nAnd another one, which is so long that it must be "
		 "wrapped to fit the screen that it is shown on.",
	.notes = "Exit status: 0.",
	.operand = "FILE",
	.command = 1,
	.sets = { { own, sizeof(own) / sizeof(own[0]) },
		  { common, sizeof(common) / sizeof(common[0]) } },
};

int option_sample_parse(struct option_sample *sample, int argc, char *const *argv,
			struct wm_option_line *line, struct wm_error *error)
{
	void *const values[WM_OPTION_SETS] = { sample, sample };

	*sample = (struct option_sample){ .count = OPTION_SAMPLE_UNTOUCHED };
	return wm_option_parse(&option_sample_schema, values, argc, argv, line, error);
}
