/* SPDX-License-Identifier: BSD-3-Clause */
#include "message.h"

#include <errno.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const struct wm_hello hello = {
	.nonce = 0x0123456789abcdef,
	.name = "console-07.rack_2",
	.mtu = 9000,
	.capacity = 128,
	.device = "llvmpipe (LLVM 15.0.6, 256 bits)",
	.driver = "Mesa 22.3.6",
	.software = true,
	.xdp_mode = "native",
	.zero_copy = false,
	.multi_buffer = true,
};
static const struct wm_welcome welcome = {
	.nonce = UINT64_MAX,
	.controller = { 2, 0, 0, 0, 0, 0xfe },
	.beat_ms = 1000,
	.dead_ms = 5000,
	.frame_auth = WM_WIRE_AEAD,
};
static const struct wm_beat beat = { .batches = 1ull << 40,
				     .results = 2,
				     .submissions = 3,
				     .copied_bytes = 4,
				     .dropped = 5,
				     .ring_full = 6,
				     .held = 8,
				     .device_losses = 7,
				     .unheard = 9 };
static const struct wm_kernel_message kernel = {
	.kernel = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.batch_elements = 256,
};
static const struct wm_kernel_message brought = {
	.kernel = { .name = "blend",
		    .in_bytes = 4,
		    .out_bytes = 4,
		    .halo_before = 1,
		    .hash = { [0] = 0x80, [31] = 1 } },
	.batch_elements = 256,
	.object_bytes = 40000,
};
static const struct wm_ack ack = { .status = ENOENT, .text = "no kernel of that name: fft" };
static const struct wm_bye bye = { .text = "" };

/* Every message through one shape, so that each test walks them all. */
struct codec {
	const char *name;
	const void *value;
	size_t value_bytes;
	size_t (*encode)(uint8_t *body, size_t max, const void *value);
	int (*decode)(const uint8_t *body, size_t bytes, void *value);
};

#define CODEC(message, type)                                                           \
	static size_t encode_##message(uint8_t *body, size_t max, const void *value)   \
	{                                                                              \
		return wm_message_encode_##message(body, max, value);                  \
	}                                                                              \
	static int decode_##message(const uint8_t *body, size_t bytes, void *value)    \
	{                                                                              \
		return wm_message_decode_##message(body, bytes, (struct type *)value); \
	}
#define ENTRY_OF(message, value)                                                  \
	{                                                                         \
#value, &value, sizeof(value), encode_##message, decode_##message \
	}
#define ENTRY(message) ENTRY_OF(message, message)

CODEC(hello, wm_hello)
CODEC(welcome, wm_welcome)
CODEC(beat, wm_beat)
CODEC(kernel, wm_kernel_message)
CODEC(ack, wm_ack)
CODEC(bye, wm_bye)

static const struct codec codecs[] = {
	ENTRY(hello), ENTRY(welcome),		ENTRY(beat), ENTRY(kernel), ENTRY(ack),
	ENTRY(bye),   ENTRY_OF(kernel, brought)
};
#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

union any {
	struct wm_hello hello;
	struct wm_welcome welcome;
	struct wm_beat beat;
	struct wm_kernel_message kernel;
	struct wm_ack ack;
	struct wm_bye bye;
};

/* Decodes a copy that ends where the body ends, so that ASan sees a read past it. */
static int decode_copy(const struct codec *codec, const uint8_t *body, size_t bytes,
		       union any *value)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	int ret;

	memcpy(copy, body, bytes);
	ret = codec->decode(copy, bytes, value);
	free(copy);
	return ret;
}

static void each_message_comes_back_as_it_went(void)
{
	for (size_t i = 0; i < CODECS; i++) {
		uint8_t body[WM_MESSAGE_BYTES_MAX];
		size_t n = codecs[i].encode(body, sizeof(body), codecs[i].value);
		union any value;

		memset(&value, 0, sizeof(value));
		CU_ASSERT(n > 0 && n < WM_MESSAGE_BYTES_MAX);
		CU_ASSERT_EQUAL(decode_copy(&codecs[i], body, n, &value), 0);
		CU_ASSERT_EQUAL(memcmp(&value, codecs[i].value, codecs[i].value_bytes), 0);
	}
}

