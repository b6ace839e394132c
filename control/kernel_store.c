/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_store.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel_file.h"
#include "log.h"

/* That wait for the disk: what the cache has comes and goes; more only while it hangs. */
#define WRITES_MAX (2 * WM_KERNEL_CACHE_ENTRIES)
#define BYTES_MAX WM_KERNEL_CACHE_BYTES_MAX
#define CLOSE_S 2

struct write {
	struct write *next;
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	size_t bytes_count; /* 0: it goes */
	uint8_t bytes[];
};

struct wm_kernel_store {
	struct wm_kernel_cache *cache;
	char directory[PATH_MAX];
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* Under the mutex. */
	struct write *first, **last;
	unsigned count;
	size_t bytes_count;
	bool ends;
	bool has_failed; /* nothing is written any more */
};

/* ---- the thread of the disk ------------------------------------------------------------ */

static int do_write(const struct wm_kernel_store *store, const struct write *write,
		    struct wm_error *error)
{
	if (write->bytes_count == 0)
		return wm_kernel_file_remove(store->directory, write->hash, error);
	return wm_kernel_file_write(store->directory, write->hash, write->bytes, write->bytes_count,
				    error);
}

/* NULL: it ends, and all is done. The mutex is held. */
static struct write *take_write(struct wm_kernel_store *store)
{
	struct write *write;

	while (!store->first && !store->ends)
		pthread_cond_wait(&store->changed, &store->mutex);
	write = store->first;
	if (!write)
		return NULL;
	store->first = write->next;
	if (!store->first)
		store->last = &store->first;
	store->count--;
	store->bytes_count -= write->bytes_count;
	return write;
}

static void *run(void *context)
{
	struct wm_kernel_store *store = context;
	struct wm_error error = { "" };
	struct write *write;

	pthread_mutex_lock(&store->mutex);
	while ((write = take_write(store)) != NULL) {
		bool skip = store->has_failed;

		pthread_mutex_unlock(&store->mutex);
		if (!skip && do_write(store, write, &error) < 0) {
			wm_log_warning("kernels are kept in memory alone from now on: %s",
				       error.text);
			skip = true;
		}
		free(write);
		pthread_mutex_lock(&store->mutex);
		store->has_failed |= skip;
	}
	pthread_mutex_unlock(&store->mutex);
	return NULL;
}

/* ---- the cache's thread ---------------------------------------------------------------- */

/* What there is no room or memory for is not on disk, and comes by the wire again. */
static void post(struct wm_kernel_store *store, const uint8_t *hash, const uint8_t *bytes,
		 size_t bytes_count)
{
	struct write *write = calloc(1, sizeof(*write) + bytes_count);

	if (!write)
		return;
	memcpy(write->hash, hash, sizeof(write->hash));
	write->bytes_count = bytes_count;
	if (bytes_count > 0)
		memcpy(write->bytes, bytes, bytes_count);
	pthread_mutex_lock(&store->mutex);
	if (store->has_failed || store->count == WRITES_MAX ||
	    store->bytes_count + bytes_count > BYTES_MAX) {
		free(write);
	} else {
		*store->last = write;
		store->last = &write->next;
		store->count++;
		store->bytes_count += bytes_count;
		pthread_cond_signal(&store->changed);
	}
	pthread_mutex_unlock(&store->mutex);
}

static void entry_kept(void *context, const struct wm_kernel_cache_entry *entry)
{
	post(context, entry->hash, entry->bytes, entry->bytes_count);
}

static void dropped(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	post(context, hash, NULL, 0);
}

/* ---- what is there at the start --------------------------------------------------------- */

struct found {
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	uint64_t used_ms;
};

/* In order of their times; a new one that is too much takes the place of the oldest. */
static void note(struct found found[WM_KERNEL_CACHE_ENTRIES], unsigned *count, const uint8_t *hash,
		 uint64_t used_ms)
{
	unsigned place;

	if (*count == WM_KERNEL_CACHE_ENTRIES) {
		if (used_ms <= found[0].used_ms)
			return;
		memmove(found, found + 1, --*count * sizeof(*found));
	}
	for (place = *count; place > 0 && found[place - 1].used_ms > used_ms; place--)
		found[place] = found[place - 1];
	memcpy(found[place].hash, hash, sizeof(found[place].hash));
	found[place].used_ms = used_ms;
	++*count;
}

