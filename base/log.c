/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *program;
	enum wm_log_level level;
	int dated;
} log_state = { "wiremill", WM_LOG_INFO, 0 };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

void wm_log_init(const char *program, enum wm_log_level level)
{
	log_state.program = program;
	log_state.level = level;
	log_state.dated = !isatty(STDERR_FILENO);
}

void wm_log(enum wm_log_level level, const char *format, ...)
{
	char line[1024], date[40] = "";
	struct timespec now;
	struct tm parts;
	va_list args;
	size_t n = 0;

	if (level > log_state.level)
		return;
	if (log_state.dated && clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    gmtime_r(&now.tv_sec, &parts)) {
		n = strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
		snprintf(date + n, sizeof(date) - n, ".%03ldZ ", now.tv_nsec / 1000000);
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One call, so that lines of several threads do not mix. */
	fprintf(stderr, "%s%s: %s: %s\n", date, log_state.program, level_names[level], line);
}
