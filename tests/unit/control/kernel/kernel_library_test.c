/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects under their hash: what is damaged, foreign or too much, and who makes room. */
#include "kernel_library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "wiremill/kernel_object.h"

static char directory[64];
static struct wm_kernel_library library;
static uint8_t named[WM_KERNEL_HASH_BYTES]; /* by a job */
static bool all_are_named;

static bool is_named(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	CU_ASSERT_PTR_EQUAL(context, named);
	return all_are_named || memcmp(hash, named, WM_KERNEL_HASH_BYTES) == 0;
}

static void begin(void)
{
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL_FATAL(wm_kernel_library_init(&library, directory, is_named, named, &error),
			      0);
}

static void again(void)
{
	wm_kernel_library_fini(&library);
	begin();
}

/* Of its own library in the next life. */
static void end(void)
{
	all_are_named = false;
	memset(named, 0, sizeof(named));
	while (library.count > 0) {
		const struct wm_kernel kernel = library.entries[0].kernel;

		CU_ASSERT_EQUAL_FATAL(wm_kernel_library_remove(&library, kernel.hash, NULL), 0);
	}
	wm_kernel_library_fini(&library);
}

/* An object of that many bytes of source; its hash. */
static struct wm_kernel object_make(const char *name, unsigned salt, size_t source_bytes,
				    uint8_t **bytes, size_t *bytes_count)
{
	static const uint32_t code[] = { 0x07230203, 0x00010500, 0, 8, 0 };
	char *source = calloc(1, source_bytes + 1);
	struct wm_kernel_object object = {
		.kernel = { .in_bytes = 4, .out_bytes = 4 },
		.version = salt,
		.code = code,
		.code_bytes = sizeof(code),
		.source = source,
		.source_bytes = source_bytes,
		.settings = "k=3\n",
		.settings_bytes = 4,
	};

	snprintf(object.kernel.name, sizeof(object.kernel.name), "%s", name);
	*bytes_count = wm_kernel_object_bytes(&object);
	*bytes = malloc(*bytes_count);
	wm_kernel_object_encode(*bytes, &object);
	free(source);
	return object.kernel;
}

static int add_large(const char *name, unsigned salt, size_t source_bytes, struct wm_kernel *kernel,
		     struct wm_error *error)
{
	size_t bytes_count;
	uint8_t *bytes;
	int ret;

	*kernel = object_make(name, salt, source_bytes, &bytes, &bytes_count);
	ret = wm_kernel_library_add(&library, bytes, bytes_count, error);
	free(bytes);
	return ret;
}

static struct wm_kernel add(const char *name, unsigned salt)
{
	struct wm_error error = { "" };
	struct wm_kernel kernel;

	CU_ASSERT_EQUAL(add_large(name, salt, 100, &kernel, &error), 0);
	CU_ASSERT_STRING_EQUAL(error.text, "");
	return kernel;
}

static const char *path_of(const struct wm_kernel *kernel, const char *suffix)
{
	static char path[256];
	char digits[WM_KERNEL_HASH_TEXT_BYTES];

	wm_kernel_hash_text(digits, kernel->hash);
	snprintf(path, sizeof(path), "%s/kernels/%s.wmk%s", directory, digits, suffix);
	return path;
}

