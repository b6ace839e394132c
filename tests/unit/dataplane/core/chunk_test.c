/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of CHUNK and CHUNK_ACK against the golden frames, and those that make no sense. */
#include "chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "golden.h"
#include "harness.h"

static struct golden golden_chunk = { .name = "chunk" };
static struct golden golden_ack = { .name = "chunk-ack" };
static struct golden golden_done = { .name = "chunk-done" };

static const struct wm_chunk_ack partly = {
	.received_bytes = 256,
	.hashed_bytes = 128,
	.life = 0x11223344,
	.window_bytes = 0x80000,
	.bitmap_bytes = 1,
	.bitmap = { 0x16 },
};
static const struct wm_chunk_ack done = {
	.received_bytes = 1000,
	.hashed_bytes = 1000,
	.life = 0x11223344,
	.window_bytes = 0x80000,
	.status = WM_CHUNK_DONE,
};

static void frame_is_golden(const struct golden *golden, uint8_t op, const uint8_t *body,
			    size_t bytes)
{
	const struct wm_wire_header header = {
		.op = op, .session = 0x5e551071, .batch = 0xf1e2d3c4b5a69788, .sequence = 0x80000003
	};
	bool down = op == WM_OP_CHUNK;
	uint8_t frame[GOLDEN_BYTES_MAX];
	size_t len = wm_frame_encode_control(
		frame, sizeof(frame), down ? golden_node : golden_controller,
		down ? golden_controller : golden_node, &header, body, bytes);

	CU_ASSERT_EQUAL_FATAL(len, golden->len);
	CU_ASSERT_EQUAL(memcmp(frame, golden->bytes, len), 0);
}

static const uint8_t *golden_body(struct golden *golden, size_t *bytes)
{
	struct wm_wire_header header;
	const uint8_t *body = NULL;

	CU_ASSERT_EQUAL_FATAL(wm_frame_decode_control(golden->bytes, golden->len, &header, &body),
			      WM_DROP_NONE);
	*bytes = header.count;
	return body;
}

/* ---- bytes ------------------------------------------------------------------------------ */

static void a_chunk_encodes_to_the_golden_bytes(void)
{
	struct wm_chunk chunk = { .object_bytes = 1000, .offset = 896, .data_bytes = 104 };
	uint8_t body[120], data[104];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	chunk.data = data;
	CU_ASSERT_EQUAL(wm_chunk_encode(body, sizeof(body) - 1, &chunk), 0);
	CU_ASSERT_EQUAL_FATAL(wm_chunk_encode(body, sizeof(body), &chunk), sizeof(body));
	frame_is_golden(&golden_chunk, WM_OP_CHUNK, body, sizeof(body));
}

static void data_may_be_put_into_the_body_by_the_caller(void)
{
	const struct wm_chunk chunk = { .object_bytes = 4, .data_bytes = 4 };
	uint8_t body[20];

	memset(body, 0xee, sizeof(body));
	CU_ASSERT_EQUAL(wm_chunk_encode(body, sizeof(body), &chunk), 20);
	CU_ASSERT_EQUAL(body[WM_CHUNK_PREAMBLE_BYTES], 0xee);
}

static void acks_encode_to_the_golden_bytes(void)
{
	uint8_t body[WM_CHUNK_ACK_BYTES + 1];

	CU_ASSERT_EQUAL(wm_chunk_ack_encode(body, sizeof(body) - 1, &partly), 0);
	CU_ASSERT_EQUAL_FATAL(wm_chunk_ack_encode(body, sizeof(body), &partly), sizeof(body));
	frame_is_golden(&golden_ack, WM_OP_CHUNK_ACK, body, sizeof(body));
	CU_ASSERT_EQUAL_FATAL(wm_chunk_ack_encode(body, sizeof(body), &done), sizeof(body) - 1);
	frame_is_golden(&golden_done, WM_OP_CHUNK_ACK, body, sizeof(body) - 1);
}

static void a_golden_chunk_decodes_to_its_fields(void)
{
	struct wm_chunk chunk;
	size_t bytes;
	const uint8_t *body = golden_body(&golden_chunk, &bytes);

	CU_ASSERT_EQUAL_FATAL(wm_chunk_decode(body, bytes, &chunk), 0);
	CU_ASSERT_EQUAL(chunk.object_bytes, 1000);
	CU_ASSERT_EQUAL(chunk.offset, 896);
	CU_ASSERT_EQUAL(chunk.data_bytes, 104);
	CU_ASSERT_PTR_EQUAL(chunk.data, body + WM_CHUNK_PREAMBLE_BYTES);
}

