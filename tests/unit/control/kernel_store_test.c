/* SPDX-License-Identifier: BSD-3-Clause */
/* A node's kernels on its disk: over starts, with files that are damaged, and with disks that
 * take nothing. */
#include "kernel_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "log.h"

static char directory[] = "/tmp/wm-kernel-store-XXXXXX";
static char path[sizeof(directory) + 32];

static uint8_t *make_object(uint32_t number, uint8_t hash[WM_KERNEL_HASH_BYTES], size_t *count)
{
	uint32_t code[64] = { 0x07230203, number }; /* what SPIR-V begins with */
	struct wm_kernel_object object = {
		.kernel = { .name = "blur", .in_bytes = 4, .out_bytes = 4 },
		.code = code,
		.code_bytes = sizeof(code),
		.source = "text",
		.source_bytes = 4,
	};
	uint8_t *bytes;

	*count = wm_kernel_object_bytes(&object);
	bytes = malloc(*count);
	wm_kernel_object_encode(bytes, &object);
	memcpy(hash, object.kernel.hash, WM_KERNEL_HASH_BYTES);
	return bytes;
}

/* As one that has arrived is. */
static void arrive(struct wm_kernel_cache *cache, uint32_t number)
{
	struct wm_kernel_cache_entry entry;

	entry.bytes = make_object(number, entry.hash, &entry.bytes_count);
	wm_kernel_cache_add(cache, entry.hash, entry.bytes, entry.bytes_count);
	if (cache->kept)
		cache->kept(cache->context, &entry);
}

static bool has(struct wm_kernel_cache *cache, uint32_t number)
{
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	size_t count, found_count = 0;
	uint8_t *bytes = make_object(number, hash, &count);
	const uint8_t *found = wm_kernel_cache_find(cache, hash, &found_count);
	bool same = found && found_count == count && memcmp(found, bytes, count) == 0;

	free(bytes);
	return same;
}

static unsigned count_files(void)
{
	DIR *dir = opendir(path);
	unsigned count = 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static void write_file(const char *name, const char *text)
{
	char file[PATH_MAX];
	FILE *out;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	out = fopen(file, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
}

/* In a directory that is made for it. */
static void fill(unsigned objects)
{
	struct wm_kernel_cache cache = { 0 };
	struct wm_kernel_store *store;
	char command[sizeof(path) + 16];

	snprintf(command, sizeof(command), "rm -rf %s", path);
	CU_ASSERT_EQUAL(system(command), 0);
	store = wm_kernel_store_open(&cache, path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	for (uint32_t i = 1; i <= objects; i++)
		arrive(&cache, i);
	wm_kernel_store_close(&store);
	wm_kernel_cache_fini(&cache);
}

static void what_came_is_here_after_a_start(void)
{
	struct wm_kernel_cache cache = { 0 };
	struct wm_kernel_store *store;

	fill(3);
	CU_ASSERT_EQUAL(count_files(), 3);
	store = wm_kernel_store_open(&cache, path);
	CU_ASSERT(has(&cache, 1) && has(&cache, 2) && has(&cache, 3));
	wm_kernel_store_close(&store);
	wm_kernel_cache_fini(&cache);
}

static void what_makes_room_leaves_the_disk_too(void)
{
	fill(WM_KERNEL_CACHE_ENTRIES + 3);
	CU_ASSERT_EQUAL(count_files(), WM_KERNEL_CACHE_ENTRIES);
}

static void a_damaged_file_is_removed_and_others_are_not(void)
{
	struct wm_kernel_cache cache = { 0 };
	struct wm_kernel_store *store;
	char name[WM_KERNEL_HASH_TEXT_BYTES + 8];
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	size_t count;

	fill(2);
	free(make_object(1, hash, &count));
	wm_kernel_hash_text(name, hash);
	strcat(name, ".wmk");
	write_file(name,
		   "WMKERN is how it begins, and it is long enough for a header, but not one.."
		   ".......");
	write_file("notes", "not ours");
	strcat(name, ".new");
	write_file(name, "left by a dead process");
	CU_ASSERT_EQUAL(count_files(), 4);
	store = wm_kernel_store_open(&cache, path);
	CU_ASSERT_FALSE(has(&cache, 1));
	CU_ASSERT(has(&cache, 2));
	CU_ASSERT_EQUAL(count_files(), 2);
	wm_kernel_store_close(&store);
	wm_kernel_cache_fini(&cache);
}

static void a_path_that_is_no_directory_leaves_the_memory(void)
{
	struct wm_kernel_cache cache = { 0 };

	fill(0);
	write_file("file", "");
	strcat(path, "/file");
	CU_ASSERT_PTR_NULL(wm_kernel_store_open(&cache, path));
	path[strlen(path) - strlen("/file")] = '\0';
	arrive(&cache, 1);
	CU_ASSERT(has(&cache, 1));
	wm_kernel_cache_fini(&cache);
}

/* Its directory goes under its feet: as a disk that has become read-only, for root as well. */
static void a_disk_that_takes_nothing_leaves_the_memory(void)
{
	struct wm_kernel_cache cache = { 0 };
	struct wm_kernel_store *store;

	fill(0);
	store = wm_kernel_store_open(&cache, path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(rmdir(path), 0);
	arrive(&cache, 1);
	arrive(&cache, 2);
	CU_ASSERT(has(&cache, 1) && has(&cache, 2));
	wm_kernel_store_close(&store);
	CU_ASSERT_EQUAL(count_files(), 0);
	wm_kernel_cache_fini(&cache);
}

static const struct wm_test tests[] = {
	WM_TEST(what_came_is_here_after_a_start),
	WM_TEST(what_makes_room_leaves_the_disk_too),
	WM_TEST(a_damaged_file_is_removed_and_others_are_not),
	WM_TEST(a_path_that_is_no_directory_leaves_the_memory),
	WM_TEST(a_disk_that_takes_nothing_leaves_the_memory),
};

int main(void)
{
	char command[sizeof(directory) + 16];
	int ret;

	wm_log_init("kernel_store_test", WM_LOG_ERROR);
	if (sodium_init() < 0 || !mkdtemp(directory))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/kernels", directory);
	ret = WM_TESTS_RUN("kernel store", tests);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) == 0 ? ret : EXIT_FAILURE;
}
