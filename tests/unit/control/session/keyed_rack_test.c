/* SPDX-License-Identifier: BSD-3-Clause */
/* Who joins a rack with a key, and who does not. */
#include <errno.h>
#include <string.h>

#include "keyed_rack.h"
#include "log.h"

/* ---- joining ----------------------------------------------------------------------- */

static void nodes_with_the_key_join_and_work(void)
{
	struct rack *rack = rack_at_work();

	pass_ms(rack, 20000);
	for (unsigned i = 0; i < NODES; i++) {
		CU_ASSERT(is_joined(rack, i));
		CU_ASSERT_EQUAL(rack->nodes[i].prepared, 1);
		CU_ASSERT_EQUAL(rack->nodes[i].sessions, 1);
	}
	CU_ASSERT_EQUAL(ignored_by_controller(rack), 0);
	rack_destroy(rack);
}

static void a_hello_alone_admits_nobody(void)
{
	struct rack *rack = rack_create(&cluster_key);

	rack->lost_ops = 1u << WM_OP_BEAT;
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 3500);
	CU_ASSERT_EQUAL(rack->nodes[0].agent.state, WM_AGENT_MEMBER);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 0);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_ADMITTED), 0);

	rack->lost_ops = 0;
	pass_ms(rack, 300);
	CU_ASSERT(is_joined(rack, 0));
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 1);
	rack_destroy(rack);
}

static void a_lost_welcome_is_sent_again_for_the_same_candidate(void)
{
	struct rack *rack = rack_create(&cluster_key);
	uint32_t session;

	rack->lost_ops = 1u << WM_OP_WELCOME;
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 20);
	session = last_of(rack, WM_OP_WELCOME, false)->header.session;
	pass_ms(rack, 2000);
	rack->lost_ops = 0;
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 0));
	CU_ASSERT_EQUAL(member_of(rack, 0)->session, session);
	rack_destroy(rack);
}

static void a_node_that_starts_again_ends_its_old_session_by_proving_the_new_one(void)
{
	struct rack *rack = rack_at_work();
	uint32_t before = member_of(rack, 1)->session;

	rack->lost_ops = 1u << WM_OP_BEAT;
	node_start(rack, 1, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT_EQUAL(member_of(rack, 1)->session, before);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 0);

	rack->lost_ops = 0;
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 1));
	CU_ASSERT_NOT_EQUAL(member_of(rack, 1)->session, before);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_READY), NODES);
	rack_destroy(rack);
}

/* Its next life has said HELLO, and would be admitted by its first beat. */
static void who_computed_wrong_gets_in_by_no_later_life_either(void)
{
	struct rack *rack = rack_at_work();

	rack->lost_ops = 1u << WM_OP_BEAT;
	node_start(rack, 1, &cluster_key);
	pass_ms(rack, 1000);
	wm_membership_quarantine(&rack->membership,
				 (uint32_t)(member_of(rack, 1) - rack->membership.members),
				 "computed wrong");
	rack->lost_ops = 0;
	pass_ms(rack, 20000);
	CU_ASSERT_EQUAL(member_of(rack, 1)->state, WM_MEMBER_QUARANTINED);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_READY), NODES - 1);
	rack_destroy(rack);
}

static void a_controller_that_starts_again_is_noticed_at_the_next_beat(void)
{
	struct rack *rack = rack_at_work();

	controller_start(rack, &cluster_key);
	pass_ms(rack, 2500);
	for (unsigned i = 0; i < NODES; i++)
		CU_ASSERT(is_joined(rack, i));
	rack_destroy(rack);
}

static void a_refusal_is_believed_from_who_has_the_key(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, &cluster_key);
	rack->nodes[0].agent.config.hello.mtu = WM_MTU_MIN - 1;
	pass_ms(rack, 1000);
	CU_ASSERT(rack->nodes[0].agent.refused);
	CU_ASSERT_PTR_NOT_NULL(strstr(rack->nodes[0].agent.refusal, "refused: its MTU"));
	CU_ASSERT_EQUAL(member_of(rack, 0)->state, WM_MEMBER_REFUSED);
	rack_destroy(rack);
}

/* ---- keys that differ ----------------------------------------------------------------- */

static void stays_out(struct rack *rack)
{
	pass_ms(rack, 30000);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 0);
	CU_ASSERT_EQUAL(rack->nodes[0].sessions, 0);
	CU_ASSERT_EQUAL(rack->membership.count, 0);
}

static void a_node_with_another_key_stays_out_and_says_so(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, &other_key);
	stays_out(rack);
	CU_ASSERT(rack->membership.counts.forged > 10);
	CU_ASSERT_EQUAL(rack->membership.counts.unkeyed, 0);
	CU_ASSERT(rack->nodes[0].agent.hinted);
	CU_ASSERT_FALSE(rack->nodes[0].agent.refused);
	rack_destroy(rack);
}

static void a_node_without_a_key_stays_out_of_a_keyed_rack(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, NULL);
	stays_out(rack);
	CU_ASSERT(rack->membership.counts.unkeyed > 0);
	CU_ASSERT_EQUAL(rack->membership.counts.forged, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(rack->nodes[0].agent.refusal, "wants its key"));
	rack_destroy(rack);
}

static void a_node_with_a_key_stays_out_of_an_unkeyed_rack(void)
{
	struct rack *rack = rack_create(NULL);

	node_start(rack, 0, &cluster_key);
	stays_out(rack);
	CU_ASSERT(rack->membership.counts.unkeyed > 10);
	CU_ASSERT(rack->nodes[0].agent.hinted);
	CU_ASSERT(rack->nodes[0].agent.counts.forged > 10);
	rack_destroy(rack);
}

