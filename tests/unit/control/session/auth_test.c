/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define BODY "body"
#define BODY_BYTES 4u
#define SEALED_BYTES (BODY_BYTES + WM_AUTH_TRAILER_BYTES)

static const struct wm_wire_header header = {
	.op = WM_OP_BEAT,
	.session = 0x3333,
	.batch = 7,
	.job = 9,
	.sequence = 11,
};
static const struct wm_auth_bond bond = {
	.use = WM_AUTH_SESSION,
	.node = { 2, 0, 0, 0, 0, 1 },
	.controller = { 2, 0, 0, 0, 0, 0xfe },
	.node_nonce = 0x1111,
	.controller_nonce = 0x2222,
	.session = 0x3333,
};

static struct wm_auth begin(const struct wm_auth_bond *of)
{
	struct wm_key key;
	struct wm_auth auth;

	for (unsigned i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (uint8_t)i;
	wm_auth_begin(&auth, &key, of);
	return auth;
}

/* As the other side gets it: with version, count and some CRC. */
struct sealed {
	struct wm_wire_header header;
	uint8_t body[SEALED_BYTES];
};

static struct sealed seal(struct wm_auth *auth, enum wm_auth_sender sender)
{
	struct sealed sealed = { header, BODY };

	sealed.header.count =
		(uint16_t)wm_auth_seal(auth, sender, &header, sealed.body, BODY_BYTES);
	CU_ASSERT_EQUAL(sealed.header.count, SEALED_BYTES);
	sealed.header.version = WM_WIRE_VERSION;
	sealed.header.crc32c = 0xdeadbeef;
	return sealed;
}

/* From memory that ends where the frame ends, so that ASan sees a read past it. */
static int open_by(struct wm_auth *auth, enum wm_auth_sender sender, const struct sealed *sealed)
{
	size_t bytes = sealed->header.count;
	uint8_t *copy = malloc(bytes ? bytes : 1);
	int ret;

	memcpy(copy, sealed->body, bytes);
	ret = wm_auth_open(auth, sender, &sealed->header, copy);
	free(copy);
	return ret;
}

static void what_was_sealed_opens_once(void)
{
	struct wm_auth sender = begin(&bond), receiver = begin(&bond);
	struct sealed sealed = seal(&sender, WM_AUTH_NODE);

	CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &sealed), BODY_BYTES);
	CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &sealed), -EALREADY);
	sealed = seal(&sender, WM_AUTH_NODE);
	CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &sealed), BODY_BYTES);
}

/* Made by another implementation of BLAKE2b, in Python. */
static void the_tag_is_the_one_that_the_drawing_says(void)
{
	static const uint8_t expected[WM_AUTH_TAG_BYTES] = { 0xb9, 0xf1, 0x69, 0x4f, 0x96, 0xa5,
							     0xdf, 0x29, 0x92, 0xad, 0x29, 0x4c,
							     0xbe, 0xf6, 0xec, 0x94 };
	static const uint8_t sequence[8] = { 1 };
	struct wm_auth auth = begin(&bond);
	struct sealed sealed = seal(&auth, WM_AUTH_NODE);
	uint8_t tag[WM_AUTH_TAG_BYTES];

	CU_ASSERT_EQUAL(memcmp(sealed.body, BODY, BODY_BYTES), 0);
	CU_ASSERT_EQUAL(memcmp(sealed.body + BODY_BYTES, sequence, sizeof(sequence)), 0);
	wm_auth_tag(tag, sealed.body, SEALED_BYTES);
	CU_ASSERT_EQUAL(memcmp(tag, expected, sizeof(tag)), 0);
}

static void lost_frames_leave_gaps_and_late_ones_are_too_late(void)
{
	struct wm_auth sender = begin(&bond), receiver = begin(&bond);
	struct sealed first = seal(&sender, WM_AUTH_NODE);
	struct sealed third = (seal(&sender, WM_AUTH_NODE), seal(&sender, WM_AUTH_NODE));

	CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &third), BODY_BYTES);
	CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &first), -EALREADY);
}

