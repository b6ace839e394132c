/* SPDX-License-Identifier: BSD-3-Clause */
#include "rate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "number.h"

struct unit {
	const char *name;
	enum wm_rate_unit unit;
};

static const struct unit units[] = {
	{ "pps", WM_RATE_FRAMES },
	{ "bit", WM_RATE_BITS_L1 },
	{ "bit/l1", WM_RATE_BITS_L1 },
	{ "bit/l2", WM_RATE_BITS_L2 },
};

static int parse_percentage(const char *text, struct wm_decimal percent, uint64_t line_bits_per_s,
			    struct wm_rate *rate, struct wm_error *error)
{
	if (line_bits_per_s == 0)
		return wm_error_set(error, EINVAL,
				    "rate %s: the line's rate is not known: give bits or frames",
				    text);
	if (percent.whole > 100 || (percent.whole == 100 && percent.billionths))
		return wm_error_set(error, EINVAL, "rate %s: more than the line: at most 100%%",
				    text);
	rate->unit = WM_RATE_BITS_L1;
	rate->per_s = wm_decimal_scale(percent, line_bits_per_s, 100, WM_RATE_PER_S_MAX, NULL);
	return 0;
}

static int parse_unit(const char *text, const char *name, enum wm_rate_unit *unit,
		      struct wm_error *error)
{
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(name, units[i].name) == 0) {
			*unit = units[i].unit;
			return 0;
		}
	}
	return wm_error_set(error, EINVAL,
			    "rate %s: give it as 1.5Mpps, 900mbit, 900mbit/l2, 50%% or max", text);
}

static int check_size(const char *text, uint64_t per_s, struct wm_error *error)
{
	if (per_s == 0)
		return wm_error_set(error, EINVAL, "rate %s: less than 1 a second", text);
	if (per_s > WM_RATE_PER_S_MAX)
		return wm_error_set(error, EINVAL, "rate %s: more than %llu a second", text,
				    WM_RATE_PER_S_MAX);
	return 0;
}

int wm_rate_parse(const char *text, uint64_t line_bits_per_s, struct wm_rate *rate,
		  struct wm_error *error)
{
	struct wm_rate parsed = { WM_RATE_MAX, 0 };
	struct wm_decimal decimal;
	const char *rest = text;
	int ret;

	if (strcasecmp(text, "max") == 0) {
		*rate = parsed;
		return 0;
	}
	if (!wm_decimal_read(&rest, &decimal))
		return wm_error_set(error, EINVAL,
				    "rate %s: begins with no number of at most 13 digits, "
				    "9 behind the point",
				    text);
	if (strcmp(rest, "%") == 0) {
		ret = parse_percentage(text, decimal, line_bits_per_s, &parsed, error);
	} else {
		parsed.per_s = wm_decimal_scale(decimal, wm_decimal_read_prefix(&rest), 1,
						WM_RATE_PER_S_MAX, NULL);
		ret = parse_unit(text, rest, &parsed.unit, error);
	}
	if (ret == 0)
		ret = check_size(text, parsed.per_s, error);
	if (ret == 0)
		*rate = parsed;
	return ret;
}

char *wm_rate_format(char *text, size_t text_bytes, struct wm_rate rate)
{
	static const char *const names[] = { [WM_RATE_FRAMES] = "pps",
					     [WM_RATE_BITS_L2] = "bit/s of layer 2",
					     [WM_RATE_BITS_L1] = "bit/s" };

	if (rate.unit == WM_RATE_MAX) {
		snprintf(text, text_bytes, "max");
		return text;
	}
	if (rate.unit == WM_RATE_RECORDED) {
		snprintf(text, text_bytes, "%g x recorded", (double)rate.per_s / 1e6);
		return text;
	}
	return wm_number_format(text, text_bytes, (double)rate.per_s, names[rate.unit]);
}

uint64_t wm_rate_cost(enum wm_rate_unit unit, uint32_t frame_bytes)
{
	assert(unit != WM_RATE_MAX && unit != WM_RATE_RECORDED);
	if (unit == WM_RATE_FRAMES)
		return 1;
	if (unit == WM_RATE_BITS_L1)
		frame_bytes += WM_ETHER_GAP_BYTES;
	return 8ull * frame_bytes;
}
