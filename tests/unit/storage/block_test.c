/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Block devices and a full disk, on loop devices over files in $TMPDIR. Needs
 * root. A parent makes them and removes them, whatever becomes of the child that
 * runs the tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "scratch.h"
#include "stream.h"
#include "wiremill/journal.h"
#include "wiremill/side.h"

#define DEVICE_BYTES (16u << 20)

enum { SOURCE, SINK, SINK_4K, DISK, DEVICES };

static char devices[DEVICES][64];
static char mounted[PATH_MAX];

/* ---- devices ------------------------------------------------------------ */

static bool make_device(unsigned i, unsigned sector_bytes)
{
	char command[PATH_MAX + 128], image[16];
	FILE *losetup;

	snprintf(image, sizeof(image), "image-%u", i);
	close(open(wm_scratch_path(image), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	if (truncate(wm_scratch_path(image), DEVICE_BYTES) < 0)
		return false;
	snprintf(command, sizeof(command), "losetup --find --show --sector-size %u '%s' 2>&1",
		 sector_bytes, wm_scratch_path(image));
	losetup = popen(command, "r");
	if (!losetup || !fgets(devices[i], sizeof(devices[i]), losetup))
		devices[i][0] = '\0';
	devices[i][strcspn(devices[i], "\n")] = '\0';
	if (losetup && pclose(losetup) == 0)
		return true;
	printf("# %s\n", devices[i]);
	devices[i][0] = '\0';
	return false;
}

static bool make_disk(void)
{
	char command[sizeof(devices[0]) + 32];

	snprintf(mounted, sizeof(mounted), "%s", wm_scratch_path("mounted"));
	snprintf(command, sizeof(command), "mkfs.ext4 -q -b 4096 %.63s", devices[DISK]);
	if (mkdir(mounted, 0700) == 0 && system(command) == 0 &&
	    mount(devices[DISK], mounted, "ext4", 0, NULL) == 0)
		return true;
	mounted[0] = '\0';
	return false;
}

static bool make_all(void)
{
	return make_device(SOURCE, 512) && make_device(SINK, 512) && make_device(SINK_4K, 4096) &&
	       make_device(DISK, 512) && make_disk();
}

static void remove_all(void)
{
	char command[sizeof(devices[0]) + 16];

	if (mounted[0])
		umount(mounted);
	for (unsigned i = 0; i < DEVICES; i++) {
		snprintf(command, sizeof(command), "losetup -d %.63s", devices[i]);
		if (devices[i][0] && system(command) != 0)
			printf("# left behind: %s\n", devices[i]);
	}
}

/* ---- helpers ------------------------------------------------------------ */

static void fill_device(const char *path, const uint8_t *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(pwrite(fd, bytes, count, 0), (ssize_t)count);
	CU_ASSERT_EQUAL(fsync(fd), 0);
	close(fd);
}

static uint8_t *device_contents(const char *path)
{
	uint8_t *bytes = malloc(DEVICE_BYTES);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(pread(fd, bytes, DEVICE_BYTES, 0), DEVICE_BYTES);
	close(fd);
	return bytes;
}

static void refused(const char *path, uint64_t bytes, bool force, const struct wm_source *source,
		    int code)
{
	struct wm_error error = { "" };
	struct wm_sink sink;

	CU_ASSERT_EQUAL(wm_sink_check(path, bytes, force, source, &error), -code);
	CU_ASSERT(wm_scratch_is_line(&error));
	error.text[0] = '\0';
	CU_ASSERT_EQUAL(wm_sink_create(&sink, path, bytes, force, source, &error), -code);
	CU_ASSERT(wm_scratch_is_line(&error));
}

static uint64_t free_bytes(void)
{
	struct statvfs disk;

	CU_ASSERT_EQUAL_FATAL(statvfs(mounted, &disk), 0);
	return (uint64_t)disk.f_bfree * disk.f_frsize;
}

/* ---- tests -------------------------------------------------------------- */

/* From device to device; what lies behind the output stays as it was. */
static void stream_between_devices(unsigned to, uint64_t input_bytes, uint32_t part_bytes,
				   uint32_t align_bytes)
{
	struct wm_stream stream = { .depth = 4, .part_bytes = part_bytes };
	uint8_t *in = wm_scratch_bytes(DEVICE_BYTES, 1), *old = wm_scratch_bytes(DEVICE_BYTES, 2);
	struct wm_store_counters counters = { 0 };
	struct wm_layout layout;
	struct wm_source source;
	struct wm_sink sink;
	uint8_t *found;

	fill_device(devices[SOURCE], in, DEVICE_BYTES);
	fill_device(devices[to], old, DEVICE_BYTES);
	CU_ASSERT_EQUAL_FATAL(
		wm_layout_init(&layout, wm_kernel_find("xor"), input_bytes, 9000, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, devices[SOURCE], NULL), 0);
	CU_ASSERT(source.block_device && source.direct && source.bytes == DEVICE_BYTES);
	CU_ASSERT_EQUAL_FATAL(
		wm_sink_create(&sink, devices[to], layout.output_bytes, true, &source, NULL), 0);
	CU_ASSERT(sink.block_device && sink.direct);
	CU_ASSERT_EQUAL(sink.align_bytes, align_bytes);
	CU_ASSERT_EQUAL(wm_stream_run(&stream, &layout, &source, &sink, &counters), 0);
	CU_ASSERT_EQUAL(counters.reads_direct, layout.extents);
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, NULL), 0);
	wm_source_close(&source);

	wm_stream_xor(old, in, input_bytes);
	found = device_contents(devices[to]);
	CU_ASSERT(memcmp(found, old, DEVICE_BYTES) == 0);
	free(found);
	free(old);
	free(in);
}

