/* SPDX-License-Identifier: BSD-3-Clause */
/* Golden frames come from tests/fixtures/make_frames.py, which shares no code with
 * what is tested here. */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "harness.h"

#define FRAME_BYTES_MAX GOLDEN_BYTES_MAX

static struct golden map_2 = { .name = "map-2" };
static struct golden result_2 = { .name = "result-2" };
static struct golden hello = { .name = "hello" };
static struct golden *const goldens[] = { &map_2, &result_2, &hello };

static const uint8_t broadcast[WM_ETHER_ADDR_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t hello_body[] = { 0x81, 0xa5, 'n', 'o', 'n', 'c', 'e', 0xcd, 0x12, 0x34, 0x80 };

static struct wm_wire_header *header_of(uint8_t *frame)
{
	return (struct wm_wire_header *)(frame + WM_ETHER_HEADER_BYTES);
}

/* What worker and lane do with a frame, in one piece. */
static enum wm_drop check_batch(const uint8_t *frame, size_t len)
{
	const struct wm_kernel * xor = wm_kernel_find("xor");
	struct wm_wire_header header = { 0 };
	size_t payload_bytes;
	enum wm_drop drop;

	if (len >= WM_FRAME_HEADER_BYTES)
		memcpy(&header, frame + WM_ETHER_HEADER_BYTES, sizeof(header));
	drop = wm_frame_check_header(&header, len);
	if (drop == WM_DROP_NONE && header.op != WM_OP_MAP && header.op != WM_OP_RESULT)
		drop = WM_DROP_OP;
	if (drop != WM_DROP_NONE)
		return drop;
	payload_bytes = header.op == WM_OP_MAP ? wm_frame_map_bytes(xor, header.count)
					       : wm_frame_result_bytes(xor, header.count);
	drop = wm_frame_check_length(len, payload_bytes);
	if (drop != WM_DROP_NONE)
		return drop;
	return wm_frame_check_crc(&header, frame + WM_FRAME_HEADER_BYTES, payload_bytes);
}

static enum wm_drop check_control(const uint8_t *frame, size_t len)
{
	struct wm_wire_header header;
	const uint8_t *body;

	return wm_frame_decode_control(frame, len, &header, &body);
}

static enum wm_drop check(const struct golden *golden, const uint8_t *frame, size_t len)
{
	return golden == &hello ? check_control(frame, len) : check_batch(frame, len);
}

/* The golden frame, changed in place and sealed again with a right CRC. */
static enum wm_drop check_sealed(struct golden *golden, uint8_t *frame, size_t payload_bytes)
{
	struct wm_wire_header *header = header_of(frame);
	uint32_t crc = wm_frame_crc(header);

	header->crc32c = wm_frame_crc_add(crc, frame + WM_FRAME_HEADER_BYTES, payload_bytes);
	return check(golden, frame, golden->len);
}

/* ---- bytes ----------------------------------------------------------------- */

static void encode_batch(const struct golden *golden, uint8_t op, const uint8_t *payload,
			 size_t payload_bytes)
{
	const uint8_t *destination = op == WM_OP_MAP ? golden_node : golden_controller;
	const uint8_t *source = op == WM_OP_MAP ? golden_controller : golden_node;
	uint8_t frame[FRAME_BYTES_MAX];
	struct wm_wire_header *header = header_of(frame);

	wm_frame_ether((struct wm_ether_header *)frame, destination, source);
	*header = (struct wm_wire_header){ .version = WM_WIRE_VERSION,
					   .op = op,
					   .count = 2,
					   .session = 0x5e551071,
					   .batch = 0x0102030405060708,
					   .job = 0x10b,
					   .sequence = 0xfffffffe };
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), payload, payload_bytes);
	memcpy(frame + WM_FRAME_HEADER_BYTES, payload, payload_bytes);

	CU_ASSERT_EQUAL_FATAL(WM_FRAME_HEADER_BYTES + payload_bytes, golden->len);
	CU_ASSERT_EQUAL(memcmp(frame, golden->bytes, golden->len), 0);
}

static void a_map_frame_encodes_to_the_golden_bytes(void)
{
	uint8_t payload[96];

	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i / 32 * 37 + i % 32 * 11);
	encode_batch(&map_2, WM_OP_MAP, payload, sizeof(payload));
}

static void a_result_frame_encodes_to_the_golden_bytes(void)
{
	uint8_t payload[64];

	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)((uint8_t)(i / 32 * 37 + i % 32 * 11) ^
				       (uint8_t)((i / 32 + 1) * 37 + i % 32 * 11));
	encode_batch(&result_2, WM_OP_RESULT, payload, sizeof(payload));
}

