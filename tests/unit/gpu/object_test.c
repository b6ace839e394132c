/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "wiremill/kernel_object.h"
#include "wiremill/limits.h"

#define BYTES_MAX 4096

static const uint32_t code[] = { 0x07230203, 0x00010500, 0, 8, 0, 0xdeadbeef };
static const char source[] = "//!KERNEL blend\nvoid element(int i) {}\n";
static const char settings[] = "weight=0.25\n";

/* Of 4 bytes, as a caller's buffer is. */
static union {
	uint32_t words[BYTES_MAX / 4];
	uint8_t bytes[BYTES_MAX];
} made;

static struct wm_kernel_object sample(void)
{
	return (struct wm_kernel_object){
		.kernel = { .name = "blend",
			    .in_bytes = 4,
			    .out_bytes = 8,
			    .halo_before = 1,
			    .halo_after = 2 },
		.version = 7,
		.code = code,
		.code_bytes = sizeof(code),
		.source = source,
		.source_bytes = sizeof(source) - 1,
		.settings = settings,
		.settings_bytes = sizeof(settings) - 1,
	};
}

static size_t make(struct wm_kernel_object *object)
{
	*object = sample();
	wm_kernel_object_encode(made.bytes, object);
	return wm_kernel_object_bytes(object);
}

static bool is_object(size_t bytes)
{
	struct wm_error error = { "" };
	struct wm_kernel_object object;
	int ret = wm_kernel_object_decode(&object, made.bytes, bytes, &error);

	CU_ASSERT(ret == 0 || (ret == -EBADMSG && error.text[0]));
	return ret == 0;
}

static void what_is_encoded_comes_back(void)
{
	struct wm_kernel_object first, again;
	struct wm_error error = { "" };
	size_t bytes = make(&first);

	CU_ASSERT_EQUAL(bytes, WM_KERNEL_OBJECT_HEADER_BYTES + sizeof(code) + sizeof(source) - 1 +
				       sizeof(settings) - 1);
	CU_ASSERT_EQUAL_FATAL(wm_kernel_object_decode(&again, made.bytes, bytes, &error), 0);
	CU_ASSERT(wm_kernel_is_same(&first.kernel, &again.kernel));
	CU_ASSERT_EQUAL(again.version, 7);
	CU_ASSERT(again.code_bytes == sizeof(code) && memcmp(again.code, code, sizeof(code)) == 0);
	CU_ASSERT(again.source_bytes == sizeof(source) - 1 &&
		  memcmp(again.source, source, again.source_bytes) == 0);
	CU_ASSERT(again.settings_bytes == sizeof(settings) - 1 &&
		  memcmp(again.settings, settings, again.settings_bytes) == 0);
}

static void each_byte_is_in_the_hash(void)
{
	struct wm_kernel_object object;
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	size_t bytes = make(&object);

	for (size_t i = 0; i < bytes; i++) {
		made.bytes[i] ^= 1;
		wm_kernel_hash(hash, made.bytes, bytes);
		CU_ASSERT_NOT_EQUAL(memcmp(hash, object.kernel.hash, sizeof(hash)), 0);
		made.bytes[i] ^= 1;
	}
}

static void another_length_is_no_object(void)
{
	struct wm_kernel_object object;
	size_t bytes = make(&object);

	CU_ASSERT(is_object(bytes));
	for (size_t i = 0; i < bytes; i++)
		CU_ASSERT(!is_object(i));
	CU_ASSERT(!is_object(bytes + 1));
}

/* What each byte of the header may be: none of them is left unchecked but in sizes and
 * version, where another number may be as good. */
static void a_header_that_no_kernel_has_is_refused(void)
{
	static const size_t free_bytes[][2] = { { 8, 13 }, { 40, 56 }, { 60, 64 } };
	struct wm_kernel_object object;
	size_t bytes = make(&object);

	for (size_t i = 0; i < WM_KERNEL_OBJECT_HEADER_BYTES; i++) {
		bool is_free = false;

		for (unsigned f = 0; f < 3; f++)
			is_free |= i >= free_bytes[f][0] && i < free_bytes[f][1];
		made.bytes[i] ^= 0x80;
		CU_ASSERT(is_free || !is_object(bytes));
		made.bytes[i] ^= 0x80;
	}
}

