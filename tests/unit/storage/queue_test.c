/* SPDX-License-Identifier: BSD-3-Clause */
/* On a /sys of our own, since no machine has all kinds of devices. */
#include "queue.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness.h"
#include "scratch.h"

#define DISK makedev(508, 0)
#define PARTITION makedev(508, 1)

static char sysfs[PATH_MAX];

static void folder(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.2000s/%.200s", sysfs, name);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
}

static void attribute(const char *name, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.2000s/disk/queue/%.200s", sysfs, name);
	wm_scratch_write(path, value, strlen(value));
}

static void link_to(const char *target, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.2000s/dev/block/%.200s", sysfs, name);
	CU_ASSERT_EQUAL_FATAL(symlink(target, path), 0);
}

static void make_disk(const char *boundary_mask, const char *physical, const char *segments)
{
	CU_ASSERT_EQUAL_FATAL(wm_scratch_begin(false), 0);
	snprintf(sysfs, sizeof(sysfs), "%s", wm_scratch_path("sys"));
	folder("");
	folder("dev");
	folder("dev/block");
	folder("disk");
	folder("disk/queue");
	folder("disk/partition");
	link_to("../../disk", "508:0");
	link_to("../../disk/partition", "508:1");
	attribute("virt_boundary_mask", boundary_mask);
	attribute("physical_block_size", physical);
	attribute("max_segments", segments);
}

static struct wm_queue queue_of(mode_t mode, dev_t device)
{
	struct stat status = { .st_mode = mode, .st_rdev = device, .st_dev = device };
	struct wm_queue queue;

	wm_queue_find(&queue, &status, sysfs);
	return queue;
}

static void is_nvme(struct wm_queue queue)
{
	CU_ASSERT_EQUAL(queue.boundary_bytes, 4096);
	CU_ASSERT_EQUAL(queue.physical_bytes, 4096);
	CU_ASSERT_EQUAL(queue.segments_max, 127);
}

static void a_disk_its_partition_and_a_file_on_it_have_one_queue(void)
{
	make_disk("4095\n", "4096\n", "127\n");
	is_nvme(queue_of(S_IFBLK, DISK));
	is_nvme(queue_of(S_IFBLK, PARTITION));
	is_nvme(queue_of(S_IFREG, PARTITION));
	wm_scratch_end();
}

static void what_sysfs_does_not_say_is_no_limit(void)
{
	struct wm_queue queue;

	make_disk("none\n", "\n", "-1\n");
	queue = queue_of(S_IFREG, makedev(0, 42));
	CU_ASSERT_TRUE(wm_queue_takes_pieces(&queue, 1, 1));
	queue = queue_of(S_IFBLK, DISK);
	CU_ASSERT_EQUAL(queue.boundary_bytes, 0);
	CU_ASSERT_EQUAL(queue.physical_bytes, 0);
	wm_scratch_end();
}

static void pieces_that_meet_inside_a_page_are_not_for_nvme(void)
{
	const struct wm_queue nvme = { 4096, 512, 127 }, nvme_4k = { 4096, 4096, 127 };

	CU_ASSERT_EQUAL(wm_queue_cost(&nvme, 8192, 4096), 2);
	CU_ASSERT_EQUAL(wm_queue_cost(&nvme, 8192, 512), 128);
	CU_ASSERT_EQUAL(wm_queue_cost(&nvme, 3072, 512), 342);
	CU_ASSERT_EQUAL(wm_queue_cost(&nvme_4k, 3072, 512), 342 + 2 * 341);
	CU_ASSERT_TRUE(wm_queue_takes_pieces(&nvme, 8192, 4096));
	CU_ASSERT_FALSE(wm_queue_takes_pieces(&nvme, 8192, 512));
	CU_ASSERT_FALSE(wm_queue_takes_pieces(&nvme, 3072, 512));
}

static void a_queue_without_that_bound_takes_as_many_as_it_has_segments(void)
{
	const struct wm_queue sata = { 0, 4096, 168 }, odd = { 0, 4096, 254 }, one = { 0, 512, 1 };

	CU_ASSERT_EQUAL(wm_queue_cost(&sata, 3072, 512), 3);
	CU_ASSERT_EQUAL(wm_queue_cost(&odd, 3072, 512), 2 + 2);
	CU_ASSERT_TRUE(wm_queue_takes_pieces(&sata, 3072, 512));
	CU_ASSERT_FALSE(wm_queue_takes_pieces(&one, 3072, 512));
}

static const struct wm_test tests[] = {
	WM_TEST(a_disk_its_partition_and_a_file_on_it_have_one_queue),
	WM_TEST(what_sysfs_does_not_say_is_no_limit),
	WM_TEST(pieces_that_meet_inside_a_page_are_not_for_nvme),
	WM_TEST(a_queue_without_that_bound_takes_as_many_as_it_has_segments),
};

int main(void)
{
	return WM_TESTS_RUN("queue", tests);
}