static void a_control_frame_encodes_to_the_golden_bytes(void)
{
	struct wm_wire_header header = { .op = WM_OP_HELLO, .batch = 0x1d, .sequence = 3 };
	uint8_t frame[FRAME_BYTES_MAX];
	size_t len = wm_frame_encode_control(frame, sizeof(frame), broadcast, golden_node, &header,
					     hello_body, sizeof(hello_body));

	CU_ASSERT_EQUAL_FATAL(len, WM_FRAME_BYTES_MIN);
	CU_ASSERT_EQUAL_FATAL(len, hello.len);
	CU_ASSERT_EQUAL(memcmp(frame, hello.bytes, len), 0);
}

static void a_golden_map_frame_decodes_to_its_fields(void)
{
	const struct wm_wire_header *header = header_of(map_2.bytes);

	CU_ASSERT_EQUAL(check_batch(map_2.bytes, map_2.len), WM_DROP_NONE);
	CU_ASSERT_EQUAL(header->op, WM_OP_MAP);
	CU_ASSERT_EQUAL(header->count, 2);
	CU_ASSERT_EQUAL(header->session, 0x5e551071);
	CU_ASSERT_EQUAL(header->batch, 0x0102030405060708);
	CU_ASSERT_EQUAL(header->job, 0x10b);
	CU_ASSERT_EQUAL(header->sequence, 0xfffffffe);
}

static void a_golden_result_frame_is_accepted(void)
{
	CU_ASSERT_EQUAL(check_batch(result_2.bytes, result_2.len), WM_DROP_NONE);
	CU_ASSERT_EQUAL(header_of(result_2.bytes)->op, WM_OP_RESULT);
}

static void a_golden_control_frame_decodes_to_its_body(void)
{
	struct wm_wire_header header;
	const uint8_t *body = NULL;

	CU_ASSERT_EQUAL_FATAL(wm_frame_decode_control(hello.bytes, hello.len, &header, &body),
			      WM_DROP_NONE);
	CU_ASSERT_EQUAL(header.op, WM_OP_HELLO);
	CU_ASSERT_EQUAL(header.batch, 0x1d);
	CU_ASSERT_EQUAL(header.sequence, 3);
	CU_ASSERT_EQUAL_FATAL(header.count, sizeof(hello_body));
	CU_ASSERT_PTR_EQUAL(body, hello.bytes + WM_FRAME_HEADER_BYTES);
	CU_ASSERT_EQUAL(memcmp(body, hello_body, sizeof(hello_body)), 0);
}

/* ---- damage ---------------------------------------------------------------- */

static size_t protected_bytes(struct golden *golden)
{
	return golden == &hello ? WM_FRAME_HEADER_BYTES + sizeof(hello_body) : golden->len;
}

static void every_single_bit_flip_is_refused(void)
{
	unsigned accepted = 0;

	for (unsigned g = 0; g < 3; g++) {
		size_t end = protected_bytes(goldens[g]) * 8;

		for (size_t bit = WM_ETHER_HEADER_BYTES * 8; bit < end; bit++) {
			uint8_t frame[FRAME_BYTES_MAX];

			memcpy(frame, goldens[g]->bytes, sizeof(frame));
			frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
			accepted += check(goldens[g], frame, goldens[g]->len) == WM_DROP_NONE;
		}
	}
	CU_ASSERT_EQUAL(accepted, 0);
}

/* In a buffer of just that size, so that the sanitizer build sees a read beyond. */
static enum wm_drop check_truncated(const struct golden *golden, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum wm_drop drop;

	memcpy(copy, golden->bytes, len);
	drop = check(golden, copy, len);
	free(copy);
	return drop;
}

static void a_frame_truncated_at_any_length_is_refused(void)
{
	for (unsigned g = 0; g < 3; g++) {
		for (size_t len = 0; len < protected_bytes(goldens[g]); len++) {
			enum wm_drop expected = len < WM_FRAME_HEADER_BYTES ? WM_DROP_SHORT
									    : WM_DROP_LENGTH;

			CU_ASSERT_EQUAL(check_truncated(goldens[g], len), expected);
		}
	}
}