static void write_to(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

static bool has(const struct wm_error *error, const char *words)
{
	bool is_there = strstr(error->text, words) && !strchr(error->text, '\n');

	if (!is_there)
		printf("# expected '%s', not '%s'\n", words, error->text);
	return is_there;
}

/* ---- tests ---------------------------------------------------------------------- */

static void what_is_added_is_there_in_the_next_life(void)
{
	const struct wm_kernel_entry *entry;
	struct wm_kernel kernel, second;

	begin();
	kernel = add("blend", 7);
	second = add("acorn", 1);
	again();
	CU_ASSERT_EQUAL_FATAL(library.count, 2);
	/* In order of their names. */
	CU_ASSERT(wm_kernel_is_same(&library.entries[0].kernel, &second));
	entry = wm_kernel_library_look_up(&library, kernel.hash);
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT(wm_kernel_is_same(&entry->kernel, &kernel));
	CU_ASSERT_EQUAL(entry->version, 7);
	CU_ASSERT_STRING_EQUAL(entry->settings, "k=3\n");
	CU_ASSERT(entry->used_ms > 0);
	/* It is one, however often it comes. */
	add("blend", 7);
	CU_ASSERT_EQUAL(library.count, 2);
	CU_ASSERT_EQUAL(wm_kernel_library_remove(&library, kernel.hash, NULL), 0);
	CU_ASSERT_EQUAL(wm_kernel_library_remove(&library, kernel.hash, NULL), -ENOENT);
	again();
	CU_ASSERT_EQUAL(library.count, 1);
	end();
}

static void bytes_are_held_while_a_job_uses_them(void)
{
	struct wm_error error = { "" };
	struct wm_kernel_object object;
	struct wm_kernel kernel;
	const uint8_t *bytes;
	size_t bytes_count = 0;

	begin();
	kernel = add("blend", 1);
	CU_ASSERT_PTR_NULL(wm_kernel_library_find(&library, kernel.hash, &bytes_count));
	CU_ASSERT_EQUAL(wm_kernel_library_hold(&library, 5, kernel.hash, &error), 0);
	CU_ASSERT_EQUAL(wm_kernel_library_hold(&library, 5, kernel.hash, &error), 0);
	bytes = wm_kernel_library_find(&library, kernel.hash, &bytes_count);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	CU_ASSERT_EQUAL(wm_kernel_object_decode(&object, bytes, bytes_count, &error), 0);
	CU_ASSERT(wm_kernel_is_same(&object.kernel, &kernel));
	wm_kernel_library_release(&library, 4);
	CU_ASSERT_PTR_NOT_NULL(wm_kernel_library_find(&library, kernel.hash, &bytes_count));
	wm_kernel_library_release(&library, 5);
	CU_ASSERT_PTR_NULL(wm_kernel_library_find(&library, kernel.hash, &bytes_count));
	wm_kernel_library_release(&library, 5);
	/* Whoever still holds one at the end leaves nothing. */
	CU_ASSERT_EQUAL(wm_kernel_library_hold(&library, 6, kernel.hash, &error), 0);
	end();
}

static void kernel_that_is_gone_is_refused_with_what_to_do(void)
{
	struct wm_error error = { "" };
	struct wm_kernel kernel;

	begin();
	kernel = add("blend", 1);
	unlink(path_of(&kernel, ""));
	CU_ASSERT_EQUAL(wm_kernel_library_hold(&library, 5, kernel.hash, &error), -ENOENT);
	CU_ASSERT(has(&error, "not in the library any more: add it again"));
	again();
	CU_ASSERT_EQUAL(library.count, 0);
	CU_ASSERT_EQUAL(wm_kernel_library_hold(&library, 5, kernel.hash, &error), -ENOENT);
	CU_ASSERT_EQUAL(wm_kernel_library_use(&library, kernel.hash, &error), -ENOENT);
	CU_ASSERT(has(&error, "wiremill kernel add"));
	end();
}

static void damage(const struct wm_kernel *kernel, long at)
{
	FILE *file = fopen(path_of(kernel, ""), "r+e");
	int byte;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fseek(file, at, SEEK_SET);
	byte = fgetc(file);
	fseek(file, at, SEEK_SET);
	fputc(byte ^ 0x20, file);
	fclose(file);
}

static void one_bit_is_found_and_the_file_named(void)
{
	/* magic, name, shape, code, source, settings */
	static const long places[] = { 0, 9, 40, 90, 120, 195 };
	struct wm_error error = { "" };
	struct wm_kernel kernel;

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		begin();
		kernel = add("blend", 1);
		damage(&kernel, places[i]);
		CU_ASSERT_EQUAL(wm_kernel_library_hold(&library, 5, kernel.hash, &error), -EBADMSG);
		CU_ASSERT(has(&error, path_of(&kernel, "")) && has(&error, "is damaged"));
		/* It is no reason not to start; and mended by adding it again. */
		again();
		CU_ASSERT_EQUAL(library.count, 0);
		add("blend", 1);
		CU_ASSERT_EQUAL(wm_kernel_library_hold(&library, 5, kernel.hash, &error), 0);
		end();
	}
}

static void what_is_no_object_is_neither_read_nor_removed(void)
{
	static const uint32_t nothing = 7;
	struct wm_error error = { "" };
	struct wm_kernel kernel;
	char path[256];

	begin();
	kernel = add("blend", 1);
	/* The file of another, of no length, a link, a pipe. */
	snprintf(path, sizeof(path), "%s/kernels/%064d.wmk", directory, 7);
	CU_ASSERT_EQUAL(link(path_of(&kernel, ""), path), 0);
	again();
	CU_ASSERT_EQUAL(library.count, 1);
	unlink(path);
	write_to(path, "");
	again();
	CU_ASSERT_EQUAL(library.count, 1);
	unlink(path);
	CU_ASSERT_EQUAL(symlink(path_of(&kernel, ""), path), 0);
	again();
	CU_ASSERT_EQUAL(library.count, 1);
	unlink(path);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	again();
	CU_ASSERT_EQUAL(library.count, 1);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	unlink(path);
	/* Names that are none are left alone; what a dead writer left goes. */
	snprintf(path, sizeof(path), "%s/kernels/notes.txt", directory);
	write_to(path, "mine");
	write_to(path_of(&kernel, ".new"), "half");
	again();
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	CU_ASSERT_EQUAL(access(path_of(&kernel, ".new"), F_OK), -1);
	unlink(path);
	CU_ASSERT_EQUAL(wm_kernel_library_add(&library, (const uint8_t *)&nothing, 4, &error),
			-EBADMSG);
	end();
}