static void a_frame_does_not_open_for_its_own_sender(void)
{
	struct wm_auth auth = begin(&bond);
	struct sealed sealed = seal(&auth, WM_AUTH_NODE);

	CU_ASSERT_EQUAL(open_by(&auth, WM_AUTH_CONTROLLER, &sealed), -EACCES);
}

static void every_bit_but_those_of_the_crc_counts(void)
{
	struct wm_auth sender = begin(&bond), receiver = begin(&bond);
	const struct sealed sealed = seal(&sender, WM_AUTH_NODE);

	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		struct sealed damaged = sealed;
		size_t byte = bit / 8;

		/* The version and count are the frame's own to check. */
		if (byte == offsetof(struct wm_wire_header, version) ||
		    (byte >= offsetof(struct wm_wire_header, count) &&
		     byte < offsetof(struct wm_wire_header, session)) ||
		    (byte >= offsetof(struct wm_wire_header, crc32c) &&
		     byte < sizeof(struct wm_wire_header)))
			continue;
		((uint8_t *)&damaged)[byte] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &damaged), -EACCES);
	}
	CU_ASSERT_EQUAL(receiver.received, 0);
}

static void every_truncation_is_forged(void)
{
	struct wm_auth sender = begin(&bond), receiver = begin(&bond);
	const struct sealed sealed = seal(&sender, WM_AUTH_NODE);

	for (uint16_t count = 0; count < SEALED_BYTES; count++) {
		struct sealed cut = sealed;

		cut.header.count = count;
		CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &cut), -EACCES);
	}
}

static void each_part_of_the_bond_makes_another_key(void)
{
	struct wm_auth_bond others[] = { bond, bond, bond, bond, bond, bond, bond };
	struct wm_auth sender = begin(&bond);
	const struct sealed sealed = seal(&sender, WM_AUTH_NODE);

	others[0].use = WM_AUTH_WELCOME;
	others[1].node[5] ^= 1;
	others[2].controller[0] ^= 1;
	others[3].node_nonce ^= 1ull << 63;
	others[4].controller_nonce ^= 1;
	others[5].session ^= 1u << 31;
	others[6].answers[15] ^= 1;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct wm_auth receiver = begin(&others[i]);

		CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_NODE, &sealed), -EACCES);
	}
}

static void an_empty_body_is_sealed_too(void)
{
	struct wm_auth sender = begin(&bond), receiver = begin(&bond);
	struct sealed sealed = { header, "" };

	sealed.header.count =
		(uint16_t)wm_auth_seal(&sender, WM_AUTH_CONTROLLER, &header, sealed.body, 0);
	CU_ASSERT_EQUAL(sealed.header.count, WM_AUTH_TRAILER_BYTES);
	CU_ASSERT_EQUAL(open_by(&receiver, WM_AUTH_CONTROLLER, &sealed), 0);
}

static void a_key_that_ended_is_wiped(void)
{
	struct wm_auth auth = begin(&bond);
	static const struct wm_auth nothing;

	wm_auth_end(&auth);
	CU_ASSERT_EQUAL(memcmp(&auth, &nothing, sizeof(auth)), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(what_was_sealed_opens_once),
	WM_TEST(the_tag_is_the_one_that_the_drawing_says),
	WM_TEST(lost_frames_leave_gaps_and_late_ones_are_too_late),
	WM_TEST(a_frame_does_not_open_for_its_own_sender),
	WM_TEST(every_bit_but_those_of_the_crc_counts),
	WM_TEST(every_truncation_is_forged),
	WM_TEST(each_part_of_the_bond_makes_another_key),
	WM_TEST(an_empty_body_is_sealed_too),
	WM_TEST(a_key_that_ended_is_wiped),
};

int main(void)
{
	return WM_TESTS_RUN("auth", tests);
}
