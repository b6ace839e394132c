/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is asked to prepare a job, and has: by what reaches it, too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "log.h"
#include "member_rack.h"

static void begin(struct rack *rack, uint32_t mtu)
{
	wm_membership_job_begin(&rack->membership, JOB, &layout, mtu, rack->now_ns);
}

static void a_job_asks_everybody_until_the_answer_comes(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	begin(rack, 9000);
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_KERNEL), 1);
	CU_ASSERT_EQUAL(last_sent(rack)->header.job, JOB);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	pass_ms(rack, 1000);
	CU_ASSERT(count_sent(rack, WM_OP_KERNEL) >= 4 && count_sent(rack, WM_OP_KERNEL) <= 6);

	give_ack(rack, &node, JOB, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));
	give_ack(rack, &node, JOB, 0);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_READY], 1);
	rack->sent_count = 0;
	pass_ms(rack, 1000);
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_KERNEL), 0);

	wm_membership_job_end(&rack->membership, JOB);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void the_end_of_another_job_is_none_of_this_one(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	begin(rack, 9000);
	CU_ASSERT_FALSE(wm_membership_has_answered(&rack->membership, member_of(rack, &node), JOB));
	give_ack(rack, &node, JOB, 0);
	CU_ASSERT(wm_membership_has_answered(&rack->membership, member_of(rack, &node), JOB));
	CU_ASSERT_FALSE(
		wm_membership_has_answered(&rack->membership, member_of(rack, &node), JOB + 1));
	wm_membership_job_end(&rack->membership, JOB + 1);
	expect_state(rack, &node, WM_MEMBER_READY);
	free(rack);
}

static void an_answer_to_another_job_is_none(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_ack(rack, &node, JOB, 0);
	begin(rack, 9000);
	give_ack(rack, &node, JOB - 1, 0);
	give_ack(rack, &node, 0, 0);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	free(rack);
}

static void a_node_that_cannot_prepare_stays_and_says_why(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	begin(rack, 9000);
	give_ack(rack, &node, JOB, ENOENT);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));
	CU_ASSERT_STRING_EQUAL(member_of(rack, &node)->reason, "not ready: because");
	free(rack);
}

static void a_node_that_cannot_prepare_is_asked_again_a_few_times(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);
	unsigned asked = 0;

	begin(rack, 9000);
	for (unsigned i = 0; i < 600; i++) {
		if (last_sent(rack)->header.op == WM_OP_KERNEL) {
			CU_ASSERT_EQUAL(last_sent(rack)->header.batch, asked);
			node.question = asked++;
			give_ack(rack, &node, JOB, ENOMEM);
		}
		give_beat(rack, &node);
		pass_ms(rack, 100);
	}
	CU_ASSERT_EQUAL(asked, 5);
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));

	wm_membership_job_end(&rack->membership, JOB);
	begin(rack, 9000);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	CU_ASSERT_EQUAL(last_sent(rack)->header.batch, 0);
	free(rack);
}

static void a_node_that_prepares_the_second_time_is_ready(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	begin(rack, 9000);
	give_ack(rack, &node, JOB, ENOMEM);
	pass_ms(rack, 1100);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	/* The first answer once more. */
	give_ack(rack, &node, JOB, ENOMEM);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	node.question = 1;
	give_ack(rack, &node, JOB, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	free(rack);
}

static void who_took_part_keeps_its_place_until_the_job_ends(void)
{
	struct rack *rack = rack_create();
	struct node newcomer = node_of(WM_NODES_MAX), first = node_join(rack, 0);

	for (unsigned i = 1; i < WM_NODES_MAX; i++)
		(void)node_join(rack, i);
	begin(rack, 9000);
	give_ack(rack, &first, JOB, 0);
	give_bye(rack, &first);
	give_hello(rack, &newcomer);
	take_bye(rack, &newcomer, "refused: the rack is full");

	wm_membership_job_end(&rack->membership, JOB);
	give_hello(rack, &newcomer);
	take_welcome(rack, &newcomer);
	CU_ASSERT_EQUAL(index_of(rack, &newcomer), 0);
	free(rack);
}

static void who_joins_during_a_job_is_asked_too(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	begin(rack, 9000);
	give_hello(rack, &node);
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_WELCOME), 1);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	node.session = last_sent(rack)->header.session;
	give_ack(rack, &node, JOB, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	free(rack);
}

static void the_smallest_mtu_governs_and_is_named(void)
{
	struct rack *rack = rack_create();
	struct node small = node_of(2);
	uint32_t index = 77;

	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 9000, &index), 9000);
	(void)node_join(rack, 1);
	small.hello.mtu = 3506;
	give_hello(rack, &small);
	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 9000, &index), 3506);
	CU_ASSERT_EQUAL(index, 1);
	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 1500, &index), 1500);
	free(rack);
}