static void the_largest_hello_fits_in_a_body(void)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_hello large = hello;
	union any value;
	size_t n;

	memset(large.name, 'n', sizeof(large.name) - 1);
	memset(large.device, 'd', sizeof(large.device) - 1);
	memset(large.driver, 'v', sizeof(large.driver) - 1);
	n = wm_message_encode_hello(body, sizeof(body), &large);
	CU_ASSERT(n > 0);
	CU_ASSERT_EQUAL(decode_copy(&codecs[0], body, n, &value), 0);
	CU_ASSERT_STRING_EQUAL(value.hello.device, large.device);
}

static void a_body_without_room_is_not_encoded(void)
{
	for (size_t i = 0; i < CODECS; i++) {
		uint8_t body[WM_MESSAGE_BYTES_MAX];
		size_t n = codecs[i].encode(body, sizeof(body), codecs[i].value);

		for (size_t max = 0; max < n; max++)
			CU_ASSERT_EQUAL(codecs[i].encode(body, max, codecs[i].value), 0);
		CU_ASSERT_EQUAL(codecs[i].encode(body, n, codecs[i].value), n);
	}
}

static void every_truncation_is_refused(void)
{
	for (size_t i = 0; i < CODECS; i++) {
		uint8_t body[WM_MESSAGE_BYTES_MAX];
		size_t n = codecs[i].encode(body, sizeof(body), codecs[i].value);
		union any value;

		for (size_t bytes = 0; bytes < n; bytes++)
			CU_ASSERT_EQUAL(decode_copy(&codecs[i], body, bytes, &value), -EBADMSG);
	}
}

static void bytes_left_over_are_refused(void)
{
	for (size_t i = 0; i < CODECS; i++) {
		uint8_t body[WM_MESSAGE_BYTES_MAX] = { 0 };
		size_t n = codecs[i].encode(body, sizeof(body), codecs[i].value);
		union any value;

		CU_ASSERT_EQUAL(decode_copy(&codecs[i], body, n + 1, &value), -EBADMSG);
	}
}

static void junk_is_refused(void)
{
	uint64_t state = 1;

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t body[64];
		union any value;

		for (size_t i = 0; i < sizeof(body); i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			body[i] = (uint8_t)(state >> 56);
		}
		body[0] = 0x80 | (round & 0x0f); /* a map, or it ends there */
		for (size_t i = 0; i < CODECS; i++)
			CU_ASSERT_EQUAL(decode_copy(&codecs[i], body, round % sizeof(body), &value),
					-EBADMSG);
	}
}

/* Containers that claim far more members than a body can hold. */
static void a_container_larger_than_the_body_is_refused_before_memory_is_taken(void)
{
	static const uint8_t bodies[][6] = {
		{ 0xdf, 0xff, 0xff, 0xff, 0xff, 0 }, { 0xdd, 0xff, 0xff, 0xff, 0xff, 0 },
		{ 0xde, 0xff, 0xff, 0, 0, 0 },	     { 0xdb, 0xff, 0xff, 0xff, 0xff, 0 },
		{ 0xc6, 0xff, 0xff, 0xff, 0xff, 0 }, { 0xc9, 0xff, 0xff, 0xff, 0xff, 0 },
	};

	for (size_t b = 0; b < sizeof(bodies) / sizeof(bodies[0]); b++) {
		for (size_t i = 0; i < CODECS; i++) {
			union any value;

			CU_ASSERT_EQUAL(
				decode_copy(&codecs[i], bodies[b], sizeof(bodies[b]), &value),
				-EBADMSG);
		}
	}
}

static void deep_nesting_is_refused(void)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	union any value;

	/* { "text": [[[[ ... [] ... ]]]] } */
	memset(body, 0x91, sizeof(body));
	memcpy(body, "\x81\xa4text", 6);
	body[sizeof(body) - 1] = 0x90;
	CU_ASSERT_EQUAL(decode_copy(&codecs[5], body, sizeof(body), &value), -EBADMSG);
}

/* ---- bodies made by hand ------------------------------------------------ */

static void pack_key(msgpack_packer *packer, const char *key)
{
	msgpack_pack_str_with_body(packer, key, strlen(key));
}

static int decode_ack_of(const msgpack_sbuffer *buffer, struct wm_ack *value)
{
	union any any;
	int ret = decode_copy(&codecs[4], (const uint8_t *)buffer->data, buffer->size, &any);

	*value = any.ack;
	return ret;
}

