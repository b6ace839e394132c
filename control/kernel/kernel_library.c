/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_library.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel_file.h"
#include "log.h"
#include "number.h"
#include "utc.h"

/* Fewer could be of two. */
#define DIGITS_MIN 8u

#define ADD_AGAIN                                                                           \
	"add it again, with the parameters that it had: 'wiremill kernel add FILE --param " \
	"...'"

/* ---- entries ------------------------------------------------------------------------ */

static struct wm_kernel_entry *find_entry(const struct wm_kernel_library *library,
					  const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	for (uint32_t i = 0; i < library->count; i++) {
		if (memcmp(library->entries[i].kernel.hash, hash, WM_KERNEL_HASH_BYTES) == 0)
			return (struct wm_kernel_entry *)&library->entries[i];
	}
	return NULL;
}

static int compare(const struct wm_kernel *a, const struct wm_kernel *b)
{
	int order = strcmp(a->name, b->name);

	return order ? order : memcmp(a->hash, b->hash, sizeof(a->hash));
}

static bool has_room(const struct wm_kernel_library *library, size_t bytes_count)
{
	return library->count < WM_KERNELS_MAX &&
	       library->bytes + bytes_count <= WM_KERNELS_BYTES_MAX;
}

/* There is room. -ENOMEM. */
static int insert(struct wm_kernel_library *library, const struct wm_kernel_object *object,
		  size_t bytes_count, uint64_t used_ms)
{
	uint32_t place = library->count;
	struct wm_kernel_entry entry = {
		.kernel = object->kernel,
		.version = object->version,
		.object_bytes = (uint32_t)bytes_count,
		.used_ms = used_ms,
		.settings = strndup(object->settings, object->settings_bytes),
	};

	assert(has_room(library, bytes_count));
	if (!entry.settings)
		return -ENOMEM;
	while (place > 0 && compare(&library->entries[place - 1].kernel, &entry.kernel) > 0)
		place--;
	memmove(&library->entries[place + 1], &library->entries[place],
		(library->count - place) * sizeof(entry));
	library->entries[place] = entry;
	library->count++;
	library->bytes += bytes_count;
	return 0;
}

static void forget(struct wm_kernel_library *library, struct wm_kernel_entry *entry)
{
	uint32_t place = (uint32_t)(entry - library->entries);

	library->bytes -= entry->object_bytes;
	free(entry->settings);
	library->count--;
	memmove(entry, entry + 1, (library->count - place) * sizeof(*entry));
}

/* ---- what is there at the start ------------------------------------------------------- */

static void take(struct wm_kernel_library *library, const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	struct wm_error error = { "" };
	struct wm_kernel_object object;
	size_t bytes_count;
	uint8_t *bytes;

	if (wm_kernel_file_read(library->directory, hash, &object, &bytes, &bytes_count, &error) <
	    0) {
		wm_log_error("kernel library: %s", error.text);
		return;
	}
	if (!has_room(library, bytes_count) ||
	    insert(library, &object, bytes_count,
		   wm_kernel_file_used_ms(library->directory, hash)) < 0)
		wm_log_error("kernel library: there are more than it takes, kernel %s is left out",
			     object.kernel.name);
	free(bytes);
}

static void sweep(const struct wm_kernel_library *library, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", library->directory, name) < PATH_MAX)
		unlink(path);
}

static void take_all(struct wm_kernel_library *library, DIR *directory)
{
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	const struct dirent *found;

	while ((found = readdir(directory))) {
		if (wm_kernel_file_is_named(found->d_name, hash))
			take(library, hash);
		else if (wm_kernel_file_is_left_over(found->d_name))
			sweep(library, found->d_name);
	}
}

static int open_directory(struct wm_kernel_library *library, struct wm_error *error)
{
	DIR *directory;

	if (mkdir(library->directory, 0750) < 0 && errno != EEXIST)
		return wm_error_set(error, errno, "cannot make %.300s: %s", library->directory,
				    wm_errno_text(errno));
	directory = opendir(library->directory);
	if (!directory)
		return wm_error_set(error, errno, "cannot read %.300s: %s", library->directory,
				    wm_errno_text(errno));
	take_all(library, directory);
	closedir(directory);
	return 0;
}

