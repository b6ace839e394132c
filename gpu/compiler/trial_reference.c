/* SPDX-License-Identifier: BSD-3-Clause */
/* The author's own program: elements with their halo to its standard input, results from its
 * standard output. Both are files in memory, so that neither side waits for the other. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "trial_private.h"

#define WAIT_NS (60 * WM_NS_PER_S)
#define POLL_NS (5 * WM_NS_PER_MS)

extern char **environ;

static int spawn(pid_t *pid, const char *program, int in, int out)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)program, NULL };
	posix_spawn_file_actions_t files;
	int ret;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	ret = -posix_spawn(pid, "/bin/sh", &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return ret;
}

/* Whether it ended well, in time. */
static bool ends_well(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	uint64_t until_ns = wm_clock_ns() + WAIT_NS;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (wm_clock_ns() >= until_ns) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run(struct wm_kernel_trial *trial, int in, int out, size_t in_bytes,
	       struct wm_error *error)
{
	const char *program = trial->config.reference;
	pid_t pid;
	int ret;

	if (in < 0 || out < 0 || pwrite(in, trial->input, in_bytes, 0) != (ssize_t)in_bytes)
		return wm_error_set(error, EIO, "no memory for the reference's input");
	ret = spawn(&pid, program, in, out);
	if (ret < 0)
		return wm_error_set(error, -ret, "reference '%.200s': %s", program,
				    wm_errno_text(-ret));
	if (!ends_well(pid))
		return wm_error_set(error, EIO,
				    "reference '%.200s' failed, or did not end within a minute",
				    program);
	return 0;
}

static int take(struct wm_kernel_trial *trial, int out, uint8_t *output, size_t out_bytes,
		struct wm_error *error)
{
	struct stat status;

	if (fstat(out, &status) < 0 || (size_t)status.st_size != out_bytes)
		return wm_error_set(error, EIO,
				    "reference '%.200s' wrote %lld bytes, and its output has %zu",
				    trial->config.reference, (long long)status.st_size, out_bytes);
	if (pread(out, output, out_bytes, 0) != (ssize_t)out_bytes)
		return wm_error_set(error, EIO, "reference '%.200s': its output cannot be read",
				    trial->config.reference);
	return 0;
}

int wm_kernel_trial_refer(struct wm_kernel_trial *trial, uint32_t elements, uint8_t *output,
			  struct wm_error *error)
{
	const struct wm_kernel *kernel = trial->kernel;
	size_t in_bytes = wm_kernel_trial_input_bytes(trial, elements);
	int in = memfd_create("wiremill-input", MFD_CLOEXEC);
	int out = memfd_create("wiremill-output", MFD_CLOEXEC);
	int ret;

	ret = run(trial, in, out, in_bytes, error);
	if (ret == 0)
		ret = take(trial, out, output, (size_t)elements * kernel->out_bytes, error);
	close(in);
	close(out);
	return ret;
}