static void padding_up_to_60_bytes_is_accepted_and_none_beyond(void)
{
	for (size_t len = protected_bytes(&hello); len <= WM_FRAME_BYTES_MIN; len++)
		CU_ASSERT_EQUAL(check_control(hello.bytes, len), WM_DROP_NONE);
	CU_ASSERT_EQUAL(check_control(hello.bytes, WM_FRAME_BYTES_MIN + 1), WM_DROP_LENGTH);

	CU_ASSERT_EQUAL(wm_frame_check_length(60, 0), WM_DROP_NONE);
	CU_ASSERT_EQUAL(wm_frame_check_length(60, 18), WM_DROP_NONE);
	CU_ASSERT_EQUAL(wm_frame_check_length(60, 19), WM_DROP_LENGTH);
	CU_ASSERT_EQUAL(wm_frame_check_length(61, 18), WM_DROP_LENGTH);
	CU_ASSERT_EQUAL(check_batch(map_2.bytes, map_2.len + 1), WM_DROP_LENGTH);
}

static void a_wrong_version_is_refused_as_such(void)
{
	uint8_t frame[FRAME_BYTES_MAX];

	memcpy(frame, map_2.bytes, sizeof(frame));
	header_of(frame)->version = WM_WIRE_VERSION + 1;
	CU_ASSERT_EQUAL(check_sealed(&map_2, frame, 96), WM_DROP_VERSION);
}

static void only_the_ops_of_the_format_are_known(void)
{
	for (unsigned op = 0; op < 256; op++) {
		struct wm_wire_header header = { .version = WM_WIRE_VERSION, .op = (uint8_t)op };
		bool known = (op >= 1 && op <= 3) || (op >= 16 && op <= 24);

		CU_ASSERT_EQUAL(wm_frame_check_header(&header, 60),
				known ? WM_DROP_NONE : WM_DROP_OP);
	}
}

static void a_batch_is_not_taken_for_a_control_frame(void)
{
	CU_ASSERT_EQUAL(check_control(map_2.bytes, map_2.len), WM_DROP_OP);
	CU_ASSERT_EQUAL(check_control(result_2.bytes, result_2.len), WM_DROP_OP);
}

static void a_count_that_is_not_the_length_is_refused(void)
{
	for (unsigned count = 0; count <= UINT16_MAX; count++) {
		uint8_t frame[FRAME_BYTES_MAX];

		if (count == 2)
			continue;
		memcpy(frame, map_2.bytes, sizeof(frame));
		header_of(frame)->count = (uint16_t)count;
		CU_ASSERT_EQUAL(check_sealed(&map_2, frame, 96), WM_DROP_LENGTH);
	}
}

static void a_payload_moved_to_another_place_is_refused(void)
{
	uint8_t frame[FRAME_BYTES_MAX];

	memcpy(frame, map_2.bytes, sizeof(frame));
	header_of(frame)->batch++;
	CU_ASSERT_EQUAL(check_batch(frame, map_2.len), WM_DROP_CRC);
	memcpy(frame, map_2.bytes, sizeof(frame));
	header_of(frame)->session++;
	CU_ASSERT_EQUAL(check_batch(frame, map_2.len), WM_DROP_CRC);
}

/* ---- CRC32C ---------------------------------------------------------------- */

static void crc_has_the_check_value_of_its_catalogue(void)
{
	CU_ASSERT_EQUAL(wm_frame_crc_add(0, "123456789", 9), 0xe3069283);
}

static void crc_over_any_pieces_equals_that_over_the_whole(void)
{
	uint8_t bytes[150];
	uint32_t whole;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i + 7 * i);
	whole = wm_frame_crc_add(0, bytes, sizeof(bytes));
	for (size_t a = 0; a <= sizeof(bytes); a++) {
		for (size_t b = a; b <= sizeof(bytes); b += 1 + a % 5) {
			uint32_t crc = wm_frame_crc_add(0, bytes, a);

			crc = wm_frame_crc_add(crc, bytes + a, b - a);
			crc = wm_frame_crc_add(crc, bytes + b, sizeof(bytes) - b);
			CU_ASSERT_EQUAL(crc, whole);
		}
	}
}

static void crc_of_a_header_ignores_the_crc_in_it(void)
{
	struct wm_wire_header header = *header_of(map_2.bytes);
	uint32_t crc = wm_frame_crc(&header);

	header.crc32c = ~header.crc32c;
	CU_ASSERT_EQUAL(wm_frame_crc(&header), crc);
}

/* ---- control frames -------------------------------------------------------- */

