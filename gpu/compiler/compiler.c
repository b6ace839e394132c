/* SPDX-License-Identifier: BSD-3-Clause */
#include "compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "compiler_private.h"
#include "generate.h"

/* The process's own limit is of processor time: beside others it takes longer. */
#define WAIT_NS (3 * WM_COMPILER_SECONDS * WM_NS_PER_S)
#define ANSWER_BYTES_MAX (1 + WM_SPIRV_BYTES_MAX)

extern char **environ;

struct child {
	pid_t pid;
	int socket;
};

/* ---- the process --------------------------------------------------------------------- */

static int spawn_with(struct child *child, int theirs, posix_spawn_file_actions_t *files,
		      posix_spawnattr_t *attributes)
{
	char *const argv[] = { (char[]){ "wiremill" }, (char[]){ WM_COMPILER_WORD }, NULL };
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	/* Nothing of ours but the one socket, and what libraries print goes nowhere. */
	posix_spawn_file_actions_adddup2(files, theirs, STDIN_FILENO);
	posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	return -posix_spawn(&child->pid, "/proc/self/exe", files, attributes, argv, environ);
}

static int spawn(struct child *child, struct wm_error *error)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int sockets[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return wm_error_set(error, errno, "no socket for the compiler: %s",
				    wm_errno_text(errno));
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	ret = spawn_with(child, sockets[1], &files, &attributes);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	close(sockets[1]);
	child->socket = sockets[0];
	if (ret == 0)
		return 0;
	close(sockets[0]);
	return wm_error_set(error, -ret, "no process for the compiler: %s", wm_errno_text(-ret));
}

/* Returns its wait status. */
static int end(struct child *child)
{
	int status = 0;

	close(child->socket);
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* ---- what goes to it, and what comes back --------------------------------------------- */

static bool wait_for(const struct child *child, short events, uint64_t until_ns)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = child->socket, .events = events };
		uint64_t now_ns = wm_clock_ns();
		int ret;

		if (now_ns >= until_ns)
			return false;
		ret = poll(&poll_fd, 1, (int)((until_ns - now_ns) / WM_NS_PER_MS) + 1);
		if (ret > 0)
			return true;
		if (ret < 0 && errno != EINTR)
			return false;
	}
}

static bool send_all(const struct child *child, const char *text, uint64_t until_ns)
{
	size_t bytes = strlen(text);

	while (bytes > 0) {
		ssize_t put;

		if (!wait_for(child, POLLOUT, until_ns))
			return false;
		put = send(child->socket, text, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		text += put > 0 ? put : 0;
		bytes -= put > 0 ? (size_t)put : 0;
	}
	return shutdown(child->socket, SHUT_WR) == 0;
}

/* Returns the bytes until its end, or 0. */
static size_t receive_all(const struct child *child, char *answer, size_t room, uint64_t until_ns)
{
	size_t bytes = 0;
	ssize_t got = 1;

	while (got != 0 && bytes < room) {
		if (!wait_for(child, POLLIN, until_ns))
			return 0;
		got = recv(child->socket, answer + bytes, room - bytes, MSG_DONTWAIT);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return 0;
		bytes += got > 0 ? (size_t)got : 0;
	}
	return got == 0 ? bytes : 0;
}

/* ---- its answer ------------------------------------------------------------------------ */

/* It says no word where it was ended: by its limits, or by the filter of its calls. */
static int explain(int status, const char *name, struct wm_error *error)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (number == SIGXCPU || number == SIGKILL)
		return wm_error_set(
			error, EINVAL,
			"%.200s: the compiler had no end after %u s: make the kernel simpler", name,
			WM_COMPILER_SECONDS);
	return wm_error_set(error, EINVAL,
			    "%.200s: the compiler ended without an answer (%s): make the kernel "
			    "simpler; it has %u MiB of memory",
			    name, number ? strsignal(number) : "no signal",
			    WM_COMPILER_BYTES / 1024 / 1024);
}

/* The first of its lines; a text that is no message of a line gets the name in front, also in
 * place of the compiler's for the whole. */
static int pass_on(const char *text, size_t bytes, const char *name, struct wm_error *error)
{
	static const char whole[] = WM_COMPILER_WHOLE ": ";
	size_t skipped = bytes > sizeof(whole) && memcmp(text, whole, sizeof(whole) - 1) == 0
				 ? sizeof(whole) - 1
				 : 0;
	const char *line_end = memchr(text += skipped, '\n', bytes -= skipped);
	int line = (int)(line_end ? line_end - text : (ptrdiff_t)bytes);
	bool is_named = memmem(text, (size_t)line, ": error: ", 9) != NULL;

	return wm_error_set(error, EINVAL, "%.200s%s%.*s", is_named ? "" : name,
			    is_named ? "" : ": ", line > 250 ? 250 : line, text);
}

static int take(struct wm_spirv *spirv, const char *answer, size_t bytes, const char *name,
		struct wm_error *error)
{
	if (answer[0] != WM_COMPILER_MADE || bytes < 2 || (bytes - 1) % sizeof(uint32_t))
		return pass_on(answer + 1, bytes - 1, name, error);
	spirv->code = malloc(bytes - 1);
	if (!spirv->code)
		return wm_error_set(error, ENOMEM, "out of memory for %zu bytes of SPIR-V", bytes);
	memcpy(spirv->code, answer + 1, bytes - 1);
	spirv->code_bytes = bytes - 1;
	return 0;
}

static int exchange(struct wm_spirv *spirv, const char *text, const char *name, char *answer,
		    struct wm_error *error)
{
	uint64_t until_ns = wm_clock_ns() + WAIT_NS;
	struct child child;
	size_t bytes = 0;
	int status, ret;

	ret = spawn(&child, error);
	if (ret < 0)
		return ret;
	if (send_all(&child, text, until_ns))
		bytes = receive_all(&child, answer, ANSWER_BYTES_MAX, until_ns);
	status = end(&child);
	return bytes ? take(spirv, answer, bytes, name, error) : explain(status, name, error);
}

int wm_compile(struct wm_spirv *spirv, const struct wm_kernel_source *source, const char *name,
	       bool check, struct wm_error *error)
{
	char *text = wm_generate(source, name, check);
	char *answer = malloc(ANSWER_BYTES_MAX);
	int ret;

	*spirv = (struct wm_spirv){ NULL, 0 };
	ret = text && answer ? exchange(spirv, text, name, answer, error)
			     : wm_error_set(error, ENOMEM, "out of memory for the shader");
	free(text);
	free(answer);
	return ret;
}
