/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_cache.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"

/* Of what came, hashed with each chunk that comes: 64 KiB are 100 us, and more than any
 * window, so that nothing is left over when the last chunk is here. */
#define HASH_BYTES (64u * 1024u)
#define CHUNK_DATA_BYTES                                                             \
	((WM_AUTH_BODY_BYTES_MAX - WM_CHUNK_PREAMBLE_BYTES) / WM_CHUNK_BLOCK_BYTES * \
	 WM_CHUNK_BLOCK_BYTES)
#define WINDOW_BYTES (WM_KERNEL_TRANSFER_CHUNKS * CHUNK_DATA_BYTES)

static_assert(HASH_BYTES >= WINDOW_BYTES, "what a gap held back is hashed at once");

/* ---- what is here -------------------------------------------------------------------- */

static struct wm_kernel_cache_entry *find(struct wm_kernel_cache *cache, const uint8_t *hash)
{
	for (unsigned i = 0; i < WM_KERNEL_CACHE_ENTRIES; i++) {
		struct wm_kernel_cache_entry *entry = &cache->entries[i];

		if (entry->bytes && memcmp(entry->hash, hash, sizeof(entry->hash)) == 0)
			return entry;
	}
	return NULL;
}

const uint8_t *wm_kernel_cache_find(struct wm_kernel_cache *cache,
				    const uint8_t hash[WM_KERNEL_HASH_BYTES], size_t *bytes_count)
{
	struct wm_kernel_cache_entry *entry = find(cache, hash);

	if (!entry)
		return NULL;
	entry->used = ++cache->uses;
	*bytes_count = entry->bytes_count;
	return entry->bytes;
}

static void drop(struct wm_kernel_cache *cache, struct wm_kernel_cache_entry *entry)
{
	if (cache->dropped)
		cache->dropped(cache->context, entry->hash);
	cache->bytes_count -= entry->bytes_count;
	free(entry->bytes);
	*entry = (struct wm_kernel_cache_entry){ 0 };
}

/* NULL: there is none. */
static struct wm_kernel_cache_entry *find_oldest(struct wm_kernel_cache *cache)
{
	struct wm_kernel_cache_entry *oldest = NULL;

	for (unsigned i = 0; i < WM_KERNEL_CACHE_ENTRIES; i++) {
		struct wm_kernel_cache_entry *entry = &cache->entries[i];

		if (entry->bytes && (!oldest || entry->used < oldest->used))
			oldest = entry;
	}
	return oldest;
}

static struct wm_kernel_cache_entry *find_free(struct wm_kernel_cache *cache)
{
	for (unsigned i = 0; i < WM_KERNEL_CACHE_ENTRIES; i++) {
		if (!cache->entries[i].bytes)
			return &cache->entries[i];
	}
	return NULL;
}

static struct wm_kernel_cache_entry *make_room(struct wm_kernel_cache *cache, size_t bytes_count)
{
	assert(bytes_count <= WM_KERNEL_OBJECT_BYTES_MAX);
	while (cache->bytes_count + bytes_count > WM_KERNEL_CACHE_BYTES_MAX || !find_free(cache))
		drop(cache, find_oldest(cache));
	return find_free(cache);
}

static struct wm_kernel_cache_entry *add(struct wm_kernel_cache *cache, const uint8_t *hash,
					 uint8_t *bytes, size_t bytes_count)
{
	struct wm_kernel_cache_entry *entry = make_room(cache, bytes_count);

	memcpy(entry->hash, hash, sizeof(entry->hash));
	entry->bytes = bytes;
	entry->bytes_count = bytes_count;
	entry->used = ++cache->uses;
	cache->bytes_count += bytes_count;
	return entry;
}

void wm_kernel_cache_add(struct wm_kernel_cache *cache, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			 uint8_t *bytes, size_t bytes_count)
{
	if (find(cache, hash))
		free(bytes);
	else
		add(cache, hash, bytes, bytes_count);
}

/* ---- what is on its way -------------------------------------------------------------- */