static void a_device_is_streamed_to_a_device(void)
{
	stream_between_devices(SINK, DEVICE_BYTES, 8192, 512);
	stream_between_devices(SINK, 3 * (1 << 20) + 5000 * 32, 3072, 512);
	stream_between_devices(SINK, 64, 0, 512);
}

static void a_device_with_blocks_of_4096_is_written(void)
{
	stream_between_devices(SINK_4K, DEVICE_BYTES, 8192, 4096);
	stream_between_devices(SINK_4K, 3 * (1 << 20) + 5000 * 32, 0, 4096);
}

static void parts_must_fit_the_blocks_of_the_device(void)
{
	struct wm_stream stream = { .depth = 1, .part_bytes = 3072 };
	struct wm_store_counters counters;
	struct wm_layout layout;
	struct wm_source source;
	struct wm_sink sink;

	CU_ASSERT_EQUAL_FATAL(
		wm_layout_init(&layout, wm_kernel_find("xor"), DEVICE_BYTES, 3506, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, devices[SOURCE], NULL), 0);
	CU_ASSERT_EQUAL_FATAL(
		wm_sink_create(&sink, devices[SINK_4K], layout.output_bytes, true, &source, NULL),
		0);
	CU_ASSERT_EQUAL(wm_stream_run(&stream, &layout, &source, &sink, &counters), -EINVAL);
	wm_sink_abandon(&sink);
	wm_source_close(&source);
}

static void a_device_is_verified_up_to_the_output(void)
{
	uint8_t *in = wm_scratch_bytes(DEVICE_BYTES, 3), *out = malloc(DEVICE_BYTES);
	struct wm_verify_result result;

	fill_device(devices[SOURCE], in, DEVICE_BYTES);
	wm_stream_xor(out, in, DEVICE_BYTES);
	fill_device(devices[SINK], out, DEVICE_BYTES - 32);
	CU_ASSERT_EQUAL_FATAL(wm_verify("xor", NULL, devices[SOURCE], devices[SINK], false, NULL,
					NULL, &result, NULL),
			      0);
	CU_ASSERT_TRUE(result.equal);
	out[9999999] ^= 1;
	fill_device(devices[SINK], out, DEVICE_BYTES - 32);
	CU_ASSERT_EQUAL_FATAL(wm_verify("xor", NULL, devices[SOURCE], devices[SINK], false, NULL,
					NULL, &result, NULL),
			      0);
	CU_ASSERT_FALSE(result.equal);
	CU_ASSERT_EQUAL(result.offset, 9999999);
	free(out);
	free(in);
}

static void a_device_is_overwritten_only_by_force(void)
{
	refused(devices[SINK], 4096, false, NULL, EEXIST);
}

static void a_device_too_small_is_refused(void)
{
	struct wm_sink sink;

	refused(devices[SINK], DEVICE_BYTES + 1, true, NULL, ENOSPC);
	CU_ASSERT_EQUAL(wm_sink_check(devices[SINK], DEVICE_BYTES, true, NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&sink, devices[SINK], DEVICE_BYTES, true, NULL, NULL),
			      0);
	wm_sink_abandon(&sink);
}