static void refuse_word(size_t offset, uint32_t word)
{
	struct wm_kernel_object object;
	size_t bytes = make(&object);

	memcpy(made.bytes + offset, &word, sizeof(word));
	CU_ASSERT(!is_object(bytes));
}

static void numbers_that_no_kernel_has_are_refused(void)
{
	refuse_word(40, 0);
	refuse_word(40, WM_MTU_MAX + 1);
	refuse_word(44, 0);
	refuse_word(44, UINT32_MAX);
	refuse_word(48, WM_MTU_MAX + 1);
	refuse_word(52, UINT32_MAX);
	refuse_word(64, UINT32_MAX);
	refuse_word(68, UINT32_MAX - 75);
	refuse_word(72, UINT32_MAX);
	refuse_word(72, 0);
	refuse_word(76, 0x03022307); /* the other byte order */
}

static void name_with_a_path_in_it_is_refused(void)
{
	static const char *const names[] = { "../x", "/x", "X", "a b", "a.b", "" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wm_kernel_object object;
		size_t bytes = make(&object);

		memset(made.bytes + 8, 0, WM_KERNEL_NAME_BYTES);
		memcpy(made.bytes + 8, names[i], strlen(names[i]));
		CU_ASSERT(!is_object(bytes));
	}
}

static void what_is_too_large_has_no_bytes(void)
{
	struct wm_kernel_object object = sample();

	object.code_bytes = WM_KERNEL_OBJECT_BYTES_MAX;
	CU_ASSERT_EQUAL(wm_kernel_object_bytes(&object), 0);
	object.code_bytes = SIZE_MAX - 3;
	CU_ASSERT_EQUAL(wm_kernel_object_bytes(&object), 0);
	object = sample();
	object.source_bytes = SIZE_MAX;
	CU_ASSERT_EQUAL(wm_kernel_object_bytes(&object), 0);
	object = sample();
	object.settings_bytes = WM_KERNEL_OBJECT_BYTES_MAX - WM_KERNEL_OBJECT_HEADER_BYTES -
				object.code_bytes - object.source_bytes;
	CU_ASSERT_EQUAL(wm_kernel_object_bytes(&object), WM_KERNEL_OBJECT_BYTES_MAX);
	object.settings_bytes++;
	CU_ASSERT_EQUAL(wm_kernel_object_bytes(&object), 0);
}

static void hash_is_written_and_read_as_64_digits(void)
{
	char text[WM_KERNEL_HASH_TEXT_BYTES];
	uint8_t hash[WM_KERNEL_HASH_BYTES], again[WM_KERNEL_HASH_BYTES];

	wm_kernel_hash(hash, (const uint8_t *)"abc", 3);
	wm_kernel_hash_text(text, hash);
	/* BLAKE2b-256 of "abc", as b2sum -l 256 has it. */
	CU_ASSERT_STRING_EQUAL(text,
			       "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	CU_ASSERT_EQUAL(wm_kernel_hash_parse(again, text), 0);
	CU_ASSERT_EQUAL(memcmp(hash, again, sizeof(hash)), 0);
	text[63] = 'g';
	CU_ASSERT_EQUAL(wm_kernel_hash_parse(again, text), -EINVAL);
	text[63] = '\0';
	CU_ASSERT_EQUAL(wm_kernel_hash_parse(again, text), -EINVAL);
	CU_ASSERT_EQUAL(wm_kernel_hash_parse(again, ""), -EINVAL);
}

static const struct wm_test tests[] = {
	WM_TEST(what_is_encoded_comes_back),
	WM_TEST(each_byte_is_in_the_hash),
	WM_TEST(another_length_is_no_object),
	WM_TEST(a_header_that_no_kernel_has_is_refused),
	WM_TEST(numbers_that_no_kernel_has_are_refused),
	WM_TEST(name_with_a_path_in_it_is_refused),
	WM_TEST(what_is_too_large_has_no_bytes),
	WM_TEST(hash_is_written_and_read_as_64_digits),
};

int main(void)
{
	return WM_TESTS_RUN("kernel object", tests);
}
