/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"
#include "scratch.h"
#include "wiremill/store.h"

static void refused(const char *path, int code)
{
	struct wm_error error = { "" };
	struct wm_source source;

	CU_ASSERT_EQUAL(wm_source_open(&source, path, &error), -code);
	CU_ASSERT(wm_scratch_is_line(&error));
}

static void a_file_is_opened_with_its_whole_size_and_identity(void)
{
	const char *path = wm_scratch_path("input");
	struct wm_source source;
	struct stat status;

	wm_scratch_write(path, "ninety-nine", 11);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, path, NULL), 0);
	CU_ASSERT_EQUAL(stat(path, &status), 0);
	CU_ASSERT_EQUAL(source.bytes, 11);
	CU_ASSERT_EQUAL(source.device, status.st_dev);
	CU_ASSERT_EQUAL(source.inode, status.st_ino);
	CU_ASSERT_FALSE(source.block_device);
	CU_ASSERT_STRING_EQUAL(source.path, path);
	wm_source_close(&source);
	CU_ASSERT_EQUAL(source.fd, -1);
}

static void direct_io_is_what_the_file_system_says(void)
{
	const char *path = wm_scratch_path("input");
	struct wm_source source;
	struct statx status;
	bool supported;
	int flags;

	wm_scratch_write(path, "x", 1);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, path, NULL), 0);
	CU_ASSERT_EQUAL(statx(AT_FDCWD, path, 0, STATX_DIOALIGN, &status), 0);
	supported = (status.stx_mask & STATX_DIOALIGN) && status.stx_dio_offset_align;
	flags = fcntl(source.fd, F_GETFL);
	CU_ASSERT_EQUAL(source.direct, supported);
	CU_ASSERT_EQUAL((flags & O_DIRECT) != 0, supported);
	if (supported) {
		CU_ASSERT(source.align_bytes >= status.stx_dio_offset_align);
		CU_ASSERT(source.align_bytes >= status.stx_dio_mem_align);
	}
	/* io_uring would fail instead of waiting. */
	CU_ASSERT_EQUAL(flags & O_NONBLOCK, 0);
	wm_source_close(&source);
}

static void memory_backed_files_are_read_through_the_page_cache(void)
{
	const char *shm = wm_scratch_shm();
	struct wm_source source;
	char path[128];

	CU_ASSERT_PTR_NOT_NULL_FATAL(shm);
	snprintf(path, sizeof(path), "%s/input", shm);
	wm_scratch_write(path, "x", 1);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, path, NULL), 0);
	CU_ASSERT_FALSE(source.direct);
	CU_ASSERT_EQUAL(source.align_bytes, 1);
	CU_ASSERT_EQUAL(fcntl(source.fd, F_GETFL) & (O_DIRECT | O_NONBLOCK), 0);
	wm_source_close(&source);
}

static void a_link_leads_to_its_file(void)
{
	const char *path = wm_scratch_path("target"), *name = wm_scratch_path("link");
	struct wm_source source;
	struct stat status;

	wm_scratch_write(path, "abc", 3);
	CU_ASSERT_EQUAL(symlink(path, name), 0);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, name, NULL), 0);
	CU_ASSERT_EQUAL(stat(path, &status), 0);
	CU_ASSERT_EQUAL(source.inode, status.st_ino);
	wm_source_close(&source);
}

static void a_missing_file_is_refused(void)
{
	refused(wm_scratch_path("nothing"), ENOENT);
	refused("", ENOENT);
	wm_scratch_write(wm_scratch_path("file"), "x", 1);
	refused(wm_scratch_path("file/below"), ENOTDIR);
}

static void an_empty_file_is_refused(void)
{
	wm_scratch_write(wm_scratch_path("empty"), "", 0);
	refused(wm_scratch_path("empty"), ENODATA);
}

static void a_directory_is_refused(void)
{
	refused(wm_scratch_path(""), EISDIR);
}

static void an_unreadable_file_is_refused(void)
{
	const char *path = wm_scratch_path("secret");

	wm_scratch_write(path, "x", 1);
	CU_ASSERT_EQUAL(chmod(path, 0), 0);
	refused(path, EACCES);
}

