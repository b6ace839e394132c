/* SPDX-License-Identifier: BSD-3-Clause */
#include "tag.h"

#include <sodium.h>
#include <string.h>

#include "harness.h"

#define PAYLOAD 300u

static const uint8_t key[WM_TAG_KEY_BYTES] = { 7, 1 };

static const struct wm_wire_header map = {
	.version = WM_WIRE_VERSION,
	.op = WM_OP_MAP,
	.count = 8,
	.session = 0x12345678,
	.batch = 1ull << 33 | 5,
	.job = 9,
	.sequence = 0xfffffff0,
};

static uint8_t payload[PAYLOAD];

static void fill(void)
{
	for (uint32_t i = 0; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(i * 2654435761u >> 11);
}

static struct wm_tag_payload whole(void)
{
	return (struct wm_tag_payload){ { { payload, PAYLOAD } }, 1 };
}

static enum wm_drop check(const struct wm_wire_header *header, const uint8_t *tag)
{
	const struct wm_tag_payload pieces = whole();

	return wm_tag_check(header, &pieces, key, tag);
}

/* What an enemy does who can compute a CRC. */
static void make_crc_right(struct wm_wire_header *header, const uint8_t *tag)
{
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), payload, PAYLOAD);
	header->crc32c = wm_frame_crc_add(header->crc32c, tag, WM_WIRE_TAG_BYTES);
}

static void poly1305_is_that_of_the_rfc(void)
{
	/* RFC 8439 section 2.5.2. */
	static const uint8_t one_time[] = {
		0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d, 0x33, 0x7f, 0x44, 0x52,
		0xfe, 0x42, 0xd5, 0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb, 0x0d,
		0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf, 0x41, 0x49, 0xf5, 0x1b,
	};
	static const uint8_t expected[] = { 0xa8, 0x06, 0x1d, 0xc1, 0x30, 0x51, 0x36, 0xc6,
					    0xc2, 0x2b, 0x8b, 0xaf, 0x0c, 0x01, 0x27, 0xa9 };
	static const char text[] = "Cryptographic Forum Research Group";
	uint8_t tag[WM_WIRE_TAG_BYTES];

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		crypto_onetimeauth_poly1305_state state;

		crypto_onetimeauth_poly1305_init(&state, one_time);
		crypto_onetimeauth_poly1305_update(&state, (const uint8_t *)text, cut);
		crypto_onetimeauth_poly1305_update(&state, (const uint8_t *)text + cut,
						   sizeof(text) - 1 - cut);
		crypto_onetimeauth_poly1305_final(&state, tag);
		CU_ASSERT_EQUAL(memcmp(tag, expected, sizeof(tag)), 0);
	}
}

static void the_tag_is_that_of_the_drawing(void)
{
	struct wm_wire_header header = map, bound = map;
	const struct wm_tag_payload pieces = whole();
	uint8_t message[WM_WIRE_HEADER_BYTES + PAYLOAD], one_time[32];
	uint8_t nonce[24] = { 0 }, tag[WM_WIRE_TAG_BYTES], expected[WM_WIRE_TAG_BYTES];
	uint32_t inner;

	wm_tag_seal(&header, &pieces, key, tag);

	bound.crc32c = 0;
	memcpy(message, &bound, sizeof(bound));
	memcpy(message + sizeof(bound), payload, PAYLOAD);
	inner = wm_frame_crc_add(0, message, sizeof(message));
	nonce[0] = map.op;
	memcpy(nonce + 1, &map.count, 2);
	memcpy(nonce + 3, &map.batch, 8);
	memcpy(nonce + 11, &map.job, 4);
	memcpy(nonce + 15, &map.sequence, 4);
	memcpy(nonce + 19, &inner, 4);
	crypto_stream_xchacha20(one_time, sizeof(one_time), nonce, key);
	crypto_onetimeauth_poly1305(expected, message, sizeof(message), one_time);
	CU_ASSERT_EQUAL(memcmp(tag, expected, sizeof(tag)), 0);
	CU_ASSERT_EQUAL(header.crc32c, wm_frame_crc_add(inner, tag, sizeof(tag)));
}

static void without_a_key_there_is_the_crc_and_no_tag(void)
{
	const struct wm_tag_payload pieces = whole();
	struct wm_wire_header header = map;

	wm_tag_seal(&header, &pieces, NULL, NULL);
	CU_ASSERT_EQUAL(wm_frame_check_crc(&header, payload, PAYLOAD), WM_DROP_NONE);
	CU_ASSERT_EQUAL(wm_tag_check(&header, &pieces, NULL, NULL), WM_DROP_NONE);
	header.crc32c ^= 1;
	CU_ASSERT_EQUAL(wm_tag_check(&header, &pieces, NULL, NULL), WM_DROP_CRC);
	CU_ASSERT_EQUAL(wm_tag_bytes(NULL), 0);
	CU_ASSERT_EQUAL(wm_tag_bytes(key), WM_WIRE_TAG_BYTES);
}