static void the_source_device_is_refused_under_another_name(void)
{
	const char *node = wm_scratch_path("other-node");
	struct wm_source source;
	struct stat status;

	CU_ASSERT_EQUAL_FATAL(stat(devices[SOURCE], &status), 0);
	CU_ASSERT_EQUAL_FATAL(mknod(node, S_IFBLK | 0600, status.st_rdev), 0);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, devices[SOURCE], NULL), 0);
	refused(devices[SOURCE], 4096, true, &source, EINVAL);
	refused(node, 4096, true, &source, EINVAL);
	wm_source_close(&source);
}

static void a_mounted_device_is_refused(void)
{
	refused(devices[DISK], 4096, true, NULL, EBUSY);
}

static void two_jobs_on_one_device_are_refused(void)
{
	struct wm_sink sink;

	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&sink, devices[SINK], 4096, true, NULL, NULL), 0);
	refused(devices[SINK], 4096, true, NULL, EBUSY);
	wm_sink_abandon(&sink);
	CU_ASSERT_EQUAL(wm_sink_check(devices[SINK], 4096, true, NULL, NULL), 0);
}

static void a_full_disk_is_refused_and_nothing_left_behind(void)
{
	const char *path = wm_scratch_path("mounted/output");
	uint64_t before = free_bytes();
	struct wm_error error = { "" };
	struct wm_sink sink;

	refused(path, before + 1, false, NULL, ENOSPC);
	/* All that is free includes what the file system keeps for itself. */
	CU_ASSERT_EQUAL(wm_sink_check(path, before, false, NULL, NULL), 0);
	CU_ASSERT_EQUAL(wm_sink_create(&sink, path, before, false, NULL, &error), -ENOSPC);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "are free"));
	CU_ASSERT_FALSE(wm_scratch_exists(wm_scratch_path("mounted/output.wm-partial")));
	CU_ASSERT_FALSE(wm_scratch_exists(path));
	CU_ASSERT_EQUAL(free_bytes(), before);
}

/* Either way round, and what is under a mounted file system as well. */
static void what_is_stored_where_the_input_is_is_refused(void)
{
	char image[PATH_MAX], disk[PATH_MAX];
	struct wm_source source;

	snprintf(image, sizeof(image), "%s", wm_scratch_path("image-0"));
	snprintf(disk, sizeof(disk), "%s", wm_scratch_path("image-3"));
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, image, NULL), 0);
	refused(devices[SOURCE], DEVICE_BYTES / 2, true, &source, EINVAL);
	CU_ASSERT_EQUAL(wm_sink_check(devices[SINK], DEVICE_BYTES, true, &source, NULL), 0);
	wm_source_close(&source);

	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, devices[SOURCE], NULL), 0);
	refused(image, DEVICE_BYTES / 2, true, &source, EINVAL);
	wm_source_close(&source);

	wm_scratch_write(wm_scratch_path("mounted/input"), "input", 5);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, wm_scratch_path("mounted/input"), NULL), 0);
	refused(disk, DEVICE_BYTES / 2, true, &source, EINVAL);
	refused(devices[DISK], DEVICE_BYTES / 2, true, &source, EINVAL);
	wm_source_close(&source);
	unlink(wm_scratch_path("mounted/input"));

	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, disk, NULL), 0);
	refused(wm_scratch_path("mounted/output"), 4096, false, &source, EINVAL);
	wm_source_close(&source);
}

static void fill_disk(const char *path)
{
	static const size_t pieces[] = { 1 << 20, 4096, 1 };
	static const uint8_t bytes[1 << 20];
	int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

	for (unsigned i = 0; i < 3; i++) {
		while (write(fd, bytes, pieces[i]) > 0)
			;
	}
	close(fd);
}

