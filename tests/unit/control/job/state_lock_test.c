/* SPDX-License-Identifier: BSD-3-Clause */
/* One controller a state directory, whoever removes what. */
#include "state_lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "harness.h"

static char directory[64];

static void second_is_refused_and_told_who_has_it(void)
{
	struct wm_error error = { "" };
	struct wm_state_lock first, second;
	char pid[32];

	CU_ASSERT_EQUAL_FATAL(wm_state_lock_take(&first, directory, 0, &error), 0);
	CU_ASSERT_EQUAL(wm_state_lock_take(&second, directory, 0, &error), -EBUSY);
	snprintf(pid, sizeof(pid), "pid %d has", (int)getpid());
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, pid));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, directory));
	CU_ASSERT_EQUAL(wm_state_lock_keep(&first, &error), 0);
	wm_state_lock_release(&first);
	CU_ASSERT_EQUAL(wm_state_lock_take(&second, directory, 0, &error), 0);
	wm_state_lock_release(&second);
}

/* The kernel lets go of a lock some time after its holder was killed. */
static void holder_that_is_about_to_go_is_waited_for(void)
{
	struct wm_error error = { "" };
	struct wm_state_lock lock;
	int ready[2];
	char byte;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		int ret = wm_state_lock_take(&lock, directory, 0, NULL);

		if (ret < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		usleep(50000);
		_exit(0);
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	CU_ASSERT_EQUAL(wm_state_lock_take(&lock, directory, 60 * WM_NS_PER_S, &error), 0);
	wm_state_lock_release(&lock);
	CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
	close(ready[0]);
	close(ready[1]);
}

static void lock_that_was_removed_is_made_again(void)
{
	struct wm_error error = { "" };
	struct wm_state_lock first, second;

	CU_ASSERT_EQUAL_FATAL(wm_state_lock_take(&first, directory, 0, &error), 0);
	unlink(first.path);
	CU_ASSERT_EQUAL(wm_state_lock_keep(&first, &error), 1);
	CU_ASSERT_EQUAL(wm_state_lock_take(&second, directory, 0, &error), -EBUSY);
	/* another was faster */
	unlink(first.path);
	CU_ASSERT_EQUAL(wm_state_lock_take(&second, directory, 0, &error), 0);
	CU_ASSERT_EQUAL(wm_state_lock_keep(&first, &error), -EBUSY);
	CU_ASSERT_EQUAL(wm_state_lock_keep(&second, &error), 0);
	wm_state_lock_release(&second);
	CU_ASSERT_EQUAL(wm_state_lock_keep(&first, &error), 1);
	wm_state_lock_release(&first);
}

/* That nobody has it is another line than that somebody does. */
static void what_cannot_be_locked_is_not_another_controller(void)
{
	struct wm_error error = { "" };
	struct wm_state_lock lock;
	char path[80];

	CU_ASSERT_EQUAL(wm_state_lock_take(&lock, "/nonexistent", 0, &error), -ENOENT);
	CU_ASSERT(strstr(error.text, "--state") && !strstr(error.text, "another wiremilld"));
	snprintf(path, sizeof(path), "%s/lock", directory);
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(wm_state_lock_take(&lock, directory, 0, &error), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is no file"));
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(symlink("/etc/passwd", path), 0);
	CU_ASSERT_EQUAL(wm_state_lock_take(&lock, directory, 0, &error), -ELOOP);
	unlink(path);
}

static const struct wm_test tests[] = {
	WM_TEST(second_is_refused_and_told_who_has_it),
	WM_TEST(holder_that_is_about_to_go_is_waited_for),
	WM_TEST(lock_that_was_removed_is_made_again),
	WM_TEST(what_cannot_be_locked_is_not_another_controller),
};

int main(void)
{
	int status;

	strcpy(directory, "/tmp/wm-lock-test-XXXXXX");
	if (!mkdtemp(directory))
		return 1;
	status = WM_TESTS_RUN("state lock", tests);
	rmdir(directory);
	return status;
}
