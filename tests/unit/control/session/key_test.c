/* SPDX-License-Identifier: BSD-3-Clause */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

static char folder[] = "/tmp/wm-key-test.XXXXXX";
static char path[sizeof(folder) + 8];

static void write_file(const char *text, size_t bytes, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, bytes), (ssize_t)bytes);
	CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
	close(fd);
}

static void refused(int code, const char *words)
{
	struct wm_error error = { "" };
	struct wm_key key;

	CU_ASSERT_EQUAL(wm_key_read(&key, path, &error), code);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
}

static void a_key_that_was_made_is_read_and_is_its_owners_alone(void)
{
	static const struct wm_key nothing;
	struct wm_error error = { "" };
	struct wm_key first = nothing, second = nothing;
	struct stat status;

	CU_ASSERT_EQUAL(wm_key_create(path, &error), 0);
	CU_ASSERT_EQUAL(stat(path, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(wm_key_read(&first, path, &error), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(&first, &nothing, sizeof(first)), 0);
	unlink(path);

	CU_ASSERT_EQUAL(wm_key_create(path, &error), 0);
	CU_ASSERT_EQUAL(wm_key_read(&second, path, &error), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(&first, &second, sizeof(first)), 0);
	unlink(path);
}

static void a_key_is_never_overwritten(void)
{
	struct wm_error error = { "" };
	struct wm_key key;

	write_file(DIGITS "\n", 65, 0600);
	CU_ASSERT_EQUAL(wm_key_create(path, &error), -EEXIST);
	CU_ASSERT_EQUAL(wm_key_read(&key, path, &error), 0);
	CU_ASSERT_EQUAL(key.bytes[31], 31);
	unlink(path);
}

static void digits_are_read_with_and_without_a_newline(void)
{
	struct wm_error error = { "" };
	struct wm_key key;

	for (size_t bytes = 64; bytes <= 65; bytes++) {
		memset(&key, 0xff, sizeof(key));
		write_file(DIGITS "\n", bytes, 0400);
		CU_ASSERT_EQUAL(wm_key_read(&key, path, &error), 0);
		for (unsigned i = 0; i < sizeof(key.bytes); i++)
			CU_ASSERT_EQUAL(key.bytes[i], i);
		unlink(path);
	}
}

static void whatever_is_not_a_key_is_refused(void)
{
	static const char *const wrong[] = {
		"",
		"\n",
		DIGITS "0",
		DIGITS "0\n",
		DIGITS "\n\n",
		DIGITS "\r\n",
		" 00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"00 102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0",
		"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_file(wrong[i], strlen(wrong[i]), 0600);
		refused(-EINVAL, "64 hexadecimal digits");
	}
	for (size_t bytes = 1; bytes < 64; bytes++) {
		write_file(DIGITS, bytes, 0600);
		refused(-EINVAL, "64 hexadecimal digits");
	}
	unlink(path);
}

static void a_key_that_others_may_touch_is_refused_with_the_command_to_run(void)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644 };
	char command[64];

	snprintf(command, sizeof(command), "'chmod 600 %s'", path);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_file(DIGITS "\n", 65, modes[i]);
		refused(-EACCES, command);
	}
	unlink(path);
}

static void a_key_of_somebody_else_is_refused(void)
{
	if (geteuid() != 0)
		return; /* only root can give a file away */
	write_file(DIGITS "\n", 65, 0600);
	CU_ASSERT_EQUAL(chown(path, 65534, (gid_t)-1), 0);
	refused(-EACCES, "belongs to user 65534");
	unlink(path);
}

static void what_is_no_file_is_refused(void)
{
	refused(-ENOENT, "No such file");
	CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
	refused(-EINVAL, "not a regular file");
	rmdir(path);
	/* Nobody ever writes to it: a reader that waits hangs here. */
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	refused(-EINVAL, "not a regular file");
	unlink(path);
}

static void a_secret_is_gone_once_it_is_wiped(void)
{
	static const uint8_t nothing[4096];
	uint8_t *secret = malloc(sizeof(nothing));

	memset(secret, 0x5a, sizeof(nothing));
	wm_secret_lock(secret, sizeof(nothing));
	wm_secret_wipe(secret, sizeof(nothing));
	CU_ASSERT_EQUAL(memcmp(secret, nothing, sizeof(nothing)), 0);
	free(secret);
}

static const struct wm_test tests[] = {
	WM_TEST(a_key_that_was_made_is_read_and_is_its_owners_alone),
	WM_TEST(a_key_is_never_overwritten),
	WM_TEST(digits_are_read_with_and_without_a_newline),
	WM_TEST(whatever_is_not_a_key_is_refused),
	WM_TEST(a_key_that_others_may_touch_is_refused_with_the_command_to_run),
	WM_TEST(a_key_of_somebody_else_is_refused),
	WM_TEST(what_is_no_file_is_refused),
	WM_TEST(a_secret_is_gone_once_it_is_wiped),
};

int main(void)
{
	int status;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/key", folder);
	status = WM_TESTS_RUN("key", tests);
	rmdir(folder);
	return status;
}
