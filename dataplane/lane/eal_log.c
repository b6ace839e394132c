/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal_log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_log.h>

#include "log.h"
#include "wiremill/control.h"

#define LINES_HELD_MAX 8u
#define LINE_BYTES 256u

/* What is held is written while nothing else runs yet. */
static struct {
	char line[LINE_BYTES]; /* not ended yet */
	size_t used;
	char held[LINES_HELD_MAX][LINE_BYTES];
	unsigned held_count;
	FILE *holding, *passing;
	/* EAL prints on its own too: its last words to stderr, all that it knows to stdout. */
	FILE *stdout_before, *stderr_before, *usage;
	struct sigaction before; /* of SIGABRT */
} said;

/* "EAL: why" and " why": all of it is DPDK's. Of a panic the next line is the reason. */
static const char *without_source(const char *line)
{
	if (strncmp(line, "EAL: ", 5) == 0)
		line += 5;
	return line + strspn(line, " ");
}

static void take_line(void)
{
	const char *line;

	said.line[said.used] = '\0';
	said.used = 0;
	line = without_source(said.line);
	if (line[0] && strncmp(line, "PANIC in ", 9) != 0 && said.held_count < LINES_HELD_MAX)
		snprintf(said.held[said.held_count++], LINE_BYTES, "%s", line);
}

static ssize_t take(void *cookie, const char *text, size_t bytes)
{
	(void)cookie;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			take_line();
		else if (said.used < LINE_BYTES - 1)
			said.line[said.used++] = text[i];
	}
	return (ssize_t)bytes;
}

/* rte_panic() aborts, on the thread that found out. */
static void give_up(int number)
{
	(void)number;
	wm_log_error("DPDK gives up: %s", wm_eal_log_reason());
	exit(WM_EXIT_FAILED);
}

int wm_eal_log_open(void)
{
	said.holding = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = take });
	said.passing = wm_log_stream(WM_LOG_WARNING);
	if (!said.holding || !said.passing)
		return -ENOMEM;
	setvbuf(said.holding, NULL, _IONBF, 0);
	return 0;
}

void wm_eal_log_hold(void)
{
	const struct sigaction action = { .sa_handler = give_up };

	said.held_count = 0;
	said.stdout_before = stdout;
	said.stderr_before = stderr;
	said.usage = fopen("/dev/null", "we");
	fflush(stdout);
	if (said.usage)
		stdout = said.usage;
	stderr = said.holding;
	rte_openlog_stream(said.holding);
	sigaction(SIGABRT, &action, &said.before);
}

const char *wm_eal_log_reason(void)
{
	return said.held_count > 0 ? said.held[0] : "";
}

void wm_eal_log_drop(void)
{
	stdout = said.stdout_before;
	stderr = said.stderr_before;
	if (said.usage)
		fclose(said.usage);
	sigaction(SIGABRT, &said.before, NULL);
	rte_openlog_stream(said.passing);
}

void wm_eal_log_release(void)
{
	wm_eal_log_drop();
	for (unsigned i = 0; i < said.held_count; i++)
		wm_log_warning("DPDK: %s", said.held[i]);
	said.held_count = 0;
}
