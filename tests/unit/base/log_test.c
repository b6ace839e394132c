/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log and signals of a program of which nobody reads stderr, or no more. Each test is a
 * child whose stderr is a pipe of one page; it says on another pipe how far it is.
 */
#include "log.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "signals.h"
#include "utc.h"

/* Far more than pipe, queue, and as much in the writer's hands hold. */
#define LINES 60000u
/* Of a child that hangs; none that does not comes near it. */
#define PATIENCE_MS 60000

struct child {
	pid_t pid;
	int log_fd, word_fd; /* our ends */
};

/* Its stderr: a pipe, or a terminal that somebody stopped with Ctrl-S. */
static void log_open(int fds[2], bool terminal)
{
	if (!terminal) {
		CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_CLOEXEC), 0);
		CU_ASSERT(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(openpty(&fds[0], &fds[1], NULL, NULL, NULL), 0);
	CU_ASSERT_EQUAL(write(fds[0], "\023", 1), 1);
}

static void child_begin_on(struct child *child, void (*run)(int word_fd), bool terminal)
{
	int log_pipe[2], word_pipe[2];

	log_open(log_pipe, terminal);
	CU_ASSERT_EQUAL_FATAL(pipe2(word_pipe, O_CLOEXEC), 0);
	child->pid = fork();
	if (child->pid == 0) {
		dup2(log_pipe[1], STDERR_FILENO);
		close(log_pipe[0]);
		close(log_pipe[1]);
		wm_log_init("child", WM_LOG_INFO);
		run(word_pipe[1]);
		exit(7);
	}
	close(log_pipe[1]);
	close(word_pipe[1]);
	child->log_fd = log_pipe[0];
	child->word_fd = word_pipe[0];
}

static void child_begin(struct child *child, void (*run)(int word_fd))
{
	child_begin_on(child, run, false);
}

/* The child's next word, 0 if none comes. */
static char word(const struct child *child)
{
	struct pollfd fd = { .fd = child->word_fd, .events = POLLIN };
	char said = 0;

	return poll(&fd, 1, PATIENCE_MS) == 1 && read(child->word_fd, &said, 1) == 1 ? said : 0;
}

static int child_end(struct child *child)
{
	int status = -1;

	if (child->log_fd >= 0)
		close(child->log_fd);
	close(child->word_fd);
	waitpid(child->pid, &status, 0);
	return status;
}

static void say(int word_fd, char what)
{
	if (write(word_fd, &what, 1) != 1)
		abort();
}

/* ---- nobody reads ------------------------------------------------------------------ */

static void log_lines(int word_fd, unsigned lines)
{
	int fd = wm_signals_open();

	wm_signals_ignore();
	if (fd < 0 || wm_log_start() < 0)
		abort();
	for (unsigned i = 0; i < lines; i++)
		wm_log_info("line %u", i);
	say(word_fd, 'd');
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, PATIENCE_MS);
}

static void log_much(int word_fd)
{
	log_lines(word_fd, LINES);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* Lines that are there, and those that are said to be lost: in one pass, since a sanitizer's
 * strstr looks at all of the text each time. */
static unsigned told_of(const char *text)
{
	static const char words[] = "warning: ";
	unsigned n = 0;

	for (; *text; text++) {
		n += *text == '\n';
		/* which is a line too */
		if (*text == words[0] && strncmp(text, words, strlen(words)) == 0)
			n += (unsigned)strtoul(text + strlen(words), NULL, 10) - 1;
	}
	return n;
}

/* Reads until all of its lines are told of; then the child may end, and all else is read. */
static char *log_text(const struct child *child, unsigned lines)
{
	size_t bytes = 0, room = 8u << 20;
	char *text = calloc(1, room);
	ssize_t got;

	while (bytes < room - 1 &&
	       (got = read(child->log_fd, text + bytes, room - 1 - bytes)) > 0) {
		bytes += (size_t)got;
		if (lines > 0 && told_of(text) == lines)
			kill(child->pid, SIGTERM);
	}
	if (lines > 0 && told_of(text) != lines)
		printf("# %u lines of %u are told of\n", told_of(text), lines);
	return text;
}

static void all_lines_are_told_of(bool terminal)
{
	struct child child;
	char *text;

	child_begin_on(&child, log_much, terminal);
	CU_ASSERT_EQUAL(word(&child), 'd');
	/* Ctrl-Q */
	if (terminal)
		CU_ASSERT_EQUAL(write(child.log_fd, "\021", 1), 1);
	text = log_text(&child, LINES);
	CU_ASSERT_EQUAL(told_of(text), LINES);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " lines of this log are lost"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "child: info: line 0"));
	free(text);
	CU_ASSERT_EQUAL(child_end(&child), 7 << 8);
}

static void stalled_reader_holds_nobody_up_and_what_is_lost_is_said(void)
{
	all_lines_are_told_of(false);
}

static void stopped_terminal_holds_nobody_up_either(void)
{
	all_lines_are_told_of(true);
}