static void what_is_neither_file_nor_device_is_refused_without_waiting(void)
{
	CU_ASSERT_EQUAL(mkfifo(wm_scratch_path("pipe"), 0600), 0);
	refused(wm_scratch_path("pipe"), EINVAL);
	refused("/dev/null", EINVAL);
}

static void the_file_that_is_opened_is_the_one_that_was_meant(void)
{
	const char *path = wm_scratch_path("meant");
	struct wm_source_identity meant, none = { 0 };
	struct wm_error error = { "" };
	struct wm_source source;

	wm_scratch_write(path, "x", 1);
	CU_ASSERT_EQUAL(wm_source_identify(&meant, path, &error), 0);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, path, NULL), 0);
	CU_ASSERT_EQUAL(wm_source_check_identity(&source, &meant, &error), 0);
	CU_ASSERT_EQUAL(wm_source_check_identity(&source, &none, &error), 0);
	meant.inode++;
	CU_ASSERT_EQUAL(wm_source_check_identity(&source, &meant, &error), -ESTALE);
	CU_ASSERT(wm_scratch_is_line(&error));
	meant.inode--;
	meant.device++;
	CU_ASSERT_EQUAL(wm_source_check_identity(&source, &meant, &error), -ESTALE);
	CU_ASSERT_EQUAL(wm_source_identify(&meant, wm_scratch_path("not-there"), &error), 0);
	CU_ASSERT(meant.device == 0 && meant.inode == 0);
	wm_source_close(&source);
}

/* It would open a file of its own instead of the caller's. */
static void a_descriptor_of_a_process_is_refused(void)
{
	const char *link_path = wm_scratch_path("to-descriptor");
	char path[64];
	int fd, pipes[2];

	wm_scratch_write(wm_scratch_path("opened"), "x", 1);
	fd = open(wm_scratch_path("opened"), O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	refused(path, EINVAL);
	CU_ASSERT_EQUAL(symlink(path, link_path), 0);
	refused(link_path, EINVAL);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	refused(path, EINVAL);
	CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", pipes[0]);
	refused(path, EINVAL);
	refused("/proc/self/exe", EINVAL);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

/* It is no descriptor, and the same in every process, but its size is not told. */
static void what_the_kernel_makes_up_is_refused_as_that(void)
{
	struct wm_error error = { "" };
	struct wm_source source;

	refused("/proc/version", EINVAL);
	CU_ASSERT_EQUAL(wm_source_open(&source, "/proc/version", &error), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the kernel makes up"));
	CU_ASSERT_PTR_NULL(strstr(error.text, "descriptor"));
}

static void a_socket_is_refused(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(chdir(wm_scratch_path("")), 0);
	strcpy(address.sun_path, "socket");
	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	refused(wm_scratch_path("socket"), ENXIO);
	close(fd);
}

static void a_path_too_long_is_refused(void)
{
	char path[PATH_MAX + 10];

	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	refused(path, ENAMETOOLONG);
}

static const struct wm_test tests[] = {
	WM_TEST(a_file_is_opened_with_its_whole_size_and_identity),
	WM_TEST(direct_io_is_what_the_file_system_says),
	WM_TEST(memory_backed_files_are_read_through_the_page_cache),
	WM_TEST(a_link_leads_to_its_file),
	WM_TEST(a_missing_file_is_refused),
	WM_TEST(an_empty_file_is_refused),
	WM_TEST(a_directory_is_refused),
	WM_TEST(an_unreadable_file_is_refused),
	WM_TEST(what_is_neither_file_nor_device_is_refused_without_waiting),
	WM_TEST(the_file_that_is_opened_is_the_one_that_was_meant),
	WM_TEST(a_descriptor_of_a_process_is_refused),
	WM_TEST(what_the_kernel_makes_up_is_refused_as_that),
	WM_TEST(a_socket_is_refused),
	WM_TEST(a_path_too_long_is_refused),
};

int main(void)
{
	int failed;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	failed = WM_TESTS_RUN("source", tests);
	wm_scratch_end();
	return failed;
}
