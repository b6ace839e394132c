/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "number.h"
#include "option_private.h"

#define PPM_OF_PERCENT 10000u
#define BOUND_BYTES 32u
#define WANTED_BYTES 256u
/* Digits of a time that is shown again with its units. */
#define DIGITS_SHOWN_MAX 9u

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low bytes of a number come first");

struct time_unit {
	const char *name;
	uint64_t ns;
};

static const struct time_unit time_units[] = {
	{ "h", 3600 * WM_NS_PER_S }, { "m", 60 * WM_NS_PER_S }, { "s", WM_NS_PER_S },
	{ "ms", WM_NS_PER_MS },	     { "us", WM_NS_PER_US },
};

#define TIME_UNITS (sizeof(time_units) / sizeof(time_units[0]))

/* ---- what is wanted --------------------------------------------------------------- */

char *wm_option_list(char *text, size_t text_bytes, const char *const *choices)
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; choices[i] && n < text_bytes; i++)
		n += (size_t)snprintf(text + n, text_bytes - n, "%s%s",
				      i == 0	       ? ""
				      : choices[i + 1] ? ", "
						       : " or ",
				      choices[i]);
	return text;
}

static void format_time(char *text, size_t text_bytes, const struct wm_option *option,
			uint64_t number)
{
	uint64_t ns = number * option->unit_ns;

	for (unsigned i = 0; i < TIME_UNITS; i++) {
		if (ns % time_units[i].ns == 0) {
			snprintf(text, text_bytes, "%" PRIu64 "%s", ns / time_units[i].ns,
				 time_units[i].name);
			return;
		}
	}
	snprintf(text, text_bytes, "%" PRIu64 "ns", ns);
}

static void format_bytes(char *text, size_t text_bytes, uint64_t number)
{
	static const char suffixes[] = "KMGT";
	unsigned power = 0;

	while (number > 0 && number % 1024 == 0 && power < sizeof(suffixes) - 1)
		number /= 1024, power++;
	snprintf(text, text_bytes, "%" PRIu64 "%.*s", number, power > 0,
		 &suffixes[power > 0 ? power - 1 : 0]);
}

/* A bound as one would write it. */
static const char *format_bound(char text[BOUND_BYTES], const struct wm_option *option,
				uint64_t number)
{
	switch (option->type) {
	case WM_OPTION_BYTES:
		format_bytes(text, BOUND_BYTES, number);
		break;
	case WM_OPTION_DURATION:
		format_time(text, BOUND_BYTES, option, number);
		break;
	case WM_OPTION_SHARE:
		snprintf(text, BOUND_BYTES, "%g%%", (double)number / PPM_OF_PERCENT);
		break;
	case WM_OPTION_RATE:
		snprintf(text, BOUND_BYTES, "%" PRIu64 "%s",
			 number % 1000000000 ? number : number / 1000000000,
			 number % 1000000000 ? "bit" : "Gbit");
		break;
	default:
		snprintf(text, BOUND_BYTES, "%" PRIu64, number);
	}
	return text;
}

static const char *kind_of_number(const struct wm_option *option)
{
	switch (option->type) {
	case WM_OPTION_BYTES:
		return "a number of bytes such as 4096, 128K or 1M,";
	case WM_OPTION_DURATION:
		return option->unit_ns < WM_NS_PER_S ? "a time such as 500us, 250ms, 10s, 5m or 2h,"
						     : "a time such as 30s, 5m or 2h,";
	case WM_OPTION_SHARE:
		return "a share such as 1% or 0.1%, at the finest 0.0001%,";
	case WM_OPTION_RATE:
		return "bits a second such as 900Mbit or 2.5Gbit,";
	default:
		return "a number";
	}
}

int wm_option_refuse(const struct wm_option *option, const char *wanted, const char *text,
		     struct wm_error *error)
{
	return wm_error_set(error, EINVAL, "--%s is %s, not '%s'", option->name, wanted, text);
}

static int refuse_number(const struct wm_option *option, const char *text, struct wm_error *error)
{
	char wanted[WANTED_BYTES], min[BOUND_BYTES], max[BOUND_BYTES];

	snprintf(wanted, sizeof(wanted), "%s from %s to %s", kind_of_number(option),
		 format_bound(min, option, option->min), format_bound(max, option, option->max));
	return wm_option_refuse(option, wanted, text, error);
}

/* "5" may be meant as anything. */
static int refuse_time(const struct wm_option *option, const char *text, struct wm_error *error)
{
	size_t digits = strspn(text, "0123456789"), n = 0;
	char units[TIME_UNITS][DIGITS_SHOWN_MAX + 4], wanted[WANTED_BYTES];
	const char *choices[TIME_UNITS + 1] = { NULL };

	if (text[digits] || digits == 0 || digits > DIGITS_SHOWN_MAX || text[0] == '0')
		return refuse_number(option, text, error);
	for (unsigned i = TIME_UNITS; i > 0; i--) {
		if (time_units[i - 1].ns < option->unit_ns)
			continue;
		snprintf(units[n], sizeof(units[n]), "%s%s", text, time_units[i - 1].name);
		choices[n] = units[n];
		n++;
	}
	return wm_error_set(error, EINVAL, "--%s needs a unit with its time: %s", option->name,
			    wm_option_list(wanted, sizeof(wanted), choices));
}

