/* SPDX-License-Identifier: BSD-3-Clause */
/* On a /sys of our own, since no machine has all kinds of devices. */
#include "backing.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness.h"
#include "scratch.h"

/* Numbers that no device of this machine has. */
#define DISK makedev(508, 0)
#define PART_1 makedev(508, 1)
#define PART_2 makedev(508, 2)
#define VOLUME_A makedev(509, 0)
#define VOLUME_B makedev(509, 1)
#define RAID makedev(510, 0)
#define LOOP_A makedev(507, 1000)
#define LOOP_B makedev(507, 1001)
#define LOOP_C makedev(507, 1002)

static char sysfs[PATH_MAX], image[PATH_MAX];

static void make_folder(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void make_folder(const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
}

static void attribute(const char *device, const char *attribute_name, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.2000s/%.200s/%.200s", sysfs, device, attribute_name);
	wm_scratch_write(path, value, strlen(value));
}

/* Where the kernel puts it, and the link by its number. */
static void device(const char *path, dev_t number)
{
	char text[64], link_path[PATH_MAX], target[PATH_MAX];

	make_folder("%.2000s/%s", sysfs, path);
	make_folder("%.2000s/%s/slaves", sysfs, path);
	snprintf(text, sizeof(text), "%u:%u\n", major(number), minor(number));
	attribute(path, "dev", text);
	snprintf(link_path, sizeof(link_path), "%.2000s/dev/block/%u:%u", sysfs, major(number),
		 minor(number));
	snprintf(target, sizeof(target), "../../%.200s", path);
	CU_ASSERT_EQUAL_FATAL(symlink(target, link_path), 0);
}

static void partition(const char *path, dev_t number, const char *start, const char *sectors)
{
	device(path, number);
	attribute(path, "partition", "1\n");
	attribute(path, "start", start);
	attribute(path, "size", sectors);
}

static void slave(const char *of, const char *path)
{
	char link_path[PATH_MAX], target[PATH_MAX];

	snprintf(link_path, sizeof(link_path), "%.2000s/%s/slaves/%s", sysfs, of,
		 strrchr(path, '/') + 1);
	snprintf(target, sizeof(target), "%.2000s/%s", sysfs, path);
	CU_ASSERT_EQUAL_FATAL(symlink(target, link_path), 0);
}

static void loop(const char *path, dev_t number, const char *offset, const char *limit)
{
	device(path, number);
	make_folder("%.2000s/%s/loop", sysfs, path);
	attribute(path, "loop/backing_file", image);
	attribute(path, "loop/offset", offset);
	attribute(path, "loop/sizelimit", limit);
}

static void a_sys_of_our_own_stands(void)
{
	snprintf(sysfs, sizeof(sysfs), "%s", wm_scratch_path("sys"));
	snprintf(image, sizeof(image), "%s", wm_scratch_path("image"));
	wm_scratch_write(image, "image", 5);
	make_folder("%s", sysfs);
	make_folder("%s/dev", sysfs);
	make_folder("%s/dev/block", sysfs);
	make_folder("%s/devices", sysfs);
	device("devices/sda", DISK);
	partition("devices/sda/sda1", PART_1, "2048\n", "4096\n");
	partition("devices/sda/sda2", PART_2, "6144\n", "4096\n");
	device("devices/dm-0", VOLUME_A);
	device("devices/dm-1", VOLUME_B);
	slave("devices/dm-0", "devices/sda/sda1");
	slave("devices/dm-1", "devices/sda/sda1");
	device("devices/md0", RAID);
	slave("devices/md0", "devices/dm-0");
	slave("devices/md0", "devices/sda/sda2");
	loop("devices/loop0", LOOP_A, "0\n", "0\n");
	loop("devices/loop1", LOOP_B, "0\n", "1048576\n");
	loop("devices/loop2", LOOP_C, "1048576\n", "0\n");
}

static struct stat block(dev_t number)
{
	return (struct stat){ .st_mode = S_IFBLK | 0600, .st_rdev = number };
}

static struct stat file_on(dev_t number, ino_t inode)
{
	return (struct stat){ .st_mode = S_IFREG | 0600, .st_dev = number, .st_ino = inode };
}

static bool overlap(struct stat a, struct stat b)
{
	struct wm_backing backing_a, backing_b;
	bool found;

	wm_backing_find(&backing_a, &a, sysfs);
	wm_backing_find(&backing_b, &b, sysfs);
	found = wm_backing_overlaps(&backing_a, &backing_b);
	CU_ASSERT_EQUAL(found, wm_backing_overlaps(&backing_b, &backing_a));
	return found;
}

static void a_disk_overlaps_its_partitions_and_they_not_each_other(void)
{
	CU_ASSERT(overlap(block(DISK), block(DISK)));
	CU_ASSERT(overlap(block(DISK), block(PART_1)));
	CU_ASSERT(overlap(block(PART_2), block(DISK)));
	CU_ASSERT_FALSE(overlap(block(PART_1), block(PART_2)));
}

static void a_volume_overlaps_all_below_it_and_no_other_volume(void)
{
	CU_ASSERT(overlap(block(VOLUME_A), block(PART_1)));
	CU_ASSERT(overlap(block(VOLUME_A), block(DISK)));
	CU_ASSERT_FALSE(overlap(block(VOLUME_A), block(PART_2)));
	CU_ASSERT_FALSE(overlap(block(VOLUME_A), block(VOLUME_B)));
	CU_ASSERT(overlap(block(RAID), block(VOLUME_A)));
	CU_ASSERT(overlap(block(RAID), block(PART_1)));
	CU_ASSERT(overlap(block(RAID), block(PART_2)));
	CU_ASSERT(overlap(block(RAID), block(DISK)));
}

static void a_file_overlaps_the_devices_of_its_file_system_and_no_other_file(void)
{
	CU_ASSERT(overlap(file_on(PART_1, 7), file_on(PART_1, 7)));
	CU_ASSERT_FALSE(overlap(file_on(PART_1, 7), file_on(PART_1, 8)));
	CU_ASSERT(overlap(file_on(PART_1, 7), block(PART_1)));
	CU_ASSERT(overlap(file_on(PART_1, 7), block(DISK)));
	CU_ASSERT_FALSE(overlap(file_on(PART_1, 7), block(PART_2)));
	CU_ASSERT(overlap(file_on(RAID, 7), block(DISK)));
	CU_ASSERT_FALSE(overlap(file_on(VOLUME_A, 7), file_on(VOLUME_B, 7)));
}

static void a_loop_device_overlaps_its_file_and_loops_over_the_same_part_of_it(void)
{
	struct stat file, other;

	CU_ASSERT_EQUAL_FATAL(stat(image, &file), 0);
	other = file;
	other.st_ino++;
	CU_ASSERT(overlap(block(LOOP_A), file));
	CU_ASSERT_FALSE(overlap(block(LOOP_A), other));
	CU_ASSERT(overlap(block(LOOP_A), block(LOOP_B)));
	CU_ASSERT(overlap(block(LOOP_A), block(LOOP_C)));
	CU_ASSERT_FALSE(overlap(block(LOOP_B), block(LOOP_C)));
	CU_ASSERT(overlap(file_on(LOOP_A, 7), file));
}

/* As sysfs never has it: a volume that lies on itself. */
static void a_circle_ends(void)
{
	slave("devices/sda", "devices/md0");
	CU_ASSERT(overlap(block(RAID), block(DISK)));
}

static const struct wm_test tests[] = {
	WM_TEST(a_sys_of_our_own_stands),
	WM_TEST(a_disk_overlaps_its_partitions_and_they_not_each_other),
	WM_TEST(a_volume_overlaps_all_below_it_and_no_other_volume),
	WM_TEST(a_file_overlaps_the_devices_of_its_file_system_and_no_other_file),
	WM_TEST(a_loop_device_overlaps_its_file_and_loops_over_the_same_part_of_it),
	WM_TEST(a_circle_ends),
};

int main(void)
{
	int failed;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	failed = WM_TESTS_RUN("backing", tests);
	wm_scratch_end();
	return failed;
}
