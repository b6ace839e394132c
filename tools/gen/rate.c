/* SPDX-License-Identifier: BSD-3-Clause */
#include "rate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MAX 9u
#define FRACTION 1000000000ull /* 10 ^ DIGITS_MAX */

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

/* Digits, at most so many; the number that they are. False: none, or too many. */
static bool read_digits(const char **text, unsigned digits_max, uint64_t *number, unsigned *digits)
{
	*number = *digits = 0;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		if (++*digits > digits_max)
			return false;
		*number = *number * 10 + (uint64_t)(**text - '0');
	}
	return *digits > 0;
}

/* "12.5" as 12 and 500000000 billionths. Thirteen digits are all that a rate has. */
static bool read_decimal(const char **text, uint64_t *whole, uint64_t *billionths)
{
	unsigned digits;

	*billionths = 0;
	if (!read_digits(text, 13, whole, &digits))
		return false;
	if (**text != '.')
		return true;
	(*text)++;
	if (!read_digits(text, DIGITS_MAX, billionths, &digits))
		return false;
	while (digits++ < DIGITS_MAX)
		*billionths *= 10;
	return true;
}

static uint64_t read_prefix(const char **text)
{
	switch (**text | 0x20) {
	case 'k':
		(*text)++;
		return 1000;
	case 'm':
		(*text)++;
		return 1000000;
	case 'g':
		(*text)++;
		return 1000000000;
	default:
		return 1;
	}
}

/* (whole + billionths / 10^9) * factor / divisor, rounded down. */
static uint64_t scale(uint64_t whole, uint64_t billionths, uint64_t factor, uint64_t divisor)
{
	unsigned __int128 value = (unsigned __int128)whole * FRACTION + billionths;

	value = value * factor / ((unsigned __int128)FRACTION * divisor);
	return value > WM_RATE_PER_S_MAX ? WM_RATE_PER_S_MAX + 1 : (uint64_t)value;
}

static int parse_percentage(const char *text, uint64_t whole, uint64_t billionths,
			    uint64_t line_bits_per_s, struct wm_rate *rate, struct wm_error *error)
{
	if (line_bits_per_s == 0)
		return wm_error_set(error, EINVAL,
				    "rate %s: the line's rate is not known: give bits or frames",
				    text);
	if (whole > 100 || (whole == 100 && billionths))
		return wm_error_set(error, EINVAL, "rate %s: more than the line: at most 100%%",
				    text);
	rate->unit = WM_RATE_BITS_L1;
	rate->per_s = scale(whole, billionths, line_bits_per_s, 100);
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
	uint64_t whole, billionths;
	const char *rest = text;
	int ret;

	if (strcasecmp(text, "max") == 0) {
		*rate = parsed;
		return 0;
	}
	if (!read_decimal(&rest, &whole, &billionths))
		return wm_error_set(error, EINVAL,
				    "rate %s: begins with no number of at most 13 digits, "
				    "9 behind the point",
				    text);
	if (strcmp(rest, "%") == 0) {
		ret = parse_percentage(text, whole, billionths, line_bits_per_s, &parsed, error);
	} else {
		parsed.per_s = scale(whole, billionths, read_prefix(&rest), 1);
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
	static const char *const prefixes[] = { "", "k", "M", "G", "T" };
	double value = (double)rate.per_s;
	unsigned prefix = 0;

	if (rate.unit == WM_RATE_MAX) {
		snprintf(text, text_bytes, "max");
		return text;
	}
	if (rate.unit == WM_RATE_RECORDED) {
		snprintf(text, text_bytes, "%g x recorded", value / 1e6);
		return text;
	}
	while (value >= 999.5 && prefix < sizeof(prefixes) / sizeof(prefixes[0]) - 1)
		value /= 1000, prefix++;
	snprintf(text, text_bytes, "%.*f %s%s",
		 prefix == 0 || value >= 99.95 ? 0
		 : value >= 9.995	       ? 1
					       : 2,
		 value, prefixes[prefix], names[rate.unit]);
	return text;
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

uint64_t wm_rate_frames_per_s(struct wm_rate rate, uint64_t total_bytes, uint64_t count)
{
	unsigned __int128 bits;

	assert(rate.unit != WM_RATE_MAX && rate.unit != WM_RATE_RECORDED && count > 0);
	if (rate.unit == WM_RATE_FRAMES)
		return rate.per_s;
	bits = (unsigned __int128)total_bytes * 8;
	if (rate.unit == WM_RATE_BITS_L1)
		bits += (unsigned __int128)count * WM_ETHER_GAP_BYTES * 8;
	return (uint64_t)((unsigned __int128)rate.per_s * count / bits);
}