int wm_kernel_library_init(struct wm_kernel_library *library, const char *state_directory,
			   bool (*is_named)(void *context,
					    const uint8_t hash[WM_KERNEL_HASH_BYTES]),
			   void *context, struct wm_error *error)
{
	*library = (struct wm_kernel_library){ .is_named = is_named, .context = context };
	if (snprintf(library->directory, PATH_MAX, "%s/kernels", state_directory) >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "the state directory's path is too long");
	return open_directory(library, error);
}

void wm_kernel_library_fini(struct wm_kernel_library *library)
{
	for (uint32_t i = 0; i < WM_RUNNING_JOBS_MAX; i++)
		free(library->held[i].bytes);
	while (library->count > 0)
		forget(library, &library->entries[library->count - 1]);
	*library = (struct wm_kernel_library){ .count = 0 };
}

/* ---- in and out ------------------------------------------------------------------------ */

/* What nobody names and was not used for longest; NULL: jobs name all. */
static struct wm_kernel_entry *find_oldest(struct wm_kernel_library *library)
{
	struct wm_kernel_entry *oldest = NULL;

	for (uint32_t i = 0; i < library->count; i++) {
		struct wm_kernel_entry *entry = &library->entries[i];

		if ((!oldest || entry->used_ms < oldest->used_ms) &&
		    !library->is_named(library->context, entry->kernel.hash))
			oldest = entry;
	}
	return oldest;
}

static int make_room(struct wm_kernel_library *library, size_t bytes_count, struct wm_error *error)
{
	struct wm_kernel_entry *oldest;
	int ret;

	while (!has_room(library, bytes_count)) {
		oldest = find_oldest(library);
		if (!oldest)
			return wm_error_set(error, ENOSPC,
					    "the kernel library is full (%u kernels, %u MiB), and "
					    "jobs name all "
					    "in it: wait for some to end",
					    library->count,
					    (unsigned)(library->bytes / 1024 / 1024));
		ret = wm_kernel_file_remove(library->directory, oldest->kernel.hash, error);
		if (ret < 0)
			return ret;
		wm_log_info("kernel library: %s, used the longest ago, makes room",
			    oldest->kernel.name);
		forget(library, oldest);
	}
	return 0;
}

static int add_new(struct wm_kernel_library *library, const struct wm_kernel_object *object,
		   const uint8_t *bytes, size_t bytes_count, struct wm_error *error)
{
	const uint8_t *hash = object->kernel.hash;
	int ret = make_room(library, bytes_count, error);

	if (ret == 0)
		ret = wm_kernel_file_write(library->directory, hash, bytes, bytes_count, error);
	if (ret < 0)
		return ret;
	ret = insert(library, object, bytes_count, wm_utc_ms());
	return ret == 0 ? 0 : wm_error_set(error, -ret, "no memory for another kernel");
}

static int refuse_missing(struct wm_error *error)
{
	return wm_error_set(error, ENOENT, "its kernel is not in the library any more: " ADD_AGAIN);
}

int wm_kernel_library_use(struct wm_kernel_library *library,
			  const uint8_t hash[WM_KERNEL_HASH_BYTES], struct wm_error *error)
{
	struct wm_kernel_entry *entry = find_entry(library, hash);

	if (!entry)
		return refuse_missing(error);
	entry->used_ms = wm_utc_ms();
	wm_kernel_file_touch(library->directory, hash);
	return 0;
}

int wm_kernel_library_add(struct wm_kernel_library *library, const uint8_t *bytes,
			  size_t bytes_count, struct wm_error *error)
{
	struct wm_kernel_object object;
	int ret = wm_kernel_object_decode(&object, bytes, bytes_count, error);

	if (ret < 0)
		return ret;
	if (find_entry(library, object.kernel.hash))
		return wm_kernel_library_use(library, object.kernel.hash, error);
	return add_new(library, &object, bytes, bytes_count, error);
}

int wm_kernel_library_remove(struct wm_kernel_library *library,
			     const uint8_t hash[WM_KERNEL_HASH_BYTES], struct wm_error *error)
{
	struct wm_kernel_entry *entry = find_entry(library, hash);
	int ret;

	if (!entry)
		return wm_error_set(error, ENOENT, "that kernel is not in the library");
	ret = wm_kernel_file_remove(library->directory, hash, error);
	if (ret == 0)
		forget(library, entry);
	return ret;
}

/* ---- which one -------------------------------------------------------------------------- */