static void name_or_digits_find_one_kernel(void)
{
	struct wm_kernel first, second, third, found;
	char digits[WM_KERNEL_HASH_TEXT_BYTES];
	struct wm_error error = { "" };

	begin();
	first = add("blend", 1);
	second = add("blend", 2);
	third = add("deadbeef", 3);
	CU_ASSERT_EQUAL(wm_kernel_library_resolve(&library, "blend", &found, &error), -EINVAL);
	CU_ASSERT(has(&error, "2 kernels here are called blend"));
	CU_ASSERT_EQUAL(wm_kernel_library_resolve(&library, "deadbeef", &found, &error), 0);
	CU_ASSERT(wm_kernel_is_same(&found, &third));
	wm_kernel_hash_text(digits, second.hash);
	CU_ASSERT_EQUAL(wm_kernel_library_resolve(&library, digits, &found, &error), 0);
	CU_ASSERT(wm_kernel_is_same(&found, &second));
	wm_kernel_hash_text(digits, first.hash);
	digits[8] = '\0';
	CU_ASSERT_EQUAL(wm_kernel_library_resolve(&library, digits, &found, &error), 0);
	CU_ASSERT(wm_kernel_is_same(&found, &first));
	digits[7] = '\0';
	CU_ASSERT_EQUAL(wm_kernel_library_resolve(&library, digits, &found, &error), -ENOENT);
	CU_ASSERT(has(&error, "see 'wiremill kernel list'"));
	CU_ASSERT_EQUAL(wm_kernel_library_resolve(&library, "", &found, &error), -ENOENT);
	CU_ASSERT_EQUAL(wm_kernel_library_resolve(&library, "../../etc/passwd", &found, &error),
			-ENOENT);
	end();
}

static void oldest_that_no_job_names_makes_room(void)
{
	const size_t large = WM_KERNEL_OBJECT_BYTES_MAX / 2;
	struct wm_kernel first, second, kernel;
	struct wm_error error = { "" };
	unsigned salt = 10;

	begin();
	first = add("first", 1);
	library.entries[0].used_ms = 1;
	memcpy(named, first.hash, sizeof(named));
	CU_ASSERT_EQUAL(add_large("second", 2, large, &second, &error), 0);
	library.entries[1].used_ms = 2;
	while (wm_kernel_library_look_up(&library, second.hash) && salt < 100)
		CU_ASSERT_EQUAL(add_large("more", salt++, large, &kernel, &error), 0);
	CU_ASSERT(salt > 20 && salt < 100);
	CU_ASSERT(library.bytes <= WM_KERNELS_BYTES_MAX);
	CU_ASSERT_EQUAL(access(path_of(&second, ""), F_OK), -1);
	CU_ASSERT_PTR_NOT_NULL(wm_kernel_library_look_up(&library, first.hash));
	/* Where jobs name all, none goes, and the new one is refused. */
	all_are_named = true;
	CU_ASSERT_EQUAL(add_large("last", 1, large, &kernel, &error), -ENOSPC);
	CU_ASSERT(has(&error, "jobs name all in it"));
	CU_ASSERT_PTR_NULL(wm_kernel_library_look_up(&library, kernel.hash));
	CU_ASSERT_EQUAL(access(path_of(&kernel, ""), F_OK), -1);
	end();
}

static void directory_that_cannot_be_is_said_and_takes_none(void)
{
	struct wm_error error = { "" };
	struct wm_kernel kernel;

	CU_ASSERT(wm_kernel_library_init(&library, "/nonexistent/state", is_named, named, &error) <
		  0);
	CU_ASSERT(has(&error, "cannot make /nonexistent/state/kernels"));
	CU_ASSERT(add_large("blend", 1, 100, &kernel, &error) < 0);
	CU_ASSERT(has(&error, "cannot write"));
	CU_ASSERT_EQUAL(library.count, 0);
	wm_kernel_library_fini(&library);
}

static const struct wm_test tests[] = {
	WM_TEST(what_is_added_is_there_in_the_next_life),
	WM_TEST(bytes_are_held_while_a_job_uses_them),
	WM_TEST(kernel_that_is_gone_is_refused_with_what_to_do),
	WM_TEST(one_bit_is_found_and_the_file_named),
	WM_TEST(what_is_no_object_is_neither_read_nor_removed),
	WM_TEST(name_or_digits_find_one_kernel),
	WM_TEST(oldest_that_no_job_names_makes_room),
	WM_TEST(directory_that_cannot_be_is_said_and_takes_none),
};

int main(void)
{
	char kernels[80];
	int status;

	strcpy(directory, "/tmp/wm-kernels-test-XXXXXX");
	if (!mkdtemp(directory))
		return 1;
	status = WM_TESTS_RUN("kernel library", tests);
	snprintf(kernels, sizeof(kernels), "%s/kernels", directory);
	rmdir(kernels);
	rmdir(directory);
	return status;
}