/* Every record of a job is written to a disk that has no block left, and its manifest. */
static void journal_and_manifest_have_their_blocks_on_a_disk_that_is_full(void)
{
	const char *path = wm_scratch_path("mounted/full.wm-journal");
	const char *path_manifest = wm_scratch_path("mounted/full.wm-manifest");
	enum { EXTENTS = 1500 };
	struct wm_journal_identity identity = { .kernel = *wm_kernel_find("xor"),
						.extent_elements = 32768,
						.output_bytes = (uint64_t)EXTENTS << 20,
						.input_bytes = ((uint64_t)EXTENTS << 20) + 32,
						.input_path = "/in" };
	struct wm_layout layout = { .extents = EXTENTS };
	uint8_t bytes[WM_JOURNAL_RECORD_BYTES];
	struct wm_error error = { "" };
	struct wm_journal journal;

	wm_scratch_write(wm_scratch_path("mounted/full"), "", 0);
	CU_ASSERT_EQUAL_FATAL(wm_journal_create(&journal, path, &identity, &error), 0);
	CU_ASSERT_EQUAL_FATAL(wm_manifest_reserve(path_manifest, &journal, &error), 0);
	fill_disk(wm_scratch_path("mounted/filler"));
	CU_ASSERT_EQUAL(wm_side_check_space(wm_scratch_path("mounted/other"), "/", 1 << 20, EXTENTS,
					    &error),
			-ENOSPC);
	for (uint32_t i = 0; i < EXTENTS; i++) {
		struct wm_journal_record record = { .type = WM_JOURNAL_EXTENT, .extent = i };

		wm_journal_encode_record(bytes, &record, journal.random, i);
		CU_ASSERT_EQUAL(pwrite(journal.fd, bytes, sizeof(bytes),
				       WM_JOURNAL_HEADER_BYTES + (off_t)i * (off_t)sizeof(bytes)),
				(ssize_t)sizeof(bytes));
	}
	journal.records = EXTENTS;
	CU_ASSERT_EQUAL(wm_manifest_create(path_manifest, wm_scratch_path("mounted/full"), &journal,
					   &layout, &error),
			0);
	wm_journal_remove(&journal);
	unlink(wm_scratch_path("mounted/filler"));
	unlink(wm_scratch_path("mounted/full"));
	unlink(path_manifest);
}

static void a_stale_partial_file_counts_as_free(void)
{
	const char *path = wm_scratch_path("mounted/again");
	uint64_t bytes = free_bytes() / 4 * 3;
	struct wm_sink sink;
	int fd;

	fd = open(wm_scratch_path("mounted/again.wm-partial"), O_CREAT | O_WRONLY, 0600);
	CU_ASSERT_EQUAL_FATAL(posix_fallocate(fd, 0, (off_t)bytes), 0);
	CU_ASSERT_EQUAL(pwrite(fd, "WMPART\0\1", 8, 0), 8);
	close(fd);
	CU_ASSERT(free_bytes() < bytes);
	CU_ASSERT_EQUAL(wm_sink_check(path, bytes, false, NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&sink, path, bytes, false, NULL, NULL), 0);
	wm_sink_abandon(&sink);
}

static void a_read_only_file_system_is_refused(void)
{
	CU_ASSERT_EQUAL_FATAL(mount(NULL, mounted, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	refused(wm_scratch_path("mounted/output"), 4096, false, NULL, EROFS);
	CU_ASSERT_EQUAL(mount(NULL, mounted, NULL, MS_REMOUNT, NULL), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(a_device_is_streamed_to_a_device),
	WM_TEST(a_device_with_blocks_of_4096_is_written),
	WM_TEST(parts_must_fit_the_blocks_of_the_device),
	WM_TEST(a_device_is_verified_up_to_the_output),
	WM_TEST(a_device_is_overwritten_only_by_force),
	WM_TEST(a_device_too_small_is_refused),
	WM_TEST(the_source_device_is_refused_under_another_name),
	WM_TEST(a_mounted_device_is_refused),
	WM_TEST(two_jobs_on_one_device_are_refused),
	WM_TEST(a_full_disk_is_refused_and_nothing_left_behind),
	WM_TEST(what_is_stored_where_the_input_is_is_refused),
	WM_TEST(journal_and_manifest_have_their_blocks_on_a_disk_that_is_full),
	WM_TEST(a_stale_partial_file_counts_as_free),
	WM_TEST(a_read_only_file_system_is_refused),
};

static int run_in_child(void)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		exit(WM_TESTS_RUN("block", tests));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(void)
{
	int result;

	if (geteuid() != 0)
		return wm_tests_skip("root, to make loop devices");
	if (wm_scratch_begin(false) < 0)
		return EXIT_FAILURE;
	result = make_all() ? run_in_child() : wm_tests_skip("loop devices and ext4 to mount");
	remove_all();
	wm_scratch_end();
	return result;
}