static void golden_acks_decode_to_their_fields(void)
{
	struct wm_chunk_ack ack;
	size_t bytes;
	const uint8_t *body = golden_body(&golden_ack, &bytes);

	CU_ASSERT_EQUAL_FATAL(wm_chunk_ack_decode(body, bytes, &ack), 0);
	CU_ASSERT_EQUAL(memcmp(&ack, &partly, sizeof(ack)), 0);
	body = golden_body(&golden_done, &bytes);
	CU_ASSERT_EQUAL_FATAL(wm_chunk_ack_decode(body, bytes, &ack), 0);
	CU_ASSERT_EQUAL(memcmp(&ack, &done, sizeof(ack)), 0);
}

/* ---- what makes no sense ------------------------------------------------------------------ */

/* In a buffer of just that size, so that the sanitizer build sees a read beyond. */
static int decode_chunk(uint64_t object_bytes, uint64_t offset, size_t body_bytes)
{
	const struct wm_wire_chunk wire = { .object_bytes = object_bytes, .offset = offset };
	uint8_t *body = calloc(1, body_bytes + 1);
	struct wm_chunk chunk;
	int ret;

	body = realloc(body, body_bytes ? body_bytes : 1);
	memcpy(body, &wire, body_bytes < sizeof(wire) ? body_bytes : sizeof(wire));
	ret = wm_chunk_decode(body, body_bytes, &chunk);
	free(body);
	return ret;
}

static void a_chunk_that_ends_in_its_preamble_is_refused(void)
{
	for (size_t bytes = 0; bytes < WM_CHUNK_PREAMBLE_BYTES; bytes++)
		CU_ASSERT_EQUAL(decode_chunk(0, 0, bytes), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(0, 0, WM_CHUNK_PREAMBLE_BYTES), 0);
}

static void a_chunk_lies_in_its_object_whatever_its_numbers_are(void)
{
	CU_ASSERT_EQUAL(decode_chunk(128, 0, 16 + 128), 0);
	CU_ASSERT_EQUAL(decode_chunk(128, 0, 16 + 256), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(128, 128, 16), 0);
	CU_ASSERT_EQUAL(decode_chunk(128, 128, 16 + 128), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(128, 256, 16), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(WM_OBJECT_BYTES_MAX, WM_OBJECT_BYTES_MAX - 128, 16 + 128), 0);
	CU_ASSERT_EQUAL(decode_chunk(WM_OBJECT_BYTES_MAX + 1ull, 0, 16 + 128), -EBADMSG);
	/* Offset and length together are a small number again. */
	CU_ASSERT_EQUAL(decode_chunk(1000, UINT64_MAX - 127, 16 + 256), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(UINT64_MAX, UINT64_MAX - 127, 16 + 127), -EBADMSG);
}

static void a_chunk_is_of_whole_blocks_or_ends_with_its_object(void)
{
	CU_ASSERT_EQUAL(decode_chunk(1000, 896, 16 + 104), 0);
	CU_ASSERT_EQUAL(decode_chunk(1000, 896, 16 + 103), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(1000, 896, 16 + 105), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(1000, 895, 16 + 105), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(1000, 0, 16 + 127), -EBADMSG);
	CU_ASSERT_EQUAL(decode_chunk(1000, 0, 16 + 1000), 0);
}

static int decode_ack(const struct wm_chunk_ack *ack, size_t more)
{
	uint8_t body[WM_CHUNK_ACK_BYTES + WM_CHUNK_BITMAP_BYTES_MAX + 1] = { 0 };
	size_t bytes = wm_chunk_ack_encode(body, sizeof(body), ack);
	struct wm_chunk_ack again;

	return wm_chunk_ack_decode(body, bytes + more, &again);
}

static void an_ack_of_more_than_there_can_be_is_refused(void)
{
	struct wm_chunk_ack ack = done;

	ack.hashed_bytes = ack.received_bytes + 1;
	CU_ASSERT_EQUAL(decode_ack(&ack, 0), -EBADMSG);
	ack = (struct wm_chunk_ack){ .received_bytes = WM_OBJECT_BYTES_MAX };
	CU_ASSERT_EQUAL(decode_ack(&ack, 0), 0);
	ack.received_bytes++;
	CU_ASSERT_EQUAL(decode_ack(&ack, 0), -EBADMSG);
}

