/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is let in, and who is not. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "log.h"
#include "member_rack.h"

static void hello_is_answered_with_a_session(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	struct wm_welcome welcome;

	give_hello(rack, &node);
	welcome = take_welcome(rack, &node);
	CU_ASSERT_EQUAL(welcome.nonce, node.hello.nonce);
	CU_ASSERT_EQUAL(memcmp(welcome.controller, controller, sizeof(controller)), 0);
	CU_ASSERT_NOT_EQUAL(node.session, 0);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 1);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void a_lost_welcome_is_sent_again_for_the_same_session(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);
	uint32_t session = node.session;

	give_hello(rack, &node);
	take_welcome(rack, &node);
	CU_ASSERT_EQUAL(node.session, session);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 1);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 0);
	free(rack);
}

static void a_node_that_starts_again_gets_a_new_session_and_the_old_one_ends(void)
{
	struct rack *rack = rack_create();
	struct node old = node_join(rack, 1), new = old;
	uint64_t ignored;

	new.hello.nonce++;
	give_hello(rack, &new);
	take_welcome(rack, &new);
	CU_ASSERT_NOT_EQUAL(new.session, old.session);
	CU_ASSERT_EQUAL(rack->membership.count, 1);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 2);

	ignored = rack->membership.ignored;
	give_bye(rack, &old);
	CU_ASSERT_EQUAL(rack->membership.ignored, ignored + 1);
	expect_state(rack, &new, WM_MEMBER_ADMITTED);
	free(rack);
}

static void the_capacity_of_a_node_is_cut_to_the_largest_window(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.hello.capacity = 10 * WM_NODE_WINDOW_MAX;
	give_hello(rack, &node);
	CU_ASSERT_EQUAL(member_of(rack, &node)->hello.capacity, WM_NODE_WINDOW_MAX);
	free(rack);
}

static void a_link_with_too_small_an_mtu_is_refused_and_told_each_time(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.hello.mtu = WM_MTU_MIN - 1;
	for (unsigned i = 1; i <= 3; i++) {
		give_hello(rack, &node);
		take_bye(rack, &node, "refused: its MTU");
		CU_ASSERT_EQUAL(rack->sent_count, i);
	}
	expect_state(rack, &node, WM_MEMBER_REFUSED);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 0);

	node.hello.mtu = WM_MTU_MIN;
	node.hello.nonce++;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void a_full_rack_refuses_and_takes_the_place_of_who_is_gone(void)
{
	struct rack *rack = rack_create();
	struct node newcomer = node_of(WM_NODES_MAX), first = node_of(0);

	for (unsigned i = 0; i < WM_NODES_MAX; i++) {
		struct node node = node_join(rack, i);

		if (i == 0)
			first = node;
	}
	give_hello(rack, &newcomer);
	take_bye(rack, &newcomer, "refused: the rack is full");

	give_bye(rack, &first);
	give_hello(rack, &newcomer);
	take_welcome(rack, &newcomer);
	CU_ASSERT_EQUAL(member_of(rack, &newcomer), &rack->membership.members[0]);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_ADMITTED), WM_NODES_MAX);
	free(rack);
}

static void sessions_tell_their_node_and_never_repeat_at_once(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	uint32_t before = 0;

	(void)node_join(rack, 0);
	for (unsigned i = 0; i < 200; i++) {
		node.hello.nonce++;
		give_hello(rack, &node);
		take_welcome(rack, &node);
		CU_ASSERT_NOT_EQUAL(node.session, before);
		CU_ASSERT_EQUAL(node.session & (WM_NODES_MAX - 1), 1);
		before = node.session;
	}
	free(rack);
}

static void a_hello_that_makes_no_sense_is_ignored(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	static const uint8_t junk[] = { 0xc1, 0xff };

	give(rack, &node, WM_OP_HELLO, 0, junk, sizeof(junk));
	CU_ASSERT_EQUAL(rack->membership.ignored, 1);
	CU_ASSERT_EQUAL(rack->sent_count, 0);
	free(rack);
}

