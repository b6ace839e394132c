/* SPDX-License-Identifier: BSD-3-Clause */
/* What members say, and time. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "harness.h"
#include "log.h"
#include "member_rack.h"

static void a_beat_is_echoed_and_tells_that_the_node_was_heard(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_beat(rack, &node);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_BEAT);
	CU_ASSERT_EQUAL(last_sent(rack)->header.count, 0);
	CU_ASSERT_EQUAL(last_sent(rack)->header.session, node.session);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_BEAT], 1);
	CU_ASSERT_EQUAL(member_of(rack, &node)->beat.batches, 7);
	free(rack);
}

static void a_beat_of_an_unknown_session_is_told_so(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.session = 0x12345678;
	give_beat(rack, &node);
	take_bye(rack, &node, "unknown session");
	CU_ASSERT_EQUAL(last_sent(rack)->header.session, node.session);
	CU_ASSERT_EQUAL(rack->membership.ignored, 1);
	free(rack);
}

static void a_session_counts_only_from_the_address_that_has_it(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1), thief = node_of(2);

	thief.session = node.session;
	give_bye(rack, &thief);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT_EQUAL(rack->membership.ignored, 1);
	free(rack);
}

static void a_silent_node_is_gone_after_five_seconds_and_not_before(void)
{
	struct rack *rack = rack_create();
	struct node silent = node_join(rack, 1), alive = node_join(rack, 2);

	pass_ms(rack, WM_DEAD_MS / 2);
	give_beat(rack, &alive);
	pass_ms(rack, WM_DEAD_MS / 2);
	expect_state(rack, &silent, WM_MEMBER_ADMITTED);
	pass_ms(rack, 100);
	expect_state(rack, &silent, WM_MEMBER_GONE);
	expect_state(rack, &alive, WM_MEMBER_ADMITTED);
	take_bye(rack, &silent, "not heard");
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	CU_ASSERT_EQUAL(rack->told_index, 0);
	free(rack);
}

static void a_node_that_says_bye_is_gone_and_may_come_back(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_bye(rack, &node);
	expect_state(rack, &node, WM_MEMBER_GONE);
	CU_ASSERT_STRING_EQUAL(member_of(rack, &node)->reason, "stopped");
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);

	node.hello.nonce++;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

/* Its frames are in the ring: they come after the tick. */
static void nobody_was_silent_while_the_controller_did_not_listen(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	pass_ms(rack, 4000);
	rack->now_ns += 60 * WM_NS_PER_S;
	pass_ms(rack, 950);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	pass_ms(rack, 150);
	expect_state(rack, &node, WM_MEMBER_GONE);
	free(rack);
}

static void what_only_a_controller_says_is_ignored(void)
{
	static const enum wm_op ops[] = { WM_OP_WELCOME, WM_OP_KERNEL, WM_OP_DRAIN };
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	for (unsigned i = 0; i < 3; i++)
		give(rack, &node, ops[i], 0, NULL, 0);
	CU_ASSERT_EQUAL(rack->membership.ignored, 3);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void closing_says_bye_to_everybody(void)
{
	struct rack *rack = rack_create();
	struct node first = node_join(rack, 1), second = node_join(rack, 2);

	wm_membership_close(&rack->membership, "the controller stops");
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_BYE), 2);
	take_bye(rack, &second, "the controller stops");
	expect_state(rack, &first, WM_MEMBER_GONE);
	free(rack);
}

static void a_device_that_was_lost_is_told_once(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);
	struct wm_beat beat = { .device_losses = 0 };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	for (uint64_t losses = 0; losses < 3; losses++) {
		beat.device_losses = losses;
		for (unsigned i = 0; i < 4; i++)
			give(rack, &node, WM_OP_BEAT, 0, body,
			     wm_message_encode_beat(body, sizeof(body), &beat));
		CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_DEVICE_LOST], losses);
	}
	free(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(a_device_that_was_lost_is_told_once),
	WM_TEST(a_beat_is_echoed_and_tells_that_the_node_was_heard),
	WM_TEST(a_beat_of_an_unknown_session_is_told_so),
	WM_TEST(a_session_counts_only_from_the_address_that_has_it),
	WM_TEST(a_silent_node_is_gone_after_five_seconds_and_not_before),
	WM_TEST(a_node_that_says_bye_is_gone_and_may_come_back),
	WM_TEST(nobody_was_silent_while_the_controller_did_not_listen),
	WM_TEST(what_only_a_controller_says_is_ignored),
	WM_TEST(closing_says_bye_to_everybody),
};

int main(void)
{
	wm_log_init("membership_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("membership", tests);
}
