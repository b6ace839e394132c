/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "printable.h"
#include "utc.h"

#define TEXT_BYTES 1024
#define LINE_BYTES (TEXT_BYTES + 128)
/* What is queued when the program ends: so often looked at, so long. */
#define EXIT_LOOKS 100
#define EXIT_LOOK_NS 10000000

static struct {
	const char *program;
	enum wm_log_level level;
	int dated;
} log_state = { "wiremill", WM_LOG_INFO, 0 };

/* Lines, each with its '\n', on their way to the writer. The mutex is held for a copy. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool started;
	bool writing; /* the writer has lines in hand */
	uint64_t lost;
	size_t bytes;
	char lines[WM_LOG_QUEUE_BYTES];
} queue = { .mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

const char *const wm_log_level_names[] = { "error", "warning", "info", "debug", NULL };

void wm_log_init(const char *program, enum wm_log_level level)
{
	log_state.program = program;
	log_state.level = level;
	log_state.dated = !isatty(STDERR_FILENO);
}

/* Returns the length, with the '\n'. */
static size_t line_format(char line[LINE_BYTES], enum wm_log_level level, const char *text)
{
	char date[WM_UTC_TEXT_BYTES + 1] = "", shown[TEXT_BYTES];

	if (log_state.dated) {
		wm_utc_format(date, wm_utc_ms());
		strcat(date, " ");
	}
	wm_printable(shown, sizeof(shown), text);
	return (size_t)snprintf(line, LINE_BYTES, "%s%.40s: %s: %s\n", date, log_state.program,
				wm_log_level_names[level], shown);
}

/* ---- the writer --------------------------------------------------------------- */

/* However long that takes. False: it cannot be written. */
static bool line_write(const char *line, size_t bytes)
{
	while (bytes > 0) {
		ssize_t written = write(STDERR_FILENO, line, bytes);

		if (written > 0) {
			line += written;
			bytes -= (size_t)written;
		} else if (written < 0 && errno == EAGAIN) {
			/* Somebody else, who shares it, made it nonblocking. */
			poll(&(struct pollfd){ .fd = STDERR_FILENO, .events = POLLOUT }, 1, 1000);
		} else if (written == 0 || errno != EINTR) {
			return false;
		}
	}
	return true;
}

static bool lost_write(uint64_t lost)
{
	char line[LINE_BYTES], text[128];

	snprintf(text, sizeof(text),
		 "%llu lines of this log are lost: they could not be written in time",
		 (unsigned long long)lost);
	return line_write(line, line_format(line, WM_LOG_WARNING, text));
}

/* Returns how many of `lost` and of these lines are still to be told of. */
static uint64_t lines_write(const char *lines, size_t bytes, uint64_t lost)
{
	const char *end = lines + bytes, *next;

	for (; lines < end; lines = next) {
		next = (const char *)memchr(lines, '\n', (size_t)(end - lines)) + 1;
		lost += !line_write(lines, (size_t)(next - lines));
	}
	return lost > 0 && lost_write(lost) ? 0 : lost;
}

/* Waits for lines, and takes them all. */
static size_t lines_take(char *lines, uint64_t *lost)
{
	size_t bytes;

	pthread_mutex_lock(&queue.mutex);
	queue.writing = false;
	while (queue.bytes == 0)
		pthread_cond_wait(&queue.wake, &queue.mutex);
	queue.writing = true;
	bytes = queue.bytes;
	memcpy(lines, queue.lines, bytes);
	queue.bytes = 0;
	*lost += queue.lost;
	queue.lost = 0;
	pthread_mutex_unlock(&queue.mutex);
	return bytes;
}

static void *writer(void *unused)
{
	static char lines[WM_LOG_QUEUE_BYTES];
	uint64_t lost = 0;

	(void)unused;
	for (;;) {
		size_t bytes = lines_take(lines, &lost);

		lost = lines_write(lines, bytes, lost);
	}
	return NULL;
}

/* Tried only: the program may be ending with the queue in hand. */
static bool all_is_written(void)
{
	bool all;

	if (pthread_mutex_trylock(&queue.mutex) != 0)
		return false;
	all = queue.bytes == 0 && !queue.writing;
	pthread_mutex_unlock(&queue.mutex);
	return all;
}

static void drain(void)
{
	for (int i = 0; i < EXIT_LOOKS && !all_is_written(); i++)
		nanosleep(&(struct timespec){ .tv_nsec = EXIT_LOOK_NS }, NULL);
}

/* What a library says before it aborts is what one wants to read. */
static void drain_before_abort(int number)
{
	(void)number;
	drain();
}

int wm_log_start(void)
{
	const struct sigaction action = { .sa_handler = drain_before_abort };

	sigset_t all, before;
	pthread_t thread;
	int ret;

	/* It takes no signal that is another thread's to see. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, NULL, writer, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret != 0)
		return -ret;
	pthread_detach(thread);
	queue.started = true;
	sigaction(SIGABRT, &action, NULL);
	return atexit(drain) == 0 ? 0 : -ENOMEM;
}

/* ---- lines come --------------------------------------------------------------- */

static void line_queue(const char *line, size_t bytes)
{
	pthread_mutex_lock(&queue.mutex);
	if (bytes > sizeof(queue.lines) - queue.bytes) {
		queue.lost++;
	} else {
		memcpy(queue.lines + queue.bytes, line, bytes);
		queue.bytes += bytes;
	}
	pthread_cond_signal(&queue.wake);
	pthread_mutex_unlock(&queue.mutex);
}

void wm_log(enum wm_log_level level, const char *format, ...)
{
	char text[TEXT_BYTES], line[LINE_BYTES];
	va_list args;
	size_t bytes;

	if (level > log_state.level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bytes = line_format(line, level, text);
	if (queue.started)
		line_queue(line, bytes);
	else
		(void)line_write(line, bytes);
}

/* ---- lines of others ---------------------------------------------------------- */

static ssize_t stream_write(void *cookie, const char *text, size_t bytes)
{
	enum wm_log_level level = (enum wm_log_level)(intptr_t)cookie;
	size_t left = bytes;

	while (left > 0) {
		const char *newline = memchr(text, '\n', left);
		size_t length = newline ? (size_t)(newline - text) : left;

		if (length > 0)
			wm_log(level, "%.*s", (int)length, text);
		length += newline != NULL;
		text += length;
		left -= length;
	}
	return (ssize_t)bytes;
}

FILE *wm_log_stream(enum wm_log_level level)
{
	const cookie_io_functions_t calls = { .write = stream_write };
	FILE *stream = fopencookie((void *)(intptr_t)level, "w", calls);

	if (stream)
		setvbuf(stream, NULL, _IOLBF, TEXT_BYTES);
	return stream;
}