static void who_computed_wrong_is_told_and_kept_out(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	wm_membership_quarantine(&rack->membership, index_of(rack, &node), "computed wrong");
	take_bye(rack, &node, "refused: it computed wrong");
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	node.hello.nonce++;
	give_hello(rack, &node);
	take_bye(rack, &node, "refused: it computed wrong");
	expect_state(rack, &node, WM_MEMBER_QUARANTINED);
	CU_ASSERT_EQUAL(wm_membership_admit(&rack->membership, index_of(rack, &node)), 0);
	give_hello(rack, &node);
	take_welcome(rack, &node);
	free(rack);
}

/* The lane looks at its results later than it leaves. */
static void who_computed_wrong_and_left_is_kept_out_all_the_same(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_bye(rack, &node);
	wm_membership_quarantine(&rack->membership, index_of(rack, &node), "computed wrong");
	expect_state(rack, &node, WM_MEMBER_QUARANTINED);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	give_hello(rack, &node);
	take_bye(rack, &node, "refused: it computed wrong");
	free(rack);
}

/* The same address, and each life of one ends that of the other. */
static void two_machines_with_one_address_do_not_take_turns_for_ever(void)
{
	struct rack *rack = rack_create();
	struct node a = node_of(1), b = node_of(1);

	b.hello.nonce = 5000;
	strcpy(b.hello.name, "other");
	give_hello(rack, &a);
	take_welcome(rack, &a);
	for (unsigned i = 0; i < 3; i++) {
		struct node *comes = i % 2 ? &a : &b, *was = i % 2 ? &b : &a;

		comes->hello.nonce++;
		give_hello(rack, comes);
		take_welcome(rack, comes);
		give_beat(rack, was);
		pass_ms(rack, 500);
	}
	/* The one that is in stays in, and the other is told why it is not. */
	give_beat(rack, &b);
	expect_state(rack, &b, WM_MEMBER_ADMITTED);
	a.hello.nonce++;
	give_hello(rack, &a);
	take_bye(rack, &a, "another machine here has its MAC address");
	expect_state(rack, &b, WM_MEMBER_ADMITTED);
	CU_ASSERT_STRING_EQUAL(member_of(rack, &b)->hello.name, "other");
	free(rack);
}

/* Its last beat may be late; it does not beat for ever. */
static void a_node_that_starts_again_is_no_twin_of_itself(void)
{
	struct rack *rack = rack_create();
	struct node before = node_of(1), after = before;

	give_hello(rack, &before);
	take_welcome(rack, &before);
	after.hello.nonce = 77;
	give_hello(rack, &after);
	take_welcome(rack, &after);
	give_beat(rack, &before);
	after.hello.nonce = 78;
	give_hello(rack, &after);
	take_welcome(rack, &after);
	expect_state(rack, &after, WM_MEMBER_ADMITTED);
	free(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(hello_is_answered_with_a_session),
	WM_TEST(a_lost_welcome_is_sent_again_for_the_same_session),
	WM_TEST(a_node_that_starts_again_gets_a_new_session_and_the_old_one_ends),
	WM_TEST(the_capacity_of_a_node_is_cut_to_the_largest_window),
	WM_TEST(a_link_with_too_small_an_mtu_is_refused_and_told_each_time),
	WM_TEST(a_full_rack_refuses_and_takes_the_place_of_who_is_gone),
	WM_TEST(sessions_tell_their_node_and_never_repeat_at_once),
	WM_TEST(a_hello_that_makes_no_sense_is_ignored),
	WM_TEST(who_computed_wrong_is_told_and_kept_out),
	WM_TEST(who_computed_wrong_and_left_is_kept_out_all_the_same),
	WM_TEST(two_machines_with_one_address_do_not_take_turns_for_ever),
	WM_TEST(a_node_that_starts_again_is_no_twin_of_itself),
};

int main(void)
{
	wm_log_init("admission_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("admission", tests);
}
