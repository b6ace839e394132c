/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node keeps of kernels, and what it lets go. Arrival: kernel_transfer_test. */
#include "kernel_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define MIB (1024u * 1024u)

static unsigned dropped;

static void count_dropped(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	(void)context;
	(void)hash;
	dropped++;
}

static void add(struct wm_kernel_cache *cache, uint8_t number, size_t bytes_count)
{
	const uint8_t hash[WM_KERNEL_HASH_BYTES] = { number };

	wm_kernel_cache_add(cache, hash, calloc(1, bytes_count), bytes_count);
}

static bool has(struct wm_kernel_cache *cache, uint8_t number)
{
	const uint8_t hash[WM_KERNEL_HASH_BYTES] = { number };
	size_t bytes_count;

	return wm_kernel_cache_find(cache, hash, &bytes_count) != NULL;
}

static void what_was_not_used_for_longest_makes_room(void)
{
	struct wm_kernel_cache cache = { .dropped = count_dropped };

	dropped = 0;
	for (uint8_t i = 1; i <= 4; i++)
		add(&cache, i, 8 * MIB);
	CU_ASSERT(has(&cache, 1)); /* and is used by that */
	add(&cache, 5, 9);
	CU_ASSERT_FALSE(has(&cache, 2));
	CU_ASSERT(has(&cache, 1) && has(&cache, 3) && has(&cache, 4) && has(&cache, 5));
	CU_ASSERT_EQUAL(dropped, 1);
	CU_ASSERT(cache.bytes_count <= WM_KERNEL_CACHE_BYTES_MAX);
	wm_kernel_cache_fini(&cache);
}

static void so_do_entries(void)
{
	struct wm_kernel_cache cache = { 0 };

	for (unsigned i = 1; i <= WM_KERNEL_CACHE_ENTRIES + 1; i++)
		add(&cache, (uint8_t)i, 100);
	CU_ASSERT_FALSE(has(&cache, 1));
	CU_ASSERT(has(&cache, 2) && has(&cache, WM_KERNEL_CACHE_ENTRIES + 1));
	CU_ASSERT_EQUAL(cache.bytes_count, WM_KERNEL_CACHE_ENTRIES * 100);
	wm_kernel_cache_fini(&cache);
}

static void what_is_there_is_not_kept_twice(void)
{
	struct wm_kernel_cache cache = { 0 };

	add(&cache, 1, 100);
	add(&cache, 1, 100);
	CU_ASSERT_EQUAL(cache.bytes_count, 100);
	wm_kernel_cache_fini(&cache);
}

static void nothing_larger_than_any_object_is_expected(void)
{
	const uint8_t hash[WM_KERNEL_HASH_BYTES] = { 1 };
	struct wm_kernel_cache cache = { 0 };

	CU_ASSERT_EQUAL(wm_kernel_cache_expect(&cache, hash, WM_KERNEL_OBJECT_BYTES_MAX + 1, 7),
			-EFBIG);
	CU_ASSERT_PTR_NULL(cache.receiver);
	CU_ASSERT_EQUAL(wm_kernel_cache_expect(&cache, hash, WM_KERNEL_OBJECT_BYTES_MAX, 7), 0);
	CU_ASSERT_PTR_NOT_NULL(cache.receiver);
	wm_kernel_cache_fini(&cache);
}

static void a_chunk_that_nobody_expects_is_told_so(void)
{
	const struct wm_wire_header chunk = { .op = WM_OP_CHUNK, .session = 7, .batch = 9 };
	uint8_t body[WM_CHUNK_PREAMBLE_BYTES] = { 1 };
	struct wm_kernel_cache cache = { 0 };
	struct wm_wire_header header;
	struct wm_chunk_ack ack;

	CU_ASSERT_EQUAL(wm_kernel_cache_take(&cache, &chunk, body, sizeof(body), &header, &ack),
			WM_DROP_NONE);
	CU_ASSERT_EQUAL(header.op, WM_OP_CHUNK_ACK);
	CU_ASSERT_EQUAL(header.batch, 9);
	CU_ASSERT_EQUAL(ack.status, ENOENT);
	wm_kernel_cache_fini(&cache);
}

static const struct wm_test tests[] = {
	WM_TEST(what_was_not_used_for_longest_makes_room),
	WM_TEST(so_do_entries),
	WM_TEST(what_is_there_is_not_kept_twice),
	WM_TEST(nothing_larger_than_any_object_is_expected),
	WM_TEST(a_chunk_that_nobody_expects_is_told_so),
};

int main(void)
{
	return WM_TESTS_RUN("kernel cache", tests);
}