static void an_unknown_key_is_skipped(void)
{
	msgpack_sbuffer buffer;
	msgpack_packer packer;
	struct wm_ack value;

	msgpack_sbuffer_init(&buffer);
	msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
	msgpack_pack_map(&packer, 3);
	pack_key(&packer, "text");
	pack_key(&packer, "ready");
	pack_key(&packer, "colour");
	msgpack_pack_map(&packer, 1);
	msgpack_pack_nil(&packer);
	msgpack_pack_double(&packer, 1.5);
	pack_key(&packer, "status");
	msgpack_pack_int(&packer, 7);
	CU_ASSERT_EQUAL(decode_ack_of(&buffer, &value), 0);
	CU_ASSERT_EQUAL(value.status, 7);
	CU_ASSERT_STRING_EQUAL(value.text, "ready");
	msgpack_sbuffer_destroy(&buffer);
}

static void a_missing_key_is_refused(void)
{
	msgpack_sbuffer buffer;
	msgpack_packer packer;
	struct wm_ack value;

	msgpack_sbuffer_init(&buffer);
	msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
	msgpack_pack_map(&packer, 1);
	pack_key(&packer, "status");
	msgpack_pack_int(&packer, 0);
	CU_ASSERT_EQUAL(decode_ack_of(&buffer, &value), -EBADMSG);
	msgpack_sbuffer_destroy(&buffer);
}

/* What a controller of before says, that knew of no tags. */
static void a_welcome_may_lack_what_was_added_to_it(void)
{
	struct wm_welcome value = { .frame_auth = 77 };
	msgpack_sbuffer buffer;
	msgpack_packer packer;

	msgpack_sbuffer_init(&buffer);
	msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
	msgpack_pack_map(&packer, 5);
	pack_key(&packer, "nonce");
	msgpack_pack_uint64(&packer, 1);
	pack_key(&packer, "controller_nonce");
	msgpack_pack_uint64(&packer, 2);
	pack_key(&packer, "controller");
	msgpack_pack_bin(&packer, sizeof(welcome.controller));
	msgpack_pack_bin_body(&packer, welcome.controller, sizeof(welcome.controller));
	pack_key(&packer, "beat_ms");
	msgpack_pack_uint64(&packer, 1000);
	pack_key(&packer, "dead_ms");
	msgpack_pack_uint64(&packer, 5000);
	CU_ASSERT_EQUAL(
		wm_message_decode_welcome((const uint8_t *)buffer.data, buffer.size, &value), 0);
	CU_ASSERT_EQUAL(value.frame_auth, WM_WIRE_CRC32C);
	CU_ASSERT_EQUAL(value.dead_ms, 5000);
	msgpack_sbuffer_destroy(&buffer);
}

static void an_unknown_way_to_authenticate_is_refused(void)
{
	struct wm_welcome unknown = welcome, value;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n;

	unknown.frame_auth = WM_WIRE_AEAD + 1;
	n = wm_message_encode_welcome(body, sizeof(body), &unknown);
	CU_ASSERT_EQUAL(wm_message_decode_welcome(body, n, &value), -EBADMSG);
}

static void a_key_given_twice_is_refused(void)
{
	msgpack_sbuffer buffer;
	msgpack_packer packer;
	struct wm_ack value;

	msgpack_sbuffer_init(&buffer);
	msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
	msgpack_pack_map(&packer, 3);
	pack_key(&packer, "status");
	msgpack_pack_int(&packer, 0);
	pack_key(&packer, "status");
	msgpack_pack_int(&packer, 1);
	pack_key(&packer, "text");
	pack_key(&packer, "");
	CU_ASSERT_EQUAL(decode_ack_of(&buffer, &value), -EBADMSG);
	msgpack_sbuffer_destroy(&buffer);
}

enum status_kind { AS_INT, AS_NEGATIVE, AS_TOO_LARGE, AS_TEXT, AS_FLOAT, AS_BOOL, AS_NIL, KINDS };

static void pack_status(msgpack_packer *packer, enum status_kind kind)
{
	switch (kind) {
	case AS_INT:
		msgpack_pack_uint64(packer, 4095);
		return;
	case AS_NEGATIVE:
		msgpack_pack_int(packer, -1);
		return;
	case AS_TOO_LARGE:
		msgpack_pack_uint64(packer, 4096);
		return;
	case AS_TEXT:
		pack_key(packer, "0");
		return;
	case AS_FLOAT:
		msgpack_pack_double(packer, 0);
		return;
	case AS_BOOL:
		msgpack_pack_false(packer);
		return;
	default:
		msgpack_pack_nil(packer);
	}
}