static void forget_arriving(struct wm_kernel_cache *cache)
{
	free(cache->receiver);
	free(cache->arriving);
	free(cache->bitmap);
	cache->receiver = NULL;
	cache->arriving = NULL;
	cache->bitmap = NULL;
}

void wm_kernel_cache_fini(struct wm_kernel_cache *cache)
{
	forget_arriving(cache);
	for (unsigned i = 0; i < WM_KERNEL_CACHE_ENTRIES; i++)
		free(cache->entries[i].bytes);
	*cache = (struct wm_kernel_cache){ 0 };
}

static bool is_arriving(const struct wm_kernel_cache *cache, const struct wm_object *object)
{
	return cache->receiver && wm_receiver_status(cache->receiver) == -EINPROGRESS &&
	       cache->receiver->config.object.bytes == object->bytes &&
	       memcmp(cache->receiver->config.object.hash, object->hash, sizeof(object->hash)) == 0;
}

/* A life of its own for each memory. */
static uint32_t draw_life(struct wm_kernel_cache *cache)
{
	if (cache->life == 0)
		wm_auth_random(&cache->life, sizeof(cache->life));
	return ++cache->life;
}

static int begin(struct wm_kernel_cache *cache, const struct wm_object *object, uint32_t session)
{
	const size_t align = _Alignof(struct wm_receiver);
	struct wm_receiver_config config = {
		.object = *object,
		.session = session,
		.life = draw_life(cache),
		.window_bytes = WINDOW_BYTES,
	};

	forget_arriving(cache);
	cache->receiver =
		aligned_alloc(align, (sizeof(*cache->receiver) + align - 1) / align * align);
	cache->arriving = malloc(object->bytes);
	cache->bitmap = malloc(WM_RECEIVER_WORDS(object->bytes) * sizeof(uint64_t));
	if (!cache->receiver || !cache->arriving || !cache->bitmap) {
		forget_arriving(cache);
		return -ENOMEM;
	}
	config.memory = cache->arriving;
	config.bitmap = cache->bitmap;
	return wm_receiver_init(cache->receiver, &config);
}

int wm_kernel_cache_expect(struct wm_kernel_cache *cache, const uint8_t hash[WM_KERNEL_HASH_BYTES],
			   uint32_t bytes_count, uint32_t session)
{
	struct wm_object object = { .bytes = bytes_count };

	assert(bytes_count > 0 && session != 0);
	if (bytes_count > WM_KERNEL_OBJECT_BYTES_MAX)
		return -EFBIG;
	memcpy(object.hash, hash, sizeof(object.hash));
	if (!is_arriving(cache, &object))
		return begin(cache, &object, session);
	if (cache->receiver->config.session != session)
		wm_receiver_resume(cache->receiver, session);
	return 0;
}

/* Whoever asks for what came last is still told so. */
static void keep(struct wm_kernel_cache *cache)
{
	const struct wm_object *object = &cache->receiver->config.object;
	const struct wm_kernel_cache_entry *entry;

	assert(!find(cache, object->hash));
	entry = add(cache, object->hash, cache->arriving, object->bytes);
	cache->arriving = NULL;
	if (cache->kept)
		cache->kept(cache->context, entry);
}

enum wm_drop wm_kernel_cache_take(struct wm_kernel_cache *cache, const struct wm_wire_header *chunk,
				  const uint8_t *body, size_t body_bytes,
				  struct wm_wire_header *header, struct wm_chunk_ack *ack)
{
	enum wm_drop drop = WM_DROP_BATCH;

	if (cache->receiver)
		drop = wm_receiver_take(cache->receiver, chunk, body, body_bytes);
	if (drop == WM_DROP_BATCH) {
		wm_receiver_refuse(chunk, -ENOENT, header, ack);
		return WM_DROP_NONE;
	}
	if (drop != WM_DROP_NONE)
		return drop;
	if (wm_receiver_hash(cache->receiver, HASH_BYTES) &&
	    wm_receiver_status(cache->receiver) == 0)
		keep(cache);
	wm_receiver_ack(cache->receiver, header, ack);
	return WM_DROP_NONE;
}