static unsigned look(const struct wm_kernel_store *store, DIR *directory,
		     struct found found[WM_KERNEL_CACHE_ENTRIES])
{
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	const struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(directory)) != NULL) {
		if (wm_kernel_file_is_named(entry->d_name, hash))
			note(found, &count, hash, wm_kernel_file_used_ms(store->directory, hash));
		else if (wm_kernel_file_is_left_over(entry->d_name))
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	return count;
}

static void load(struct wm_kernel_store *store, const uint8_t *hash)
{
	struct wm_kernel_object object;
	struct wm_error error = { "" }, ignored;
	size_t bytes_count;
	uint8_t *bytes;
	int ret =
		wm_kernel_file_read(store->directory, hash, &object, &bytes, &bytes_count, &error);

	if (ret == 0) {
		wm_kernel_cache_add(store->cache, hash, bytes, bytes_count);
		return;
	}
	wm_log_warning("kernel cache: %s; it comes from the controller again", error.text);
	if (ret == -EBADMSG)
		wm_kernel_file_remove(store->directory, hash, &ignored);
}

static int load_all(struct wm_kernel_store *store)
{
	struct found found[WM_KERNEL_CACHE_ENTRIES];
	DIR *directory = opendir(store->directory);
	unsigned count;

	if (!directory)
		return -errno;
	count = look(store, directory, found);
	closedir(directory);
	for (unsigned i = 0; i < count; i++)
		load(store, found[i].hash);
	wm_log_info("kernel cache: %u kernels in %s", count, store->directory);
	return 0;
}

/* ---- life ---------------------------------------------------------------------------- */

static int start(struct wm_kernel_store *store, const char *directory)
{
	int ret;

	if (snprintf(store->directory, sizeof(store->directory), "%s", directory) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return -errno;
	/* What leaves while it fills leaves the disk as well. */
	store->cache->kept = entry_kept;
	store->cache->dropped = dropped;
	store->cache->context = store;
	ret = load_all(store);
	return ret < 0 ? ret : -pthread_create(&store->thread, NULL, run, store);
}

static void free_store(struct wm_kernel_store *store)
{
	struct write *write;

	while ((write = store->first) != NULL) {
		store->first = write->next;
		free(write);
	}
	pthread_cond_destroy(&store->changed);
	pthread_mutex_destroy(&store->mutex);
	free(store);
}

static void unfollow(struct wm_kernel_cache *cache)
{
	cache->kept = NULL;
	cache->dropped = NULL;
	cache->context = NULL;
}

struct wm_kernel_store *wm_kernel_store_open(struct wm_kernel_cache *cache, const char *directory)
{
	struct wm_kernel_store *store = calloc(1, sizeof(*store));
	int ret;

	if (!store)
		return NULL;
	store->cache = cache;
	store->last = &store->first;
	pthread_mutex_init(&store->mutex, NULL);
	pthread_cond_init(&store->changed, NULL);
	ret = start(store, directory);
	if (ret == 0)
		return store;
	wm_log_warning("kernels are kept in memory alone: %s: %s (--cache)", directory,
		       strerror(-ret));
	unfollow(cache);
	free_store(store);
	return NULL;
}

void wm_kernel_store_close(struct wm_kernel_store **store)
{
	struct wm_kernel_store *s = *store;
	struct timespec until;

	if (!s)
		return;
	*store = NULL;
	unfollow(s->cache);
	pthread_mutex_lock(&s->mutex);
	s->ends = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->mutex);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_S;
	if (pthread_timedjoin_np(s->thread, NULL, &until) == 0)
		free_store(s);
	else
		wm_log_warning("the disk of the kernel cache does not answer: it is left");
}