static void reader_that_ends_ends_nobody(void)
{
	struct child child;

	child_begin(&child, log_much);
	close(child.log_fd);
	child.log_fd = -1;
	CU_ASSERT_EQUAL(word(&child), 'd');
	kill(child.pid, SIGTERM);
	CU_ASSERT_EQUAL(child_end(&child), 7 << 8);
}

static void log_nonblocking(int word_fd)
{
	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	log_lines(word_fd, 500);
}

static void descriptor_that_another_made_nonblocking_loses_nothing(void)
{
	struct child child;
	char *text;

	child_begin(&child, log_nonblocking);
	CU_ASSERT_EQUAL(word(&child), 'd');
	text = log_text(&child, 500);
	CU_ASSERT_EQUAL(count(text, "info: line "), 500);
	free(text);
	CU_ASSERT_EQUAL(child_end(&child), 7 << 8);
}

/* ---- lines ------------------------------------------------------------------------- */

static void log_forgery(int word_fd)
{
	FILE *stream = wm_log_stream(WM_LOG_WARNING);

	wm_log_info("queued: %s", "/a\n2026-01-01 child: error: all is lost\033[2J");
	fprintf(stream, "one\n\ntwo\n");
	fflush(stream);
	fclose(stream);
	say(word_fd, 'd');
}

static void one_call_is_one_line(void)
{
	struct child child;
	char *text;

	child_begin(&child, log_forgery);
	CU_ASSERT_EQUAL(word(&child), 'd');
	text = log_text(&child, 0);
	CU_ASSERT_EQUAL(count(text, "\n"), 3);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "/a\\x0a2026-01-01 child: error: all is lost\\x1b[2J\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "child: warning: one\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "child: warning: two\n"));
	free(text);
	CU_ASSERT_EQUAL(child_end(&child), 7 << 8);
}

static void time_of_day_is_iso_8601(void)
{
	char text[WM_UTC_TEXT_BYTES];

	CU_ASSERT_STRING_EQUAL(wm_utc_format(text, 0), "1970-01-01T00:00:00.000Z");
	CU_ASSERT_STRING_EQUAL(wm_utc_format(text, 1795787045007), "2026-11-27T13:44:05.007Z");
	CU_ASSERT_STRING_EQUAL(wm_utc_format(text, UINT64_MAX), "584556019-04-03T14:25:51.615Z");
}

/* ---- signals ----------------------------------------------------------------------- */

static void wait_for_signals(int word_fd)
{
	int fd;

	wm_signals_ignore();
	fd = wm_signals_open();
	if (fd < 0)
		abort();
	say(word_fd, 'r');
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, PATIENCE_MS);
	say(word_fd, 'e');
}

static void wait_under_nohup(int word_fd)
{
	signal(SIGHUP, SIG_IGN);
	wait_for_signals(word_fd);
}

static void ends_by(int number)
{
	struct child child;

	child_begin(&child, wait_for_signals);
	CU_ASSERT_EQUAL(word(&child), 'r');
	kill(child.pid, number);
	CU_ASSERT_EQUAL(word(&child), 'e');
	CU_ASSERT_EQUAL(child_end(&child), 7 << 8);
}

static void signals_that_ask_it_to_end_are_seen_in_order(void)
{
	ends_by(SIGTERM);
	ends_by(SIGINT);
	ends_by(SIGQUIT);
	ends_by(SIGHUP);
}

/* All of them, and then one that is meant. */
static void stray_signals_do_nothing(void)
{
	static const int stray[] = { SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
				     SIGIO,   SIGPWR,  SIGPIPE, SIGXFSZ,   SIGHUP };
	struct pollfd fd;
	struct child child;

	child_begin(&child, wait_under_nohup);
	CU_ASSERT_EQUAL(word(&child), 'r');
	for (size_t i = 0; i < sizeof(stray) / sizeof(stray[0]); i++)
		kill(child.pid, stray[i]);
	fd = (struct pollfd){ .fd = child.word_fd, .events = POLLIN };
	CU_ASSERT_EQUAL(poll(&fd, 1, 100), 0);
	kill(child.pid, SIGTERM);
	CU_ASSERT_EQUAL(word(&child), 'e');
	CU_ASSERT_EQUAL(child_end(&child), 7 << 8);
}

static const struct wm_test tests[] = {
	WM_TEST(stalled_reader_holds_nobody_up_and_what_is_lost_is_said),
	WM_TEST(stopped_terminal_holds_nobody_up_either),
	WM_TEST(reader_that_ends_ends_nobody),
	WM_TEST(descriptor_that_another_made_nonblocking_loses_nothing),
	WM_TEST(one_call_is_one_line),
	WM_TEST(time_of_day_is_iso_8601),
	WM_TEST(signals_that_ask_it_to_end_are_seen_in_order),
	WM_TEST(stray_signals_do_nothing),
};

int main(void)
{
	return WM_TESTS_RUN("log", tests);
}
