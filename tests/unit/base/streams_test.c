/* SPDX-License-Identifier: BSD-3-Clause */
#include "streams.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

/* In a child without these streams: 0 if what is opened then gets none of their numbers, and
 * they fail as closed ones do. */
static int child(bool without_in, bool without_out, bool without_err)
{
	char byte = 'x';
	int fd;

	if (without_in)
		close(STDIN_FILENO);
	if (without_out)
		close(STDOUT_FILENO);
	if (without_err)
		close(STDERR_FILENO);
	wm_streams_keep();
	fd = open("/dev/null", O_RDWR);
	if (fd <= STDERR_FILENO)
		return 1;
	if (without_in && read(STDIN_FILENO, &byte, 1) >= 0)
		return 2;
	if (without_out && write(STDOUT_FILENO, &byte, 1) >= 0)
		return 3;
	return without_err && write(STDERR_FILENO, &byte, 1) >= 0 ? 4 : 0;
}

static void a_closed_stream_keeps_its_number(void)
{
	for (unsigned which = 0; which < 8; which++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(child(which & 1, which & 2, which & 4));
		CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
		CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static const struct wm_test tests[] = {
	WM_TEST(a_closed_stream_keeps_its_number),
};

int main(void)
{
	return WM_TESTS_RUN("streams", tests);
}