/* ---- numbers ---------------------------------------------------------------------- */

static const struct time_unit *find_unit(const struct wm_option *option, const char *name)
{
	for (unsigned i = 0; i < TIME_UNITS; i++) {
		if (strcmp(name, time_units[i].name) == 0 && time_units[i].ns >= option->unit_ns)
			return &time_units[i];
	}
	return NULL;
}

static bool read_time(const struct wm_option *option, const char *text, uint64_t *number)
{
	size_t digits = strspn(text, "0123456789");
	const struct time_unit *unit = find_unit(option, text + digits);
	char whole[24];
	uint64_t factor;

	if (!unit || digits >= sizeof(whole))
		return false;
	memcpy(whole, text, digits);
	whole[digits] = '\0';
	factor = unit->ns / option->unit_ns;
	if (wm_number_parse(whole, 0, option->max / factor, number) < 0)
		return false;
	*number *= factor;
	return true;
}

static bool read_share(const struct wm_option *option, const char *text, uint64_t *number)
{
	struct wm_decimal percent;
	bool is_exact;

	if (!wm_decimal_read(&text, &percent) || strcmp(text, "%") != 0)
		return false;
	*number = wm_decimal_scale(percent, PPM_OF_PERCENT, 1, option->max, &is_exact);
	return is_exact;
}

static bool read_rate(const struct wm_option *option, const char *text, uint64_t *number)
{
	struct wm_decimal decimal;

	if (!wm_decimal_read(&text, &decimal))
		return false;
	*number = wm_decimal_scale(decimal, wm_decimal_read_prefix(&text), 1, option->max, NULL);
	return strcmp(text, "bit") == 0;
}

/* False: it is no such number. It may still be past the bounds. */
static bool read_number(const struct wm_option *option, const char *text, uint64_t *number)
{
	switch (option->type) {
	case WM_OPTION_BYTES:
		return wm_number_parse_bytes(text, 0, option->max, number) == 0;
	case WM_OPTION_DURATION:
		return read_time(option, text, number);
	case WM_OPTION_SHARE:
		return read_share(option, text, number);
	case WM_OPTION_RATE:
		return read_rate(option, text, number);
	default:
		return wm_number_parse(text, 0, option->max, number) == 0;
	}
}

static int set_number(const struct wm_option *option, void *field, const char *text,
		      struct wm_error *error)
{
	uint64_t number;

	if (!read_number(option, text, &number) || number < option->min || number > option->max)
		return option->type == WM_OPTION_DURATION ? refuse_time(option, text, error)
							  : refuse_number(option, text, error);
	assert(option->bytes == sizeof(number) || number >> 8 * option->bytes == 0);
	memcpy(field, &number, option->bytes);
	return 0;
}

/* ---- words ------------------------------------------------------------------------ */

static int find_choice(const struct wm_option *option, const char *text, struct wm_error *error)
{
	char wanted[WANTED_BYTES];

	for (int i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0)
			return i;
	}
	return wm_option_refuse(option, wm_option_list(wanted, sizeof(wanted), option->choices),
				text, error);
}

static int set_choice(const struct wm_option *option, void *field, const char *text,
		      struct wm_error *error)
{
	int choice = find_choice(option, text, error);

	assert(option->bytes == sizeof(choice));
	if (choice < 0)
		return choice;
	memcpy(field, &choice, sizeof(choice));
	return 0;
}

static int set_text(const struct wm_option *option, const char **field, const char *text,
		    struct wm_error *error)
{
	int choice = option->choices ? find_choice(option, text, error) : 0;

	assert(option->bytes == sizeof(text));
	if (choice < 0)
		return choice;
	*field = text;
	return 0;
}

int wm_option_set_value(const struct wm_option *option, void *values, const char *text,
			struct wm_error *error)
{
	void *field = (char *)values + option->offset;

	switch (option->type) {
	case WM_OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case WM_OPTION_TEXT:
	case WM_OPTION_PATH:
		return set_text(option, field, text, error);
	case WM_OPTION_COUNT:
	case WM_OPTION_BYTES:
	case WM_OPTION_DURATION:
	case WM_OPTION_SHARE:
	case WM_OPTION_RATE:
		return set_number(option, field, text, error);
	case WM_OPTION_CHOICE:
		return set_choice(option, field, text, error);
	case WM_OPTION_CUSTOM:
		return option->take(option, values, text, error);
	}
	return -EINVAL;
}