static void a_status_is_an_errno_or_done(void)
{
	for (unsigned status = 0; status <= UINT16_MAX; status++) {
		const struct wm_chunk_ack ack = { .status = (uint16_t)status };
		bool known = status <= WM_CHUNK_ERROR_MAX || status == WM_CHUNK_DONE;

		CU_ASSERT_EQUAL(decode_ack(&ack, 0), known ? 0 : -EBADMSG);
	}
}

static void a_bitmap_begins_with_what_is_missing_and_ends_with_what_is_there(void)
{
	struct wm_chunk_ack ack = partly;

	CU_ASSERT_EQUAL(decode_ack(&ack, 0), 0);
	CU_ASSERT_EQUAL(decode_ack(&ack, 1), -EBADMSG);
	ack.bitmap[0] |= 1;
	CU_ASSERT_EQUAL(decode_ack(&ack, 0), -EBADMSG);
	ack = partly;
	ack.received_bytes = 255;
	CU_ASSERT_EQUAL(decode_ack(&ack, 0), -EBADMSG);
	ack = partly;
	ack.bitmap_bytes = WM_CHUNK_BITMAP_BYTES_MAX;
	ack.bitmap[ack.bitmap_bytes - 1] = 0x80;
	CU_ASSERT_EQUAL(decode_ack(&ack, 0), 0);
	CU_ASSERT_EQUAL(decode_ack(&ack, 1), -EBADMSG);
}

static void an_ack_that_ends_early_or_has_a_stray_bit_is_refused(void)
{
	uint8_t body[WM_CHUNK_ACK_BYTES] = { 0 };
	struct wm_chunk_ack ack;

	for (size_t bytes = 0; bytes < sizeof(body); bytes++)
		CU_ASSERT_EQUAL(wm_chunk_ack_decode(body, bytes, &ack), -EBADMSG);
	CU_ASSERT_EQUAL(wm_chunk_ack_decode(body, sizeof(body), &ack), 0);
	body[WM_CHUNK_ACK_BYTES - 1] = 1;
	CU_ASSERT_EQUAL(wm_chunk_ack_decode(body, sizeof(body), &ack), -EBADMSG);
}

static void data_of_a_body_are_whole_blocks(void)
{
	CU_ASSERT_EQUAL(wm_chunk_data_bytes(0), 0);
	CU_ASSERT_EQUAL(wm_chunk_data_bytes(15), 0);
	CU_ASSERT_EQUAL(wm_chunk_data_bytes(143), 0);
	CU_ASSERT_EQUAL(wm_chunk_data_bytes(144), 128);
	CU_ASSERT_EQUAL(wm_chunk_data_bytes(1500 - WM_WIRE_HEADER_BYTES), 11 * 128);
	CU_ASSERT_EQUAL(wm_chunk_data_bytes(9000 - WM_WIRE_HEADER_BYTES), 69 * 128);
}

static const struct wm_test tests[] = {
	WM_TEST(a_chunk_encodes_to_the_golden_bytes),
	WM_TEST(data_may_be_put_into_the_body_by_the_caller),
	WM_TEST(acks_encode_to_the_golden_bytes),
	WM_TEST(a_golden_chunk_decodes_to_its_fields),
	WM_TEST(golden_acks_decode_to_their_fields),
	WM_TEST(a_chunk_that_ends_in_its_preamble_is_refused),
	WM_TEST(a_chunk_lies_in_its_object_whatever_its_numbers_are),
	WM_TEST(a_chunk_is_of_whole_blocks_or_ends_with_its_object),
	WM_TEST(an_ack_of_more_than_there_can_be_is_refused),
	WM_TEST(a_status_is_an_errno_or_done),
	WM_TEST(a_bitmap_begins_with_what_is_missing_and_ends_with_what_is_there),
	WM_TEST(an_ack_that_ends_early_or_has_a_stray_bit_is_refused),
	WM_TEST(data_of_a_body_are_whole_blocks),
};

int main(void)
{
	golden_load(&golden_chunk);
	golden_load(&golden_ack);
	golden_load(&golden_done);
	return WM_TESTS_RUN("chunk", tests);
}
