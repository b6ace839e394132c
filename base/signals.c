/* SPDX-License-Identifier: BSD-3-Clause */
#include "signals.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>

#include "array.h"

static void ignore(int number)
{
	const struct sigaction action = { .sa_handler = SIG_IGN };

	sigaction(number, &action, NULL);
}

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void wm_signals_ignore_writes(void)
{
	ignore(SIGPIPE);
	ignore(SIGXFSZ);
}

void wm_signals_ignore(void)
{
	static const int meaningless[] = { SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
					   SIGPROF, SIGIO,   SIGPWR };

	for (size_t i = 0; i < WM_ARRAY_COUNT(meaningless); i++)
		ignore(meaningless[i]);
	wm_signals_ignore_writes();
}

void wm_signals_to_end(sigset_t *set)
{
	static const int ignorable[] = { SIGINT, SIGQUIT, SIGHUP };

	sigemptyset(set);
	sigaddset(set, SIGTERM);
	/* One that is blocked would be pending although it is ignored. */
	for (size_t i = 0; i < WM_ARRAY_COUNT(ignorable); i++) {
		if (!is_ignored(ignorable[i]))
			sigaddset(set, ignorable[i]);
	}
}

int wm_signals_open(void)
{
	sigset_t set;
	int fd;

	wm_signals_to_end(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