static void who_joins_a_job_of_a_larger_mtu_waits_for_the_next(void)
{
	struct rack *rack = rack_create();
	struct node small = node_of(1);

	begin(rack, 9000);
	small.hello.mtu = 1500;
	give_hello(rack, &small);
	take_welcome(rack, &small);
	expect_state(rack, &small, WM_MEMBER_ADMITTED);
	CU_ASSERT_PTR_NOT_NULL(strstr(member_of(rack, &small)->reason, "too small for job 9"));
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));

	wm_membership_job_end(&rack->membership, JOB);
	CU_ASSERT_STRING_EQUAL(member_of(rack, &small)->reason, "");
	begin(rack, 1500);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	free(rack);
}

/* Beats of it keep it in. */
static void pass_with_beats(struct rack *rack, const struct node *node, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		give_beat(rack, node);
		pass_ms(rack, 1000);
	}
}

static void a_switch_between_that_passes_less_is_heeded(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	uint32_t index = 77;

	node.hello.mtu = 9000;
	rack->switch_mtu = 1500;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	CU_ASSERT_TRUE(wm_membership_paths_are_open(&rack->membership, rack->now_ns));
	pass_with_beats(rack, &node, 2);
	CU_ASSERT_FALSE(wm_membership_paths_are_open(&rack->membership, rack->now_ns));
	CU_ASSERT_TRUE(wm_member_path_is_narrow(member_of(rack, &node)));
	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 9000, &index), 1500);
	CU_ASSERT_EQUAL(index, 0);
	begin(rack, 9000);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT_PTR_NOT_NULL(strstr(member_of(rack, &node)->reason, "path to it"));
	CU_ASSERT_PTR_EQUAL(wm_membership_find_unreached(&rack->membership),
			    member_of(rack, &node));

	/* The port is mended: it is asked to take part. */
	rack->switch_mtu = 9000;
	pass_with_beats(rack, &node, 12);
	CU_ASSERT_FALSE(wm_member_path_is_narrow(member_of(rack, &node)));
	CU_ASSERT_TRUE(member_of(rack, &node)->jobs[0].asked);
	CU_ASSERT_PTR_NULL(wm_membership_find_unreached(&rack->membership));
	free(rack);
}

static void one_that_is_ready_leaves_the_job_when_its_path_gets_narrow(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.hello.mtu = 9000;
	rack->switch_mtu = 9000;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	pass_with_beats(rack, &node, 1);
	begin(rack, 9000);
	give_ack(rack, &node, 9, 0);
	expect_state(rack, &node, WM_MEMBER_READY);

	rack->switch_mtu = 1500;
	wm_membership_look(&rack->membership, 0, rack->now_ns);
	pass_with_beats(rack, &node, 2);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_UNFIT], 1);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	rack->switch_mtu = 9000;
	pass_with_beats(rack, &node, 12);
	give_ack(rack, &node, 9, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_READY], 2);
	free(rack);
}

static void an_echo_of_another_session_is_ignored(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	struct wm_wire_header header = { .op = WM_OP_ECHO, .batch = 1, .count = 8972 };

	give_hello(rack, &node);
	take_welcome(rack, &node);
	for (header.session = 0; header.session < 4096; header.session++)
		wm_membership_receive_echo(&rack->membership, node.mac, &header, rack->now_ns);
	CU_ASSERT_EQUAL(rack->membership.ignored, 4096);
	CU_ASSERT_EQUAL(member_of(rack, &node)->path.mtu, 0);
	free(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(a_job_asks_everybody_until_the_answer_comes),
	WM_TEST(the_end_of_another_job_is_none_of_this_one),
	WM_TEST(an_answer_to_another_job_is_none),
	WM_TEST(a_node_that_cannot_prepare_stays_and_says_why),
	WM_TEST(a_node_that_cannot_prepare_is_asked_again_a_few_times),
	WM_TEST(a_node_that_prepares_the_second_time_is_ready),
	WM_TEST(who_took_part_keeps_its_place_until_the_job_ends),
	WM_TEST(who_joins_during_a_job_is_asked_too),
	WM_TEST(the_smallest_mtu_governs_and_is_named),
	WM_TEST(who_joins_a_job_of_a_larger_mtu_waits_for_the_next),
	WM_TEST(a_switch_between_that_passes_less_is_heeded),
	WM_TEST(one_that_is_ready_leaves_the_job_when_its_path_gets_narrow),
	WM_TEST(an_echo_of_another_session_is_ignored),
};

int main(void)
{
	wm_log_init("membership_job_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("membership-job", tests);
}