static int decode_ack_with(enum status_kind kind, const char *text, size_t text_bytes)
{
	msgpack_sbuffer buffer;
	msgpack_packer packer;
	struct wm_ack value;
	int ret;

	msgpack_sbuffer_init(&buffer);
	msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
	msgpack_pack_map(&packer, 2);
	pack_key(&packer, "status");
	pack_status(&packer, kind);
	pack_key(&packer, "text");
	msgpack_pack_str_with_body(&packer, text, text_bytes);
	ret = decode_ack_of(&buffer, &value);
	msgpack_sbuffer_destroy(&buffer);
	return ret;
}

static void a_wrong_type_or_range_is_refused(void)
{
	CU_ASSERT_EQUAL(decode_ack_with(AS_INT, "ok", 2), 0);
	for (enum status_kind kind = AS_NEGATIVE; kind < KINDS; kind++)
		CU_ASSERT_EQUAL(decode_ack_with(kind, "ok", 2), -EBADMSG);
}

static void a_text_must_fit_with_its_end_and_be_printable(void)
{
	char text[WM_MESSAGE_TEXT_BYTES];

	memset(text, 'x', sizeof(text));
	CU_ASSERT_EQUAL(decode_ack_with(AS_INT, text, sizeof(text) - 1), 0);
	CU_ASSERT_EQUAL(decode_ack_with(AS_INT, text, sizeof(text)), -EBADMSG);
	CU_ASSERT_EQUAL(decode_ack_with(AS_INT, "a\nb", 3), -EBADMSG);
	CU_ASSERT_EQUAL(decode_ack_with(AS_INT, "a\0b", 3), -EBADMSG);
	CU_ASSERT_EQUAL(decode_ack_with(AS_INT, "\x1b[2J", 4), -EBADMSG);
	CU_ASSERT_EQUAL(decode_ack_with(AS_INT, "\xc3\xa9", 2), -EBADMSG);
}

static void a_name_is_letters_digits_dot_underscore_dash(void)
{
	static const char *const bad[] = { "", "a b", "a/b", "a;b", "caf\xc3\xa9" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_hello named = hello;
	union any value;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n;

		memset(named.name, 0, sizeof(named.name));
		memcpy(named.name, bad[i], strlen(bad[i]));
		n = wm_message_encode_hello(body, sizeof(body), &named);
		CU_ASSERT_EQUAL(decode_copy(&codecs[0], body, n, &value), -EBADMSG);
	}
	CU_ASSERT_FALSE(wm_message_name_is_valid("abcd", 4));
	CU_ASSERT_TRUE(wm_message_name_is_valid("abc", 4));
}

static void text_from_elsewhere_is_cut_and_made_printable(void)
{
	char text[8];

	wm_message_text_set(text, sizeof(text), "a\tb\xc3\xa9-long tail");
	CU_ASSERT_STRING_EQUAL(text, "a?b?"
				     "?-l");
}

static const struct wm_test tests[] = {
	WM_TEST(each_message_comes_back_as_it_went),
	WM_TEST(the_largest_hello_fits_in_a_body),
	WM_TEST(a_body_without_room_is_not_encoded),
	WM_TEST(every_truncation_is_refused),
	WM_TEST(bytes_left_over_are_refused),
	WM_TEST(junk_is_refused),
	WM_TEST(a_container_larger_than_the_body_is_refused_before_memory_is_taken),
	WM_TEST(deep_nesting_is_refused),
	WM_TEST(an_unknown_key_is_skipped),
	WM_TEST(a_missing_key_is_refused),
	WM_TEST(a_welcome_may_lack_what_was_added_to_it),
	WM_TEST(an_unknown_way_to_authenticate_is_refused),
	WM_TEST(a_key_given_twice_is_refused),
	WM_TEST(a_wrong_type_or_range_is_refused),
	WM_TEST(a_text_must_fit_with_its_end_and_be_printable),
	WM_TEST(a_name_is_letters_digits_dot_underscore_dash),
	WM_TEST(text_from_elsewhere_is_cut_and_made_printable),
};

int main(void)
{
	return WM_TESTS_RUN("message", tests);
}