const struct wm_kernel_entry *wm_kernel_library_look_up(const struct wm_kernel_library *library,
							const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	return find_entry(library, hash);
}

static bool is_called(const struct wm_kernel *kernel, const char *text)
{
	return strcmp(kernel->name, text) == 0;
}

static bool begins_with(const struct wm_kernel *kernel, const char *text)
{
	char digits[WM_KERNEL_HASH_TEXT_BYTES];

	wm_kernel_hash_text(digits, kernel->hash);
	return strlen(text) >= DIGITS_MIN && strncasecmp(digits, text, strlen(text)) == 0;
}

/* How many; *kernel is one of them. */
static uint32_t count_matches(const struct wm_kernel_library *library, const char *text,
			      bool (*matches)(const struct wm_kernel *kernel, const char *text),
			      struct wm_kernel *kernel)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < library->count; i++) {
		if (!matches(&library->entries[i].kernel, text))
			continue;
		*kernel = library->entries[i].kernel;
		count++;
	}
	return count;
}

int wm_kernel_library_resolve(const struct wm_kernel_library *library, const char *text,
			      struct wm_kernel *kernel, struct wm_error *error)
{
	uint32_t count = count_matches(library, text, is_called, kernel);

	if (count > 1)
		return wm_error_set(error, EINVAL,
				    "%u kernels here are called %.40s: name one by its hash, as "
				    "'wiremill kernel list' has it, or %u digits of it",
				    count, text, DIGITS_MIN);
	if (count == 0)
		count = count_matches(library, text, begins_with, kernel);
	if (count > 1)
		return wm_error_set(error, EINVAL,
				    "the hash of %u kernels here begins with %.64s: give more "
				    "digits of it",
				    count, text);
	return count == 1 ? 0
			  : wm_error_set(error, ENOENT,
					 "no kernel '%.64s' here: see 'wiremill kernel list'; a "
					 "file is named with a '/', or ends in .glsl",
					 text);
}

/* ---- while a job uses it -------------------------------------------------------------- */

/* Its place, or a free one. */
static struct wm_kernel_held *place_of(struct wm_kernel_library *library, uint32_t job)
{
	struct wm_kernel_held *place = NULL;

	for (uint32_t i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		if (library->held[i].job == job)
			return &library->held[i];
		if (library->held[i].job == 0)
			place = &library->held[i];
	}
	return place;
}

static int cannot_hold(const struct wm_kernel_entry *entry, int code, const struct wm_error *reason,
		       struct wm_error *error)
{
	if (!entry || code == ENOENT)
		return refuse_missing(error);
	return wm_error_set(error, code, "its kernel cannot be used: %s", reason->text);
}

int wm_kernel_library_hold(struct wm_kernel_library *library, uint32_t job,
			   const uint8_t hash[WM_KERNEL_HASH_BYTES], struct wm_error *error)
{
	const struct wm_kernel_entry *entry = find_entry(library, hash);
	struct wm_kernel_held *place = place_of(library, job);
	struct wm_error reason = { "" };
	struct wm_kernel_object object;
	int ret = -ENOENT;

	assert(job != 0 && place);
	if (place->job == job)
		return 0;
	if (entry)
		ret = wm_kernel_file_read(library->directory, hash, &object, &place->bytes,
					  &place->bytes_count, &reason);
	if (ret < 0)
		return cannot_hold(entry, -ret, &reason, error);
	place->job = job;
	memcpy(place->hash, hash, WM_KERNEL_HASH_BYTES);
	return 0;
}

void wm_kernel_library_release(struct wm_kernel_library *library, uint32_t job)
{
	struct wm_kernel_held *place = place_of(library, job);

	assert(job != 0);
	if (!place || place->job != job)
		return;
	free(place->bytes);
	*place = (struct wm_kernel_held){ .job = 0 };
}

const uint8_t *wm_kernel_library_find(const struct wm_kernel_library *library,
				      const uint8_t hash[WM_KERNEL_HASH_BYTES], size_t *bytes_count)
{
	for (uint32_t i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		const struct wm_kernel_held *held = &library->held[i];

		if (held->job == 0 || memcmp(held->hash, hash, WM_KERNEL_HASH_BYTES) != 0)
			continue;
		*bytes_count = held->bytes_count;
		return held->bytes;
	}
	return NULL;
}
