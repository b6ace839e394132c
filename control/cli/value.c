/* SPDX-License-Identifier: BSD-3-Clause */
#include "value.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "number.h"

#define SECONDS_MAX (365u * 24 * 3600)
#define PPM_MAX 1000000u
#define PPM_OF_PERCENT 10000u
#define NUMBER_BYTES 24

/* The number before a suffix of that many bytes. */
static int prefix_parse(const char *text, size_t suffix_bytes, uint64_t *number)
{
	size_t bytes = strlen(text) - suffix_bytes;
	char digits[NUMBER_BYTES];

	if (bytes >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, bytes);
	digits[bytes] = '\0';
	return wm_number_parse(digits, 0, UINT32_MAX, number);
}

static uint64_t seconds_of(char unit)
{
	return unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
}

int wm_cli_duration(const struct wm_verb *verb, const char *option, const char *text,
		    uint64_t *seconds)
{
	uint64_t unit, number = 0;
	int ret;

	if (!text)
		return WM_EXIT_DONE;
	unit = seconds_of(text[strlen(text) - 1]);
	ret = prefix_parse(text, unit ? 1 : 0, &number);
	if (ret == -EINVAL)
		return wm_cli_wrong_usage(verb, "--%s is a time like 30s, 5m or 2h, not '%s'",
					  option, text);
	number *= unit ? unit : 1;
	if (ret < 0 || number < 1 || number > SECONDS_MAX)
		return wm_cli_wrong_usage(verb, "--%s is from 1s to %uh, not '%s'", option,
					  SECONDS_MAX / 3600, text);
	*seconds = number;
	return WM_EXIT_DONE;
}

/* ".25" of a percent, at most four digits; true where it is that and "%" ends it. */
static bool fraction_parse(const char *text, uint64_t *ppm)
{
	uint64_t unit = PPM_OF_PERCENT;

	if (*text == '.') {
		if (text[1] < '0' || text[1] > '9')
			return false;
		for (text++; *text >= '0' && *text <= '9' && unit > 1; text++) {
			unit /= 10;
			*ppm += (uint64_t)(*text - '0') * unit;
		}
	}
	return strcmp(text, "%") == 0;
}

int wm_cli_share(const struct wm_verb *verb, const char *option, const char *text, uint64_t *ppm)
{
	uint64_t percent = 0, share;
	size_t digits;
	int ret;

	if (!text)
		return WM_EXIT_DONE;
	digits = strspn(text, "0123456789");
	ret = prefix_parse(text, strlen(text) - digits, &percent);
	share = ret == 0 ? percent * PPM_OF_PERCENT : 0;
	if (ret == -EINVAL || !fraction_parse(text + digits, &share))
		return wm_cli_wrong_usage(verb,
					  "--%s is a share like 1%% or 0.1%%, at the finest "
					  "0.0001%%, not '%s'",
					  option, text);
	if (ret < 0 || share > PPM_MAX)
		return wm_cli_wrong_usage(verb, "--%s is at most 100%%, not '%s'", option, text);
	*ppm = share;
	return WM_EXIT_DONE;
}

int wm_cli_path(char absolute[PATH_MAX], const char *path)
{
	char directory[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = snprintf(absolute, PATH_MAX, "%s", path);
	else if (getcwd(directory, sizeof(directory)))
		n = snprintf(absolute, PATH_MAX, "%s/%s", directory, path);
	else
		return wm_cli_failed("cannot tell where %s lies: the working directory: %s", path,
				     strerror(errno));
	if (n >= PATH_MAX)
		return wm_cli_failed("path is longer than %d bytes: %.64s...", PATH_MAX - 1, path);
	return WM_EXIT_DONE;
}