/* ---- frames with tags --------------------------------------------------------- */

static void with_aead_both_ends_have_one_frame_key_of_the_session_alone(void)
{
	static const uint8_t none[WM_KEY_BYTES];
	struct rack *rack = rack_create(&cluster_key);
	uint8_t former[WM_KEY_BYTES];

	wm_membership_authenticate_frames(&rack->membership, WM_WIRE_AEAD);
	for (unsigned i = 0; i < NODES; i++)
		node_start(rack, i, &cluster_key);
	pass_ms(rack, 1000);
	for (unsigned i = 0; i < NODES; i++) {
		const struct node *node = &rack->nodes[i];

		CU_ASSERT_TRUE(is_joined(rack, i));
		CU_ASSERT_PTR_NOT_NULL_FATAL(node->frame_key);
		CU_ASSERT_EQUAL(memcmp(node->frame_key, member_of(rack, i)->frame_key, 32), 0);
		CU_ASSERT_NOT_EQUAL(memcmp(node->frame_key, none, 32), 0);
		CU_ASSERT_NOT_EQUAL(memcmp(node->frame_key, node->agent.auth.key, 32), 0);
		CU_ASSERT_NOT_EQUAL(
			memcmp(node->frame_key, rack->nodes[(i + 1) % NODES].frame_key, 32), 0);
	}

	/* Another life has another one, and the former is forgotten. */
	memcpy(former, rack->nodes[0].frame_key, sizeof(former));
	wm_agent_leave(&rack->nodes[0].agent, "stopped");
	settle(rack);
	CU_ASSERT_EQUAL(memcmp(rack->nodes[0].agent.frame_key, none, 32), 0);
	CU_ASSERT_EQUAL(memcmp(member_of(rack, 0)->frame_key, none, 32), 0);
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT_TRUE(is_joined(rack, 0));
	CU_ASSERT_NOT_EQUAL(memcmp(rack->nodes[0].frame_key, former, 32), 0);
	rack_destroy(rack);
}

static void without_aead_no_frame_key_is_used(void)
{
	struct rack *rack = rack_at_work();

	for (unsigned i = 0; i < NODES; i++)
		CU_ASSERT_PTR_NULL(rack->nodes[i].frame_key);
	rack_destroy(rack);
}

static void a_node_that_requires_aead_joins_no_controller_without(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, &cluster_key);
	rack->nodes[0].agent.config.require_aead = true;
	pass_ms(rack, 20000);
	CU_ASSERT_EQUAL(rack->nodes[0].sessions, 0);
	CU_ASSERT_FALSE(is_joined(rack, 0));
	wm_membership_authenticate_frames(&rack->membership, WM_WIRE_AEAD);
	pass_ms(rack, 20000);
	CU_ASSERT_TRUE(is_joined(rack, 0));
	CU_ASSERT_PTR_NOT_NULL(rack->nodes[0].frame_key);
	rack_destroy(rack);
}

/* Who has not the key can change what WELCOME says, but not so that it is believed. */
static void a_welcome_that_was_weakened_on_its_way_is_refused(void)
{
	struct rack *rack = rack_create(&cluster_key);
	struct wm_welcome welcome;
	struct frame frame;

	wm_membership_authenticate_frames(&rack->membership, WM_WIRE_AEAD);
	rack->lost_ops = 1u << WM_OP_WELCOME;
	node_start(rack, 0, &cluster_key);
	tick(rack);
	settle(rack);
	frame = *last_of(rack, WM_OP_WELCOME, false);
	CU_ASSERT_EQUAL(wm_message_decode_welcome(
				frame.body, frame.header.count - WM_AUTH_TRAILER_BYTES, &welcome),
			0);
	CU_ASSERT_EQUAL(welcome.frame_auth, WM_WIRE_AEAD);
	/* The field is the body's last, so that its value stands before the trailer. */
	CU_ASSERT_EQUAL(frame.body[frame.header.count - WM_AUTH_TRAILER_BYTES - 1], WM_WIRE_AEAD);
	frame.body[frame.header.count - WM_AUTH_TRAILER_BYTES - 1] = WM_WIRE_CRC32C;
	CU_ASSERT_EQUAL(deliver(rack, &frame), -EACCES);
	CU_ASSERT_EQUAL(rack->nodes[0].sessions, 0);
	rack_destroy(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(with_aead_both_ends_have_one_frame_key_of_the_session_alone),
	WM_TEST(without_aead_no_frame_key_is_used),
	WM_TEST(a_node_that_requires_aead_joins_no_controller_without),
	WM_TEST(a_welcome_that_was_weakened_on_its_way_is_refused),
	WM_TEST(nodes_with_the_key_join_and_work),
	WM_TEST(a_hello_alone_admits_nobody),
	WM_TEST(a_lost_welcome_is_sent_again_for_the_same_candidate),
	WM_TEST(a_node_that_starts_again_ends_its_old_session_by_proving_the_new_one),
	WM_TEST(who_computed_wrong_gets_in_by_no_later_life_either),
	WM_TEST(a_controller_that_starts_again_is_noticed_at_the_next_beat),
	WM_TEST(a_refusal_is_believed_from_who_has_the_key),
	WM_TEST(a_node_with_another_key_stays_out_and_says_so),
	WM_TEST(a_node_without_a_key_stays_out_of_a_keyed_rack),
	WM_TEST(a_node_with_a_key_stays_out_of_an_unkeyed_rack),
};

int main(void)
{
	wm_log_init("keyed_rack_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("keyed rack", tests);
}
