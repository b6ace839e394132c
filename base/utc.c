/* SPDX-License-Identifier: BSD-3-Clause */
#include "utc.h"

#include <stdio.h>
#include <time.h>

uint64_t wm_utc_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *wm_utc_format(char text[WM_UTC_TEXT_BYTES], uint64_t utc_ms)
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm parts;
	size_t n = 0;

	text[0] = '\0';
	if (gmtime_r(&seconds, &parts))
		n = strftime(text, WM_UTC_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
	if (n > 0)
		snprintf(text + n, WM_UTC_TEXT_BYTES - n, ".%03uZ", (unsigned)(utc_ms % 1000));
	return text;
}