static size_t encode(size_t room, size_t body_bytes)
{
	static uint8_t frame[2 * UINT16_MAX], body[UINT16_MAX + 1];
	struct wm_wire_header header = { .op = WM_OP_BEAT, .session = 1 };
	size_t len;

	memset(frame, 0xee, sizeof(frame));
	len = wm_frame_encode_control(frame, room, golden_controller, golden_node, &header, body,
				      body_bytes);
	if (len == 0)
		CU_ASSERT_EQUAL(frame[0], 0xee); /* untouched */
	if (len != 0)
		CU_ASSERT_EQUAL(check_control(frame, len), WM_DROP_NONE);
	CU_ASSERT_EQUAL(frame[len], 0xee);
	return len;
}

static void a_control_frame_that_does_not_fit_is_not_written(void)
{
	CU_ASSERT_EQUAL(encode(WM_FRAME_BYTES_MIN - 1, 0), 0);
	CU_ASSERT_EQUAL(encode(WM_FRAME_BYTES_MIN, 0), WM_FRAME_BYTES_MIN);
	CU_ASSERT_EQUAL(encode(WM_FRAME_BYTES_MIN, 18), WM_FRAME_BYTES_MIN);
	CU_ASSERT_EQUAL(encode(WM_FRAME_BYTES_MIN, 19), 0);
	CU_ASSERT_EQUAL(encode(142, 100), 142);
	CU_ASSERT_EQUAL(encode(141, 100), 0);
	CU_ASSERT_EQUAL(encode(2 * UINT16_MAX, UINT16_MAX), WM_FRAME_HEADER_BYTES + UINT16_MAX);
	CU_ASSERT_EQUAL(encode(2 * UINT16_MAX, UINT16_MAX + 1), 0);
}

static void a_control_frame_without_a_body_needs_no_memory_for_it(void)
{
	struct wm_wire_header header = { .op = WM_OP_DRAIN, .session = 9 }, found;
	const uint8_t *body;
	uint8_t frame[64];
	size_t len = wm_frame_encode_control(frame, sizeof(frame), golden_node, golden_controller,
					     &header, NULL, 0);

	CU_ASSERT_EQUAL(wm_frame_decode_control(frame, len, &found, &body), WM_DROP_NONE);
	CU_ASSERT_EQUAL(found.op, WM_OP_DRAIN);
	CU_ASSERT_EQUAL(found.count, 0);
}

static void every_reason_to_drop_has_its_own_name(void)
{
	for (unsigned a = 0; a < WM_DROP_REASONS; a++) {
		for (unsigned b = 0; b < a; b++)
			CU_ASSERT_STRING_NOT_EQUAL(wm_drop_name(a), wm_drop_name(b));
	}
	CU_ASSERT_STRING_EQUAL(wm_drop_name(WM_DROP_CRC), "crc");
	CU_ASSERT_STRING_EQUAL(wm_drop_name(WM_DROP_REASONS), "unknown");
}

static const struct wm_test tests[] = {
	WM_TEST(a_map_frame_encodes_to_the_golden_bytes),
	WM_TEST(a_result_frame_encodes_to_the_golden_bytes),
	WM_TEST(a_control_frame_encodes_to_the_golden_bytes),
	WM_TEST(a_golden_map_frame_decodes_to_its_fields),
	WM_TEST(a_golden_result_frame_is_accepted),
	WM_TEST(a_golden_control_frame_decodes_to_its_body),
	WM_TEST(every_single_bit_flip_is_refused),
	WM_TEST(a_frame_truncated_at_any_length_is_refused),
	WM_TEST(padding_up_to_60_bytes_is_accepted_and_none_beyond),
	WM_TEST(a_wrong_version_is_refused_as_such),
	WM_TEST(only_the_ops_of_the_format_are_known),
	WM_TEST(a_batch_is_not_taken_for_a_control_frame),
	WM_TEST(a_count_that_is_not_the_length_is_refused),
	WM_TEST(a_payload_moved_to_another_place_is_refused),
	WM_TEST(crc_has_the_check_value_of_its_catalogue),
	WM_TEST(crc_over_any_pieces_equals_that_over_the_whole),
	WM_TEST(crc_of_a_header_ignores_the_crc_in_it),
	WM_TEST(a_control_frame_that_does_not_fit_is_not_written),
	WM_TEST(a_control_frame_without_a_body_needs_no_memory_for_it),
	WM_TEST(every_reason_to_drop_has_its_own_name),
};

int main(void)
{
	for (unsigned g = 0; g < 3; g++)
		golden_load(goldens[g]);
	return WM_TESTS_RUN("frame", tests);
}
