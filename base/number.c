/* SPDX-License-Identifier: BSD-3-Clause */
#include "number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 1e15
#define WHOLE_DIGITS_MAX 13u
#define FRACTION_DIGITS_MAX 9u
#define BILLION 1000000000ull

static int parse(const char *text, const char *suffixes, uint64_t min, uint64_t max,
		 uint64_t *number)
{
	unsigned long long value, unit = 1;
	char *end;

	/* strtoull takes signs and spaces; a number here begins with a digit. */
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end) {
		while (*suffixes && *suffixes != *end)
			unit *= 1024, suffixes++;
		if (!*suffixes || end[1])
			return -EINVAL;
		unit *= 1024;
	}
	if (value > UINT64_MAX / unit || value * unit < min || value * unit > max)
		return -ERANGE;
	*number = value * unit;
	return 0;
}

int wm_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	return parse(text, "", min, max, number);
}

int wm_number_parse_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *bytes)
{
	return parse(text, "KMGT", min, max, bytes);
}

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

bool wm_decimal_read(const char **text, struct wm_decimal *decimal)
{
	unsigned digits;

	decimal->billionths = 0;
	if (!read_digits(text, WHOLE_DIGITS_MAX, &decimal->whole, &digits))
		return false;
	if (**text != '.')
		return true;
	(*text)++;
	if (!read_digits(text, FRACTION_DIGITS_MAX, &decimal->billionths, &digits))
		return false;
	while (digits++ < FRACTION_DIGITS_MAX)
		decimal->billionths *= 10;
	return true;
}

uint64_t wm_decimal_read_prefix(const char **text)
{
	static const char prefixes[] = "kmg";
	const char *prefix = **text ? strchr(prefixes, **text | 0x20) : NULL;
	uint64_t factor = 1;

	if (!prefix)
		return factor;
	for (const char *each = prefixes; each <= prefix; each++)
		factor *= 1000;
	(*text)++;
	return factor;
}

uint64_t wm_decimal_scale(struct wm_decimal decimal, uint64_t factor, uint64_t divisor,
			  uint64_t max, bool *is_exact)
{
	unsigned __int128 value = (unsigned __int128)decimal.whole * BILLION + decimal.billionths;
	const unsigned __int128 parts = (unsigned __int128)BILLION * divisor;

	value *= factor;
	if (is_exact)
		*is_exact = value % parts == 0;
	value /= parts;
	return value > max ? max + 1 : (uint64_t)value;
}

char *wm_number_format(char *text, size_t text_bytes, double value, const char *unit)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	unsigned prefix = 0;

	while (value >= 999.5 && prefix < sizeof(prefixes) / sizeof(prefixes[0]) - 1)
		value /= 1000, prefix++;
	snprintf(text, text_bytes, "%.*f %s%s",
		 prefix == 0 || value >= 99.95 ? 0
		 : value >= 9.995	       ? 1
					       : 2,
		 value, prefixes[prefix], unit);
	return text;
}

char *wm_number_format_count(char *text, size_t text_bytes, uint64_t count, const char *one)
{
	const size_t bytes = strlen(one);
	const bool hisses = bytes > 0 && strchr("shx", one[bytes - 1]);

	snprintf(text, text_bytes, "%" PRIu64 " %s%s", count, one,
		 count == 1 ? ""
		 : hisses   ? "es"
			    : "s");
	return text;
}

char *wm_number_format_bytes(char *text, size_t text_bytes, uint64_t bytes)
{
	return wm_number_format(text, text_bytes, (double)bytes, "B");
}

char *wm_number_format_seconds(char *text, size_t text_bytes, double seconds)
{
	/* An estimate at a rate of nearly nothing may be more than any integer. */
	double bounded = !(seconds > 0) ? 0 : seconds > SECONDS_MAX ? SECONDS_MAX : seconds;
	uint64_t whole = (uint64_t)(bounded + 0.5);

	if (whole < 60)
		snprintf(text, text_bytes, "%" PRIu64 " s", whole);
	else if (whole < 3600)
		snprintf(text, text_bytes, "%" PRIu64 " min %02" PRIu64 " s", whole / 60,
			 whole % 60);
	else
		snprintf(text, text_bytes, "%" PRIu64 " h %02" PRIu64 " min", whole / 3600,
			 whole / 60 % 60);
	return text;
}