static void the_pieces_of_a_payload_may_have_any_length(void)
{
	const struct wm_tag_payload one = whole();
	struct wm_wire_header header = map;
	uint8_t tag[WM_WIRE_TAG_BYTES];

	wm_tag_seal(&header, &one, key, tag);
	for (uint32_t a = 0; a <= PAYLOAD; a += 7) {
		for (uint32_t b = a; b <= PAYLOAD; b += 11) {
			const struct wm_tag_payload three = {
				{ { payload, a },
				  { payload + a, b - a },
				  { payload + b, PAYLOAD - b } },
				3,
			};

			CU_ASSERT_EQUAL(wm_tag_check(&header, &three, key, tag), WM_DROP_NONE);
		}
	}
}

/* Damage is found by the CRC, and an enemy who makes the CRC right by the tag. */
static void every_bit_that_is_flipped_is_found(void)
{
	const struct wm_tag_payload pieces = whole();
	struct wm_wire_header header = map, sent;
	uint8_t tag[WM_WIRE_TAG_BYTES];

	wm_tag_seal(&header, &pieces, key, tag);
	sent = header;
	CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_NONE);
	for (uint32_t bit = 0; bit < 8 * PAYLOAD; bit++) {
		payload[bit / 8] ^= 1u << bit % 8;
		CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_CRC);
		make_crc_right(&header, tag);
		CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_AUTH);
		payload[bit / 8] ^= 1u << bit % 8;
		header = sent;
	}
	for (uint32_t bit = 0; bit < 8 * sizeof(tag); bit++) {
		tag[bit / 8] ^= 1u << bit % 8;
		CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_CRC);
		make_crc_right(&header, tag);
		CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_AUTH);
		tag[bit / 8] ^= 1u << bit % 8;
		header = sent;
	}
	for (uint32_t bit = 0; bit < 8 * offsetof(struct wm_wire_header, crc32c); bit++) {
		((uint8_t *)&header)[bit / 8] ^= 1u << bit % 8;
		CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_CRC);
		make_crc_right(&header, tag);
		CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_AUTH);
		header = sent;
	}
}

static void another_key_makes_another_tag(void)
{
	const struct wm_tag_payload pieces = whole();

	for (uint32_t bit = 0; bit < 8 * WM_TAG_KEY_BYTES; bit++) {
		struct wm_wire_header header = map;
		uint8_t other[WM_TAG_KEY_BYTES], tag[WM_WIRE_TAG_BYTES];

		memcpy(other, key, sizeof(other));
		other[bit / 8] ^= 1u << bit % 8;
		wm_tag_seal(&header, &pieces, other, tag);
		CU_ASSERT_EQUAL(check(&header, tag), WM_DROP_AUTH);
	}
}

/* Two frames with one one-time key would give the key away. */
static void the_one_time_key_is_of_direction_job_batch_sequence_and_payload(void)
{
	struct wm_wire_header headers[6] = { map, map, map, map, map, map };
	uint8_t tags[6][WM_WIRE_TAG_BYTES];
	const struct wm_tag_payload pieces = whole();

	headers[1].op = WM_OP_RESULT;
	headers[2].job++;
	headers[3].batch ^= 1ull << 63;
	headers[4].sequence++;
	for (int i = 0; i < 6; i++) {
		payload[0] ^= i == 5;
		wm_tag_seal(&headers[i], &pieces, key, tags[i]);
	}
	for (int i = 0; i < 6; i++) {
		for (int k = 0; k < i; k++)
			CU_ASSERT_NOT_EQUAL(memcmp(tags[i], tags[k], WM_WIRE_TAG_BYTES), 0);
	}
	/* Nothing of one place is believed in another. */
	for (int i = 1; i < 5; i++) {
		payload[0] ^= i == 1;
		make_crc_right(&headers[i], tags[0]);
		CU_ASSERT_EQUAL(check(&headers[i], tags[0]), WM_DROP_AUTH);
	}
}

static void an_empty_payload_has_a_tag(void)
{
	static const struct wm_tag_payload nothing;
	struct wm_wire_header header = map;
	uint8_t tag[WM_WIRE_TAG_BYTES];

	header.op = WM_OP_RESULT;
	header.count = 0;
	wm_tag_seal(&header, &nothing, key, tag);
	CU_ASSERT_EQUAL(wm_tag_check(&header, &nothing, key, tag), WM_DROP_NONE);
	header.batch++;
	header.crc32c = wm_frame_crc_add(wm_frame_crc(&header), tag, sizeof(tag));
	CU_ASSERT_EQUAL(wm_tag_check(&header, &nothing, key, tag), WM_DROP_AUTH);
}

static const struct wm_test tests[] = {
	WM_TEST(poly1305_is_that_of_the_rfc),
	WM_TEST(the_tag_is_that_of_the_drawing),
	WM_TEST(without_a_key_there_is_the_crc_and_no_tag),
	WM_TEST(the_pieces_of_a_payload_may_have_any_length),
	WM_TEST(every_bit_that_is_flipped_is_found),
	WM_TEST(another_key_makes_another_tag),
	WM_TEST(the_one_time_key_is_of_direction_job_batch_sequence_and_payload),
	WM_TEST(an_empty_payload_has_a_tag),
};

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	fill();
	return WM_TESTS_RUN("tag", tests);
}
