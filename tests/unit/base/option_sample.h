/* SPDX-License-Identifier: BSD-3-Clause */
/* A table with one option of each type, for the test of base/option and its fuzzer. */
#ifndef WM_OPTION_SAMPLE_H
#define WM_OPTION_SAMPLE_H

#include "option.h"

#define OPTION_SAMPLE_UNTOUCHED 12345u

struct option_sample {
	const char *text, *path, *word, *maybe;
	uint64_t count, bytes, seconds, share_ppm, bits_per_s, burst;
	uint32_t time_us;
	uint16_t mtu;
	int level;
	unsigned many;
	bool flag, json;
};

extern const struct wm_option_schema option_sample_schema;

/* From a sample in which count alone is not zero. */
int option_sample_parse(struct option_sample *sample, int argc, char *const *argv,
			struct wm_option_line *line, struct wm_error *error);

#endif
